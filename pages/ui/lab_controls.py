"""The configuration of a training as controls: a preset, the fields that matter most, and all others in a popover.

Every control is a field of `maml_core.train.config.Config` and has its sentence, unit and range from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from maml_core.train.config import PRESETS, Config, resolved
from pages.ui import controls
from pages.ui.lab_fields import (
    FIRST,
    LABELS,
    LOOKING,
    MAIN,
    MOST_INNER_STEPS,
    OTHERS,
    OWN,
    SPECS,
    WHY,
    allowed,
    key,
    limits,
)

WIDTH = 140  # pixels of a control


def config(most_iterations: int) -> Config:
    """The configuration that the controls ask for."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        preset = _words("preset", tuple(WHY), FIRST, _presets_help(), _preset_chosen)
        base = PRESETS[preset]
        algorithm = _field_words("algorithm", base.algorithm, _algorithm_chosen)
        base = _with_own(base, algorithm)
        values = {name: _number(name, base, most_iterations) for name in MAIN}
        with (
            st.popover("All settings", icon=":material/tune:"),
            st.container(horizontal=True, gap="small", vertical_alignment="bottom"),
        ):
            values |= {name: _other(name, base, most_iterations) for name in OTHERS}
            values |= {name: _number(name, base, most_iterations) for name in base.row.options}
    _explain({"preset": preset, "algorithm": algorithm, **values}, most_iterations)
    return resolved(replace(base, **values | {"hidden": _widths(values["hidden"], base)}))


def _explain(values: Mapping[str, Any], most_iterations: int) -> None:
    """What the link asks for and cannot have, below all controls: the popover may be closed."""
    for name, value in values.items():
        rejected = st.session_state["rejections"].get(key(name))
        shown = "empty" if value is None else str(value)
        controls.explain_rejection(key(name), rejected, allowed(name, most_iterations), shown)


def show(shown: Config) -> None:
    """Set every control to this configuration; for callbacks."""
    for name in ("algorithm", *MAIN, *OTHERS, *shown.row.options):
        value = getattr(shown, name)
        value = ", ".join(map(str, value)) if name == "hidden" else value
        value = min(value, MOST_INNER_STEPS) if name == "inner_steps" else value  # an imported run may take more
        st.session_state[key(name)] = None if name == "query_shots" and value == shown.shots else value


def _presets_help() -> str:
    return "\n\n".join(f"**{name}**: {why}" for name, why in WHY.items())


def _with_own(base: Config, algorithm: str) -> Config:
    """The preset with another algorithm at that algorithm's own rates."""
    if algorithm != base.algorithm:
        base = replace(base, algorithm=algorithm, **dict.fromkeys(OWN))
    return replace(resolved(base), query_shots=base.query_shots)


def _preset_chosen() -> None:
    show(resolved(PRESETS[st.session_state[key("preset")]]))


def _algorithm_chosen() -> None:
    preset = PRESETS[st.session_state.get(key("preset"), FIRST)]
    show(_with_own(preset, st.session_state[key("algorithm")]))


def _words(
    name: str,
    options: tuple[str, ...],
    default: str,
    help_text: str,
    changed: Callable[[], None] | None = None,
) -> str:
    controls._rejected(key(name), default, lambda raw: raw in options)
    return st.selectbox(
        LABELS.get(name, name),
        options,
        options.index(default),
        key=key(name),
        bind="query-params",
        help=help_text,
        on_change=changed or "rerun",
        width=WIDTH,
    )


def _field_words(name: str, default: str, changed: Callable[[], None] | None = None) -> str:
    spec = SPECS[name].metadata
    return _words(name, spec["allowed"], default, spec["help"], changed)


def _number(name: str, base: Config, most_iterations: int) -> Any:  # noqa: ANN401
    """A field that is a number; None where that is allowed and nothing is typed."""
    spec, default = SPECS[name].metadata, getattr(base, name)
    kind, low, high = limits(name, most_iterations)
    whole = kind is int
    unit = f" In {spec['unit']}." if spec["unit"] else ""
    controls._rejected(key(name), default, lambda raw: low <= float(raw) <= high and kind(float(raw)) == float(raw))
    empty = "" if default is None else f" An empty field is {default:g}."
    value = st.number_input(
        LABELS.get(name, name),
        low,
        high,
        default if default is None else kind(default),
        step=1 if whole else 0.001,
        format="%d" if whole else "%g",
        key=key(name),
        bind="query-params",
        placeholder=None if default is None else f"{default:g}",
        help=f"{spec['help'].replace('None', 'an empty field')}{unit}{empty}",
        width=WIDTH,
    )
    return default if value is None else value


def _other(name: str, base: Config, most_iterations: int) -> Any:  # noqa: ANN401
    default = getattr(base, name)
    if name == "hidden":
        help_text = f"{SPECS[name].metadata['help']} For example 40, 40. An empty field means no hidden layer."
        return st.text_input(
            "hidden layers",
            ", ".join(map(str, base.hidden)),
            key=key(name),
            bind="query-params",
            max_chars=60,
            help=help_text,
            placeholder="no hidden layer",
            width=WIDTH,
        )
    return _field_words(name, default) if isinstance(default, str) else _number(name, base, most_iterations)


def _widths(text: str, base: Config) -> tuple[int, ...]:
    """Widths, typed as a list; what cannot be read gets a sentence, and the preset's stand in."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        if not all(part.isdecimal() for part in parts):
            raise ValueError("hidden layers must be whole numbers with commas between them.")
        return replace(base, hidden=tuple(map(int, parts))).hidden
    except ValueError as error:
        stand_in = ", ".join(map(str, base.hidden))
        st.markdown(f":red[{controls.escaped(str(error))} Until then it is {stand_in}.]")
        return base.hidden


def link(wanted: Config) -> dict[str, object]:
    """The controls as the parameters of a link."""
    names = ("algorithm", *MAIN, *OTHERS, *wanted.row.options)
    values = {key(name): getattr(wanted, name) for name in names if getattr(wanted, name) is not None}
    if wanted.query_shots == wanted.shots:  # which is what no number means
        del values[key("query_shots")]
    looking = {name: st.session_state[name] for name in LOOKING if st.session_state.get(name) is not None}
    return {
        key("preset"): st.session_state[key("preset")],
        **values,
        key("hidden"): ", ".join(map(str, wanted.hidden)),
        **looking,
    }
