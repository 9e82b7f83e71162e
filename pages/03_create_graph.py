"""Lesson 3. One argument: what `create_graph=True` writes down, and what that does to the gradient."""

from functools import partial

import streamlit as st

from maml_core.graphs.explaining import MOST_INNER_STEPS, Explanation, explain
from maml_core.graphs.programs import PRESETS, InnerStep
from maml_core.graphs.scripts import inner_step_script
from maml_core.numerals import numeral
from pages.ui import charts, claims, controls, guessing, lesson
from pages.ui.inner_step_views import RUNS, inner_step_views
from pages.ui.linked import linked_views, view_from_url

NAME = "03_create_graph"


@st.cache_data(max_entries=200, show_spinner=False)
def explained(inner: str, outer: str, inner_steps: int, inputs: dict[str, float]) -> Explanation:
    return explain(InnerStep.parse(inner, outer, inner_steps=inner_steps), inputs)


lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    losses = controls.preset(PRESETS)
    inputs = {"x": controls.x(), "alpha": controls.inner_lr(), "c": controls.coefficient()}
    inner_steps = controls.inner_steps(MOST_INNER_STEPS)
inner, outer = controls.losses(losses, PRESETS)

explanation = explained(inner, outer, inner_steps, inputs)
both, (was, becomes) = explanation.both, explanation.products

gains = f"With `True` the path through g counts too: {explanation.product_name} goes from {was} to {becomes}."
in_float64 = numeral(explanation.agreement[True].ways[0].value)
why = {
    "same": "The step went through no curvature (α·L″ is 0), so the path through g adds nothing.",
    "not finite": f"A number left float32, which ends at 3.4·10³⁸, or its domain; float64 gives {in_float64}.",
}.get(both.change, gains)
answers = {
    "same": "the same",
    "longer": "larger, same sign",
    "shorter": "smaller, same sign",
    "zero or turned": "zero or turned",
    "not finite": "not finite",
}
misread = {"same": "The values agree, but not how they were made. "} if both.change != "same" else {}
revealed = guessing.predict(
    NAME,
    f"`create_graph=False` gives `x.grad` = **{numeral(both.gradients[0])}**. `True` will give …",
    [guessing.Choice(text, both.change == key, misread.get(key, "") + why) for key, text in answers.items()],
)
view = view_from_url("create_graph", RUNS, inner_steps)
views = inner_step_views(explanation, revealed=revealed)
shown = linked_views(views, view, key="create_graph_views", run_name="create_graph")
if revealed:
    lesson.agreement_line(list(explanation.agreement.values()), "dL_out/dx", explanation.kinks)

lesson.prose(
    r"""
`autograd.grad` returns a number. With `create_graph=False` that number is a constant to everything that follows: the
branch through $g$ ends there, and the outer gradient sees only the $c$ in $x' = c\,x - \alpha\,g$. With
`create_graph=True` the *operations* that computed $g$ are written down as graph nodes of their own
(:violet[violet]), so the outer backward pass can walk through them and meets $L_\text{in}''$. For MAML ($c = 1$)
the first is FOMAML, the second is MAML, and the difference is the factor $1 - \alpha L_\text{in}''$ per inner step.
"""
)

st.subheader("What it costs", anchor=False)
for column, (name, figure) in zip(st.columns(3), charts.growth(explanation.growth).items(), strict=True):
    column.markdown(f"**{name}**")
    column.plotly_chart(figure, key=name, alt=f"{name} of both graphs, for one to five inner steps.")
st.caption("Counted by running these losses with one to five inner steps.")

if revealed:  # two of them name the numbers that are to be predicted
    claims.under_test(NAME)

typed = {"inner": inner, "outer": outer} if losses == controls.OWN else {}
parameters = {"losses": losses, **typed, **inputs, "inner_steps": inner_steps, **shown}
address = lesson.link(parameters)
lesson.take_away(address, partial(inner_step_script, explanation.lesson, inputs, both, address), "create_graph.py")
lesson.takeaway(
    "`create_graph=True` changes no value on the way forward. It records how the inner gradient was computed, so "
    "that the outer gradient can go through it."
)
lesson.sources(
    "C. Finn, P. Abbeel, S. Levine (2017), *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400). The update (c = 1) and its first-order version.",
    "PyTorch, [`torch.autograd.grad`](https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html).",
    "S. Zagoruyko, [torchviz](https://github.com/szagoruyko/pytorchviz), which walks the graph; "
    "[Graphviz](https://graphviz.org), which lays it out; [SymPy](https://www.sympy.org), which differentiates.",
    "The quartic losses, with c = 2, are the worked example of “Some notes from implementing model agnostic "
    "meta learning” (blog notes, January 2025).",
)
lesson.footer(NAME)
