"""The graph of one training step, a click away: folded by task, and by stage of its inner loop."""

import streamlit as st

from maml_core.training_graph.folding import fold
from maml_core.training_graph.recording import THETA
from pages.ui import lab_data, lesson
from pages.ui.feeds import spaced

FOLDED, ONE = "all tasks", "one task"


def step_graph(run: bytes) -> None:
    """Choose what stands open; the picture follows. Nothing is recorded before this is asked for."""
    graph = lab_data.step_graph(run)
    if graph.reason:
        st.markdown(f":material/info: {graph.reason}")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        which = st.selectbox(
            "open", [FOLDED, *(f"task {i + 1}" for i in range(len(graph.tasks)))], key="lab_graph_task"
        )
        task = None if which == FOLDED else int(which.split()[1]) - 1
        stages = list(graph.tasks[task or 0].stages)
        choice = st.selectbox("and in it", ["folded", *stages], key="lab_graph_stage", disabled=task is None)
    stage = choice if task is not None and choice in stages else None
    picture = fold(graph, task=task, stage=stage)
    st.graphviz_chart(picture.dot, width="content", alt=picture.words)
    leaves = graph.tasks[0].stages.get(THETA, 0)
    nodes = len(graph.tasks[0].nodes) - leaves
    st.caption(
        f"Step {spaced(graph.step)}, the one that would come next, run on the side, task by task, with the same "
        f"algorithm: {nodes} nodes of one task lead from its query loss to θ’s {leaves} leaves; {graph.aside} more "
        "served an inner gradient and were dropped. The engine does all tasks in one such graph; the two "
        f"meta-gradients differ by {lesson.scientific(graph.difference)} of their length. Blue: forward; violet: the "
        "inner gradient and the step; orange: the query loss. A number on an arrow counts the edges in it."
    )
