"""Home: what this is, one picture computed now, the syllabus, and where to start."""

import streamlit as st

from maml_core.graphs.programs import PRESETS, InnerStep
from maml_core.graphs.sweeping import Sweep, sweep_x
from pages.ui import charts, syllabus, visit

st.title("Through the Inner Loop", anchor=False)
st.markdown(
    """
MAML learns a starting point by differentiating *through* the gradient steps that leave it, and PyTorch does that or
silently does not. This is a course in which every number, graph and curve was computed by PyTorch a moment ago, from
controls that are yours to move. Each lesson shows one computation four ways (its code, its autograd graph, its
algebra, its numbers) and checks the four against each other.
"""
)


@st.cache_data(show_spinner="Two gradients at 97 points…")
def two_gradients() -> Sweep:
    """MAML's own update (c = 1) on the wave, whose curvature changes sign."""
    wave = PRESETS["wave"]
    return sweep_x(InnerStep.parse(wave.inner, wave.outer, inner_steps=1), {"c": 1, "alpha": 0.4}, -3.0, 3.0, 97)


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

visit.show()
st.header("Syllabus", anchor=False)
for part, lessons in syllabus.PARTS.items():
    st.subheader(part, anchor=False)
    for entry in lessons:
        st.page_link(f"pages/{entry.name}.py", label=f"**{entry.number} · {entry.title}**")
        st.caption(entry.question)
