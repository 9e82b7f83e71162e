"""Lesson 4. The matrix between θ and φ: one inner step bends every nudge of its start by I − αH."""

from functools import partial

import streamlit as st

from maml_core.plane.answers import Rates, answer
from maml_core.plane.one_step import sharpest, ways
from maml_core.plane.scripts import one_step_script
from maml_core.plane.sweeps import sweep
from pages.ui import claims, guessing, jacobian_views, lesson, plane_controls
from pages.ui.landscape import landscape, theta_on, written

NAME = "04_inner_jacobian"


lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    rates = Rates(plane_controls.inner_lr())
    chosen = plane_controls.problem()
problem, theta = chosen.problem, theta_on(chosen.problem, NAME)
sharp = sharpest(problem, answer(problem, theta, rates, ()), rates)
with st.container(key="of_theta_answer"):  # pale while θ is being moved (assets/page.css)
    question = jacobian_views.question(problem, sharp)
    revealed = guessing.predict(NAME, question, jacobian_views.choices(problem, sharp))
seen = landscape(problem, rates, key=NAME, hidden=not revealed)
if revealed:
    with st.container(key="of_theta_ways"):
        lesson.vectors_line(ways(problem, theta, rates), "meta-gradient")

lesson.prose(
    r"""
Drag θ. The circle around it is a set of small nudges; one inner step carries the whole circle to φ, and there it is
an ellipse. Two things make it one. A nudge moves the start by itself; and it changes the slope at the start, by the
curvature $H$ times the nudge, so the step goes $\alpha H$ times the nudge less far. What is left is
$J = \partial\phi/\partial\theta = I - \alpha H$. Along a direction of curvature $\lambda$ that is the number
$1 - \alpha\lambda$:

| | the nudge arrives … |
|---|---|
| $\alpha\lambda < 0$ | stretched: the loss curves downwards and the starts run apart |
| $\alpha\lambda = 0$ | as it was |
| $0 < \alpha\lambda < 1$ | shrunk |
| $\alpha\lambda = 1$ | not at all: the step lands in the same place from wherever it started |
| $1 < \alpha\lambda < 2$ | turned round, and shrunk |
| $\alpha\lambda = 2$ | turned round, and as long as before |
| $\alpha\lambda > 2$ | turned round and **stretched**: in a bowl, step after step lands further away |

The query loss pulls at φ. To know what that means for θ, its gradient goes back through the same matrix:
$J^\top\,\nabla L_q(\phi)$ is MAML's gradient (:violet[violet]). First-order MAML takes $J$ for $I$ and leaves
$\nabla L_q(\phi)$ as it is (:blue[blue]). The arrows show the way downhill, minus the gradient.
"""
)
lesson.derivation("inner_jacobian")
view: dict[str, str] = {}
if revealed:
    with st.container(key="of_theta_views"):
        view = jacobian_views.four_views(problem, seen.exact, rates)
        jacobian_views.sweep_of_alpha(sweep(problem, theta), rates)
network = jacobian_views.real_network()
claims.under_test(NAME)

address = lesson.link({**chosen.parameters, "inner_lr": rates.inner_lr, "theta": written(theta), **network, **view})
lesson.take_away(address, partial(one_step_script, problem, rates, seen.exact, address), "inner_jacobian.py")
lesson.takeaway(
    "One inner step multiplies a nudge of θ by I − αH. MAML sends the query gradient back through that matrix; "
    "FOMAML takes the matrix for I, which leaves out αH∇L_q(φ): nothing where α or the curvature is 0."
)
lesson.sources(
    "C. Finn, P. Abbeel, S. Levine (2017), *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400). The update, its Hessian term, and the sinusoid benchmark.",
    "H. H. Rosenbrock (1960), *An Automatic Method for Finding the Greatest or Least Value of a Function*: "
    "[doi 10.1093/comjnl/3.3.175](https://doi.org/10.1093/comjnl/3.3.175). The valley.",
    "C. Lanczos (1950), *An iteration method for the solution of the eigenvalue problem …*: "
    "[doi 10.6028/jres.045.026](https://doi.org/10.6028/jres.045.026). How the 600 sharpest curvatures are found.",
    "The claims are from [interactive-maml.github.io](https://interactive-maml.github.io), where arrows on a "
    "landscape first told this story.",
)
lesson.footer(NAME)
