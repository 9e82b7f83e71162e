"""Lesson 7. The sinusoid lab: meta-training that one can watch, pause, question and take home."""

import streamlit as st

from pages.ui import lab_buttons, lab_controls, lab_question, lab_sections, lab_views, lesson, live

NAME = "07_sinusoid_lab"

lesson.header(NAME)
desk = live.desk()
wanted = lab_controls.config(desk.pool.limits.iterations)
run = desk.run(lab_buttons.NAME)
lab_buttons.buttons(desk, run, wanted)
place = st.container()
revealed = lab_question.predict(NAME)
own = lab_sections.own_steps(run)
steps = lab_views.steps_control(own)
with place:
    lab_sections.chart(desk, run, steps)
    lab_sections.divergence(run)

lesson.prose(
    r"""
Every task is one sine, and a few points on it are all that is shown of it. A network that starts at θ takes
`inner_steps` gradient steps on those points, and is judged on *other* points of the same sine: that is the **query
loss**. Meta-training changes what all tasks start from, the weights θ (Meta-SGD: and their step sizes), so that this
loss falls. The four tasks above are drawn from numbers that no training step uses. The dotted curve is θ itself,
before it has seen a point: one curve, the same for every task, so where it lies near one of them that is luck. What
counts is how far the steps carry it.

Start the *tour* and watch both charts. Then break it: take `relu` for `tanh` in *All settings* and raise α to 1, give
one algorithm the rates of another, or show fewer points than a sine has unknowns.
"""
)
st.subheader("Beside the run", anchor=False)
lab_sections.beside(desk, steps, revealed=revealed)
lab_sections.agreement(run)

lesson.take_away(lesson.link(lab_controls.link(wanted)), lab_buttons.script(desk, run, wanted), "sinusoid_lab.py")
lesson.takeaway(
    "Meta-training learns where to start, not what to answer: before it adapts, θ knows no task; after a step or "
    "two on a few points it knows the one at hand."
)
lesson.sources(
    "C. Finn, P. Abbeel, S. Levine (2017), *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400). The sinusoid benchmark and its numbers.",
    "Z. Li, F. Zhou, F. Chen, H. Li (2017), *Meta-SGD*: [arXiv 1707.09835](https://arxiv.org/abs/1707.09835).",
    "A. Nichol, J. Achiam, J. Schulman (2018), *On First-Order Meta-Learning Algorithms* (Reptile): "
    "[arXiv 1803.02999](https://arxiv.org/abs/1803.02999).",
    "A. Rajeswaran, C. Finn, S. Kakade, S. Levine (2019), *Meta-Learning with Implicit Gradients*: "
    "[arXiv 1909.04630](https://arxiv.org/abs/1909.04630).",
)
lesson.footer(NAME)
