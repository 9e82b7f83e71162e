"""The result of a race: the verdict, the table, and whose published numbers stand beside."""

from collections.abc import Mapping

import streamlit as st

from maml_core.numerals import numeral
from maml_core.train.race import BUDGETS, SCRATCH, TASKS, Leg, Mark, Race, legs
from maml_core.train.race_scripts import marks_csv
from maml_core.train.racing import STOPPED
from maml_core.train.reported import Reported
from maml_core.train.standings import TIE, Row, table, verdict
from pages.ui.feeds import spaced
from pages.ui.lab_views import plural

Known = Mapping[Leg, tuple[Mark, ...]]


def result(race: Race, marks: Known, ended: Mapping[Leg, str], *, recorded_race: bool) -> None:
    """The verdict, the final table, what broke off, and all marks as a file."""
    rows = table(race, marks)
    if len(rows) < 2 or not any(row.steps for row in rows):
        _broken(ended)
        st.caption("There is nothing to compare: too few legs came to a first mark.")
        return
    if len(ended) == len(legs(race)) and not any(ended.values()):
        found = verdict(rows)
        st.markdown(f":material/{'balance' if found.winner == TIE else 'trophy'}: **{found.sentence}**")
    elif not recorded_race:
        _unequal(race, rows, ended)
    st.table(_columns(race, rows, timed=not recorded_race))
    st.caption(
        f"Budget of each leg in {BUDGETS[race.budget]}: {spaced(race.amount)}. Seeds: {race.seeds}. Mean "
        f"squared errors on {TASKS} unseen tasks after {plural(race.test_steps)}, the same tasks for all. "
        f"{_paper_note(race, rows)}"
    )
    st.download_button(
        "All marks as CSV",
        marks_csv(race, marks),  # not deferred: a rerun that begins under the click would make it fail
        "race.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _unequal(race: Race, rows: tuple[Row, ...], ended: Mapping[Leg, str]) -> None:
    """Why the table of a race that did not come to its end is no ranking."""
    _broken(ended)
    each = ", ".join(
        f"{row.entrant} {_number(row.spent(race.budget))} ({row.seeds} of {race.seeds} seeds)"
        for row in rows
        if row.entrant != SCRATCH
    )
    st.markdown(
        f":orange[:material/warning:] **No ranking**: not every leg came to its end. Of {spaced(race.amount)} "
        f"{BUDGETS[race.budget]}, the legs that began have spent, on average: {each}."
    )


def _broken(ended: Mapping[Leg, str]) -> None:
    """The legs that could not go on, and why."""
    for leg, why in ended.items():
        if why not in ("", STOPPED):
            st.markdown(f":orange[:material/warning:] {leg.entrant}, seed {leg.seed}, broke off: {why}")


def _columns(race: Race, rows: tuple[Row, ...], *, timed: bool) -> dict[str, list[str]]:
    """Six at most, for a phone. What was equal for all is none of them: the sentence below the table has it."""
    by_steps = race.budget == "iterations"
    spent = {
        "outer steps": [] if by_steps else [spaced(round(row.steps)) for row in rows],
        "gradients per task": [spaced(round(row.gradients)) for row in rows] if by_steps else [],
        "seconds of training": [f"{row.seconds:.1f}" for row in rows] if timed else [],
    }
    return {
        "": [row.entrant for row in rows],
        "mean over tasks": [numeral(row.mean, 3) for row in rows],
        "best and worst seed": [f"{numeral(row.low, 3)}\u00a0to {numeral(row.high, 3)}" for row in rows],
        **{name: values for name, values in spent.items() if values},
        "the paper reports": [_published(race, row) for row in rows],
    }


def _number(value: float) -> str:
    """Large ones whole and in groups of three, small ones to two figures."""
    return spaced(round(value)) if value >= 10 else numeral(value, 2)


def _published(race: Race, row: Row) -> str:
    """The published number that is alike, or a dash."""
    alike = _alike(race, row)
    return numeral(alike[0].value) if alike else "–"


def _alike(race: Race, row: Row) -> list[Reported]:
    setting = (race.test_steps, race.shots)
    return [each for each in row.published.rows if (each.steps, each.test_shots) == setting]


def _paper_note(race: Race, rows: tuple[Row, ...]) -> str:
    """Whose numbers stand in the table and what else was different there, or why there are none."""
    found = [each for row in rows for each in _alike(race, row)]
    if not found:
        return "No published number belongs to this setting: papers used other points, families or steps."
    sources, steps = {each.source for each in found}, {spaced(each.iterations) for each in found}
    return (
        f"Published: {' and '.join(sorted(sources))}, after {' and '.join(sorted(steps))} outer steps, from other "
        "first weights; rates and meta-batches may differ too."
    )
