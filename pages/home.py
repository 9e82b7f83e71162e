"""Home: what this is, one program as two curves and in four views, the syllabus, and where to start."""

import streamlit as st

from maml_core.graphs.explaining import Explanation, explain
from maml_core.graphs.programs import PRESETS, InnerStep
from maml_core.graphs.sweeping import Sweep, sweep_x
from pages.ui import charts, syllabus, visit
from pages.ui.inner_step_views import RUNS, inner_step_views
from pages.ui.linked import linked_views, view_from_url

MAML = {"c": 1, "alpha": 0.4}  # its own update, on the wave, whose curvature changes sign

st.title("Through the Inner Loop", anchor=False)
st.markdown(
    """
A network can learn a task from a handful of examples, if it starts from the right place. **MAML** finds that place by
differentiating *through* the gradient steps that leave it, and PyTorch does that, or silently does not. Here are
twelve lessons with the code running: turn a control, and PyTorch computes again in front of you. Guess first, then
look. (What takes minutes was computed before, and says so.)
"""
)


def wave() -> InnerStep:
    return InnerStep.parse(PRESETS["wave"].inner, PRESETS["wave"].outer, inner_steps=1)


@st.cache_data(show_spinner="Two gradients at 97 points…")
def two_gradients() -> Sweep:
    return sweep_x(wave(), MAML, -3.0, 3.0, 97)


@st.cache_data(show_spinner="One program, four views…")
def four_views() -> Explanation:
    return explain(wave(), MAML | {"x": 3.0})


picture, words = st.columns([3, 2], gap="large")
with picture:
    st.plotly_chart(
        charts.two_gradients(two_gradients()),
        alt="Two gradients of one program against x. With create_graph=True it lies on the true slope.",
    )
with words:
    st.markdown(
        """
**One program, two gradients.** It takes one inner step on $\\sin 2x$ and asks how the outer loss $x'^2$ changes with
$x$. Both curves are `x.grad`. Only :violet[**create_graph=True**] lies on the true slope;
:blue[**create_graph=False**] leaves out the curvature that the step went through. They meet where that curvature, or
$x'$ itself, is zero.
"""
    )
    if st.button("Start: see why they part", type="primary", icon=":material/play_arrow:"):
        st.switch_page("pages/03_create_graph.py", query_params={"losses": "wave", "c": "1"})
    st.page_link("pages/01_backward_and_grad.py", label="or begin with lesson 1: what .grad holds")

with st.container(key="four-views"):
    st.header("One computation, four views", anchor=False)
    st.markdown(
        "The same program at x = 3: its code, its autograd graph, its algebra and its numbers. They are tied "
        "together: point at a part of one, and its counterparts in the others light up. Each ? is for you to predict."
    )
    view = view_from_url("create_graph", RUNS)
    linked_views(inner_step_views(four_views(), revealed=False), view, key="home_views", run_name="create_graph")
visit.show()
st.header("Syllabus", anchor=False)
with st.container(key="syllabus"):
    syllabus.show()
