"""The parts of lesson 4 around its landscape: the prediction, the sweep of α, the real network."""

import math
import statistics
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from maml_core.meta import spectra
from maml_core.meta.models import mlp
from maml_core.meta.trees import Params
from maml_core.numerals import numeral
from maml_core.plane.answers import Answer, Rates
from maml_core.plane.one_step import Sharpest
from maml_core.plane.problems import Problem
from maml_core.plane.recorded import MOST_OPERATIONS, record_step
from maml_core.plane.step_equations import step_equations
from maml_core.plane.sweeps import Sweep
from maml_core.train import checkpoint
from pages.ui import charts_jacobian, controls
from pages.ui.guessing import Choice
from pages.ui.linked import linked_views, view_from_url
from pages.ui.plane_step_views import RUNS, plane_step_views

ASSETS = Path(__file__).parents[2] / "assets"
PATIENCE = 0.3  # seconds without a sign of progress
PAPER_ALPHA = 0.01  # of the sinusoid benchmark
NETWORKS = {
    "trained": "after 70 000 iterations of MAML on 5-shot sinusoids",
    "as published": "untrained, weights of standard deviation 0.01, as Finn et al. start",
    "He": "untrained, weights that keep the size of signals",
}
MISREAD = {  # from the largest gain down, as they stand in a row
    "more": "",
    "just as far": "“Just as far” is what FOMAML assumes: J = I. ",
    "less": "",
    "not at all": "",
    "backwards, less": "",
    "backwards, as far": "",
    "backwards, more": "",
}
UNKNOWN = "nobody can say"


def choices(problem: Problem, sharp: Sharpest) -> list[Choice]:
    """What may become of a nudge, and the sentence that explains what does."""
    if sharp.fate not in MISREAD:
        why = "At this θ the support loss or its curvature is not a finite number, and so neither is 1 − αλ."
        return [Choice(text, text == UNKNOWN, why) for text in (*MISREAD, UNKNOWN)]
    curvature, gain = numeral(sharp.curvature, 3), numeral(sharp.gain, 3)
    why = (
        f"Along the strongest curvature{_of_task(problem, sharp)}, λ = {curvature}, the step multiplies a nudge of θ "
        f"by 1 − αλ = {gain}."
    )
    said = {text: why if text == sharp.fate else misread + why for text, misread in MISREAD.items()}
    return [Choice(text, text == sharp.fate, sentence) for text, sentence in said.items()]


def question(problem: Problem, sharp: Sharpest) -> str:
    if sharp.fate not in MISREAD:
        return "Nudge θ. φ moves …"
    of_task, curvature = _of_task(problem, sharp), numeral(sharp.curvature, 3)
    return f"Nudge θ along the strongest curvature{of_task}, λ = {curvature}. φ{of_task} moves …"


def _of_task(problem: Problem, sharp: Sharpest) -> str:
    return f" of task {problem.tasks[sharp.task].name}" if len(problem.tasks) > 1 else ""


def sweep_of_alpha(found: Sweep, rates: Rates) -> None:
    """Three charts over α, and where the marks are."""
    st.subheader("Turn α up, through 1/λ and 2/λ", anchor=False)
    figures = {
        "What a nudge is multiplied by": charts_jacobian.gains,
        "Angle from MAML to FOMAML": charts_jacobian.angle,
        "Length, FOMAML ÷ MAML": charts_jacobian.length,
    }
    for column, (title, chart) in zip(st.columns(3), figures.items(), strict=True):
        column.markdown(f"**{title}**")
        column.plotly_chart(chart(found, rates.inner_lr), key=title, alt=f"{title}, over α from 0 to 1.")
    st.caption(marks(found))


def marks(found: Sweep) -> str:
    """Where on the axis of α the nudge of the largest curvature is forgotten, and where it starts to overshoot."""
    if math.isnan(found.sharpest):
        return (
            "At this θ the support loss or its curvature is not a finite number, so there is no 1/λ and no 1 − αλ to "
            "draw. The other two curves have gaps wherever φ or one of the gradients is not finite."
        )
    if not found.sharpest > 0:
        return "No direction at this θ curves upwards, so there is no 1/λ: every positive α stretches, or keeps."
    whose = found.whose and f", task {found.whose}’s,"
    one, two = numeral(1 / found.sharpest, 3), numeral(2 / found.sharpest, 3)
    return (
        f"All of it from this θ, by autograd, at {len(found.alphas)} values of α. The largest curvature{whose} is "
        f"λ₁ = {numeral(found.sharpest, 3)}. At α = 1/λ₁ = {one} the step forgets where along that direction it "
        f"started; beyond 2/λ₁ = {two} it throws a nudge further to the other side than it came from."
    )


def real_network() -> dict[str, object]:
    """The spectrum of a 1-40-40-1 network's Hessian, and how many tasks overshoot. Returns the controls' values."""
    st.subheader("On a real network: 1 761 weights", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        about = "\n\n".join(f"**{name}**: {text}" for name, text in NETWORKS.items())
        network = controls.choice("network", "θ", tuple(NETWORKS), "trained", about)
        shots = controls.choice("shots", "shots", ("5", "10"), "5", "Support examples per task, K.")
    sharpness, eigenvalues = _measured(network, int(shots))
    st.markdown(summary(sharpness, eigenvalues))
    left, right = st.columns(2)
    left.markdown("**All curvatures of one task's support loss**")
    left.plotly_chart(
        charts_jacobian.spectrum(eigenvalues, PAPER_ALPHA),
        key="spectrum",
        alt="Eigenvalues of the Hessian by rank: a few large ones, many near 0, some negative.",
    )
    right.markdown("**Share of tasks on which one step overshoots**")
    right.plotly_chart(
        charts_jacobian.share(sharpness, PAPER_ALPHA),
        key="share",
        alt="The share of tasks with α·λ_max above 2, rising with α.",
    )
    return {"network": network, "shots": shots}


def summary(sharpness: tuple[float, ...], eigenvalues: tuple[float, ...]) -> str:
    """Where α = 0.01 stands, in words."""
    above = spectra.share_above(sharpness, PAPER_ALPHA)
    middle = PAPER_ALPHA * statistics.median(sharpness)
    large = sum(value > 0.01 * eigenvalues[-1] for value in eigenvalues)
    down = sum(value < -charts_jacobian.TINY * eigenvalues[-1] for value in eigenvalues)
    return (
        f"Of this θ's {len(eigenvalues)} directions, {large} curve by more than a hundredth of the sharpest, "
        f"λ = {numeral(eigenvalues[-1], 4)}, on the first task; {down} curve downwards. At the benchmark's α = "
        f"{PAPER_ALPHA:g} one step overshoots along the sharpest direction, α·λ_max > 2, on **{above:.0%}** of "
        f"{len(sharpness)} tasks; the median of α·λ_max is **{numeral(middle, 3)}**."
    )


def _measured(network: str, shots: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Every task's λ_max and the first task's spectrum; with progress while that takes long. Any control stops it."""
    place, began = st.empty(), time.monotonic()
    sharpness: list[float] = []
    for step in range(spectra.BATCHES):
        sharpness += _sharpness(network, shots, step)
        if time.monotonic() - began > PATIENCE:
            place.progress((step + 1) / (spectra.BATCHES + 2), f"Curvature of {len(sharpness)} tasks …")
    eigenvalues = _whole(network, shots)
    place.empty()
    return tuple(sharpness), eigenvalues


@st.cache_data(max_entries=64, show_spinner=False)
def _sharpness(network: str, shots: int, step: int) -> tuple[float, ...]:
    return spectra.sharpness(theta_of(network), shots=shots, step=step)


@st.cache_data(max_entries=8, show_spinner=False)
def _whole(network: str, shots: int) -> tuple[float, ...]:
    return spectra.whole_spectrum(theta_of(network), shots=shots)


@lru_cache
def theta_of(network: str) -> Params:
    """The weights by the name in `NETWORKS`."""
    if network == "trained":
        return checkpoint.load(ASSETS / "maml-5-shot.safetensors")[0].theta
    return mlp(seed=0, initialisation="he" if network == "He" else "paper")


@st.cache_data(max_entries=64, show_spinner=False)
def _recorded(problem: Problem, exact: Answer, alpha: float) -> dict[str, Any] | None:
    """The data of the linked views, or None where the graph would be too large to read."""
    step = record_step(problem, exact.theta, alpha)
    return step and plane_step_views(step, step_equations(problem.tasks[0], step.both.second_order, exact))


def four_views(problem: Problem, exact: Answer, rates: Rates) -> dict[str, str]:
    """The same step as code, graph, algebra and numbers, when asked for. Returns the view for the link."""
    help_text = "FOMAML is create_graph=False, MAML is True: the second-order nodes are where H is multiplied."
    if not st.toggle(
        "Show this step as code, graph, algebra and numbers", key="views", bind="query-params", help=help_text
    ):
        return {}
    data = _recorded(problem, exact, rates.inner_lr)
    if data is None:
        st.caption(
            "The graph of this landscape would have hundreds of nodes. What can be shown: the bowl, Rosenbrock's "
            f"valley, or losses of your own in both u and v with at most {MOST_OPERATIONS} operations each."
        )
        return {"views": "true"}
    view = view_from_url("create_graph", RUNS)
    return {"views": "true", **linked_views(data, view, key="inner_jacobian_step", run_name="create_graph")}
