"""Lesson 11. By hand or torch.optim.SGD: a factor of two that is an import, measured in fresh interpreters."""

from functools import partial

import streamlit as st

from maml_core.practice.sgd_desk import Order
from maml_core.practice.sgd_loops import by_hand, by_sgd
from maml_core.practice.sgd_script import sgd_script
from maml_core.practice.sgd_timing import COMPILED, MOST_REPETITIONS, PARTS, USUAL_REPETITIONS
from maml_core.practice.trying import source
from pages.ui import claims, controls, lesson, sgd_bench, sgd_views

NAME = "11_sgd_by_hand"

lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    first, repetitions = controls.timing_order(USUAL_REPETITIONS, MOST_REPETITIONS)
    compiled = controls.also_compiled()
sgd_bench.bench(Order(first, repetitions, (*PARTS, COMPILED) if compiled else PARTS))
timing = sgd_bench.shown()
revealed = sgd_views.predict(NAME, timing)
sgd_views.picture(timing, revealed=revealed)

with st.expander("The two loops, as they are timed"):
    st.code("\n\n\n".join(map(source, (by_sgd, by_hand))), language="python")

if revealed:
    st.subheader("Where the time went", anchor=False)
    sgd_views.second(timing)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**An import costs the same however long you go on**")
        sgd_views.factor_by_repetitions(timing, repetitions)
    with right:
        st.markdown("**Taking turns, so that nobody is always first**")
        sgd_views.table(timing)

    st.subheader("And do they end in the same weights?", anchor=False)
    lesson.prose(
        """
Both compute θ − αg, but they may round it differently in the last digit, and then the weights are not *equal*. The
source compares them with `torch.allclose(rtol=1e-3)`. Here is how far apart they are after each step, as a share of
their length, and where that comparison fails. If the input of a ReLU is almost 0, one network may pass it on and the
other not; the next gradients then differ by far more than rounding.
"""
    )
    sgd_views.drifting(timing)
    with st.spinner("Running both claims; one of them needs a fresh interpreter…"):
        claims.under_test(NAME)

address = lesson.link({"first": first, "repetitions": repetitions, "compiled": str(compiled).lower()})
lesson.take_away(address, partial(sgd_script, first, repetitions, address), "sgd_by_hand.py")
lesson.takeaway(
    "Before you time two things, run both once, let them take turns, and look at each repetition: a total hides the "
    "one that paid for everybody."
)
lesson.sources(
    "PyTorch, [`torch.optim.SGD`](https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html), with what "
    "`foreach` and `fused` mean.",
    "PyTorch, [`torch.utils.benchmark`](https://docs.pytorch.org/docs/stable/benchmark_utils.html), which warms up "
    "and reports medians and quartiles.",
    "The experiment is that of “Some notes from implementing model agnostic meta learning” (blog notes, January "
    "2025): OmniglotCNN, one image, ten steps of 0.4, a hundred times.",
)
lesson.footer(NAME)
