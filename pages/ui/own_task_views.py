"""The reader's own task: points clicked into the plot, typed into a table, or as text, which a link holds."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from maml_core.numerals import numeral
from maml_core.train.own_task import MOST_POINTS, ROOM, OwnTask, Point
from pages.ui import charts_lab, controls, lab_data
from pages.ui.lab_views import MOST_STEPS, plural

KEY = "points"
DEFAULT = "-4 2.9; -2.5 -0.7; -0.5 -2.3; 1 1.7; 2.5 2.6"  # near 3 sin(x − 0.4)
REACH = 6.0  # of the plot, up and down, at least
NEAR = 0.2  # a click this close to a point means the point
LONGEST = 1200  # characters: fifty points, generously


def parse_points(text: str) -> tuple[Point, ...]:
    """ "x y; x y; …" as points; a missing or unreadable number is None, for the engine to refuse by its place."""
    pieces = [piece.replace(",", " ").split() for piece in text.replace("\n", ";").split(";") if piece.strip()]
    if bad := next((piece for piece in pieces if len(piece) != 2), None):
        raise ValueError(
            f"Each point is two numbers, x and y, and points are parted by “;”: not “{' '.join(bad)[:30]}”."
        )
    return tuple((_number(x), _number(y)) for x, y in pieces)


def _number(text: str) -> float | None:
    try:
        return float(text.replace("−", "-").replace("_", "?")) + 0.0  # which takes the sign from −0
    except ValueError:
        return None


def format_points(points: Sequence[Point]) -> str:
    return "; ".join(f"{x:g} {y:g}" for x, y in points)


def own_task(run: bytes, steps: int) -> None:
    """The plot to click into, the errors step by step, and two other ways to give the points."""
    above, below = st.container(), st.container()
    with below:
        help_text = f"Up to {MOST_POINTS} points, each number from -10 to 10. Clicking and the table write here too."
        typed = st.text_input(
            "the points: x y; x y; …", DEFAULT, key=KEY, bind="query-params", max_chars=LONGEST, help=help_text
        )
        task = _task(run, typed)
        with st.expander("The same points as a table", icon=":material/table:"):
            _table(task.points)
    with above:
        st.caption(":material/touch_app: Click into the plot to add a point; click a point to take it away.")
        left, right = st.columns([3, 2])
        words = _words(task, steps)
        left.plotly_chart(
            charts_lab.own_task(task, steps, reach=max(REACH, *(ROOM * abs(y) for _, y in task.points))),
            key="lab_own_task",
            on_select=partial(_click, task.points),
            selection_mode="points",
            alt=words,
            config={"displayModeBar": False},
        )
        right.plotly_chart(charts_lab.own_errors(task, steps), key="lab_own_errors", alt=words)
        st.markdown(words)


def _task(run: bytes, typed: str) -> OwnTask:
    """The task of what was typed, or of the last points that were a task, with a sentence."""
    good = st.session_state.setdefault("good points", parse_points(DEFAULT))
    try:
        points = parse_points(typed)
        task = lab_data.own_points(run, points, MOST_STEPS)
    except ValueError as error:
        st.markdown(
            f":red[{controls.escaped(str(error))} Until then the plot shows the last points that were right.]"
        )
        return lab_data.own_points(run, good, MOST_STEPS)
    st.session_state["good points"] = points
    return task


def _click(points: tuple[tuple[float, float], ...]) -> None:
    """A click adds the point under it, or takes away one that is there."""
    hit = [(float(point["x"]), float(point["y"])) for point in st.session_state["lab_own_task"].selection.points]
    there = [point for point in points if any(math.dist(point, other) < NEAR for other in hit)]
    left = [point for point in points if point not in there]
    added = [] if there else hit[:1]
    if 1 <= len(left) + len(added) <= MOST_POINTS:
        st.session_state[KEY] = format_points([*left, *added])


def _table(points: tuple[tuple[float, float], ...]) -> None:
    """The points as rows that can be changed, added and deleted with the keyboard."""
    rows = [{"x": x, "y": y} for x, y in points]
    key = f"points table {format_points(points)}"
    number = st.column_config.NumberColumn(min_value=-10.0, max_value=10.0, required=True)
    st.data_editor(
        rows,
        key=key,
        num_rows="dynamic",
        column_config={"x": number, "y": number},
        on_change=_edited,
        args=(key, points),
        width=320,
        hide_index=True,
    )


def _edited(key: str, points: tuple[tuple[float, float], ...]) -> None:
    """Write the table's rows into the text, once all of them are whole."""
    change: Any = st.session_state[key]
    rows = [{"x": x, "y": y} | change["edited_rows"].get(i, {}) for i, (x, y) in enumerate(points)]
    rows = [row for i, row in enumerate(rows) if i not in change["deleted_rows"]] + change["added_rows"]
    if rows and all(isinstance(row.get(name), (int, float)) for row in rows for name in "xy"):
        st.session_state[KEY] = format_points([(row["x"], row["y"]) for row in rows])


def _words(task: OwnTask, steps: int) -> str:
    """Who fits the points how well, in a sentence."""
    fits = (
        f"{name} {numeral(learner.errors[0], 3)} → **{numeral(learner.errors[steps], 3)}**"
        + (f" (α = {numeral(learner.inner_lr)})" if learner.inner_lr is not None else " (learned rates)")
        for name, learner in task.learners.items()
    )
    count = len(task.points)
    points = f"{count} points" if count > 1 else "one point"
    astray = [name for name, learner in task.learners.items() if not learner.errors[steps] <= learner.errors[0]]
    worse = f" Its steps carried {' and '.join(astray)} further away than it began." if astray else ""
    return f"Squared error on your {points}, before and after {plural(steps)}: {', '.join(fits)}.{worse}"
