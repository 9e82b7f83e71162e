"""What was run of lesson 12's claims on this visit: one at a time, or all of them in turn."""

import csv
import io
import time
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from maml_core.catalogue import PROGRAMS, Stopped, attempt
from maml_core.claims import Claim
from pages.ui import claims, guessing

QUEUE, ASKED = "claims to run", "claims asked for"


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
    said, failed = ran(), stopped()  # fetched first: a click meanwhile ends this script run at its next touch of st
    start = time.perf_counter()
    found = attempt(number)
    if isinstance(found, Stopped):
        said.pop(number, None)
        failed[number] = found
    else:
        failed.pop(number, None)
        said[number] = Ran(found, time.perf_counter() - start)


def keep(claim: Claim, start: float) -> None:
    """The run of a claim that began at `start`."""
    ran()[claim.number] = Ran(claim, time.perf_counter() - start)


def verdict(number: int) -> str | None:
    """What the run on this visit said; None if there was none."""
    return ran()[number].claim.verdict if number in ran() else None


def asked() -> dict[int, str | None]:
    """The claims that the reader judged, in which words, or (None) just wants run, until `settle`."""
    return st.session_state.setdefault(ASKED, {})


def ask(number: int, judged: str | None) -> None:
    """A claim is to be run next. The first judgement stays: a second click meanwhile changes nothing."""
    if number not in ran() and number not in asked():
        stopped().pop(number, None)
        asked()[number] = judged


def running(number: int) -> bool:
    """Was the claim asked for, and has its program not ended?"""
    return number in asked() and number not in ran() and number not in stopped()


def settle() -> None:
    """Count every judgement whose program has had its say; one that stopped has none."""
    for number, judged in list(asked().items()):
        if running(number):
            continue
        if judged is not None and number in ran():
            right = judged == claims.WORDS[ran()[number].claim.verdict]
            guessing.remember(f"claim {number}", guessing.Choice(judged, right, ""))
        del asked()[number]


def ask_for_all() -> None:
    """Every claim is to be run, whether it was before or not."""
    st.session_state[QUEUE] = list(PROGRAMS)


def stop() -> None:
    st.session_state[QUEUE] = []


def waiting() -> list[int]:
    """The claims of "Run all" that are still to be run."""
    return st.session_state.get(QUEUE, [])


def due() -> list[int]:
    """All that is still to be run; what was asked for by itself comes first."""
    return [*filter(running, asked()), *waiting()]


def run_in_turn(before: Callable[[int], None], after: Callable[[int], None]) -> None:
    """Run what is due. A click on anything ends this script run between two claims, and the next one goes on."""
    while numbers := due():
        queue, number = waiting(), numbers[0]
        before(number)
        run(number)
        if number in queue:
            queue.remove(number)
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
    return (
        f"Of the claims, {len(ran())} of {len(PROGRAMS)} were run on this visit: {told[0]}, {told[1]} and {told[2]}."
    )
