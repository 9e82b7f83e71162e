"""The furniture of a lesson: syllabus, header, agreement line, downloads, takeaway, next and previous."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from maml_core.graphs.agreement import Agreement, relative_difference
from maml_core.graphs.numerals import numeral


class Lesson(NamedTuple):
    """One entry of the syllabus. `name` is the file in pages/ and the page's lasting URL."""

    name: str
    number: int
    title: str
    question: str


PARTS = {
    "Part I · What autograd writes down": (
        Lesson(
            "02_where_gradients_go",
            2,
            "Where did my gradient go?",
            "A gradient of 0, a gradient of None and an error are three ways of saying the same thing. Are they?",
        ),
        Lesson(
            "03_create_graph",
            3,
            "One argument: create_graph",
            "x′ and the outer loss come out the same with it and without it. So what does it change?",
        ),
    ),
}
LESSONS = tuple(lesson for part in PARTS.values() for lesson in part)


def pages() -> dict[str, list[st.Page]]:
    """What st.navigation shows: home, then the lessons by part."""
    home = st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)
    parts = {part: [page(lesson) for lesson in lessons] for part, lessons in PARTS.items()}
    return {"": [home], **parts}


def page(lesson: Lesson) -> st.Page:
    return st.Page(f"pages/{lesson.name}.py", title=f"{lesson.number} · {lesson.title}", url_path=lesson.name)


def header(name: str) -> None:
    """Title and question of the lesson in pages/`name`.py."""
    lesson = next(lesson for lesson in LESSONS if lesson.name == name)
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
                f"{_in_float32(check)}"
            )
        else:
            st.markdown(f":orange[:material/warning:] {setting}: the ways to {quantity} part. {check.reason}")
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


def _in_float32(check: Agreement) -> str:
    """How the numbers in the views above, which are float32's, differ from these."""
    exact = check.ways[0].value
    if not math.isfinite(check.single):
        return f"The views above count in float32, which ends at 3.4·10³⁸: there it is {numeral(check.single)}."
    return f"(The views above count in float32, off by {scientific(relative_difference([exact, check.single]))}.)"


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
        with st.popover("Link to this state", icon=":material/link:"):
            st.caption("Opens this page with every control as it is now.")
            st.code(address, language=None, wrap_lines=True)
        st.download_button(
            "Script that reproduces it",
            data=script,
            file_name=file_name,
            mime="text/x-python",
            on_click="ignore",
            icon=":material/download:",
            help="A standalone Python file: only PyTorch, the lines above, and an assert for every number.",
        )


def takeaway(sentence: str) -> None:
    st.success(f"**Takeaway.** {sentence}", icon=":material/school:")


def sources(*lines: str) -> None:
    with st.expander("Sources"):
        st.markdown("\n".join(f"- {line}" for line in lines))


def footer(name: str) -> None:
    """Previous and next lesson."""
    names = [lesson.name for lesson in LESSONS]
    here = names.index(name)
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
