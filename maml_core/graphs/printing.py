"""A tree as text, as typed or as runnable code, with the place of each part in it."""

from typing import NamedTuple

from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.nodes import (
    NEGATIVE,
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
    plain,
)


class Part(NamedTuple):
    """A sub-expression and where it stands in a text, without the parentheses round it."""

    node: Node
    start: int
    end: int


class Rendered(NamedTuple):
    text: str
    parts: tuple[Part, ...]


def render(tree: Node, prefix: str) -> Rendered:
    """The text and its spans: as typed, or as runnable code with a prefix such as "torch."."""
    writer = _Writer(prefix)
    writer.write(tree)
    return Rendered(writer.text, tuple(writer.parts))


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
    numbers = [constant(child) for child in children(node)]
    return bool(numbers) and None not in numbers and plain(node, numbers) is None
