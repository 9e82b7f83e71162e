"""The programs that put the claims to the test, by number: run one, and it says what it found."""

import inspect
from collections.abc import Callable
from typing import NamedTuple

from maml_core.claims import TABLE, Claim, Row
from maml_core.graphs import claims as graph_claims
from maml_core.graphs import cut_claims, ledger_claims
from maml_core.meta import jacobian_claims, leap_claims, steps_claims
from maml_core.practice import higher_claims, module_claims, official_claims, one_task_claim, sgd_claims

MODULES = (
    ledger_claims,
    cut_claims,
    graph_claims,
    jacobian_claims,
    steps_claims,
    module_claims,
    sgd_claims,
    leap_claims,
    higher_claims,
    official_claims,
    one_task_claim,
)

PROGRAMS: dict[int, Callable[[], Claim]] = {
    number: program
    for number in TABLE
    for module in MODULES
    if (program := getattr(module, f"claim_{number}", None)) is not None
}


class Stopped(NamedTuple):
    """A program that raised, here and now: it has nothing to say about its claim."""

    number: int
    error: str

    @property
    def row(self) -> Row:
        return TABLE[self.number]


def attempt(number: int) -> Claim | Stopped:
    """Run a claim's program. A machine too busy or a library that has changed can stop it."""
    try:
        return PROGRAMS[number]()
    except Exception as error:
        return Stopped(number, f"{type(error).__name__}: {error}")


def of_lesson(number: int) -> tuple[Claim | Stopped, ...]:
    """Every claim that a lesson explains, run now."""
    return tuple(attempt(claim) for claim, row in TABLE.items() if row.lesson == number and claim in PROGRAMS)


def source_of(number: int) -> str:
    """The program behind a claim, as it runs."""
    return inspect.getsource(PROGRAMS[number])
