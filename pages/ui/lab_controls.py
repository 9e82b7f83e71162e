"""The configuration of a training as controls: a preset, the fields that matter most, and all others in a popover.

Every control is a field of `maml_core.train.config.Config` and has its sentence, unit and range from there.
"""

from collections.abc import Callable
from dataclasses import Field, fields, replace
from typing import Any

import streamlit as st

from maml_core.train.config import PRESETS, Config, resolved
from pages.ui import controls

FIRST = "tour"
WHY = {
    "tour": "enough to see it work, in about half a minute",
    "paper": "Finn, Abbeel & Levine (2017): 70 000 steps, 5 points a task",
    "fomaml": "the paper's setting without second derivatives",
    "reptile": "Nichol, Achiam & Schulman (2018): their network and family, at rates that are stable here",
    "meta-sgd": "Li et al. (2017): the frequency varies too, and every weight learns a rate of its own",
    "phase-only": "any phase from 0 to 2π",
}
SPECS: dict[str, "Field[Any]"] = {spec.name: spec for spec in fields(Config)}
MAIN = ("inner_lr", "inner_steps", "shots", "iterations")
OTHERS = (
    "family",
    "meta_batch",
    "query_shots",
    "outer_lr",
    "outer",
    "seed",
    "hidden",
    "activation",
    "initialisation",
)
OWN = ("inner_lr", "inner_steps", "outer_lr")  # every algorithm has its own
LABELS = {
    "inner_lr": "α, inner_lr",
    "outer_lr": "β, outer_lr",
    "pull": "λ, pull",
    "leap_lr": "β of the leap, leap_lr",
    "meta_batch": "tasks a step, meta_batch",
}
LOOKING = ("lab_steps", "lab_look", "lab_statistic", "points")  # parameters of what is shown beside the run
MOST_INNER_STEPS = 100  # in a page; the command line allows more


def key(name: str) -> str:
    """A control's key and URL parameter."""
    return f"lab_{name}"


def config(most_iterations: int) -> Config:
    """The configuration that the controls ask for."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        preset = _words("preset", "preset", tuple(WHY), FIRST, _presets_help(), _preset_chosen)
        base = PRESETS[preset]
        algorithm = _field_words("algorithm", base.algorithm, _algorithm_chosen)
        base = _with_own(base, algorithm)
        values = {name: _number(name, base, most_iterations) for name in MAIN}
        with st.popover("All settings", icon=":material/tune:"):
            values |= {name: _other(name, base, most_iterations) for name in OTHERS}
            values |= {name: _number(name, base, most_iterations) for name in base.row.options}
    return resolved(replace(base, **values))


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
    label: str,
    options: tuple[str, ...],
    default: str,
    help_text: str,
    changed: Callable[[], None] | None = None,
) -> str:
    rejected = controls._rejected(key(name), default, lambda raw: raw in options)
    on_change = changed or "rerun"
    value = st.selectbox(
        label,
        options,
        options.index(default),
        key=key(name),
        bind="query-params",
        help=help_text,
        on_change=on_change,
        width=140,
    )
    controls.explain_rejection(key(name), rejected, f"it must be {' or '.join(options)}", value)
    return value


def _field_words(name: str, default: str, changed: Callable[[], None] | None = None) -> str:
    spec = SPECS[name].metadata
    return _words(name, LABELS.get(name, name), spec["allowed"], default, spec["help"], changed)


def _range(name: str, most_iterations: int) -> tuple[type, Any, Any]:
    """Whole number or not, and the two ends that a page allows."""
    kind = int if "int" in str(SPECS[name].type) else float
    low, high = map(kind, SPECS[name].metadata["allowed"])
    return kind, low, {"iterations": most_iterations, "inner_steps": MOST_INNER_STEPS}.get(name, high)


def _number(name: str, base: Config, most_iterations: int) -> Any:  # noqa: ANN401
    """A field that is a number; None where that is allowed and nothing is typed."""
    spec, default = SPECS[name].metadata, getattr(base, name)
    kind, low, high = _range(name, most_iterations)
    whole = kind is int
    rejected = controls._rejected(
        key(name), default, lambda raw: low <= float(raw) <= high and kind(float(raw)) == float(raw)
    )
    value = st.number_input(
        LABELS.get(name, name),
        low,
        high,
        default if default is None else kind(default),
        step=1 if whole else 0.001,
        format="%d" if whole else "%g",
        key=key(name),
        bind="query-params",
        help=f"{spec['help']} {'In ' + spec['unit'] + '.' if spec['unit'] else ''}",
        width=140,
    )
    controls.explain_rejection(
        key(name), rejected, f"it must be a {'whole ' * whole}number from {low:g} to {high:g}", f"{value or 0:g}"
    )
    return default if value is None else value


def _other(name: str, base: Config, most_iterations: int) -> Any:  # noqa: ANN401
    default = getattr(base, name)
    if name == "hidden":
        return _hidden(base)
    return _field_words(name, default) if isinstance(default, str) else _number(name, base, most_iterations)


def _hidden(base: Config) -> tuple[int, ...]:
    """Widths, typed as a list; what cannot be read gets a sentence, and the preset's stand in."""
    text = st.text_input(
        "hidden layers",
        ", ".join(map(str, base.hidden)),
        key=key("hidden"),
        bind="query-params",
        max_chars=60,
        help=f"{SPECS['hidden'].metadata['help']} For example 40, 40.",
    )
    try:
        widths = tuple(int(part) for part in text.split(",") if part.strip())
        return replace(base, hidden=widths).hidden
    except ValueError as error:
        said = (
            str(error) if "hidden" in str(error) else "hidden layers must be whole numbers with commas between them."
        )
        st.markdown(f":red[{controls.escaped(said)} Until then it is {', '.join(map(str, base.hidden))}.]")
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
