"""Claims of source document 002 about `backward` and `autograd.grad`, each put to the test by running it."""

from maml_core.claims import Claim
from maml_core.graphs.ledger import Ledger, keep
from maml_core.graphs.two_calls import EXAMPLES, FIRST_LINE, TwoCalls, read
from maml_core.numerals import numeral

PRODUCT = read(EXAMPLES["product"].text)
BLOG = {"x1": 3.0, "x2": 4.0, "x3": 5.0}  # the source's numbers


def _grads(ledger: Ledger) -> list[float | None]:
    """`x1.grad` before the calls and after each."""
    return [ledger.entries[FIRST_LINE - 1].grads["x1"], *(call.grads["x1"] for call in ledger.calls)]


def claim_1() -> Claim:
    before, once, twice = _grads(keep(TwoCalls(PRODUCT).program, BLOG))
    adds = before is None and once is not None and once != 0 and twice == 2 * once
    return Claim(
        1,
        "true" if adds and (once, twice) == (7200, 14400) else "half" if adds else "false",
        f"x1.grad is {numeral(before)}, then {numeral(once)}, then {numeral(twice)}: the second call adds.",
    )


def claim_2() -> Claim:
    ledger = keep(TwoCalls(PRODUCT, first="autograd.grad").program, BLOG)
    before, returned, added = _grads(ledger)
    (value, *_) = ledger.calls[0].returned
    alone = before is None and returned is None
    return Claim(
        2,
        "true" if alone and added == 7200 else "half" if alone else "false",
        f"It returned {numeral(value)}, and x1.grad was {numeral(before)} before and {numeral(returned)} after. "
        f"The backward() that follows makes it {numeral(added)}, not twice that.",
    )
