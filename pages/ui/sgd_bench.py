"""Lesson 11's bench: a reader's run with its buttons and its progress, and where the shown numbers come from."""

import secrets
from typing import NamedTuple

import streamlit as st

from maml_core.practice.sgd_desk import DESK, Order, Progress
from maml_core.practice.sgd_results import Timing, precomputed, summarised, today
from maml_core.practice.sgd_timing import COMPILED

MINE = "sgd timing"  # in the visit's state: the reader's own result
NAMES = {
    "in order": "cold, in the source's order",
    "imported first": "the same order after importing torch._dynamo",
    "taking turns": "all loops taking turns",
    "drift": "both loops side by side, step by step",
    "compiled": "compiling SGD's step, then taking turns",
}


class Place(NamedTuple):
    """A reader at the desk."""

    token: str


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda place: DESK.leave(place.token))
def _place() -> Place:
    """This visit's, given up when the reader leaves."""
    return Place(secrets.token_hex(8))


@st.cache_data(show_spinner=False)
def _kept() -> Timing:
    return precomputed()


def shown() -> Timing:
    """The reader's own result, or the one that was measured before."""
    return st.session_state.get(MINE) or _kept()


def bench(order: Order) -> None:
    """Run, Stop, how far it is, and where the numbers come from."""
    place = _place()
    waiting = st.session_state.get("sgd running", False)

    @st.fragment(run_every=1.0 if waiting else None)
    def live() -> None:
        progress = DESK.look(place.token)
        with st.container(horizontal=True, vertical_alignment="center"):
            if progress is None:
                if st.button("Measure here", icon=":material/timer:"):
                    _start(place, order)
                st.markdown(_origin(), width="content")
            else:
                if st.button("Stop", icon=":material/stop:"):
                    _stop(place)
                st.progress(progress.share, _said(progress), width=520)
        if progress is not None and progress.state in ("done", "failed"):
            _finish(progress)
        if progress is None and waiting:
            st.session_state["sgd trouble"] = (
                "Your run was stopped, as this page had been left or lost its connection."
            )
            _look_on(False)

    live()
    if not waiting and (said := _other_order(shown(), order)):
        st.warning(said, icon=":material/history:")


def _other_order(timing: Timing, order: Order) -> str:
    """What the controls ask for and the shown numbers are not, if anything."""
    compiling = COMPILED in order.parts and timing.compile_seconds is None and not timing.trouble
    if (timing.first, timing.repetitions) == (order.first, order.repetitions) and not compiling:
        return ""
    again = "again" if MINE in st.session_state else "here"
    return (
        f"These numbers are for **{timing.first} first, {timing.repetitions} repetitions**. The controls now say "
        f"{order.first} first, {order.repetitions} repetitions{', torch.compile too' * compiling}: measure {again}."
    )


def _start(place: Place, order: Order) -> None:
    DESK.ask(place.token, order)
    st.session_state.pop("sgd trouble", None)
    _look_on(True)


def _stop(place: Place) -> None:
    DESK.leave(place.token)
    _look_on(False)


def _finish(progress: Progress) -> None:
    if progress.state == "failed":
        st.session_state["sgd trouble"] = progress.trouble
    else:
        st.session_state[MINE] = summarised(progress.events, today())
    _look_on(False)


def _look_on(running: bool) -> None:
    """Start the whole page over: how often a fragment runs is fixed when the page does."""
    st.session_state["sgd running"] = running
    st.rerun()


def _said(progress: Progress) -> str:
    if progress.state == "waiting":
        before = "one reader" if progress.ahead == 1 else f"{progress.ahead} readers"
        return f"Waiting for {before}: two runs at once would time each other."
    return f"In a fresh interpreter: {NAMES[progress.part]}"


def _origin() -> str:
    timing, trouble = shown(), st.session_state.get("sgd trouble", "")
    where = "Measured here just now" if MINE in st.session_state else "Measured before, not here and now"
    said = f":red[{trouble}] " if trouble else ""
    return (
        f"{said}:gray[{where}: {timing.date}, {timing.machine}, {timing.repetitions} repetitions of ten steps, "
        f"{timing.first} first, in CPU seconds.]"
    )
