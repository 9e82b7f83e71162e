"""A race as it runs: the legs are runs of the reader's own at the pool, and every look at the race moves it along.

A look takes a leg that has come to its mark, measures it, and sends it to the next one. So a race at which nobody
looks rests, like any run, and what comes of it does not depend on when it was looked at.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from maml_core.train.checkpoint import loads
from maml_core.train.limits import Refused
from maml_core.train.pool import Pool
from maml_core.train.race import Leg, Mark, Race, leg_config, legs, measure, next_target
from maml_core.train.snapshots import Snapshot
from maml_core.train.step import initial_state

LANES = 6  # legs at the pool at a time: enough that no worker waits, and within what a reader may have
STOPPED = "stopped"  # why a leg is over that was not at its end
AT_ONCE = 2  # legs that begin in one look, so that the first is short


class Progress(NamedTuple):
    """What can be seen of a race. `ended`: for each leg that is over, why; empty words if it came to its end."""

    marks: dict[Leg, tuple[Mark, ...]]
    ended: dict[Leg, str]
    stopped: bool
    words: str
    version: int

    def over(self, race: Race) -> bool:
        return self.stopped or len(self.ended) == len(legs(race))

    @property
    def arrived(self) -> set[Leg]:
        """The legs that have spent their budget."""
        return {leg for leg, why in self.ended.items() if not why}

    @property
    def broken(self) -> dict[Leg, str]:
        """The legs that cannot go on, and why; not those that were stopped."""
        return {leg: why for leg, why in self.ended.items() if why not in ("", STOPPED)}


class Racing:
    """One reader's race. Its methods may be called from any thread."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self._lock = threading.Lock()
        self._marks: dict[Leg, tuple[Mark, ...]] = {}
        self._ended: dict[Leg, str] = {}
        self._targets: dict[Leg, int] = {}  # of the legs that are at the pool
        self._stopped, self._words, self._version = False, "", 0

    def look(self, pool: Pool, token: str, owner: str) -> Progress:
        """Move every leg along that can be moved, and say where they are."""
        with self._lock:
            if not self._stopped and len(self._ended) < len(legs(self.race)):
                try:
                    self._move(pool, token, owner)
                    self._words = ""
                except Refused as error:
                    self._words = "" if self._targets else str(error)  # with fewer lanes it goes on all the same
            return self._progress()

    def stop(self, pool: Pool, token: str) -> Progress:
        """End it here; the marks that are there stay."""
        with self._lock:
            self._stopped = True
            for leg in list(self._targets):
                self._leave(pool, token, leg, STOPPED)
            return self._progress()

    def _progress(self) -> Progress:
        return Progress(dict(self._marks), dict(self._ended), self._stopped, self._words, self._version)

    def _move(self, pool: Pool, token: str, owner: str) -> None:
        for leg in list(self._targets):
            self._advance(pool, token, leg, pool.snapshot(token, run_name(leg), owner))
        room = min(LANES - len(self._targets), AT_ONCE)
        waiting = [leg for leg in legs(self.race) if leg not in self._targets and leg not in self._ended]
        for leg in waiting[:room]:
            self._begin(pool, token, leg)

    def _begin(self, pool: Pool, token: str, leg: Leg) -> None:
        """The mark before the first step, and off to the next."""
        config = leg_config(self.race, leg)
        start = measure(self.race, leg, initial_state(config), 0.0)
        target = next_target(self.race, leg, (start,))
        pool.start(token, run_name(leg), config, steps=target)
        self._marks[leg], self._targets[leg] = (start,), target or 0
        self._version += 1

    def _advance(self, pool: Pool, token: str, leg: Leg, run: Snapshot | None) -> None:
        """Measure a leg that has come to its target, and send it on."""
        if run is None:
            self._leave(pool, token, leg, "its run was forgotten while this page was away")
        elif run.status in ("failed", "crashed"):
            self._leave(pool, token, leg, run.words)
        elif not run.live and run.state_step >= self._targets[leg]:
            mark = measure(self.race, leg, loads(run.state)[0], run.elapsed)
            self._marks[leg] = (*self._marks[leg], mark)
            self._version += 1
            self._send_on(pool, token, leg, mark)

    def _send_on(self, pool: Pool, token: str, leg: Leg, mark: Mark) -> None:
        target = next_target(self.race, leg, self._marks[leg])
        if target is None:
            self._leave(pool, token, leg, "")
        else:
            self._targets[leg] = target
            pool.step(token, run_name(leg), target - mark.steps)

    def _leave(self, pool: Pool, token: str, leg: Leg, why: str) -> None:
        self._ended[leg] = why
        self._targets.pop(leg)
        self._version += 1
        if pool.knows(token):
            pool.reset(token, run_name(leg))


def run_name(leg: Leg) -> str:
    """What the pool calls a leg."""
    return f"race/{leg.entrant}/{leg.seed}"
