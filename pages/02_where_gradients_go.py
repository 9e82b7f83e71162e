"""Lesson 2. Where did my gradient go: one operation in the middle of a program, and what then reaches x."""

from functools import partial

import streamlit as st

from maml_core.graphs.cut_scripts import cut_script
from maml_core.graphs.cutting import INSERTIONS, NAMES, PLACES, POWER, SHIFT, Copying, Insertion
from maml_core.graphs.cutting_explained import CutExplanation, explain_cut
from pages.ui import claims, controls, lesson, verdicts
from pages.ui.cut_numbers import RUNS
from pages.ui.cut_views import cut_views
from pages.ui.linked import linked_views, view_from_url

NAME = "02_where_gradients_go"


@st.cache_data(max_entries=200, show_spinner=False)
def explained(shift: str, power: str, operation: str, place: str, inputs: dict[str, float]) -> CutExplanation:
    return explain_cut(Copying.parse(shift, power, Insertion(operation, place)), inputs)


lesson.header(NAME)
row = st.columns([4, 5, 3, 3, 3, 3], gap="medium")
below = st.container()
with row[0]:
    operation = controls.operation(INSERTIONS)
with row[1]:
    place = controls.place(tuple(PLACES), "copy")
with row[2]:
    inputs = {"x": controls.x()}
with row[3]:
    inputs["lr"] = controls.outer_lr()
with row[4]:
    shift = controls.expression("shift", "x_copy becomes", SHIFT, NAMES, any_of=True, say=below)
with row[5]:
    power = controls.expression("power", "y", POWER, NAMES, any_of=True, say=below)

explanation = explained(shift, power, operation, place, inputs)
revealed = verdicts.predict(NAME, explanation)
view = view_from_url("run", RUNS[::-1])
shown = linked_views(cut_views(explanation, revealed=revealed), view, key="cut_views", run_name="run")
if revealed:
    verdicts.agreement(explanation)

lesson.prose(
    """
A tensor's value and a tensor's history are two things. Every operation here passes the *value* on, and most leave it
as it is, so the loss looks right either way. What they do to the *history* differs: some add a node
(:orange[orange]), some leave nothing for `backward()` to walk along (:red[red]), and some touch what others still
need. So `x.grad` can be a number, a 0 that travelled the whole way, or `None`: nobody ever came. (Where the
arithmetic breaks down on the way it is ∞ or not a number: it came, and is of no use.) An optimiser skips a parameter
whose gradient is `None` without a word, and a step of plain SGD along a gradient of 0 leads nowhere; only an error
says so aloud.
"""
)

if revealed:
    st.subheader("Every operation at every line", anchor=False)
    verdicts.outcome_map(explanation)

st.subheader("What a stopped gradient is good for", anchor=False)
lesson.prose(
    r"""
Holding a value fixed is a mistake in the program above, and a tool here. Take one inner step
$\varphi = \theta - \alpha\nabla L_s(\theta)$ and call $v = \nabla L_q(\varphi)$ what the query loss wants of
$\varphi$. Differentiate the dot product $\varphi \cdot \operatorname{sg}(v)$, with $v$ stopped, and the product
rule has only one term left: $\nabla_\theta\,(\varphi \cdot \operatorname{sg}(v)) = J^\top v$, with
$J = \partial\varphi/\partial\theta$. That is the meta-gradient $\nabla_\theta L_q(\varphi)$. Here $\theta$ has three
components, the first is $x$, and $\alpha$ is lr:
"""
)
verdicts.identity(inputs["x"], inputs["lr"])

claims.under_test(NAME)

address = lesson.link({"op": operation, "line": place, **inputs, "shift": shift, "power": power, **shown})
lesson.take_away(address, partial(cut_script, explanation.cut, address), "where_gradients_go.py")
lesson.takeaway(
    "A number arrived, and so did a 0; None never did, and an error says so. To see whether a gradient arrives, "
    "look at the graph: the value of the loss does not tell."
)
lesson.sources(
    "PyTorch, [autograd mechanics](https://docs.pytorch.org/docs/stable/notes/autograd.html): leaves, in-place "
    "operations, no_grad.",
    "JAX, [`stop_gradient`](https://docs.jax.dev/en/latest/_autosummary/jax.lax.stop_gradient.html), whose gradient "
    "is 0 where `detach()` leaves none.",
    "The clone example is from “Some notes from implementing model agnostic meta learning” (blog notes, January "
    "2025); the stopped dot product is from interactive-maml.",
)
lesson.footer(NAME)
