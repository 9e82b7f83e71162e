"""A tree as SymPy and as LaTeX."""

import math
from collections.abc import Mapping
from typing import Any

import sympy
import torch

from maml_core.graphs.functions import FUNCTIONS, Function
from maml_core.graphs.nodes import (
    ATOM,
    NEGATIVE,
    OPERATORS,
    Binary,
    Call,
    Name,
    Negative,
    Node,
    Number,
    binding,
    children,
    constant,
    floors,
    walk,
)

LARGEST_EXACT = 4096  # bits of a number inside a SymPy power


def to_sympy(node: Node) -> Any:  # noqa: ANN401
    match node:
        case Number(value):
            return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)
        case Name(name):
            return sympy.Symbol(name)
    number = constant(node)
    if number is not None and (_has_decimals(node) or not math.isfinite(number)):
        return sympy.Float(number)
    operands = [to_sympy(child) for child in children(node)]
    match node:
        case Binary("**", _, _):
            return _sympy_power(*operands)
        case Binary():
            return OPERATORS[node.operator](*operands)
        case Call(function, _):
            return _sympy_call(FUNCTIONS[function], operands[0])
    return -operands[0]


def _has_decimals(node: Node) -> bool:
    return any(isinstance(part, Number) and isinstance(part.value, float) for part in walk(node))


def _sympy_power(base: Any, exponent: Any) -> Any:  # noqa: ANN401
    """SymPy writes out (2 * x)**n with every digit of 2**n, so the digits are counted first."""
    if exponent.is_Number and exponent.is_finite:
        bits = max((part.p.bit_length() + part.q.bit_length() for part in base.atoms(sympy.Rational)), default=0)
        if bits * abs(exponent) > LARGEST_EXACT:
            raise OverflowError("A power in this expression has too many digits to be written out.")
    return base**exponent


def _sympy_call(function: Function, argument: Any) -> Any:  # noqa: ANN401
    """Of a decimal, torch's number: SymPy's own exp(exp(exp(9.5))) would fill the memory with digits."""
    if not argument.is_Float:
        return function.sympy(argument)
    return sympy.Float(function.torch(torch.tensor(float(argument), dtype=torch.float64)).item())


def to_latex(node: Node, symbols: Mapping[str, str]) -> str:
    match node:
        case Number():
            return sympy.latex(to_sympy(node))
        case Name(name):
            return symbols.get(name) or sympy.latex(sympy.Symbol(name))
        case Negative(operand):
            return "-" + _latex_operand(operand, symbols, NEGATIVE)
        case Call(function, argument):
            return FUNCTIONS[function].latex % to_latex(argument, symbols)
        case Binary("/", left, right):
            return rf"\frac{{{to_latex(left, symbols)}}}{{{to_latex(right, symbols)}}}"
        case Binary("**", left, right):
            return rf"{_latex_base(left, symbols)}^{{{to_latex(right, symbols)}}}"
    floor, right_floor = floors(node)
    left = _latex_operand(node.left, symbols, floor)
    # Nobody writes a − −b on paper: a minus on the right is bracketed.
    right = _latex_operand(node.right, symbols, ATOM if isinstance(node.right, Negative) else right_floor)
    times = r"\cdot" if right[0].isdigit() or right.startswith(r"\left(-") else r"\,"
    return f"{left} {times if node.operator == '*' else node.operator} {right}"


def _latex_operand(node: Node, symbols: Mapping[str, str], floor: int) -> str:
    text = to_latex(node, symbols)
    fraction = isinstance(node, Binary) and node.operator == "/"
    return text if fraction or binding(node) >= floor else rf"\left({text}\right)"


def _latex_base(node: Node, symbols: Mapping[str, str]) -> str:
    text = to_latex(node, symbols)
    alone = binding(node) == ATOM and "^" not in text  # LaTeX refuses x^{a}^{b}
    return text if alone else rf"\left({text}\right)"
