"""The result of a race: the verdict, the table, and whose published numbers stand beside."""

from collections.abc import Mapping

import streamlit as st

from maml_core.numerals import numeral
from maml_core.train.race import BUDGETS, SCRATCH, TASKS, Leg, Mark, Race, legs
from maml_core.train.race_scripts import marks_csv
from maml_core.train.racing import STOPPED
from maml_core.train.reported import Reported
from maml_core.train.standings import Row, table, verdict
from pages.ui.feeds import spaced
from pages.ui.lab_views import plural

Known = Mapping[Leg, tuple[Mark, ...]]


def result(race: Race, marks: Known, ended: Mapping[Leg, str], *, recorded_race: bool) -> None:
    """The verdict, the final table, what broke off, and the table as a file."""
    rows = table(race, marks)
    if len(rows) < 2:
        return
    if len(ended) == len(legs(race)) and not any(ended.values()):
        st.markdown(f":material/trophy: **{verdict(rows).sentence}**")
    elif not recorded_race:
        _unequal(race, rows, ended)
    st.table(_columns(race, rows, timed=not recorded_race))
    st.caption(
        f"Mean squared errors on {TASKS} unseen tasks after {plural(race.test_steps)}, the "
        "same tasks for all; in brackets the best and the worst of the seeds. " + _paper_note(race, rows)
    )
    st.download_button(
        "All marks as CSV",
        lambda: marks_csv(race, marks),
        "race.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _unequal(race: Race, rows: tuple[Row, ...], ended: Mapping[Leg, str]) -> None:
    """Why the table of a race that did not come to its end is no ranking."""
    for leg, why in ended.items():
        if why not in ("", STOPPED):
            st.markdown(f":orange[:material/warning:] {leg.entrant}, seed {leg.seed}, broke off: {why}")
    each = ", ".join(
        f"{row.entrant} {_number(row.spent(race.budget))} ({row.seeds} of {race.seeds} seeds)"
        for row in rows
        if row.entrant != SCRATCH
    )
    st.markdown(
        f":orange[:material/warning:] **No ranking**: not every leg came to its end. Of {spaced(race.amount)} "
        f"{BUDGETS[race.budget]}, the legs that began have spent, on average: {each}."
    )


def _columns(race: Race, rows: tuple[Row, ...], *, timed: bool) -> dict[str, list[str]]:
    columns = {
        "": [row.entrant for row in rows],
        "mean over tasks": [
            f"{numeral(row.mean, 3)} ({numeral(row.low, 3)} to {numeral(row.high, 3)})" for row in rows
        ],
        "median over tasks": [numeral(row.median, 3) for row in rows],
        "outer steps": [spaced(round(row.steps)) for row in rows],
        "gradients per task": [spaced(round(row.gradients)) for row in rows],
    }
    if timed:
        columns["seconds a leg"] = [f"{row.seconds:.1f}" for row in rows]
    return columns | {"the paper reports": [_published(race, row) for row in rows]}


def _number(value: float) -> str:
    """Large ones whole and in groups of three, small ones to two figures."""
    return spaced(round(value)) if value >= 10 else numeral(value, 2)


def _published(race: Race, row: Row) -> str:
    """The published number that is alike, or a dash."""
    alike = _alike(race, row)
    return f"{numeral(alike[0].value)} after {spaced(alike[0].iterations)} steps" if alike else "–"


def _alike(race: Race, row: Row) -> list[Reported]:
    setting = (race.test_steps, race.shots)
    return [each for each in row.published.rows if (each.steps, each.test_shots) == setting]


def _paper_note(race: Race, rows: tuple[Row, ...]) -> str:
    """Whose numbers stand in the table and what else was different there, or why there are none."""
    sources = {each.source for row in rows for each in _alike(race, row)}
    if not sources:
        return "No published number belongs to this setting: papers used other points, families or steps."
    return (
        f"Published: {' and '.join(sources)}, with other first weights, rates and meta-batches, and far more steps."
    )
