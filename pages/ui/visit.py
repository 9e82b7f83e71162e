"""What a reader has done on this visit: lessons opened, predictions made. Kept by the session alone; no accounts."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from pages.ui.syllabus import LESSONS


class Standing(NamedTuple):
    """One lesson of the score card."""

    lesson: str
    opened: bool
    right: int
    made: int


def open_lesson(name: str) -> None:
    """Note that the lesson in pages/`name`.py is open now."""
    st.session_state["open lesson"] = name
    st.session_state.setdefault("opened", set()).add(name)


def come_back(page: str) -> None:
    """Set the controls of a page as they were left on this visit, unless a link says otherwise.

    Streamlit forgets them with the page, and a browser that goes back finds an address without parameters. It does
    so in a run of its own: in one that the browser's buttons have asked for, Streamlit insists on the defaults.
    """
    arrived = st.session_state.get("page") != page
    st.session_state["page"] = page
    left = st.session_state.get("left", {}).get(page)
    if arrived and left and not st.query_params:
        st.session_state["restoring"] = left
        st.rerun()
    controls, others = st.session_state.pop("restoring", ({}, {}))
    st.session_state.update(controls)
    st.query_params.update(others)


def leave(page: str) -> None:
    """Keep what the address of a page says after its run: the values of controls, and what is no control."""
    asked = {key: st.query_params.get_all(key) for key in st.query_params}
    controls = {key: st.session_state[key] for key in asked if key in st.session_state}
    others = {key: texts for key, texts in asked.items() if key not in controls}
    st.session_state.setdefault("left", {})[page] = (controls, others) if asked else None


def asked(question: str) -> None:
    """Note in which lesson a question was answered."""
    st.session_state.setdefault("asked in", {})[question] = st.session_state.get("open lesson", "")


def score_card() -> list[Standing]:
    """Every lesson: was it opened, and how many first guesses in it were right of how many."""
    asked_in, guesses = st.session_state.get("asked in", {}), st.session_state.get("guesses", {})
    card = []
    for lesson in LESSONS:
        made = [guesses[question] for question, where in asked_in.items() if where == lesson.name]
        made = [guess for guess in made if guess is not None]
        title = f"{lesson.number} · {lesson.title}"
        opened = lesson.name in st.session_state.get("opened", ())
        card.append(Standing(title, opened, sum(guess.right for guess in made), len(made)))
    return card


def show() -> None:
    """The score card as a table, once there is something on it, with its download."""
    card = score_card()
    if not any(standing.opened for standing in card):
        return
    st.header("Your visit", anchor=False)
    right, made = sum(standing.right for standing in card), sum(standing.made for standing in card)
    opened = sum(standing.opened for standing in card)
    st.markdown(
        f"{opened} of {len(card)} lessons opened; {right} of {made} predictions right at the first try. Kept until "
        "you close or reload this tab, and nowhere else."
    )
    seen = [standing for standing in card if standing.opened]
    st.table(
        {
            "lesson": [standing.lesson for standing in seen],
            "right at the first try": [
                f"{standing.right} of {standing.made}" if standing.made else "nothing predicted" for standing in seen
            ],
        }
    )
    data = as_csv(card)
    st.download_button(
        "Score card as CSV", data, "score-card.csv", "text/csv", on_click="ignore", icon=":material/download:"
    )


def as_csv(card: Sequence[Standing]) -> str:
    """The whole card, lessons not opened among them."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(Standing._fields)
    writer.writerows(card)
    return table.getvalue()
