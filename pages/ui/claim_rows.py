"""The claims of lesson 12: a row each, with its program, its run on this visit, and all of them run in turn."""

import contextlib
import csv
import io
import time
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maml_core.catalogue import PROGRAMS, source_of
from maml_core.claims import TABLE, Claim
from maml_core.practice.one_task_again import ITERATIONS, again
from maml_core.practice.one_task_claim import COMMAND, claim_38
from pages.ui import charts_claims, claims, controls, guessing
from pages.ui.syllabus import LESSONS

STATES = {"not run": None, "true": "true", "half true": "half", "false": "false"}
EXPLAINED_IN = {lesson.number: lesson for lesson in LESSONS}
ANY = "any"
LONG = 38


class Ran(NamedTuple):
    """One run on this visit."""

    claim: Claim
    seconds: float


def ran() -> dict[int, Ran]:
    """Every claim that was run on this visit."""
    return st.session_state.setdefault("claims run", {})


def run(number: int) -> None:
    """Run a claim's program here and now."""
    start = time.perf_counter()
    claim = PROGRAMS[number]()
    ran()[number] = Ran(claim, time.perf_counter() - start)
    st.session_state["just run"] = number  # stays in sight, whatever the filter on verdicts says


def state(number: int) -> str | None:
    """The verdict of the run on this visit; None if there was none."""
    return ran()[number].claim.verdict if number in ran() else None


def filters() -> tuple[list[int], dict[str, str]]:
    """The claims that the reader wants to see, and the filters as parameters of a link."""
    sources = dict.fromkeys(TABLE[number].source for number in PROGRAMS)
    words = "\n\n".join(f"**{key}**: {claims.SOURCES[key]}" for key in sources)
    source = controls.choice("source", "source", (ANY, *sources), ANY, words)
    numbers = tuple(str(number) for number in EXPLAINED_IN if any(row.lesson == number for row in TABLE.values()))
    explained = controls.choice("lesson", "lesson", (ANY, *numbers), ANY, "The lesson that explains the claim.")
    verdict = controls.choice("verdict", "verdict", (ANY, *STATES), ANY, "What the run on this visit said.")
    wanted = [
        number
        for number, row in TABLE.items()
        if number in PROGRAMS
        and source in (ANY, row.source)
        and explained in (ANY, str(row.lesson))
        and (verdict == ANY or STATES[verdict] == state(number) or number == st.session_state.get("just run"))
    ]
    return wanted, {"source": source, "lesson": explained, "verdict": verdict}


def board() -> None:
    """All claims as marks, in the colour and shape of what their runs said; and the button that runs all."""
    wanted = st.session_state.pop("claims to run", [])
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Run all {len(PROGRAMS)}"
        st.button(label, type="primary", icon=":material/play_arrow:", on_click=_queue, disabled=bool(wanted))
        if wanted:
            st.button("Stop", icon=":material/stop:", help="What has run stays.")
    place = st.empty()
    _draw(place, 0)
    if wanted:
        _run_in_turn(wanted, place)


def _queue() -> None:
    st.session_state["claims to run"] = list(PROGRAMS)


def _draw(place: DeltaGenerator, turn: int) -> None:
    verdicts = {number: state(number) for number in PROGRAMS}
    said = [f"claim {number} {verdict}" for number, verdict in verdicts.items() if verdict]
    place.plotly_chart(
        charts_claims.board(verdicts),
        key=f"board {turn}",
        alt=f"The claims by source. {'; '.join(said) or 'None has been run yet'}.",
    )


def _run_in_turn(numbers: Sequence[int], place: DeltaGenerator) -> None:
    """One after the other. Any click, Stop among them, ends this script run between two claims."""
    progress = st.progress(0.0)
    for turn, number in enumerate(numbers, 1):
        progress.progress(turn / len(numbers), f"Claim {number}: {claims.plain(TABLE[number].sentence)}")
        run(number)
        _draw(place, turn)
    st.rerun()  # the rows and filters below belong to what has run


def row(number: int) -> None:
    """One claim: its sentence, what the reader says, what the run says, and the program."""
    said = TABLE[number]
    lesson = EXPLAINED_IN[said.lesson]
    with st.container(border=True):
        st.markdown(f"**{number}.** {said.sentence}")
        if number in ran():
            _verdict(ran()[number])
        if number == LONG:
            _train_again()
        with st.container(horizontal=True, vertical_alignment="center"):
            if number not in ran():
                _ask(number)
            with st.popover("Program", icon=":material/code:"):
                st.code(source_of(number), wrap_lines=True)
            st.page_link(f"pages/{lesson.name}.py", label=f"Lesson {lesson.number} explains it")
            st.caption(f"from: {said.source}")


def _train_again() -> None:
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
                ran()[LONG] = Ran(claim_38(word), time.perf_counter() - start)
            else:
                progress.progress(word, "Two trainings in a process of their own …")
    st.rerun()


def _ask(number: int) -> None:
    """The reader may judge first; judging or not, the program runs."""
    for verdict, label in claims.WORDS.items():
        st.button(label, key=f"row {number}:{verdict}", on_click=_judge, args=(number, verdict, label))
    st.button("just run it", key=f"row {number}:run", on_click=run, args=(number,), type="tertiary")


def _judge(number: int, verdict: str, label: str) -> None:
    run(number)
    if guessing.made(f"claim {number}") is None:
        choice = guessing.Choice(label, verdict == ran()[number].claim.verdict, "")
        guessing.remember(f"claim {number}", choice)


def _verdict(found: Ran) -> None:
    claim = found.claim
    guess = guessing.made(f"claim {claim.number}")
    said = f" You said *{guess.text.lower()}*." if guess else ""
    st.markdown(f"{claims.MARKS[claim.verdict]}.{said} {claim.evidence} :gray[({found.seconds:.2f} s)]")
    if claim.verdict != claim.row.found:
        st.markdown(
            f":orange[:material/warning: Our own earlier runs said {claims.WORDS[claim.row.found].lower()}. This run "
            "disagrees with them: the versions, the machine or the program have changed. Trust the run.]"
        )


def as_csv() -> str:
    """What was run on this visit. Asked for while the page runs: a download has no session of its own."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["claim", "source", "sentence", "verdict", "evidence", "seconds"])
    for number, (claim, seconds) in sorted(ran().items()):
        writer.writerow(
            [number, claim.row.source, claim.row.sentence, claim.verdict, claim.evidence, f"{seconds:.3f}"]
        )
    return table.getvalue()


def in_words() -> str:
    """How the claims stand on this visit, in a sentence."""
    if not ran():
        return "A claim is worth what a run of it says. None has been run on this visit yet."
    verdicts = [found.claim.verdict for found in ran().values()]
    counts = [f"{verdicts.count(verdict)} {word.lower()}" for verdict, word in claims.WORDS.items()]
    return f"Of the {len(verdicts)} claims run on this visit, {counts[0]}, {counts[1]} and {counts[2]}."
