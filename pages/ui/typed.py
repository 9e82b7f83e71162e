"""A field for the reader's own expression: what was typed stays, a mistake gets one sentence and a caret."""

from collections.abc import Callable, Mapping
from typing import Protocol

import streamlit as st

from maml_core.graphs.expressions import ExpressionError
from maml_core.graphs.trees import Expression

WINDOW = 60  # characters shown round a mistake


class Example(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def why(self) -> str: ...


def expression(
    key: str, label: str, read: Callable[[str], Expression], examples: Mapping[str, Example], help_text: str
) -> Expression:
    """What the field holds, or, where that cannot be read, the last expression that could. The first example is
    the default. `read` raises ExpressionError."""
    default = next(iter(examples.values())).text
    typed = st.text_input(label, default, key=key, bind="query-params", help=help_text)
    with st.container(horizontal=True, gap="small"):
        for name, example in examples.items():
            st.button(
                name,
                key=f"{key}:{name}",
                type="tertiary",
                help=f"`{example.text}`: {example.why}",
                on_click=st.session_state.__setitem__,
                args=(key, example.text),
            )
    try:
        found = read(typed)
    except ExpressionError as error:
        last = st.session_state.get(f"{key}:last", default)
        st.markdown(f":red[{_plain(str(error))}] Below is still `{last}`.")
        st.code(caret(typed, error.position), language=None)
        return read(last)
    st.session_state[f"{key}:last"] = str(found)
    return found


def caret(text: str, position: int) -> str:
    """Two lines: the text round the mistake, and a caret under it."""
    start = max(0, min(position - WINDOW // 2, len(text) - WINDOW))
    shown = "".join(c if c.isprintable() else "�" for c in text[start : start + WINDOW])
    before = "…" if start else ""
    after = "…" if start + WINDOW < len(text) else ""
    return f"{before}{shown}{after}\n{' ' * (len(before) + position - start)}^"


def _plain(sentence: str) -> str:
    """Brackets would end the coloured text; dollars would begin a formula."""
    return sentence.replace("[", "\\[").replace("]", "\\]").replace("$", "\\$")
