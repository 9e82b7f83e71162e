"""The tree of a checked expression: its few kinds of node, how tightly they bind, and what they are worth."""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from maml_core.graphs.functions import FUNCTIONS

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


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Negative(operand):
            return (operand,)
        case Binary(_, left, right):
            return left, right
        case Call(_, argument):
            return (argument,)
    return ()


def walk(node: Node) -> Iterator[Node]:
    for child in children(node):
        yield from walk(child)
    yield node


def evaluate(node: Node, values: Mapping[str, Value], observe: Observer | None = None) -> Value:
    """The value of a tree; observe(index in the order of `walk`, value) after each part."""
    stack: list[Value] = []
    for index, part in enumerate(walk(node)):
        operands = [stack.pop() for _ in children(part)][::-1]
        stack.append(_apply(part, operands, values))
        if observe is not None:
            observe(index, stack[-1])
    return stack[-1]


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
    number = plain(node, operands)
    return apply(torch.tensor(operands[0], dtype=torch.float64), *operands[1:]).item() if number is None else number


def _operation(node: Node) -> Callable:
    match node:
        case Call(function, _):
            return FUNCTIONS[function].torch
        case Binary(sign, _, _):
            return OPERATORS[sign]
    return operator.neg


def plain(node: Node, numbers: Sequence[Any]) -> float | None:
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
    value = None if any(isinstance(part, Name) for part in walk(node)) else evaluate(node, {})
    return None if isinstance(value, Tensor) else value


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
