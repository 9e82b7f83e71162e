"""One checked tree, and everything that is made from it: the torch value, the SymPy expression, LaTeX, the code
line, and the place of each sub-expression in it.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import sympy
import torch
from torch import Tensor

from maml_core.graphs.functions import FUNCTIONS, Function

LARGEST_EXACT = 4096  # bits of a number inside a SymPy power
LARGEST_INTEGER = 10**15  # any float64 holds it exactly, and torch takes it as an int

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
NEGATIVE, ATOM = 3, 5


@dataclass(frozen=True)
class Number:
    value: int | float

    def __eq__(self, other: object) -> bool:  # 2 and 2.0 print differently, so they are different trees
        return isinstance(other, Number) and repr(self.value) == repr(other.value)


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Negative:
    operand: "Node"


@dataclass(frozen=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Call:
    function: str
    argument: "Node"


Node = Number | Name | Negative | Binary | Call
Value = Tensor | float
Observer = Callable[[int, Value], None]


class Part(NamedTuple):
    """A sub-expression and where it stands in a text, without the parentheses round it."""

    node: Node
    start: int
    end: int


class Rendered(NamedTuple):
    text: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Expression:
    """A checked tree. Its text parses back to an equal one."""

    tree: Node

    def __str__(self) -> str:
        return self.rendered().text

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every sub-expression in the order of evaluation, the whole last, placed in str(self)."""
        return self.rendered().parts

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(node.name for node in _walk(self.tree) if isinstance(node, Name))

    def rendered(self, prefix: str = "") -> Rendered:
        """The text and its spans: as typed, or as runnable code with a prefix such as "torch."."""
        writer = _Writer(prefix)
        writer.write(self.tree)
        return Rendered(writer.text, tuple(writer.parts))

    def code(self, prefix: str = "torch.") -> str:
        """Python that does, operation for operation, what `evaluate` does."""
        return self.rendered(prefix).text

    def evaluate(self, values: Mapping[str, Value], observe: Observer | None = None) -> Value:
        """The value, by the very operations that `code` spells; observe(index in parts, value) after each.

        Tensors meet Python's ints and floats as in the code. Between plain numbers, what Python refuses or
        answers otherwise (1 / 0, 1e300**2, (-1)**0.5, sin(1), integers beyond 10**15) is torch's in float64.
        """
        stack: list[Value] = []
        for index, node in enumerate(_walk(self.tree)):
            operands = [stack.pop() for _ in _children(node)][::-1]
            stack.append(_apply(node, operands, values))
            if observe is not None:
                observe(index, stack[-1])
        return stack[-1]

    def sympy(self) -> sympy.Expr:
        """The same in algebra, over symbols without assumptions: sqrt(x**2) and log(exp(x)) stay as typed.

        Whole numbers stay exact; constants with decimals, or without a finite real value, are torch's number.
        Raises OverflowError where a power has too many digits to show: ((((2 * x)**16)**16)**16)**16.
        """
        return _sympy(self.tree)

    def latex(self, symbols: Mapping[str, str] | None = None) -> str:
        """LaTeX in the order typed; symbols gives the LaTeX of a name where its own will not do."""
        return _latex(self.tree, symbols or {})


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Negative(operand):
            return (operand,)
        case Binary(_, left, right):
            return left, right
        case Call(_, argument):
            return (argument,)
    return ()


def _walk(node: Node) -> Iterator[Node]:
    for child in _children(node):
        yield from _walk(child)
    yield node


# Values.
def _apply(node: Node, operands: list[Value], values: Mapping[str, Value]) -> Value:
    match node:
        case Number(value):
            return value
        case Name(name):
            given = values[name]
            return given if isinstance(given, Tensor) else float(given)
    apply = _operation(node)
    if any(isinstance(operand, Tensor) for operand in operands):
        return apply(*operands)
    plain = _plain(node, operands)
    return apply(torch.tensor(operands[0], dtype=torch.float64), *operands[1:]).item() if plain is None else plain


def _operation(node: Node) -> Callable:
    match node:
        case Call(function, _):
            return FUNCTIONS[function].torch
        case Binary(sign, _, _):
            return OPERATORS[sign]
    return operator.neg


def _plain(node: Node, numbers: Sequence[Any]) -> float | None:
    """Python's own answer, if it gives a real number that torch would take as well."""
    if isinstance(node, Call):
        return None
    try:
        answer = _operation(node)(*numbers)
    except (ZeroDivisionError, OverflowError):
        return None
    small = isinstance(answer, int) and abs(answer) <= LARGEST_INTEGER
    return answer if small or isinstance(answer, float) else None


def constant(node: Node) -> float | None:
    """The number that a node without names is."""
    expression = Expression(node)
    value = None if expression.names else expression.evaluate({})
    return None if isinstance(value, Tensor) else value


# Text.
class _Writer:
    """Writes a tree once, noting where each part begins and ends."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.text = ""
        self.parts: list[Part] = []

    def write(self, node: Node, floor: int = 0) -> None:
        """`floor`: what binds less tightly than this needs parentheses here."""
        torch_only = bool(self.prefix) and _torch_only(node)
        bracket = not torch_only and binding(node) < floor
        self.text += "(" * bracket
        start = len(self.text)
        self._body(node, torch_only)
        self.parts.append(Part(node, start, len(self.text)))
        self.text += ")" * bracket

    def _body(self, node: Node, torch_only: bool) -> None:
        match node:
            case Number(value):
                self.text += repr(value)
            case Name(name):
                self.text += name
            case Negative(operand):
                self.text += "-"
                self.write(operand, NEGATIVE)
            case Binary():
                self._binary(node, torch_only)
            case Call(function, argument):
                self.text += (self.prefix + FUNCTIONS[function].code if self.prefix else function) + "("
                self._operand(argument, 0, torch_only)
                self.text += ").item()" if torch_only else ")"

    def _binary(self, node: Binary, torch_only: bool) -> None:
        left, right = floors(node)
        self.text += "(" * torch_only
        self._operand(node.left, left, torch_only)
        self.text += "**" if node.operator == "**" else f" {node.operator} "
        self.write(node.right, right)
        self.text += ").item()" * torch_only

    def _operand(self, node: Node, floor: int, torch_only: bool) -> None:
        """Plain numbers that only torch can combine go through a float64 scalar, as in `evaluate`."""
        self.text += f"{self.prefix}tensor(" * torch_only
        self.write(node, 0 if torch_only else floor)
        self.text += f", dtype={self.prefix}float64)" * torch_only


def _torch_only(node: Node) -> bool:
    """Whether plain numbers meet here in a way that Python refuses or answers otherwise."""
    numbers = [constant(child) for child in _children(node)]
    return bool(numbers) and None not in numbers and _plain(node, numbers) is None


def binding(node: Node) -> int:
    match node:
        case Binary():
            return PRECEDENCE[node.operator]
        case Negative():
            return NEGATIVE
    return ATOM


def floors(node: Binary) -> tuple[int, int]:
    """How tightly the left and the right operand must bind to go without parentheses."""
    own = PRECEDENCE[node.operator]
    if node.operator != "**":
        return own, own + 1
    # Python reads x**-y; the eye prefers x**(-y), except before a number: x**-1.
    minus_number = isinstance(node.right, Negative) and isinstance(node.right.operand, Number)
    return ATOM, NEGATIVE if minus_number else own


# Algebra.
def _sympy(node: Node) -> Any:  # noqa: ANN401
    match node:
        case Number(value):
            return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)
        case Name(name):
            return sympy.Symbol(name)
    number = constant(node)
    if number is not None and (_has_decimals(node) or not math.isfinite(number)):
        return sympy.Float(number)
    operands = [_sympy(child) for child in _children(node)]
    match node:
        case Binary("**", _, _):
            return _sympy_power(*operands)
        case Binary():
            return OPERATORS[node.operator](*operands)
        case Call(function, _):
            return _sympy_call(FUNCTIONS[function], operands[0])
    return -operands[0]


def _has_decimals(node: Node) -> bool:
    return any(isinstance(part, Number) and isinstance(part.value, float) for part in _walk(node))


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


def _latex(node: Node, symbols: Mapping[str, str]) -> str:
    match node:
        case Number():
            return sympy.latex(_sympy(node))
        case Name(name):
            return symbols.get(name) or sympy.latex(sympy.Symbol(name))
        case Negative(operand):
            return "-" + _latex_operand(operand, symbols, NEGATIVE)
        case Call(function, argument):
            return FUNCTIONS[function].latex % _latex(argument, symbols)
        case Binary("/", left, right):
            return rf"\frac{{{_latex(left, symbols)}}}{{{_latex(right, symbols)}}}"
        case Binary("**", left, right):
            return rf"{_latex_base(left, symbols)}^{{{_latex(right, symbols)}}}"
    floor, right_floor = floors(node)
    left = _latex_operand(node.left, symbols, floor)
    # Nobody writes a − −b on paper: a minus on the right is bracketed.
    right = _latex_operand(node.right, symbols, ATOM if isinstance(node.right, Negative) else right_floor)
    times = r"\cdot" if right[0].isdigit() or right.startswith(r"\left(-") else r"\,"
    return f"{left} {times if node.operator == '*' else node.operator} {right}"


def _latex_operand(node: Node, symbols: Mapping[str, str], floor: int) -> str:
    text = _latex(node, symbols)
    fraction = isinstance(node, Binary) and node.operator == "/"
    return text if fraction or binding(node) >= floor else rf"\left({text}\right)"


def _latex_base(node: Node, symbols: Mapping[str, str]) -> str:
    text = _latex(node, symbols)
    alone = binding(node) == ATOM and "^" not in text  # LaTeX refuses x^{a}^{b}
    return text if alone else rf"\left({text}\right)"
