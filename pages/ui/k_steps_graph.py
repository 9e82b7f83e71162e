"""Lesson 5's graph: the loop with a single weight as linked views, folded by step."""

import streamlit as st

from maml_core.graphs.explaining import MOST_INNER_STEPS, Explanation, explain
from maml_core.graphs.programs import PRESETS, InnerStep
from pages.ui.inner_step_views import RUNS, inner_step_views
from pages.ui.linked import linked_views, view_from_url

SCALAR = {"x": 1.0, "alpha": 0.3, "c": 1.0}
PRESET = PRESETS["wave"]


@st.cache_data(max_entries=MOST_INNER_STEPS, show_spinner=False)
def _scalar(steps: int) -> Explanation:
    return explain(InnerStep.parse(PRESET.inner, PRESET.outer, inner_steps=steps), SCALAR)


def folded_graph(steps: int) -> dict[str, str]:
    """One inner step is open and the others are folded."""
    shown = min(steps, MOST_INNER_STEPS)
    explanation = _scalar(shown)
    view = view_from_url("k_graph", RUNS, shown, default=RUNS[1])
    st.markdown(_words(explanation, shown, steps))
    views = inner_step_views(explanation, revealed=True)
    del views["paths"]  # two to the power of k of them, and lesson 3's subject
    return linked_views(views, view, key="k_graph_views", run_name="k_graph")


def _words(explanation: Explanation, shown: int, steps: int) -> str:
    loop = "The same loop with one weight, so that its graph fits on a screen"
    size = f"of size {SCALAR['alpha']:g} from x = {SCALAR['x']:g}"
    slope = f"{explanation.product_name} = **{explanation.products[1]}**"
    if shown == 1:
        return f"{loop}: one step {size}. Its factor, 1 − α·L″, is all of {slope}."
    instead = f", not {steps}," if steps > shown else ""
    return (
        f"{loop}: {shown} steps{instead} {size}. A closed step is one box and one factor 1 − α·L″; open another with "
        f"the arrows, or all of them. One weight has no order to get wrong: {slope} is a product of {shown} numbers."
    )
