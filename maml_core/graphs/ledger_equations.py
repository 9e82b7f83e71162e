"""Lesson 1 as equations in MathML: y, its derivatives with the numbers put in, and what each line does to `.grad`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sympy

from maml_core.graphs.ledger import Entry, Ledger
from maml_core.graphs.mathml import linked, markup, mi, mn, mo
from maml_core.graphs.partials import Partial, differentiate
from maml_core.graphs.programs import Clear
from maml_core.graphs.two_calls import FIRST_LINE, LEAVES, SECOND_LINE, TwoCalls
from maml_core.numerals import numeral

EQUALS, PLUS = mo("="), mo("+")
TOO_LARGE = "<mtext>too large to show</mtext>"
STAND_INS = dict(zip(LEAVES, sympy.symbols("U V W"), strict=True))  # SymPy's printer would take x1 apart


class LedgerRow(NamedTuple):
    """One equation in pieces that may wrap: `always`, then those of the line that is looked at."""

    line: int
    always: tuple[str, ...]
    after: dict[int, tuple[str, ...]]


def ledger_equations(
    lesson: TwoCalls, inputs: Mapping[str, float], ledger: Ledger, partials: tuple[Partial, ...]
) -> tuple[LedgerRow, ...]:
    """In reading order: y, the three derivatives, the three ledgers."""
    return (
        _value(lesson, inputs, ledger),
        *(_derivative(lesson, inputs, partial) for partial in partials),
        *(_grad(ledger, leaf) for leaf in LEAVES),
    )


def _symbols() -> dict[str, str]:
    return {leaf: f"<msub>{mi('x')}<mn>{leaf[1:]}</mn></msub>" for leaf in LEAVES}


def _value(lesson: TwoCalls, inputs: Mapping[str, float], ledger: Ledger) -> LedgerRow:
    first, second = ([v for v in ledger.values if v.line == line] for line in (FIRST_LINE, SECOND_LINE))
    ids = [" ".join({v.node or "": 0, w.node or "": 0}).strip() for v, w in zip(first, second, strict=True)]
    numbers = {leaf: mn(inputs[leaf]) for leaf in LEAVES}
    pieces = (
        mi("y") + EQUALS + markup(lesson.expression, _symbols(), ids),
        EQUALS + markup(lesson.expression, numbers),
        EQUALS + f"<mn>{numeral(first[-1].value)}</mn>",
    )
    return LedgerRow(FIRST_LINE, pieces, {})


def _derivative(lesson: TwoCalls, inputs: Mapping[str, float], partial: Partial) -> LedgerRow:
    leaf = partial.leaf
    left = f"<mfrac><mrow>{mo('∂')}{mi('y')}</mrow><mrow>{mo('∂')}{_symbols()[leaf]}</mrow></mfrac>"
    value = EQUALS + f"<mn>{numeral(partial.value)}</mn>"
    found = differentiate(lesson.expression)
    if found is None:
        return LedgerRow(0, (linked(left, leaf) + EQUALS + TOO_LARGE, value), {})
    derivative = found[leaf]
    if derivative.has(sympy.zoo, sympy.nan, sympy.oo):
        return LedgerRow(0, (linked(left, leaf) + value,), {})
    pieces = [linked(left + EQUALS + _printed(derivative, _symbols()), leaf)]
    if derivative.is_Integer:
        return LedgerRow(0, tuple(pieces), {})
    if derivative.free_symbols and not derivative.is_Symbol:
        pieces.append(EQUALS + _printed(derivative, {name: mn(inputs[name]) for name in LEAVES}))
    return LedgerRow(0, (*pieces, value), {})


def _printed(expression: Any, written: Mapping[str, str]) -> str:  # noqa: ANN401
    """SymPy's own MathML, with each leaf as given: a symbol, or its number."""
    expression = expression.xreplace({sympy.Symbol(leaf): stand_in for leaf, stand_in in STAND_INS.items()})
    text = sympy.printing.mathml(expression, printer="presentation").replace("<mo>-</mo>", mo("−"))
    if any("<mn>" in w and "<mi>" not in w for w in written.values()):
        text = text.replace("<mo>&InvisibleTimes;</mo>", mo("·"))
    for leaf, stand_in in STAND_INS.items():
        text = text.replace(f"<mi>{stand_in.name}</mi>", written[leaf])
    return text


def _grad(ledger: Ledger, leaf: str) -> LedgerRow:
    name = linked(f"{_symbols()[leaf]}<mtext>.grad</mtext>", leaf)
    after = {}
    for before, entry in zip(ledger.entries, ledger.entries[1:], strict=False):
        if entry.line >= SECOND_LINE:
            after[entry.line] = (EQUALS + _sum(ledger, before, entry, leaf),)
    return LedgerRow(0, (name,), after)


def _sum(ledger: Ledger, before: Entry, entry: Entry, leaf: str) -> str:
    """old + arrived = new, where something arrived; else what there is."""
    old, new, arrived = before.grads[leaf], entry.grads[leaf], entry.arrived.get(leaf)
    written = _shown(new)
    statement = ledger.lines[entry.line - 1].statement
    if arrived is None or old is None or old == new or isinstance(statement, Clear):
        return written
    return f"{mn(old)}{PLUS}{mn(arrived)}{EQUALS}<mrow class='total'>{written}</mrow>"


def _shown(value: float | None) -> str:
    return "<mtext>None</mtext>" if value is None else f"<mn>{numeral(value)}</mn>"
