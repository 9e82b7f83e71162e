"""The programs that put the claims to the test, by number: run one, and it says what it found."""

import inspect
from collections.abc import Callable

from maml_core.claims import TABLE, Claim
from maml_core.graphs import claims as graph_claims
from maml_core.graphs import cut_claims, ledger_claims
from maml_core.meta import jacobian_claims, leap_claims, steps_claims

MODULES = (ledger_claims, cut_claims, graph_claims, jacobian_claims, steps_claims, leap_claims)

PROGRAMS: dict[int, Callable[[], Claim]] = {
    number: program
    for number in TABLE
    for module in MODULES
    if (program := getattr(module, f"claim_{number}", None)) is not None
}


def of_lesson(number: int) -> tuple[Claim, ...]:
    """Every claim that a lesson explains, run now."""
    return tuple(PROGRAMS[claim]() for claim, row in TABLE.items() if row.lesson == number and claim in PROGRAMS)


def source_of(number: int) -> str:
    """The program behind a claim, as it runs."""
    return inspect.getsource(PROGRAMS[number])
