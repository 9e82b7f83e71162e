"""Predict, reveal, explain: a reader guesses before the decisive number shows, and the visit keeps count."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from pages.ui import visit


class Choice(NamedTuple):
    """One answer a reader may give. `repair`: the sentence for those who gave it and were wrong."""

    text: str
    right: bool
    repair: str


def predict(name: str, question: str, choices: Sequence[Choice], about: str = "with these controls") -> bool:
    """Ask before the decisive number shows. True once the reader has guessed or asked to see it.

    Which choice is right comes from the computation, so it can change with the controls; the guess that counts
    is the first, while the words follow the controls. `about`: what the answer holds for, if not for the controls.
    """
    guesses = st.session_state.setdefault("guesses", {})
    if name not in guesses:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/psychology: **Predict.** {question}", width="content")
            for i, choice in enumerate(choices):
                st.button(choice.text, key=f"guess:{name}:{i}", on_click=remember, args=(name, choice))
            st.button("just show me", key=f"guess:{name}:skip", on_click=remember, args=(name, None), type="tertiary")
        return False
    right = next((choice for choice in choices if choice.right), Choice("none of these", True, ""))
    guess = guesses[name]
    if guess is None:
        text = f":material/visibility: The answer: **{right.text}**. {right.repair}"
    elif guess.text == right.text:
        text = f":material/check_circle: You said *{guess.text}*, and so it is. {right.repair}"
    else:
        repair = next((choice.repair for choice in choices if choice.text == guess.text), right.repair)
        was = "You were right with" if guess.right else "You said"
        said = f"*{guess.text}*, at the first controls" if guess.right else f"*{guess.text}*"
        text = f":material/lightbulb: {was} {said}; {about} it is **{right.text}**. {repair}"
    with st.container(gap=None):
        st.caption(question)
        st.markdown(text + (f" :gray[({score()})]" if score() else ""))
    return True


def remember(name: str, choice: Choice | None) -> None:
    """The reader's first word on a question; None is "just show me". Kept for the visit, with its lesson.

    The first stays the first: a second click, made before the answer had come, changes nothing.
    """
    if name not in st.session_state.setdefault("guesses", {}):
        st.session_state["guesses"][name] = choice
        visit.asked(name)


def score() -> str:
    """The visit's score in words; empty before the first guess."""
    made = [guess for guess in st.session_state.get("guesses", {}).values() if guess is not None]
    return f"{sum(guess.right for guess in made)} of {len(made)} predictions right on this visit" if made else ""


def made(name: str) -> Choice | None:
    """What the reader said to a question, if anything."""
    return st.session_state.get("guesses", {}).get(name)
