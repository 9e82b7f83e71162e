"""Whose turn it is: readers come before runs, so one with twelve runs gets no more than one with a single run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from maml_core.train.run import Run

OWN_SLICE = 0.25  # of a slice: when a reader's own runs take turns, so that their curves grow together
Rank = tuple[bool, int, int, int]


@dataclass
class Reader:
    """One browser tab with its runs. `owner` is the session that may steer them: the last one that attached."""

    token: str
    owner: str
    looked: float
    detached: float | None = None
    granted: int = 0  # the number of its last turn
    runs: dict[str, Run] = field(default_factory=dict)

    @property
    def live(self) -> list[Run]:
        return [run for run in self.runs.values() if run.live]


Pair = tuple[Reader, Run]


def pairs(readers: Sequence[Reader], *statuses: str) -> list[Pair]:
    """Every run that has one of the statuses, with its reader."""
    return [(reader, run) for reader in readers for run in reader.runs.values() if run.status in statuses]


def queue(readers: Sequence[Reader]) -> list[Pair]:
    """The waiting runs, next one first."""
    busy = _busy(readers)
    return sorted(pairs(readers, "waiting"), key=lambda pair: _rank(pair, busy))


def _busy(readers: Sequence[Reader]) -> Counter[str]:
    """How many workers each reader has."""
    return Counter(reader.token for reader, _ in pairs(readers, "running", "stopping"))


def _rank(pair: Pair, busy: Counter[str]) -> Rank:
    """Those who are here come first, then those with fewer workers, then those whose turn was longest ago."""
    reader, run = pair
    return reader.detached is not None, busy[reader.token], reader.granted, run.granted


def overdue(readers: Sequence[Reader], now: float, slice_seconds: float) -> Iterator[Run]:
    """The runs that have had their turn while one waits that would come before them."""
    waiting, busy = pairs(readers, "waiting"), _busy(readers)
    for pair in sorted(pairs(readers, "running"), key=lambda pair: pair[1].since):
        if not waiting:
            return
        busy[pair[0].token] -= 1  # as if it had parked already
        first = min(waiting, key=lambda other: _rank(other, busy))
        own = first[0] is pair[0]
        late = now - pair[1].since >= slice_seconds * (OWN_SLICE if own else 1)
        goes_on = not late or _rank(pair, busy) < _rank(first, busy)
        busy[pair[0].token if goes_on else first[0].token] += 1
        if not goes_on:
            waiting.remove(first)
            yield pair[1]
