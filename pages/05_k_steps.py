"""Lesson 5. k steps: the product in its right order, the ledger of its terms, three ways back and their prices."""

from functools import partial

import streamlit as st

from maml_core.meta.steps_script import steps_script
from pages.ui import claims, k_steps_graph, k_steps_prices, k_steps_views, lesson

NAME = "05_k_steps"

lesson.header(NAME)
setting, steps = k_steps_views.settings()
found = k_steps_views.explained(setting, steps)
if found.look is None:
    st.warning(f"The inner loop leaves float64 after {found.finite_steps} steps: there is no end to look back from.")
    lesson.footer(NAME)
    st.stop()

revealed = k_steps_views.predict_order(NAME, found)
k_steps_views.pictures(found, revealed=revealed)
if revealed:
    k_steps_views.agreement(found)

lesson.prose(
    r"""
Each inner step bends a nudge of its start by one factor $F_j = I - \alpha H_j$. A nudge of θ goes through $F_0$ first
and $F_{k-1}$ last, so $\partial\phi/\partial\theta = F_{k-1} \cdots F_0$. The meta-gradient goes the other way, from
the end back to θ: $F_{k-1}$ meets $\nabla L_q$ first. Read the ledger in that order: start with the query gradient,
which is all that first-order MAML keeps; then every step, from the last to the first, adds its
$-\alpha H_j v_{j+1}$.
"""
)
lesson.derivation("k_steps")

if revealed:
    st.subheader("Order, vanishing, exploding", anchor=False)
    k_steps_views.order_and_lengths(found)

st.subheader("Three ways back, and their prices", anchor=False)
lesson.prose(
    """
- **Full Jacobians**: carry the matrix ∂φ/∂θ along while walking forward; multiply once at the end.
- **Unrolled loop**: keep the graph of all k steps, and let autograd walk back through it.
- **Stored iterates**: keep only the stops of the inner loop. Walk back with one Hessian-vector product at each, and
  drop its graph before the next.
"""
)
size = k_steps_prices.size()
if k_steps_prices.predict_growth(f"{NAME} growth"):
    k_steps_prices.measurement(size, steps)
lesson.derivation("stop_gradient")

st.subheader("The graph of the loop, folded by step", anchor=False)
shown = k_steps_graph.folded_graph(steps)

if revealed:  # they name the angle and the memory that are to be predicted
    claims.under_test(NAME)

parameters = {
    "k_task": setting.family,
    "k_steps": steps,
    "k_alpha": setting.inner_lr,
    "k_width": setting.width,
    "k_seed": setting.seed,
    "k_units": size[0],
    "k_shots": size[1],
    **shown,
}
address = lesson.link(parameters)
lesson.take_away(address, partial(steps_script, found, address), "k_steps.py")
lesson.takeaway(
    "The meta-gradient is the query gradient walked back through k factors, the last step's first. It needs no "
    "matrix, and no graph longer than one step: the stops are enough."
)
lesson.sources(
    "C. Finn, P. Abbeel, S. Levine (2017), *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400).",
    "D. Maclaurin, D. Duvenaud, R. P. Adams (2015), *Gradient-based Hyperparameter Optimization through Reversible "
    "Learning*: [arXiv 1502.03492](https://arxiv.org/abs/1502.03492). The same walk back, without storing the stops.",
    "B. A. Pearlmutter (1994), *Fast Exact Multiplication by the Hessian*: "
    "[doi 10.1162/neco.1994.6.1.147](https://doi.org/10.1162/neco.1994.6.1.147).",
    "[interactive-maml](https://interactive-maml.github.io), whose statements are tested above.",
)
lesson.footer(NAME)
