"""Lesson 10. Is it really second order: inner loops as people write them, judged by the gradient they leave."""

from functools import partial

import streamlit as st

from maml_core.practice.loops.bench import BENCH, Examined, examine
from maml_core.practice.loops.judging import Mark, marks
from maml_core.practice.loops.scripts import loop_script
from pages.ui import claims, lesson, loops_views
from pages.ui.own_gradient import own_gradient

NAME = "10_is_it_second_order"


@st.cache_data(max_entries=100, show_spinner="Running the loop …")
def examined(title: str) -> Examined:
    return examine(title)


@st.cache_data(show_spinner=False)
def landmarks() -> tuple[Mark, ...]:
    return marks()


lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    symptom = loops_views.choose_symptom()
    title = loops_views.choose_loop(loops_views.with_symptom(symptom))
loop, seen = BENCH[title], examined(title)
revealed = loops_views.predict(NAME, loop, seen, symptom)
code, picture = st.columns([3, 2], gap="medium")
with code:
    loops_views.code(loop)
with picture:
    loops_views.compass(landmarks(), loop, seen.finding if revealed else None)
if revealed:
    with st.container(border=True):
        loops_views.verdict(loop, seen)
    loops_views.agreement(loop)
loops_views.judged_table(NAME)

lesson.prose(
    r"""
An inner loop can run, lower its loss, and still hand the outer optimiser something else than
$\nabla_\theta L_q(\varphi)$. Nothing in the loss tells. Two tests do. The first needs no reference: nudge $\theta$
by a little along some direction, run the *whole* loop again, and compare how much the query loss changed with what
the gradient promised. The second needs one: lay the vector beside known ones. The arrows above are the usual
suspects, drawn with their true angles and lengths against the meta-gradient.
"""
)

own_gradient()
claims.under_test(NAME)

address = lesson.link({"loop": title, "symptom": symptom})
lesson.take_away(address, partial(loop_script, loop, seen, address), "is_it_second_order.py")
lesson.takeaway(
    "A loss that falls says nothing about the gradient. Nudge θ, run the whole loop again, and see whether the query "
    "loss moves as `p.grad` promised."
)
lesson.sources(
    "E. Grefenstette et al. (2019), *Generalized Inner Loop Meta-Learning*: "
    "[arXiv 1910.01727](https://arxiv.org/abs/1910.01727), the paper of "
    "[higher](https://github.com/facebookresearch/higher).",
    "J. Ren et al. (2022), *TorchOpt*: [arXiv 2211.06934](https://arxiv.org/abs/2211.06934); "
    "[torchopt](https://github.com/metaopt/torchopt).",
    "S. Arnold et al. (2020), *learn2learn*: [arXiv 2008.12284](https://arxiv.org/abs/2008.12284). Its pattern is "
    "re-created here, as version 0.2.0 does not build on Python 3.11.",
    "PyTorch, [`torch.func`](https://docs.pytorch.org/docs/stable/func.html).",
    "A. Nichol, J. Achiam, J. Schulman (2018), *On First-Order Meta-Learning Algorithms*: "
    "[arXiv 1803.02999](https://arxiv.org/abs/1803.02999), for the first-order gradient and Reptile's.",
    "The claims are from two Q&A pages about higher (January 2025); the threads are linked beside each loop.",
)
lesson.footer(NAME)
