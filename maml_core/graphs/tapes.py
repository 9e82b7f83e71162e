r"""An expression as rows of operations, which a browser plays: a loss travels as data and never as code.

A row is [operation, operand, …]; operands are numbers of earlier rows, and the last row is the whole expression.

    ["c", 2.0]        a constant
    ["x", 0]          the first of the names
    ["+", 0, 1]       a binary operation, + - * / **
    ["relu", 4]       a function of functions.FUNCTIONS, or "neg"

Equal rows are written once. Only the loss is on the tape: assets/landscape_maths.js carries value, gradient and
Hessian through each row by the rules of calculus (truncated Taylor series; Griewank & Walther 2008,
https://doi.org/10.1137/1.9780898717761), so nothing is differentiated here, however large the expression is.
"""

import math
from collections.abc import Sequence

from maml_core.graphs.nodes import Binary, Call, Name, Negative, Node, Number, children, constant
from maml_core.graphs.trees import Expression

Row = tuple[str | float | int, ...]


def tape(expression: Expression, names: Sequence[str]) -> tuple[Row, ...]:
    """The rows of `expression` over these names. Raises ValueError for a name that is not among them."""
    if unknown := expression.names - set(names):
        raise ValueError(f"There is no {min(unknown)!r} among {', '.join(names)}.")
    rows: dict[Row, int] = {}
    last = _write(expression.tree, list(names), rows)
    ordered = tuple(rows)
    return ordered if last == len(ordered) - 1 else (*ordered, ("+", last, _put(("c", 0.0), rows)))


def _write(node: Node, names: list[str], rows: dict[Row, int]) -> int:
    """Append what is new of this node; the number of its row."""
    number = constant(node) if not isinstance(node, Name) else None
    if number is not None:
        return _put(("c", _plain(float(number))), rows)
    operands = [_write(child, names, rows) for child in children(node)]
    match node:
        case Name(name):
            return _put(("x", names.index(name)), rows)
        case Binary(sign, _, _):
            return _put((sign, *operands), rows)
        case Call(function, _):
            return _put((function, *operands), rows)
        case Negative():
            return _put(("neg", *operands), rows)
        case Number():  # a constant, written above
            raise AssertionError(node)


def _put(row: Row, rows: dict[Row, int]) -> int:
    return rows.setdefault(row, len(rows))


def _plain(number: float) -> float | str:
    """JSON has no infinity and no nan; JavaScript's Number() reads both from these words."""
    if math.isnan(number):
        return "NaN"
    return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")
