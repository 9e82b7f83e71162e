"""What was run of lesson 12's claims on this visit: one at a time, or all of them in turn."""

import csv
import io
import time
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from maml_core.catalogue import PROGRAMS, Stopped, attempt
from maml_core.claims import Claim
from pages.ui import claims

QUEUE = "claims to run"


class Ran(NamedTuple):
    """One run on this visit."""

    claim: Claim
    seconds: float

    @property
    def disagrees(self) -> bool:
        """Does it say otherwise than our own earlier runs?"""
        return self.claim.verdict != self.claim.row.found


def ran() -> dict[int, Ran]:
    """Every claim that was run on this visit."""
    return st.session_state.setdefault("claims run", {})


def stopped() -> dict[int, Stopped]:
    """Every claim whose program stopped when it was last run."""
    return st.session_state.setdefault("claims stopped", {})


def run(number: int) -> None:
    """Run a claim's program here and now."""
    start = time.perf_counter()
    found = attempt(number)
    if isinstance(found, Stopped):
        ran().pop(number, None)
        stopped()[number] = found
    else:
        stopped().pop(number, None)
        keep(found, start)


def keep(claim: Claim, start: float) -> None:
    """The run of a claim that began at `start`."""
    ran()[claim.number] = Ran(claim, time.perf_counter() - start)


def verdict(number: int) -> str | None:
    """What the run on this visit said; None if there was none."""
    return ran()[number].claim.verdict if number in ran() else None


def ask_for_all() -> None:
    """Every claim is to be run, whether it was before or not."""
    st.session_state[QUEUE] = list(PROGRAMS)


def stop() -> None:
    st.session_state[QUEUE] = []


def waiting() -> list[int]:
    """The claims that are still to be run."""
    return st.session_state.get(QUEUE, [])


def run_in_turn(before: Callable[[int], None], after: Callable[[int], None]) -> None:
    """Run what waits. A click on anything ends this script run between two claims, and the next one goes on."""
    while waiting():
        number = waiting()[0]
        before(number)
        run(number)
        if number in waiting():
            waiting().remove(number)
        after(number)


def counts() -> dict[str | None, int]:
    """How many claims have each verdict; None: how many have not been run."""
    verdicts = [verdict(number) for number in PROGRAMS]
    return {key: verdicts.count(key) for key in (*claims.WORDS, None)}


def as_csv() -> str:
    """What was run on this visit. Asked for while the page runs: a download has no session of its own."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["claim", "source", "sentence", "verdict", "evidence", "seconds"])
    for number, (claim, seconds) in sorted(ran().items()):
        writer.writerow(
            [number, claim.row.source, claim.row.sentence, claim.verdict, claim.evidence, f"{seconds:.3f}"]
        )
    return table.getvalue()


def in_words() -> str:
    """How the claims stand on this visit, in a sentence."""
    found = counts()
    if not ran():
        return "A claim is worth what a run of it says. None has been run on this visit yet."
    told = [f"{found[verdict]} {word.lower()}" for verdict, word in claims.WORDS.items()]
    return f"Of the {len(ran())} claims run on this visit, {told[0]}, {told[1]} and {told[2]}."
