"""The claims of lesson 12: a line each, which opens on its program and on what a run of it says."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maml_core.catalogue import PROGRAMS, source_of
from maml_core.claims import TABLE
from pages.ui import claim_runs, claim_training, claims, controls, guessing
from pages.ui.syllabus import LESSONS

STATES = {"not run": None, "true": "true", "half true": "half", "false": "false"}
MARKS = {
    None: ":gray[:material/radio_button_unchecked:]",
    "true": ":green[:material/check_circle:]",
    "half": ":orange[:material/contrast:]",
    "false": ":red[:material/cancel:]",
}
WARNED = " :orange[:material/warning:]"
EXPLAINED_IN = {lesson.number: lesson for lesson in LESSONS}
ANY = "any"
KEPT = "claims kept in sight"  # {number: the filter on verdicts under which it was asked for}


def filters() -> tuple[list[int], dict[str, str]]:
    """The claims that the reader wants to see, and the filters as parameters of a link."""
    sources = dict.fromkeys(TABLE[number].source for number in PROGRAMS)
    words = "\n\n".join(f"**{key}**: {claims.SOURCES[key]}" for key in sources)
    source = controls.choice("source", "source", (ANY, *sources), ANY, words)
    numbers = tuple(str(number) for number in EXPLAINED_IN if any(row.lesson == number for row in TABLE.values()))
    explained = controls.choice("lesson", "lesson", (ANY, *numbers), ANY, "The lesson that explains the claim.")
    verdict = controls.choice("verdict", "verdict", (ANY, *STATES), ANY, "What the run on this visit said.")
    kept = st.session_state[KEPT] = {
        number: then for number, then in st.session_state.get(KEPT, {}).items() if then == verdict
    }
    wanted = [
        number
        for number, row in TABLE.items()
        if number in PROGRAMS
        and source in (ANY, row.source)
        and explained in (ANY, str(row.lesson))
        and (verdict in (ANY, _state(number)) or number in kept)
    ]
    return wanted, {"source": source, "lesson": explained, "verdict": verdict}


def _state(number: int) -> str:
    return next(state for state, verdict in STATES.items() if verdict == claim_runs.verdict(number))


def _ask_for(number: int, judged: str | None) -> None:
    """The page runs it, not this callback; it stays in sight while the filter on verdicts stays as it is."""
    claim_runs.ask(number, judged)
    st.session_state[KEPT][number] = st.session_state["verdict"]


def run_all() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The button that runs them all, and how they stand: places for the progress and for the counts."""
    with st.container(horizontal=True, vertical_alignment="center", key="run-all"):
        label, running = f"Run all {len(PROGRAMS)}", bool(claim_runs.waiting())
        play = ":material/play_arrow:"
        st.button(label, type="primary", icon=play, on_click=claim_runs.ask_for_all, disabled=running)
        if running:
            st.button("Stop", icon=":material/stop:", on_click=claim_runs.stop, help="What has run stays.")
        counts, progress = st.empty(), st.empty()
    _count(counts)
    return progress, counts


def _count(place: DeltaGenerator) -> None:
    """The legend of the marks, with how many claims have each."""
    words = {verdict: state for state, verdict in STATES.items()}
    place.markdown(
        " &nbsp; ".join(
            f"{MARKS[verdict]} {count} {words[verdict]}" for verdict, count in claim_runs.counts().items()
        ),
        width="content",
    )


def table(numbers: Sequence[int]) -> dict[int, DeltaGenerator]:
    """A line per claim, by source, in two columns; the places of their marks."""
    claim_runs.settle()
    sources = list(dict.fromkeys(TABLE[number].source for number in numbers))
    marks = {}
    with st.container(key="claims"):
        for column, shown in zip(st.columns(2), _halves(numbers, sources), strict=True):
            with column:
                for source in shown:
                    st.caption(f"**{source}**")
                    mine = (number for number in numbers if TABLE[number].source == source)
                    marks |= {number: _line(number) for number in mine}
    return marks


def _halves(numbers: Sequence[int], sources: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The sources of the left column and those of the right, about as many claims in each."""
    sizes = [sum(TABLE[number].source == source for number in numbers) for source in sources]
    cut = min(range(len(sizes) + 1), key=lambda cut: (abs(sum(sizes[:cut]) - sum(sizes[cut:])), -cut))
    return sources[:cut], sources[cut:]


def _line(number: int) -> DeltaGenerator:
    """One claim. What is in it is sent once it is open."""
    with st.container(horizontal=True, gap=None, wrap=False):
        mark = st.empty()
        label = f"**{number}.** {TABLE[number].sentence}"
        line = st.expander(label, key=f"open {number}", on_change="rerun", type="compact")
    _mark(mark, number)
    if line.open:
        with line:
            _inside(number)
    return mark


def _mark(place: DeltaGenerator, number: int) -> None:
    found = claim_runs.ran().get(number)
    warned = found.disagrees if found else number in claim_runs.stopped()
    place.markdown(MARKS[claim_runs.verdict(number)] + WARNED * warned, width="content")


def run_what_waits(marks: dict[int, DeltaGenerator], progress: DeltaGenerator, counts: DeltaGenerator) -> None:
    """Run the claims that are due, one after the other, at the end of the page: all of it is there meanwhile."""
    if not claim_runs.due():
        return

    def before(number: int) -> None:
        if not claim_runs.waiting():
            return  # its own line says so
        done = 1 - len(claim_runs.waiting()) / len(PROGRAMS)
        progress.progress(done, f"Claim {number}: {claims.plain(TABLE[number].sentence)}")

    def after(number: int) -> None:
        _count(counts)
        if number in marks:
            _mark(marks[number], number)

    claim_runs.run_in_turn(before, after)
    st.rerun()  # the filters, what is open and the last lines belong to what has run


def _inside(number: int) -> None:
    """What the reader says, what the run says, and the program."""
    said = TABLE[number]
    lesson = EXPLAINED_IN[said.lesson]
    if number in claim_runs.ran():
        _verdict(claim_runs.ran()[number])
    elif claim_runs.running(number):
        judged = claim_runs.asked()[number]
        said = f" You said *{judged.lower()}*." if judged else ""
        st.markdown(f":material/hourglass_top: Running its program…{said} You can read on meanwhile.")
    else:
        if number in claim_runs.stopped():
            st.markdown(claims.stopped(claim_runs.stopped()[number]))
        _ask(number)
    if number == claim_training.CLAIM:
        claim_training.train_again()
    if number in claim_runs.ran():
        st.code(source_of(number), wrap_lines=True, height=260)
    st.page_link(f"pages/{lesson.name}.py", label=f"Lesson {lesson.number} explains it", icon=":material/school:")


def _ask(number: int) -> None:
    """The reader may judge first; judging or not, the program runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for verdict, label in claims.WORDS.items():
            st.button(label, key=f"row {number}:{verdict}", on_click=_ask_for, args=(number, label))
        st.button("just run it", key=f"row {number}:run", on_click=_ask_for, args=(number, None), type="tertiary")
        with st.popover("Program", icon=":material/code:", help="It may give the verdict away."):
            st.code(source_of(number), wrap_lines=True)


def _verdict(found: claim_runs.Ran) -> None:
    claim = found.claim
    guess = guessing.made(f"claim {claim.number}")
    st.markdown(f"{claims.beside(guess, claim)} {claim.evidence} :gray[({found.seconds:.2f} s)]")
    if found.disagrees:
        st.markdown(
            f":orange[:material/warning: Our own earlier runs said {claims.WORDS[claim.row.found].lower()}. This run "
            "disagrees with them: the versions, the machine or the program have changed. Trust the run.]"
        )
