"""Lesson 7's page in parts: what the live chart shows, and what can be looked at beside the run."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import streamlit as st

from maml_core.train.adapting import Adaptation, unseen_curves
from maml_core.train.agreeing import step_losses
from maml_core.train.checkpoint import loads
from maml_core.train.config import PRESETS, Config, resolved
from maml_core.train.scripts import command_line
from maml_core.train.snapshots import Snapshot
from maml_core.train.step import initial_state
from pages.ui import (
    charts_lab,
    charts_live,
    controls,
    feeds,
    lab_data,
    lab_views,
    lesson,
    live,
    own_task_views,
)
from pages.ui.charts_live import Panel
from pages.ui.lab_buttons import NAME
from pages.ui.lab_fields import FIRST, LOOKING
from pages.ui.live import Desk
from pages.ui.step_graph_view import step_graph

PRECOMPUTED = (Path(__file__).parents[2] / "assets" / "maml-5-shot.safetensors").read_bytes()


def state_of(run: Snapshot | None) -> bytes:
    """The checkpoint that everything beside the loss curve is about: the run's, else the precomputed one."""
    return PRECOMPUTED if run is None else run.state


def own_steps(run: Snapshot | None) -> int:
    """After how many steps its network is fairly judged: as many as it was trained with, as far as pictures go."""
    config = run.config if run else lab_data.config_of(PRECOMPUTED)
    return min(max(1, config.options["inner_steps"]), lab_views.MOST_STEPS)


def chart(desk: Desk, run: Snapshot | None, steps: int) -> None:
    """The loss and four unseen tasks, live."""
    panels = {"loss": loss_panel(_hint(run)), "adaptation": _adaptation(run, steps)}
    live.chart(desk, NAME, panels, empty=_empty(), moving=bool(run and run.live), query={"steps": steps})


@lru_cache(maxsize=8)
def loss_panel(hint: str) -> Panel:
    title = "Query loss of each training step"
    return charts_live.panel(charts_live.loss(), title, "The query loss of each outer step, and smoothed.", hint)


def _hint(run: Snapshot | None) -> str:
    """What stands in the place of a loss curve that has no point yet."""
    if run is None:
        return "Press Start: the loss of every step appears here."
    if run.status == "failed":
        return "No step came to its end, so there is no loss to draw."
    if run.status == "finished":
        return "A saved run brings its θ along, not its losses."
    if run.first:
        return "A saved run brings its θ along, not its losses.<br>Those of the steps from here on will stand here."
    return "The loss of every step appears here."


def _empty() -> str:
    steps = feeds.spaced(lab_data.config_of(PRECOMPUTED).iterations)
    return f"Nothing trained yet. The network in the tasks was trained beforehand, {steps} steps; Start replaces it."


def _adaptation(run: Snapshot | None, steps: int) -> Panel:
    """The tasks, with the network of the run: while it moves, the feed has its curves and the words stay general."""
    if run is None:
        return precomputed_panel(steps)
    panel = tasks_panel(run.config.family, run.config.shots, steps)
    if run.live:
        return panel
    return panel._replace(
        alt=lab_views.adaptation_words(lab_data.unseen_curves(run.state, lab_views.MOST_STEPS), steps)
    )


@lru_cache(maxsize=lab_views.MOST_STEPS + 1)
def precomputed_panel(steps: int) -> Panel:
    state, config = loads(PRECOMPUTED)
    shown = unseen_curves(config, state.theta, steps=steps)
    return _drawn(shown, steps, "precomputed")._replace(alt=lab_views.adaptation_words(shown, steps))


@lru_cache(maxsize=128)
def tasks_panel(family: str, shots: int, steps: int) -> Panel:
    """All but the network's curves, which the feed puts in: four tasks of a family and what is seen of them."""
    config = Config(family=family, shots=shots)
    panel = _drawn(unseen_curves(config, initial_state(config).theta, steps=steps), steps, "your run, now")
    return panel._replace(of=feeds.tasks_name(config, steps))


def _drawn(shown: Adaptation, steps: int, whose: str) -> Panel:
    figure = charts_lab.adaptation(shown, steps)
    figure.update_layout(height=charts_live.HEIGHT, margin_b=60, legend={"y": -0.08, "yanchor": "top"})
    title = f"Four unseen tasks, before and after {lab_views.plural(steps)} on their points ({whose})"
    alt = f"Four unseen sines, and the network's curves before and after {lab_views.plural(steps)}, as it trains."
    return charts_live.panel(figure, title, alt)


def warm_up() -> None:
    """Draw what the first reader sees first, and what stands there after a first click on Start."""
    first = resolved(PRESETS[FIRST])
    loss_panel(_hint(None))
    precomputed_panel(1)
    tasks_panel(first.family, first.shots, 1)


# ---- beside the run ----

Section = Callable[[bytes, int, bool], None]


def _errors(state: bytes, steps: int, rest: bool) -> None:
    left, right = st.columns([3, 2])
    with left:
        lab_views.errors_after_steps(state, at_rest=rest)
    with right:
        lab_views.error_table(state, at_rest=rest)
        lab_views.sharpness(state)


def _paper(state: bytes) -> None:
    lab_views.paper_beside(state, "the precomputed run" if state == PRECOMPUTED else "your run now")


OWN_TASK = "your task"
ANSWERS = ("errors", "spread", "paper")  # they show what more steps do to the precomputed run: the lesson's question
SECTIONS: dict[str, tuple[str, Section]] = {
    "errors": ("the error after each inner step, beside the baselines", _errors),
    OWN_TASK: (
        "points of your own, adapted to step by step",
        lambda state, steps, rest: own_task_views.own_task(state, steps),
    ),
    "spread": ("the errors of single tasks", lambda state, steps, rest: lab_views.spread(state, steps, at_rest=rest)),
    "paper": ("what the papers report, and what you have", lambda state, steps, rest: _paper(state)),
    "graph": ("the autograd graph of one training step", lambda state, steps, rest: step_graph(state)),
}


def beside(desk: Desk, steps: int, *, revealed: bool) -> None:
    """One of the sections, measured on the state as it is now; a fragment, so that looking again costs no more.

    Only where the page's link has to change with it, the page is run again. `revealed`: the lesson's question is
    answered, so that what the precomputed run does after many steps may be seen.
    """
    linked: dict[str, object] = {}
    if own_task_views.KEY in st.query_params and "lab_look" not in {*st.query_params, *st.session_state}:
        st.session_state["lab_look"] = OWN_TASK  # a link that brings points is about them

    @st.fragment
    def section() -> None:
        run = desk.run(NAME)
        help_text = "\n\n".join(f"**{name}**: {what}" for name, (what, _) in SECTIONS.items())
        chosen = controls.choice("lab_look", "look at", tuple(SECTIONS), next(iter(SECTIONS)), help_text)
        if run is None and not revealed and chosen in ANSWERS:
            st.markdown(f":material/psychology: {_closed()}")
        else:
            _open(run, chosen, steps)
        now = {name: st.session_state.get(name) for name in LOOKING}
        if linked and now != linked:
            st.rerun()
        linked.update(now)

    section()


def _closed() -> str:
    """What stands for a section that would answer the question before it is answered."""
    others = " and ".join(f"“{name}”" for name in SECTIONS if name not in ANSWERS)
    return (
        "On the precomputed run this would answer the question above: it opens with your prediction, or with *just "
        f"show me*. {others} are open now, and a run of your own is measured as soon as it has started."
    )


def _open(run: Snapshot | None, chosen: str, steps: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_measured_on(run))
        if run and run.live:
            st.button("Measure again", icon=":material/refresh:", key="lab_again")
    SECTIONS[chosen][1](state_of(run), steps, not (run and run.live))


def _measured_on(run: Snapshot | None) -> str:
    config = lab_data.config_of(PRECOMPUTED)
    if run is None:
        return f"Measured on the precomputed run: `{command_line(config, config.iterations)}`"
    return f"Measured on your run at step {feeds.spaced(run.state_step)}" + (", which goes on." if run.live else ".")


def divergence(run: Snapshot | None) -> None:
    """Why a run stopped, if its meta-gradient was not finite."""
    if run and run.status == "failed" and "not finite" in run.words:
        lab_views.what_went_wrong(run.state)


def agreement(run: Snapshot | None) -> None:
    """The losses of the next training step, three ways."""
    check = _step_losses(state_of(run))
    lesson.vectors_line(check, "query losses of the tasks of the next training step")


@st.cache_data(max_entries=32, show_spinner=False)
def _step_losses(state: bytes):  # noqa: ANN202
    return step_losses(*loads(state))
