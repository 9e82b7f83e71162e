"""Lesson 4. The matrix between θ and φ: what one inner step does to a nudge of its start."""

import streamlit as st

from maml_core.plane.answers import Rates
from pages.ui import lesson, plane_controls
from pages.ui.landscape import landscape

NAME = "04_inner_jacobian"

lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    rates = Rates(plane_controls.inner_lr())
    chosen = plane_controls.problem()
seen = landscape(chosen.problem, rates, key="inner_jacobian")
lesson.footer(NAME)
