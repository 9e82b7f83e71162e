"""Lesson 1's controls: an expression, three leaves, two calls and what stands between them."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import streamlit as st

from maml_core.graphs.two_calls import BETWEEN, CALLS, EXAMPLES, FIRST, LEAVES, SECOND, Between, Call, TwoCalls, read
from pages.ui import controls

Option = TypeVar("Option", bound=str)
EXPRESSION = 400  # pixels
DEFAULTS = {"x1": 3.0, "x2": 4.0, "x3": 5.0}


class Chosen(NamedTuple):
    """What the reader has set, and the same as the parameters of a link."""

    two_calls: TwoCalls
    inputs: dict[str, float]
    parameters: dict[str, object]


def choose() -> Chosen:
    """Two rows of controls."""
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=EXPRESSION):  # a field that is typed in stands below the names
            name, text = controls.example(EXAMPLES, LEAVES)
        inputs = {leaf: controls.leaf(leaf, DEFAULTS[leaf]) for leaf in LEAVES}
    with st.container(horizontal=True, gap="medium"):
        first = _call("first", f"first call, on {FIRST}")
        retain_graph = _retain_graph()
        between = _between()
        second = _call("second", "second call")
        output = _output()
    settings = {"first": first, "retain_graph": retain_graph, "between": between, "second": second, "of": output}
    typed = {"y": text} if name == controls.OWN else {}
    two_calls = TwoCalls(read(text), first, second, between, retain_graph, again=output == FIRST)
    return Chosen(two_calls, inputs, {"expression": name, **typed, **inputs, **settings})


def _call(key: str, label: str) -> Call:
    help_text = "`backward()` adds to every leaf's `.grad`; `autograd.grad` returns the gradients and adds nowhere."
    return _one_of(CALLS, controls.choice(key, label, CALLS, CALLS[0], help_text))


def _retain_graph() -> bool:
    help_text = "Of the first call. A call frees what its graph saved for the backward pass, unless this is True."
    return controls.choice("retain_graph", "retain_graph", ("False", "True"), "False", help_text) == "True"


def _between() -> Between:
    help_text = (
        "**nothing**: `.grad` stays. **zero**: what `optimizer.zero_grad(set_to_none=False)` does, a zero into every "
        "`.grad` that is there. **None**: what `optimizer.zero_grad()` does, every `.grad` is dropped."
    )
    return _one_of(BETWEEN, controls.choice("between", ".grad in between", BETWEEN, BETWEEN[0], help_text))


def _output() -> str:
    help_text = "y2 has a graph of its own. With y1 the second call goes through a graph that has been used before."
    return controls.choice("of", "second call, on", (SECOND, FIRST), SECOND, help_text)


def _one_of(options: Sequence[Option], chosen: str) -> Option:
    return next(option for option in options if option == chosen)
