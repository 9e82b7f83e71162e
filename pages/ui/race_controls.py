"""The set-up of a race as controls, all of them in the link."""

from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from maml_core.meta.tasks import FAMILIES
from maml_core.train.race import BUDGETS, ENTRANTS, MOST_ENTRANTS, MOST_SEEDS, Race
from pages.ui import controls
from pages.ui.feeds import spaced

DEFAULT = Race()
AMOUNTS = {"iterations": (100, 10_000, 900, 100), "gradients": (200, 20_000, 3600, 200), "seconds": (1, 30, 2, 1)}
RATES = ("0.001", "0.003", "0.005", "0.01")
IN_POPOVER = ("race_family", "race_shots", "race_test_steps", "race_meta_batch", "race_outer_lr")
LABELS = {
    "entrants": "entrants",
    "equal": "equal",
    **{f"race_{budget}": unit for budget, unit in BUDGETS.items()},
    "race_seeds": "seeds",
    "race_family": "family",
    "race_shots": "shots",
    "race_test_steps": "inner steps when judged",
    "race_meta_batch": "tasks a step, meta_batch",
    "race_outer_lr": "β, outer_lr",
}
WHY = {
    "iterations": "everyone takes the same number of outer steps",
    "gradients": "everyone may take the same number of gradients; a Hessian-vector product counts as two",
    "seconds": "everyone trains for the same time on this server",
}


def _restore(race: Race) -> None:
    """The controls of a race that its reader comes back to, unless a link or the reader has set any of them."""
    values = parameters(race)
    if not any(key in st.session_state or key in st.query_params for key in values):
        st.session_state.update(values)


class Asked(NamedTuple):
    """The race that the controls ask for; where they ask for none, they are refused and it is the last possible."""

    race: Race
    refused: bool


def setup(running: Race | None) -> Asked:
    """What the controls ask for, with a sentence where it is no race."""
    if running:
        _restore(running)
    names = _entrants()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        help_text = "\n\n".join(f"**{name}**: {why}" for name, why in WHY.items())
        budget = controls.choice("equal", "equal", tuple(BUDGETS), DEFAULT.budget, help_text)
        low, high, default, step = AMOUNTS[budget]
        amount = int(controls._slider(f"race_{budget}", BUDGETS[budget], (low, high), default, step, WHY[budget]))
        help_text = (
            "Each seed draws other first weights and other tasks, the same for every entrant. Bands span them."
        )
        seeds = int(
            controls._slider("race_seeds", LABELS["race_seeds"], (1, MOST_SEEDS), DEFAULT.seeds, 1, help_text)
        )
        with st.popover("Tasks and rates", icon=":material/tune:"):
            family, shots, steps, batch, rate = _more()
    if hidden := [key for key in IN_POPOVER if key in st.session_state.get("rejections", {})]:
        st.markdown(
            f":red[The link asks for something that {' and '.join(hidden)} cannot be: see “Tasks and rates”.]"
        )
    wanted = (names, budget, amount, seeds, family, shots, batch, rate, steps)
    try:
        race = st.session_state["good race"] = Race(*wanted)
    except ValueError as error:
        st.markdown(f":red[{controls.escaped(str(error))} Until then the last possible race stands.]")
        return Asked(st.session_state.get("good race", DEFAULT), refused=True)
    return Asked(race, refused=False)


def _entrants() -> tuple[str, ...]:
    """Who runs. What a link asks for and cannot have gets a sentence."""
    asked = st.query_params.get_all("entrants")
    help_text = (
        f"Up to {MOST_ENTRANTS}. “pretrained” trains one network on all tasks at once, without an inner loop; "
    )
    help_text += (
        "“from scratch” does not train at all. Both adapt to an unseen task at the rate that serves them best."
    )
    chosen = st.pills(
        "entrants",
        ENTRANTS,
        default=DEFAULT.entrants,
        selection_mode="multi",
        key="entrants",
        bind="query-params",
        help=help_text,
    )
    if unknown := next((name for name in asked if name not in ENTRANTS), None):
        controls.explain_rejection("entrants", unknown, f"it must be among {', '.join(ENTRANTS)}", ", ".join(chosen))
    return tuple(name for name in ENTRANTS if name in chosen)


def _more() -> tuple[str, int, int, int, float]:
    help_text = "Which sines: amplitude and phase vary (sinusoid), the phase all around (phase), the frequency too."
    family = controls.choice("race_family", LABELS["race_family"], tuple(FAMILIES), DEFAULT.family, help_text)
    shots = controls._slider(
        "race_shots", LABELS["race_shots"], (1, 20), DEFAULT.shots, 1, "Points of a task to adapt on."
    )
    help_text = "Inner steps on an unseen task after which the errors are compared."
    steps = controls._slider("race_test_steps", LABELS["race_test_steps"], (1, 10), DEFAULT.test_steps, 1, help_text)
    help_text = "Tasks whose gradients are averaged in one outer step."
    batch = controls._slider("race_meta_batch", LABELS["race_meta_batch"], (1, 25), DEFAULT.meta_batch, 1, help_text)
    help_text = "Step size of the outer Adam, the same for all. The inner loop is each algorithm's own."
    rate = controls.choice("race_outer_lr", LABELS["race_outer_lr"], RATES, f"{DEFAULT.outer_lr:g}", help_text)
    return family, int(shots), int(steps), int(batch), float(rate)


def parameters(race: Race) -> dict[str, object]:
    """What each control has in this set-up."""
    return {
        "entrants": list(race.entrants),
        "equal": race.budget,
        f"race_{race.budget}": race.amount,
        "race_seeds": race.seeds,
        "race_family": race.family,
        "race_shots": race.shots,
        "race_test_steps": race.test_steps,
        "race_meta_batch": race.meta_batch,
        "race_outer_lr": f"{race.outer_lr:g}",
    }


def differences(race: Race, wanted: Race) -> str:
    """In words, what `race` has and the controls ask for."""
    has, asks = parameters(race), parameters(wanted)
    apart = {key: (has.get(key), asks.get(key)) for key in {**has, **asks} if has.get(key) != asks.get(key)}
    return "; ".join(f"{LABELS[key]} {_word(one)} → {_word(other)}" for key, (one, other) in apart.items())


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return spaced(value) if isinstance(value, int) else str(value or "–")  # of another budget there is no amount


def address(race: Race) -> str:
    """This page with this set-up."""
    return f"{(st.context.url or '').split('?')[0]}?{urlencode(parameters(race), doseq=True)}"
