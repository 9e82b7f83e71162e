"""Who is where in a race, and who has won: bands over seeds, the final table, the verdict."""

from collections.abc import Sequence
from typing import NamedTuple

from maml_core.numerals import numeral
from maml_core.train.race import SCRATCH, Leg, Marks, Race, from_scratch, leg_config
from maml_core.train.reported import Match, reported

TIE = "too close to call"


class Band(NamedTuple):
    """One entrant over the race; entry k belongs to mark k. All entries are over the same seeds: with other seeds at
    every mark a mean would go up and down, and even back, without any training."""

    entrant: str
    spent: tuple[float, ...]  # of the budget, on average
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: int


class Row(NamedTuple):
    """One entrant at the end. Errors are mean squared errors over the unseen tasks; ranges are over seeds."""

    entrant: str
    mean: float
    low: float
    high: float
    steps: float
    gradients: float
    seconds: float
    seeds: int
    published: Match

    def spent(self, budget: str) -> float:
        return {"iterations": self.steps, "gradients": self.gradients, "seconds": self.seconds}[budget]


class Verdict(NamedTuple):
    winner: str  # an entrant, or TIE
    sentence: str


def bands(race: Race, marks: Marks) -> tuple[Band, ...]:
    """Every entrant's curve so far; a leg without marks is left out."""
    return tuple(_still(race) if name == SCRATCH else _band(race, name, marks) for name in race.entrants)


def _band(race: Race, name: str, marks: Marks) -> Band:
    """Over as many seeds as give the most marks in all."""
    curves = sorted((marks.get(Leg(name, seed), ()) for seed in range(race.seeds)), key=len, reverse=True)
    seeds = max(range(1, race.seeds + 1), key=lambda count: (count * len(curves[count - 1]), count))
    columns = list(zip(*curves[:seeds], strict=False))  # as far as all of them have come
    if columns and all(curve[-1].spent(race.budget) >= race.amount for curve in curves[:seeds]):
        columns[-1] = tuple(curve[-1] for curve in curves[:seeds])  # by the clock they have more marks or fewer
    errors = [[mark.error.mean for mark in column] for column in columns]
    return Band(
        name,
        tuple(_average([mark.spent(race.budget) for mark in column]) for column in columns),
        tuple(map(_average, errors)),
        tuple(map(min, errors)),
        tuple(map(max, errors)),
        seeds if columns else 0,
    )


def _still(race: Race) -> Band:
    """Without training the error stays where it is."""
    errors = [summary.mean for summary in from_scratch(race)]
    mean, low, high = ((value, value) for value in (_average(errors), min(errors), max(errors)))
    return Band(SCRATCH, (0, race.amount), mean, low, high, len(errors))


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def table(race: Race, marks: Marks) -> tuple[Row, ...]:
    """The last mark of every entrant, best first. Legs that have not begun are left out."""
    rows = [_still_row(race) if name == SCRATCH else _row(race, name, marks) for name in race.entrants]
    return tuple(sorted((row for row in rows if row.seeds), key=lambda row: row.mean))


def _row(race: Race, name: str, marks: Marks) -> Row:
    last = [marks[leg][-1] for seed in range(race.seeds) if marks.get(leg := Leg(name, seed))]
    errors = [mark.error.mean for mark in last] or [float("nan")]
    steps, gradients, seconds = (
        _average(values or [0.0])
        for values in (
            [mark.steps for mark in last],
            [mark.gradients for mark in last],
            [mark.seconds for mark in last],
        )
    )
    published = reported(leg_config(race, Leg(name, 0)))
    numbers = (_average(errors), min(errors), max(errors), steps, gradients, seconds)
    return Row(name, *numbers, len(last), published)


def _still_row(race: Race) -> Row:
    found = from_scratch(race)
    errors = [summary.mean for summary in found]
    reason = Match((), "No training, so nothing to compare.")
    return Row(SCRATCH, _average(errors), min(errors), max(errors), 0, 0, 0, len(found), reason)


def verdict(rows: tuple[Row, ...]) -> Verdict:
    """The best row wins if its range over the seeds lies below all others; otherwise nobody does."""
    best, second = rows[:2]
    if best.seeds == second.seeds == 1 and best.mean < second.mean:
        sentence = f"{best.entrant} ends lowest with the one seed there is: {numeral(best.mean, 3)} against "
        sentence += f"{numeral(second.mean, 3)} for {second.entrant}. One seed has no range, so the next may differ."
        return Verdict(best.entrant, sentence)
    rival = next((row for row in rows[1:] if row.low <= best.high), None)  # not always the second by its mean
    numbers = f"{_range(best)} against {_range(rival or second)}"
    if rival is None:
        return Verdict(best.entrant, f"{best.entrant} ends lowest with every seed: {numbers} for {second.entrant}.")
    return Verdict(
        TIE,
        f"The ranges of {best.entrant} and {rival.entrant} over the seeds overlap: {numbers}.",
    )


def _range(row: Row) -> str:
    return f"{numeral(row.mean, 3)} ({numeral(row.low, 3)} to {numeral(row.high, 3)})"
