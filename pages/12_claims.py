"""Lesson 12. Claims under test: every sentence of the sources that can be wrong, run here and now."""

import streamlit as st

from pages.ui import claim_rows, claim_runs, lesson
from pages.ui.claims import SOURCES

NAME = "12_claims"

lesson.header(NAME)
with st.container(horizontal=True, gap="medium", key="claim-filters"):
    chosen, parameters = claim_rows.filters()
progress, counts = claim_rows.run_all()
marks = claim_rows.table(chosen)
if not chosen:
    st.info("No claim matches these three filters.")
lesson.prose(
    """
Every line is a sentence about MAML or PyTorch that somebody careful wrote down and that can be wrong. Behind each
stands a small program that measures what the sentence says. Open it and judge; then the program runs, and its mark
takes the colour and the shape of the verdict. No verdict on this page was written by hand, and where a run disagrees
with what our own earlier runs found, or stops, its line says so (:material/warning:).
"""
)

with st.container(horizontal=True, vertical_alignment="bottom"):
    lesson.link_to_this(lesson.link(parameters))
    st.download_button(
        "What was run, as CSV",
        data=claim_runs.as_csv(),
        file_name="claims.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
lesson.takeaway(claim_runs.in_words())
lesson.sources(*SOURCES.values())
lesson.footer(NAME)
claim_rows.run_what_waits(marks, progress, counts)
