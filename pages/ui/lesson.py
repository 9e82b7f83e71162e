"""The furniture of a lesson: header, agreement line, downloads, takeaway, next and previous."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from maml_core.graphs.agreement import Agreement, relative_difference
from maml_core.graphs.partials import Partial
from maml_core.meta.agreement import Agreement as VectorAgreement
from maml_core.numerals import numeral
from pages.ui import first_uses, visit
from pages.ui.syllabus import LESSONS
from pages.ui.terms import born_in

DERIVATIONS = Path(__file__).parents[2] / "assets" / "derivations"
MOST_ENTRIES = 4  # of a vector that a table shows
prose = first_uses.prose
FAR_OFF = 1e-3  # relative: far above rounding in float32, so that the reader should see the number itself


def header(name: str) -> None:
    """Title and question of the lesson in pages/`name`.py."""
    lesson = next(lesson for lesson in LESSONS if lesson.name == name)
    visit.open_lesson(name)
    first_uses.start(lesson.number)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.title(f"{lesson.number} · {lesson.title}", anchor=False, width="content")
        st.markdown(lesson.question, width="content")


def agreement_line(checks: Sequence[Agreement], quantity: str, notes: Sequence[str] = ()) -> None:
    """Every check in a line of its own: green where all ways agree, amber with the reason where they part."""
    for note in notes:
        st.markdown(f":orange[:material/call_split:] {note}")
    for check in checks:
        setting, value = f"`create_graph={check.create_graph}`", numeral(check.ways[0].value)
        if check.agrees:
            st.markdown(
                f":green[:material/verified:] {setting}: {len(check.ways)} independent ways give {quantity} = "
                f"**{value}**, with a largest relative difference of {scientific(check.difference)}. "
                f"{in_float32({'it': (check.ways[0].value, check.single)})}"
            )
        else:
            st.markdown(f":orange[:material/warning:] {setting}: the ways to {quantity} disagree. {check.reason}")
    with st.expander("The ways, digit by digit"):
        rows = {
            way.name: {f"create_graph={check.create_graph}": numeral(check.ways[i].value, 16) for check in checks}
            for i, way in enumerate(checks[0].ways)
        }
        st.table(rows_to_columns(rows))
        st.caption(
            "All in float64. With `create_graph=False` every way holds the inner gradients fixed at their values, as "
            "that run does; nudging x and rerunning *everything* measures what `create_graph=True` computes."
        )


def partials_line(checks: Sequence[Partial], singles: Mapping[str, float]) -> None:
    """The derivative by each leaf: one green line if all ways to all of them agree, an amber one where they part.

    `singles`: what float32, in which the views count, makes of each.
    """
    for note in checks[0].kinks:
        st.markdown(f":orange[:material/call_split:] {note}")
    good = [check for check in checks if check.agrees]
    if good:
        found = ", ".join(f"∂y/∂{check.leaf} = **{numeral(check.value)}**" for check in good)
        ways = len(good[0].ways)
        worst = max(check.difference for check in good)
        st.markdown(
            f":green[:material/verified:] {ways} independent ways give {found}, with a largest relative "
            f"difference of {scientific(worst)}."
            + ("" if ways > 3 else " SymPy's derivative is too large to show.")
            + f" {in_float32({f'∂y/∂{check.leaf}': (check.value, singles[check.leaf]) for check in good})}"
        )
    for reason, leaves in _by_reason(checks).items():
        st.markdown(f":orange[:material/warning:] The ways to {' and '.join(leaves)} disagree. {reason}")
    with st.expander("The ways, digit by digit"):
        rows = {
            way.name: {f"∂y/∂{check.leaf}": numeral(check.ways[i].value, 16) for check in checks}
            for i, way in enumerate(checks[0].ways)
        }
        st.table(rows_to_columns(rows))
        st.caption("All in float64, of one y. A leaf that y does not depend on has derivative 0, whatever its .grad.")


def vectors_line(check: VectorAgreement, quantity: str, note: str = "") -> None:
    """One vector by independent ways: green where all agree, amber with the reason where they do not."""
    if check.agrees:
        st.markdown(
            f":green[:material/verified:] {len(check.ways)} independent ways give the same {quantity}, with a "
            f"largest relative difference of {scientific(check.difference)}. {note}"
        )
    elif math.isnan(check.difference):
        st.markdown(
            f":orange[:material/warning:] The ways to the {quantity} cannot be compared. {check.reason} {note}"
        )
    else:
        st.markdown(f":orange[:material/warning:] The ways to the {quantity} disagree. {check.reason} {note}")
    with st.expander("The ways, digit by digit"):
        shown = min(len(check.ways[0].vector), MOST_ENTRIES)
        rows = {way.name: {f"entry {i}": numeral(way.vector[i], 16) for i in range(shown)} for way in check.ways}
        st.table(rows_to_columns(rows))
        rest = len(check.ways[0].vector) - shown
        st.caption("All in float64." + (f" {rest} more entries are compared too." if rest else ""))


def _by_reason(checks: Sequence[Partial]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if not check.agrees:
            reasons.setdefault(check.reason, []).append(f"∂y/∂{check.leaf}")
    return reasons


def in_float32(pairs: Mapping[str, tuple[float, float]]) -> str:
    """How the numbers in the views above, which are float32's, differ: {quantity: (in float64, in float32)}."""
    apart = {name: relative_difference(pair) for name, pair in pairs.items()}
    lost = [name for name, off in apart.items() if not off <= FAR_OFF]
    if lost:
        there = " and ".join(f"{name} is {numeral(pairs[name][1])}" for name in lost)
        return f"The views above count in float32, which has seven digits and ends at 3.4·10³⁸: there {there}."
    return f"(The views above count in float32, off by {scientific(max(apart.values()))}.)"


def rows_to_columns(rows: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """{row: {column: cell}} as the columns that st.table takes, row names first."""
    columns = list(next(iter(rows.values())))
    return {"": list(rows), **{column: [row[column] for row in rows.values()] for column in columns}}


def scientific(value: float) -> str:
    return "0" if value == 0 else numeral(float(f"{value:.1e}"), 2)


def link(parameters: Mapping[str, object]) -> str:
    """This page's address with every control in it."""
    return f"{(st.context.url or '').split('?')[0]}?{urlencode({k: str(v) for k, v in parameters.items()})}"


def take_away(address: str, script: Callable[[], str], file_name: str) -> None:
    """The link that restores every control, and the script that reproduces the screen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        link_to_this(address)
        st.download_button(
            "Script that reproduces it",
            data=script(),  # not deferred: Streamlit forgets a deferred file when a rerun begins, and a click fails
            file_name=file_name,
            mime="text/x-python",
            on_click="ignore",
            icon=":material/download:",
            help="A standalone Python file: only PyTorch, the lines above, and an assert for every number.",
        )


def link_to_this(address: str) -> None:
    """The link that restores every control."""
    with st.popover("Link to this state", icon=":material/link:"):
        st.caption("Opens this page with every control as it is now.")
        st.code(address, language=None, wrap_lines=True)


def derivation(name: str) -> None:
    """assets/derivations/`name`.md in an expander. A test of the same name checks every displayed equation."""
    title, _, steps = (DERIVATIONS / f"{name}.md").read_text().partition("\n")
    with st.expander(title.removeprefix("# "), icon=":material/function:"):
        st.markdown(steps)
        st.caption("Each tagged line is checked by a test of that name, with SymPy or with numbers in float64.")


def takeaway(sentence: str) -> None:
    st.success(f"**Takeaway.** {first_uses.on_page(sentence)}", icon=":material/school:")


def sources(*lines: str) -> None:
    with st.expander("Sources"):
        st.markdown("\n".join(f"- {line}" for line in lines))


def footer(name: str) -> None:
    """The words that this lesson brought, in the glossary; previous and next lesson."""
    names = [lesson.name for lesson in LESSONS]
    here = names.index(name)
    words = (f"[{term.name}](glossary#{term.anchor})" for term in born_in(LESSONS[here].number))
    st.markdown(f":material/menu_book: First met here, and in the glossary: {', '.join(words)}.")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if here > 0:
            st.page_link(f"pages/{names[here - 1]}.py", label=LESSONS[here - 1].title, icon=":material/arrow_back:")
        else:
            st.page_link("pages/home.py", label="Home", icon=":material/arrow_back:")
        if here + 1 < len(names):
            after = LESSONS[here + 1]
            st.page_link(
                f"pages/{after.name}.py", label=f"{after.number} · {after.title}", icon=":material/arrow_forward:"
            )
