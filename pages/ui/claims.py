"""Claims under test, as a lesson shows them: the reader judges first, then sees what a run of it said."""

import streamlit as st

from maml_core.catalogue import Stopped, of_lesson
from maml_core.claims import SOURCES, Claim
from pages.ui import guessing
from pages.ui.syllabus import numbered

LONGEST = 300  # of an error message
WORDS = {"true": "True", "half": "Half true", "false": "False"}


@st.cache_data(show_spinner=False)
def _run(lesson: int) -> tuple[Claim | Stopped, ...]:
    return of_lesson(lesson)


def under_test(name: str) -> None:
    """The claims that the lesson in pages/`name`.py explains."""
    found = _run(lesson := numbered(name))
    if any(isinstance(claim, Stopped) for claim in found):
        _run.clear(lesson)  # the next visit tries again
    st.subheader("Claims under test", anchor=False)
    st.caption(f"From {_sources(found)}. Judge first; each verdict is computed by running the claim on this server.")
    for claim in found:
        with st.container(border=True):
            st.markdown(f"**{claim.row.sentence}**")
            if isinstance(claim, Stopped):
                st.markdown(stopped(claim))
            else:
                judge(claim)


def stopped(claim: Stopped) -> str:
    """What there is to say about a program that raised."""
    error = "".join(f"\\{c}" if c in "\\`*_[]$<:~#|" else c for c in " ".join(claim.error.split())[:LONGEST])
    return f":orange[:material/warning:] Its program stopped, here and now, so there is no verdict. {error}"


def _sources(found: tuple[Claim | Stopped, ...]) -> str:
    return " and ".join(f"*{SOURCES[source]}*" for source in dict.fromkeys(claim.row.source for claim in found))


def judge(claim: Claim) -> None:
    """Three buttons, then the verdict of the run beside the reader's."""
    name = f"claim {claim.number}"
    guess = guessing.made(name)
    if guess is None:
        with st.container(horizontal=True):
            for verdict, label in WORDS.items():
                choice = guessing.Choice(label, verdict == claim.verdict, "")
                st.button(label, key=f"{name}:{verdict}", on_click=guessing.remember, args=(name, choice))
    else:
        st.markdown(f"{beside(guess, claim)} {claim.evidence}")


def beside(guess: guessing.Choice | None, claim: Claim) -> str:
    """The run's verdict beside the reader's, in words: a mark of the verdict would look like one on the guess."""
    found = WORDS[claim.verdict].lower()
    if guess is None:
        return f":material/visibility: The run says **{found}**."
    said = guess.text.lower()
    if said == found:
        return f":material/check_circle: Right: you said *{said}*, and so says the run."
    return f":material/lightbulb: Not so: you said *{said}*, and the run says **{found}**."


def plain(sentence: str) -> str:
    """A sentence without code marks, for places that show none."""
    return sentence.replace("`", "")
