"""Lesson 2's furniture: the verdict, the agreement of both programs, the map of outcomes, the vector identity."""

import math
import re

import streamlit as st

from maml_core.graphs import stopping
from maml_core.graphs.cut_agreement import Check
from maml_core.graphs.cutting import INSERTIONS, PLACES, Outcome, Verdict
from maml_core.graphs.cutting_explained import CutExplanation
from maml_core.graphs.stopping import Identity
from maml_core.numerals import numeral
from pages.ui import controls, guessing, lesson
from pages.ui.cut_numbers import others, said

OUTCOMES: dict[Outcome, str] = {
    "number": "a number",
    "zero": "0",
    "not finite": "not finite",
    "none": "None",
    "error": "an error",
}
MEANINGS: dict[Outcome, str] = {
    "number": "the gradient **flows**, and this is the sum over its paths from loss to x.",
    "zero": "the gradient **flows, but nothing arrives**: the path is there, and a factor on it is 0.",
    "not finite": "a gradient **arrives, but it is no finite number**: on the way a value or a slope overflowed "
    "float32 or does not exist.",
    "none": "the gradient **never arrives**: no path leads from loss to the tensor that is called x now.",
    "error": "PyTorch refuses, and x.grad stays None.",
}
COLORS: dict[Outcome, str] = {
    "number": "green",
    "zero": "blue",
    "not finite": "violet",
    "none": "orange",
    "error": "red",
}


def predict(name: str, explanation: CutExplanation) -> bool:
    """Ask for the outcome before it shows; what it was is shown as a result, an error like the rest."""
    insertion, verdict = explanation.cut.copying.insertion, explanation.cut.verdicts[1]
    return guessing.predict(
        name,
        f"With `{insertion.code}` inserted, `x.grad` will be …",
        [guessing.Choice(text, verdict.outcome == key, _why(explanation)) for key, text in OUTCOMES.items()],
    )


def _why(explanation: CutExplanation) -> str:
    written, found = explanation.cut.verdicts
    arrived = explanation.elsewhere[1]
    colour = COLORS[found.outcome]
    parts = [f"`x.grad` → :{colour}[**{said(found)}**]: {MEANINGS[found.outcome]}"]
    if arrived and found.outcome == "none":
        parts.append(f"Where it does arrive: {others(arrived)}.")
    if found.outcome in ("number", "not finite") and said(found) != said(written):
        parts.append(f"As written it is {said(written)}.")
    if found.line is not None:
        parts.append(_failure(found))
    return " ".join(parts)


def _failure(found: Verdict) -> str:
    """The failing line in PyTorch's words, to the end of the first sentence, and in ours."""
    first, *more = re.split(r"(?<=\.) +", found.words, maxsplit=1)
    words = controls.escaped(first) + (" …" if more else "")
    return f"Line {found.line} stops the program: “{words}” In our words: {found.reading}"


def agreement(explanation: CutExplanation) -> None:
    """Each program on a line of its own: green where all ways agree, amber with the reason where they part."""
    titles = ("as written", f"with `{explanation.cut.copying.insertion.operation}`")
    checks = (explanation.checks.written, explanation.checks.edited)
    for title, check, verdict in zip(titles, checks, explanation.cut.verdicts, strict=True):
        st.markdown("  \n".join(filter(None, (_agreement(title, check, verdict), _honest(check)))))
    with st.expander("The ways, digit by digit"):
        names = dict.fromkeys(way.name for check in checks for way in check.ways)
        rows = {
            name: {title: _way(check, name) for title, check in zip(titles, checks, strict=True)} for name in names
        }
        rows["nudging x and rerunning everything"] = {
            title: numeral(check.whole, 16) for title, check in zip(titles, checks, strict=True)
        }
        st.table(lesson.rows_to_columns(rows))
        st.caption(
            "All in float64. A way that is missing has no answer: no gradient arrives, or SymPy's derivatives are "
            "too large. The central difference holds a value that was cut; the last row does not."
        )


def _agreement(title: str, check: Check, verdict: Verdict) -> str:
    if not check.ways:
        return f":gray[:material/remove:] {title}: no gradient reaches `x`, so there is nothing to agree on."
    if check.reason:
        return f":orange[:material/warning:] {title}: the ways to dloss/dx disagree. {check.reason}"
    single = math.nan if verdict.gradient is None else verdict.gradient
    return (
        f":green[:material/verified:] {title}: {len(check.ways)} independent ways give dloss/dx = "
        f"**{numeral(check.ways[0].value + 0.0)}**, with a largest relative difference of "
        f"{lesson.scientific(check.difference)}. {lesson.in_float32({'it': (check.ways[0].value, single)})}"
    )


def _honest(check: Check) -> str:
    return f":orange[:material/balance:] {check.honest}" if check.honest else ""


def _way(check: Check, name: str) -> str:
    return next((numeral(way.value, 16) for way in check.ways if way.name == name), "–")


def outcome_map(explanation: CutExplanation) -> None:
    """Every operation at every line of this program: what x.grad would be."""
    cells = {(cell.operation, cell.place): cell.verdict for cell in explanation.outcomes}
    rows = {f"`{operation}`": {place: _cell(cells[operation, place]) for place in PLACES} for operation in INSERTIONS}
    st.table(lesson.rows_to_columns(rows))
    st.caption(
        "What x.grad is for this program, by the operation (rows) and the line it is put at (columns). "
        + _turned(explanation)
    )


def _turned(explanation: CutExplanation) -> str:
    """How silent the errors become with a second leaf or a second path; empty where none of them would."""
    errors = sum(cell.verdict.outcome == "error" for cell in explanation.outcomes)
    none, wrong = explanation.turned["w"].none, explanation.turned["x"].wrong
    parts = [
        f"With `+ w` at the end of y, a second leaf, {none} of these turn{'s' * (none == 1)} into a silent None.",
        f"With `+ x` at the end of y, a second path, {wrong} turn{'s' * (wrong == 1)} into a wrong number.",
    ]
    told = [part for part, count in zip(parts, (none, wrong), strict=True) if count]
    return " ".join([f"Errors: {errors}.", *told]) if told else ""


def _cell(verdict: Verdict) -> str:
    text = f"error, line {verdict.line}" if verdict.outcome == "error" else said(verdict)
    return f":{COLORS[verdict.outcome]}[{text}]"


@st.cache_data(max_entries=200, show_spinner=False)
def _identity(x: float, alpha: float) -> Identity:
    return stopping.identity(x, alpha)


def identity(x: float, alpha: float) -> None:
    """The same vector by independent ways, and the one that comes without the stop."""
    found = _identity(x, alpha)
    rows = dict(found.ways) | {"autograd of φ·v, nothing stopped": found.without}
    table = {
        name: {f"θ{k}": numeral(value, 10) for k, value in zip("₁₂₃", row, strict=True)} for name, row in rows.items()
    }
    st.table(lesson.rows_to_columns(table))
    st.markdown(
        f":green[:material/verified:] The first three differ by at most {lesson.scientific(found.difference)} of "
        "their size, in float64."
    )
