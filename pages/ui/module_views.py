"""Lesson 9's furniture: an attempt and what it came to, what is silent about it, and the layers that break it."""

import math
from collections.abc import Sequence

import streamlit as st

from maml_core.numerals import numeral
from maml_core.practice.layers_topics import TOPICS
from maml_core.practice.layers_tried import Found, try_topic
from maml_core.practice.modules_explained import ModuleExplained
from maml_core.practice.outer import Course, outer_loop
from maml_core.practice.trying import ATTEMPTS, Kind, repair, source
from pages.ui import charts_modules, controls, guessing, lesson

RUNNING = range(4, len(ATTEMPTS))  # the attempts before them raise
ANSWERS: dict[Kind, str] = {
    "exact": "the meta-gradient",
    "wrong": "another vector",
    "none": "None",
    "raises": "nothing: an error",
}


def code(number: int) -> None:
    """What is new in this attempt, and its lines."""
    attempt = ATTEMPTS[number]
    st.markdown(attempt.why)
    if number:
        st.code(repair(ATTEMPTS[number - 1].code, attempt.code), language="diff")
    st.code(source(attempt.code), language="python", line_numbers=True)


def _question(name: str, number: int) -> str:
    """What the guess on this attempt is kept under; its outcome is the same kind on every network."""
    return f"{name}: {ATTEMPTS[number].title}"


def predict(name: str, number: int, tried: ModuleExplained) -> bool:
    """Ask what is in θ's `.grad` before it shows, for each attempt anew."""
    outcome = tried.outcome
    return guessing.predict(
        _question(name, number),
        "Run it on two tasks, then call `backward()`. In θ's `.grad` there is now …",
        [guessing.Choice(text, outcome.kind == kind, _why(tried)) for kind, text in ANSWERS.items()],
    )


def answered(name: str) -> tuple[int, ...]:
    """The attempts that run whose outcome this visit has seen; nothing on the page gives away the others."""
    return tuple(i for i in RUNNING if _question(name, i) in st.session_state.get("guesses", {}))


def _why(tried: ModuleExplained) -> str:
    outcome = tried.outcome
    if outcome.kind == "raises":
        return f"Line {outcome.line} stops it."
    fell = (
        f"Adapting took the query loss from {numeral(tried.before, 4)} to {numeral(outcome.query_loss, 4)}, which is "
        "what a training log would print."
    )
    if outcome.kind == "none":
        return f"{fell} But the query loss was computed by a copy, and no path leads from the copy to θ."
    if outcome.kind == "wrong":
        return (
            f"{fell} The gradient is {numeral(outcome.degrees, 3)}° away from the meta-gradient and "
            f"{numeral(outcome.length, 3)} times as long."
        )
    return f"{fell} The gradient is the meta-gradient, leaf by leaf."


def outcome(tried: ModuleExplained, *, revealed: bool) -> None:
    """The picture: what reaches each leaf; and the error, as a result, where there is one."""
    found = tried.outcome
    notes: dict[Kind, str] = {"raises": "never got as far as backward()", "none": "None at every leaf"}
    note = notes.get(found.kind, "") if revealed else "this attempt: ?"
    apart = f"{numeral(found.degrees, 3)}° from the meta-gradient." if revealed and found.kind == "wrong" else ""
    arrived = found.arrived or (None,) * len(tried.leaves)
    st.plotly_chart(
        charts_modules.arrivals(
            tried.leaves, tried.exact, arrived if revealed else None, found.apart if revealed else (), note
        ),
        key="arrivals",
        alt=f"The length of the gradient at each of {len(tried.leaves)} leaves of θ. {note}{apart}",
    )
    if revealed and found.kind == "raises":
        with st.container(border=True):
            st.markdown(f":material/front_hand: **Line {found.line} stopped**, in Python's words:")
            st.code(f"{found.error}: {found.words}", language=None, wrap_lines=True)
            st.markdown(found.reading)


def silence(tried: ModuleExplained, *, inner_lr: float, inner_steps: int) -> None:
    """What no error message says: each silent failure, measured."""
    found = tried.outcome
    st.markdown(
        "- **Clones that clone nothing.** The sketch's clones are `dict(network.named_parameters())`: "
        f"{tried.clones} of {len(tried.leaves)} tensors in it are the network's own, not copies."
    )
    if math.isnan(found.query_loss):
        return
    chained = not math.isclose(found.query_loss, found.one_step, rel_tol=1e-9)
    verdict = "They differ: each step starts where the last one ended." if chained else _same(inner_lr, inner_steps)
    steps = "1 step leads" if inner_steps == 1 else f"{inner_steps} steps lead"
    st.markdown(
        f"- **Steps that chain, or not.** {steps} at a rate of {numeral(inner_lr)} to a query loss of "
        f"{numeral(found.query_loss, 6)}, one step at {numeral(inner_lr * inner_steps)} to "
        f"{numeral(found.one_step, 6)}. {verdict}"
    )


def _same(inner_lr: float, inner_steps: int) -> str:
    if inner_steps == 1:
        return "With one step there is nothing to chain."
    if inner_lr == 0:
        return "The same: with a rate of 0 no step moves."
    return "The same: every step was taken from θ again."


@st.cache_data(max_entries=60, show_spinner=False)
def _courses(inner_lr: float, inner_steps: int) -> dict[str, Course]:
    return {
        attempt.title: outer_loop(attempt.code, "MLP", inner_lr=inner_lr, inner_steps=inner_steps)
        for attempt in (ATTEMPTS[i] for i in RUNNING)
    }


def courses(numbers: Sequence[int], *, inner_lr: float, inner_steps: int) -> None:
    """The attempts that run and were answered, each in a short outer loop on the MLP."""
    st.markdown(
        "- **A gradient that is None.** Every optimiser passes over it without a word. The *inner* loop still works, "
        "on its copy, so the loss that gets printed looks alive. Here are the attempts that run, in an outer loop:"
    )
    every = _courses(inner_lr, inner_steps)
    found = {ATTEMPTS[i].title: every[ATTEMPTS[i].title] for i in numbers}
    losses = {title: course.losses if title in found else () for title, course in every.items()}
    st.plotly_chart(
        charts_modules.courses(losses),
        key="courses",
        alt=f"The mean query loss over twelve outer steps: {', '.join(found)}.",
    )
    moved = "; ".join(f"{title}: **{numeral(course.distance, 3)}**" for title, course in found.items())
    st.caption(f"The MLP, the same two tasks in each of the outer steps. How far θ moved in all: {moved}.")
    missing = [ATTEMPTS[i].title for i in RUNNING if i not in numbers]
    if missing:
        st.caption(f"Drawn here once you have answered them: {', '.join(missing)}.")


def layers(name: str) -> None:
    """Every case of a topic: two slopes, the same call twice, and the lines."""
    topic, found = TOPICS[name], try_topic(name)
    st.markdown(topic.question)
    rows = {case.title: _row(one) for case, one in zip(topic.cases, found, strict=True)}
    st.table(lesson.rows_to_columns(rows))
    for case, one in zip(topic.cases, found, strict=True):
        with st.expander(f"{case.title}: {case.lesson}"):
            if one.words:
                st.code(one.words, language=None, wrap_lines=True)
            if one.memory:
                st.markdown(f"One call moved the running averages by {numeral(one.memory, 3)}.")
            st.code(source(case.code), language="python")


MARKS = {
    "agrees": ":green[:material/check: agree]",
    "parts": ":orange[:material/call_split: part]",
    "none": ":orange[:material/block: None]",
    "raises": ":red[:material/front_hand: error]",
}


def _row(found: Found) -> dict[str, str]:
    first, second = found.losses
    repeats = "–" if math.isnan(first) else numeral(first, 6) + (" twice" if first == second else _then(second))
    return {
        "autograd's slope": {"none": "None", "raises": "–"}.get(found.kind, numeral(found.slope, 6)),
        "by nudging θ": "–" if found.kind == "raises" else numeral(found.nudged, 6),
        "they": MARKS[found.kind],
        "the same call twice": repeats,
    }


def _then(second: float) -> str:
    return f", then {numeral(second, 6)}"


def choose_topic() -> str:
    return controls.topic(tuple(TOPICS))
