"""Expressions as MathML, term by term in the order typed, so that a term can answer for the node it became.

Browsers draw MathML themselves, without fonts or scripts, and read it to those who listen. SymPy's printer would
reorder what was typed; it is used where there is no typed order to keep, for derivatives.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy

from maml_core.graphs.nodes import ATOM, NEGATIVE, Binary, Call, Name, Negative, Node, Number, binding, floors
from maml_core.graphs.trees import Expression
from maml_core.numerals import numeral

LETTER = sympy.Symbol("V")


def mi(name: str) -> str:
    return f"<mi>{name}</mi>"


def mo(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def primed(name: str, prime: str) -> str:
    """A prime is drawn raised already; as a superscript it would all but vanish."""
    return f'<mrow>{mi(name)}<mo lspace="0" rspace="0">{prime}</mo></mrow>'


def mn(value: float | str) -> str:
    """A number in an expression: in parentheses if negative or a product with a power of ten."""
    text = value if isinstance(value, str) else numeral(value)
    bracketed = text.startswith("−") or "·" in text
    return f"<mrow>{mo('(')}<mn>{text}</mn>{mo(')')}</mrow>" if bracketed else f"<mn>{text}</mn>"


def linked(inner: str, ids: str) -> str:
    """Ties a term to the nodes named in `ids`, separated by spaces."""
    return f'<mrow data-ids="{ids}">{inner}</mrow>' if ids else inner


def markup(expression: Expression, names: Mapping[str, str], ids: Sequence[str] = ()) -> str:
    """`names` gives the MathML of each name; `ids` the node behind each of `expression.parts`."""
    return _write(expression.tree, names, iter(ids), 0)


def _write(node: Node, names: Mapping[str, str], ids: Iterator[str], floor: int) -> str:
    inner = _body(node, names, ids)
    own = next(ids, "")  # after the operands: parts are in the order of evaluation
    fraction = isinstance(node, Binary) and node.operator == "/"
    if not fraction and binding(node) < floor:
        inner = f"<mrow>{mo('(')}{inner}{mo(')')}</mrow>"
    return linked(inner, own)


def _body(node: Node, names: Mapping[str, str], ids: Iterator[str]) -> str:
    match node:
        case Number(value):
            return f"<mn>{numeral(value)}</mn>"
        case Name(name):
            return names[name]
        case Negative(operand):
            return f"<mrow>{mo('−')}{_write(operand, names, ids, NEGATIVE)}</mrow>"
        case Call(function, argument):
            return _call(function, _write(argument, names, ids, 0))
        case Binary("/", left, right):
            return f"<mfrac>{_write(left, names, ids, 0)}{_write(right, names, ids, 0)}</mfrac>"
        case Binary("**", left, right):
            return f"<msup>{_write(left, names, ids, ATOM)}{_write(right, names, ids, 0)}</msup>"
        case Binary():
            return _infix(node, names, ids)


def _infix(node: Binary, names: Mapping[str, str], ids: Iterator[str]) -> str:
    left_floor, right_floor = floors(node)
    left = _write(node.left, names, ids, left_floor)
    right = _write(node.right, names, ids, ATOM if isinstance(node.right, Negative) else right_floor)
    sign = {"-": "−", "*": _times(right)}.get(node.operator, node.operator)
    return f"<mrow>{left}{mo(sign)}{right}</mrow>"


def _times(right: str) -> str:
    """Before a number or a parenthesis a product needs its dot; 2x does without."""
    return "·" if re.sub("<[^>]+>", "", right)[0] in "0123456789(∞" else "&InvisibleTimes;"


def _call(function: str, argument: str) -> str:
    if function == "sqrt":
        return f"<msqrt>{argument}</msqrt>"
    if function == "abs":
        return f"<mrow>{mo('|')}{argument}{mo('|')}</mrow>"
    return f"<mrow>{mi(function)}{mo('(')}{argument}{mo(')')}</mrow>"


def from_sympy(expression: Any, symbol: sympy.Symbol, written: str) -> str:  # noqa: ANN401
    """SymPy's own MathML of an expression in one symbol, which is `written` as given."""
    # The printer would take x_prime apart; this letter it leaves alone.
    text = sympy.printing.mathml(expression.xreplace({symbol: LETTER}), printer="presentation")
    text = text.replace("<mo>&InvisibleTimes;</mo>", mo(_times(written))).replace("<mo>-</mo>", mo("−"))
    return text.replace(f"<mi>{LETTER.name}</mi>", written)
