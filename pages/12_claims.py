"""Lesson 12. Claims under test: every sentence of the sources that can be wrong, run here and now."""

import streamlit as st

from pages.ui import claim_rows, lesson
from pages.ui.claims import SOURCES

NAME = "12_claims"

lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    chosen, parameters = claim_rows.filters()
claim_rows.board()
lesson.prose(
    """
Every mark is a sentence about MAML or PyTorch that somebody careful wrote down and that can be wrong. Behind each
stands a small program that measures what the sentence says. Judge it, then run it: the mark takes the colour and the
shape of the verdict. No verdict on this page was written by hand, and where a run disagrees with what our own earlier
runs found, its row says so.
"""
)
for number in chosen:
    claim_rows.row(number)
if not chosen:
    st.info("No claim matches these three filters.")

with st.container(horizontal=True, vertical_alignment="bottom"):
    lesson.link_to_this(lesson.link(parameters))
    st.download_button(
        "What was run, as CSV",
        data=claim_rows.as_csv(),
        file_name="claims.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
lesson.takeaway(claim_rows.in_words())
lesson.sources(*SOURCES.values())
lesson.footer(NAME)
