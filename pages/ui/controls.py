"""One control = one name, range, unit, help text and URL parameter, the same in every lesson."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def x() -> float:
    """The parameter that is being learned."""
    return _slider("x", "x", -5.0, 5.0, 3.0, 0.1, "The leaf: MAML's θ, one number. No unit.")


def inner_lr() -> float:
    """α."""
    return _slider(
        "alpha",
        "α, inner_lr",
        0.0,
        1.0,
        0.4,
        0.01,
        "Step size of the inner loop, and here of the outer step too.",
    )


def inner_steps(most: int) -> int:
    return _slider(
        "inner_steps",
        "inner_steps",
        1,
        most,
        1,
        1,
        "How often the inner loop updates x′ before the outer loss.",
    )


def coefficient() -> int:
    """c in x′ = c·x − α·g."""
    help_text = "x′ = c·x − α·g. MAML has c = 1; the blog example that this lesson starts from has c = 2."
    return int(_choice("c", "c", {"1": "1", "2": "2"}, "2", help_text))


def preset(presets: Mapping[str, Any]) -> str:
    """Which pair of losses."""
    titles = {name: preset.title for name, preset in presets.items()}
    help_text = (
        "The inner and the outer loss: " + "; ".join(f"**{p.title}**: {p.why}" for p in presets.values()) + "."
    )
    return _choice("losses", "losses", titles, next(iter(titles)), help_text)


def _slider(key: str, label: str, low: Any, high: Any, default: Any, step: Any, help_text: str) -> Any:  # noqa: ANN401
    kind = type(default)
    rejected = _rejected(key, lambda raw: low <= kind(raw) <= high)
    value = st.slider(label, low, high, default, step, key=key, bind="query-params", help=help_text)
    if rejected is not None:
        what = "a whole number" if kind is int else "a number"
        st.caption(
            f":red[The link asked for {key} = `{rejected}`; it must be {what} from {low} to {high}, so this is {default}.]"
        )
    return value


def _choice(key: str, label: str, options: Mapping[str, str], default: str, help_text: str) -> str:
    rejected = _rejected(key, lambda raw: raw in options)
    value = st.segmented_control(
        label,
        list(options),
        default=default,
        required=True,
        format_func=lambda option: options[option],
        key=key,
        bind="query-params",
        help=help_text,
    )
    if rejected is not None:
        st.caption(
            f":red[The link asked for {key} = `{rejected}`; it can be {' or '.join(options)}, so this is {default}.]"
        )
    return str(value)


def _rejected(key: str, accept: Callable[[str], bool]) -> str | None:
    """What the URL asked for and cannot have; remembered until the control is moved. Streamlit drops it silently."""
    memory = f"rejected:{key}"
    raw = st.query_params.get(key)
    if raw is not None and not _accepts(accept, raw):
        st.session_state[memory] = (raw.replace("`", "")[:40], None)
    if memory not in st.session_state:
        return None
    rejected, seen = st.session_state[memory]
    current = st.session_state.get(key)
    if seen is None or current == seen:
        st.session_state[memory] = (rejected, current if current is not None else seen)
        return rejected
    del st.session_state[memory]
    return None


def _accepts(accept: Callable[[str], bool], raw: str) -> bool:
    try:
        return accept(raw)
    except ValueError:
        return False
