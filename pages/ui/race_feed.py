"""Every reader's race, and what its live chart asks for: a look moves the race along and says where it is."""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from maml_core.train.pool import Pool
from maml_core.train.race import Race, legs
from maml_core.train.racing import Progress, Racing
from maml_core.train.standings import bands
from pages.ui import charts_race, live
from pages.ui.feeds import FEEDS, clock, short

NAME = "race"


class Entry(NamedTuple):
    id: str
    racing: Racing


_RACES: dict[str, Entry] = {}  # by the reader's token


def start(race: Race) -> None:
    """Begin in place of any old one; made for `on_click`. What stands in the way is kept for `live.refusal`."""
    told = live.told("snapshot", NAME)  # with a first command a reader gets a place, and a token
    here = live.desk()
    if told and here.token:
        stop()
        for gone in [token for token in _RACES if not here.pool.knows(token)]:
            del _RACES[gone]
        _RACES[here.token] = Entry(secrets.token_hex(8), Racing(race))


def stop() -> None:
    here = live.desk()
    entry = None if here.moved else _RACES.get(here.token)
    if entry:
        entry.racing.stop(here.pool, here.token)


def forget() -> None:
    """Away with the race, and back to the one that was recorded."""
    stop()
    here = live.desk()
    if not here.moved:
        _RACES.pop(here.token, None)


def name_of(desk: live.Desk) -> str:
    """What tells this race from the reader's others."""
    return _RACES[desk.token].id


def current(desk: live.Desk) -> tuple[Race, Progress] | None:
    """This reader's race and where it is, if there is one."""
    entry = None if desk.moved else _RACES.get(desk.token)
    return None if entry is None else (entry.racing.race, entry.racing.look(desk.pool, desk.token, desk.owner))


def feed(pool: Pool, token: str, owner: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    entry = _RACES.get(token)
    if entry is None:
        return None
    race, progress = entry.racing.race, entry.racing.look(pool, token, owner)
    points = charts_race.traces(race, bands(race, progress.marks))
    return {
        "id": entry.id,
        "version": progress.version,
        "live": not progress.over(race),
        "iteration": sum(marks[-1].steps for marks in progress.marks.values()),
        "done": done(race, progress),
        "words": words(race, progress),
        "numbers": numbers(race, progress),
        "traces": {NAME: [_short(trace) for trace in points]},
    }


def _short(trace: Mapping[str, Any]) -> dict[str, Any]:
    return {part: short(values) if part in ("x", "y") else values for part, values in trace.items()}


def done(race: Race, progress: Progress) -> float:
    """The share of the whole race's budget that is spent; a leg that broke off will spend no more."""
    over = progress.arrived | progress.broken.keys()
    moving = (kept[-1] for leg, kept in progress.marks.items() if leg not in over)
    shares = (min(1.0, mark.spent(race.budget) / race.amount) for mark in moving)
    return (len(over) + sum(shares)) / len(legs(race))


def words(race: Race, progress: Progress) -> str:
    """The state of things in a sentence."""
    if progress.words:
        return progress.words
    if progress.stopped:
        return "Stopped; what has been run stays."
    return "All legs are at their end." if progress.over(race) else "Racing."


def numbers(race: Race, progress: Progress) -> str:
    seconds = sum(marks[-1].seconds for marks in progress.marks.values())
    parts = [f"{len(progress.arrived)} of {len(legs(race))} legs at their end", f"{clock(seconds)} of training"]
    if progress.broken:
        parts.append(f"{len(progress.broken)} broke off")
    return " · ".join([*parts, *_fewer_seeds(race, progress)])


def _fewer_seeds(race: Race, progress: Progress) -> list[str]:
    """Which lines of the picture are means over less than all seeds."""
    found = [band for band in bands(race, progress.marks) if band.seeds < race.seeds]
    counts = ", ".join(f"{band.entrant} {band.seeds}" for band in found)
    return [f"seeds in the line, of {race.seeds}: {counts}"] if found else []


FEEDS[NAME] = feed
