"""Claim 38's trainings, made anew in the page."""

import contextlib
import time

import streamlit as st

from maml_core.practice.one_task_again import ITERATIONS, again
from maml_core.practice.one_task_claim import COMMAND, claim_38
from pages.ui import claim_runs

CLAIM = 38


def train_again() -> None:
    """The claim whose evidence takes minutes of training: kept with its command, or made anew, shorter, here."""
    st.caption(
        f"The errors it quotes were precomputed by `{COMMAND}`, which takes minutes. Train anew makes a shorter pair "
        f"of trainings here, of {ITERATIONS} iterations each."
    )
    if not st.button("Train anew", key="train anew", icon=":material/replay:"):
        return
    start = time.perf_counter()
    st.button("Stop", key="stop training", icon=":material/stop:")
    progress = st.progress(0.0)
    with contextlib.closing(again()) as said:  # any click, Stop among them, ends this script run and the process
        for word in said:
            if isinstance(word, dict):
                claim_runs.keep(claim_38(word), start)
            else:
                progress.progress(word, "Two trainings in a process of their own …")
    st.rerun()
