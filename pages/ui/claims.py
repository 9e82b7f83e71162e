"""Claims under test, as a lesson shows them: the reader judges first, then sees what a run of it said."""

import streamlit as st

from maml_core.catalogue import of_lesson
from maml_core.claims import SOURCES, Claim
from pages.ui import guessing
from pages.ui.syllabus import numbered

MARKS = {
    "true": ":green[:material/check: true]",
    "half": ":orange[:material/contrast: half true]",
    "false": ":red[:material/close: false]",
}
WORDS = {"true": "True", "half": "Half true", "false": "False"}


@st.cache_data(show_spinner=False)
def _run(lesson: int) -> tuple[Claim, ...]:
    return of_lesson(lesson)


def under_test(name: str) -> None:
    """The claims that the lesson in pages/`name`.py explains."""
    found = _run(numbered(name))
    st.subheader("Claims under test", anchor=False)
    st.caption(f"From {_sources(found)}. Judge first; each verdict is computed by running the claim on this server.")
    for claim in found:
        with st.container(border=True):
            st.markdown(f"**{claim.row.sentence}**")
            judge(claim)


def _sources(found: tuple[Claim, ...]) -> str:
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
        st.markdown(f"{MARKS[claim.verdict]}. You said *{guess.text.lower()}*. {claim.evidence}")


def plain(sentence: str) -> str:
    """A sentence without code marks, for places that show none."""
    return sentence.replace("`", "")
