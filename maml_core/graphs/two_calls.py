"""Lesson 1's program: one expression written down twice, then two calls that differentiate it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from maml_core.graphs.expressions import parse
from maml_core.graphs.programs import Assign, Backward, Clear, Gradients, Leaf, Program, Statement
from maml_core.graphs.trees import Expression

LEAVES = ("x1", "x2", "x3")
FIRST, SECOND = "y1", "y2"  # the two outputs
# The lines of the program on which they are made: one per leaf comes before.
FIRST_LINE, SECOND_LINE = len(LEAVES) + 1, len(LEAVES) + 2

Call = Literal["backward()", "autograd.grad"]
Between = Literal["nothing", "zero", "None"]
CALLS: tuple[Call, ...] = ("backward()", "autograd.grad")
BETWEEN: tuple[Between, ...] = ("nothing", "zero", "None")


class Example(NamedTuple):
    """An expression worth differentiating twice, and why."""

    text: str
    why: str


# The first, at (3, 4, 5), is the worked example of the source document (002).
EXAMPLES = {
    "product": Example("3 * x1**2 * x2**2 * x3**2", "every factor is saved for the others' derivatives"),
    "sum": Example("x1 + x2 + x3", "nothing needs to be saved, so there is nothing to free"),
    "mixed": Example("x1 + x2 * x3", "only one of its two operations saves anything"),
    "no x3": Example("exp(x1 / x2)", "no path leads to x3"),
    "kink": Example("relu(x1 - 3) * x2 + x3", "at x1 = 3 relu has no derivative, and PyTorch picks one"),
}


@dataclass(frozen=True)
class TwoCalls:
    """y1 and y2 are the same expression of x1, x2, x3, computed twice; two calls follow.

    `between`: what happens to every `.grad` between them. `retain_graph` is the first call's. With `again` the
    second call goes to y1 once more instead of y2.
    """

    expression: Expression
    first: Call = "backward()"
    second: Call = "backward()"
    between: Between = "nothing"
    retain_graph: bool = False
    again: bool = False

    @property
    def graphs(self) -> Program:
        """Leaves and outputs only: what there is before the first call."""
        outputs = (Assign(name, self.expression) for name in (FIRST, SECOND))
        return Program((*(Leaf(name) for name in LEAVES), *outputs))

    @property
    def program(self) -> Program:
        clear = () if self.between == "nothing" else (Clear(LEAVES, to_none=self.between == "None"),)
        return Program(
            (
                *self.graphs.statements,
                _call(self.first, FIRST, "g", self.retain_graph),
                *clear,
                _call(self.second, FIRST if self.again else SECOND, "h", retain_graph=False),
            )
        )


def read(text: str) -> Expression:
    """An expression in x1, x2 and x3. Raises ExpressionError."""
    return parse(text, LEAVES)


def _call(call: Call, output: str, letter: str, retain_graph: bool) -> Statement:
    if call == "backward()":
        return Backward(output, retain_graph)
    return Gradients(tuple(f"{letter}{name[1:]}" for name in LEAVES), output, LEAVES, retain_graph)
