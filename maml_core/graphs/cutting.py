"""Lesson 2's program, one operation inserted into it, and which of five things becomes of the gradient.

$$x \\to x_{copy} \\to x_{copy} - 2 \\to y = 2\\,x_{copy}^4 \\to 1 - y$$

The numbers are source 002's clone example. What PyTorch refuses is an outcome like the others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from maml_core.graphs.expressions import parse
from maml_core.graphs.operations import OPERATIONS
from maml_core.graphs.programs import (
    Apply,
    Assign,
    Backward,
    Blank,
    Constants,
    Descend,
    Leaf,
    Line,
    NoGrad,
    Program,
    Statement,
)
from maml_core.graphs.recording import Recording, record
from maml_core.graphs.trees import Expression

Outcome = Literal["number", "zero", "not finite", "none", "error"]
NAMES = ("x", "x_copy", "w")  # what a reader's expressions may use
NO_GRAD = "no_grad()"
INSERTIONS = (*OPERATIONS, NO_GRAD)
# Where an operation can be put, by the line it follows, and the tensor that line has made.
PLACES = {"x": "x", "copy": "x_copy", "shift": "x_copy", "y": "y", "loss": "loss"}
LOSS = parse("1 - y", {"y"})
SHIFT, POWER = "x_copy - 2", "2 * x_copy**4"  # source 002
W = 1.0


@dataclass(frozen=True)
class Insertion:
    """One operation, put after (`no_grad()`: around) the line `place`."""

    operation: str
    place: str

    @property
    def target(self) -> str:
        """The tensor it is applied to. `add_(1)` is more interesting on x_copy, which later lines have used."""
        return "x_copy" if self.operation == "add_(1)" and self.place != "x" else PLACES[self.place]

    @property
    def code(self) -> str:
        """The inserted line."""
        if self.operation == NO_GRAD:
            return "with torch.no_grad():"
        return "".join(OPERATIONS[self.operation].code(self.target))


@dataclass(frozen=True)
class Copying:
    """`shift` makes x_copy anew, `y` follows from it; both are expressions in NAMES. w is a second leaf, if used."""

    shift: Expression
    y: Expression
    insertion: Insertion

    @classmethod
    def parse(cls, shift: str, y: str, insertion: Insertion) -> "Copying":
        """From text. Raises ExpressionError if one of them is not an expression in NAMES."""
        return cls(parse(shift, NAMES), parse(y, NAMES), insertion)

    def program(self, *, inserted: bool) -> Program:
        """With the insertion, or as written: then its line is blank, so that all others keep their numbers."""
        second_leaf = (Leaf("w"),) if "w" in self.shift.names | self.y.names else ()
        lines: dict[str, Statement] = {
            "x": Leaf("x"),
            "copy": Assign("x_copy", parse("x", {"x"})),
            "shift": Assign("x_copy", self.shift),
            "y": Assign("y", self.y),
            "loss": Assign("loss", LOSS),
        }
        statements: list[Statement] = []
        for place, statement in lines.items():
            statements += self._around(statement, inserted) if place == self.insertion.place else (statement,)
            statements += (*second_leaf, Constants(("lr",))) if place == "x" else ()
        return Program((*statements, Backward("loss"), Descend("x_new", leaf="x", rate="lr")))

    def _around(self, statement: Statement, inserted: bool) -> tuple[Statement, ...]:
        operation, target = self.insertion.operation, self.insertion.target
        if operation == NO_GRAD:
            return (NoGrad(statement),) if inserted else (Blank(), statement)
        return (statement, Apply(target, operation) if inserted else Blank())


class Verdict(NamedTuple):
    """What the program's last lines find in `x.grad`.

    number: it flows. zero: a gradient arrived, and it is 0. not finite: one arrived, and it is ±∞ or nan. none: no
    gradient ever came. error: PyTorch stopped before it could. `words` are PyTorch's or Python's own where a line
    failed; `reading` is ours of them.
    """

    outcome: Outcome
    gradient: float | None
    line: int | None
    words: str
    reading: str


class Cut(NamedTuple):
    """The program as written and with the insertion, run with the same numbers."""

    copying: Copying
    inputs: dict[str, float]
    written: Recording
    edited: Recording
    verdicts: tuple[Verdict, Verdict]


def cut(copying: Copying, inputs: Mapping[str, float]) -> Cut:
    """Record both programs. `inputs`: x, lr. float32, as a reader's own script would run."""
    numbers = {**inputs, "w": W}
    written, edited = (
        record(copying.program(inserted=inserted), numbers, create_graph=False) for inserted in (False, True)
    )
    return Cut(copying, numbers, written, edited, (verdict(written), verdict(edited)))


def verdict(recording: Recording) -> Verdict:
    """Which of the five outcomes a run had."""
    gradient = recording.answers.get("x")
    words, line = recording.error or "", recording.error_line
    stopped = line is not None and line <= _backward(recording)
    return Verdict("error" if stopped else _kind(gradient), gradient, line, words, reading(words))


def _kind(gradient: float | None) -> Outcome:
    if gradient is None:
        return "none"
    if not math.isfinite(gradient):
        return "not finite"
    return "zero" if gradient == 0 else "number"


def _backward(recording: Recording) -> int:
    return next(line.number for line in recording.lines if isinstance(line.statement, Backward))


def standing(recording: Recording) -> frozenset[str]:
    """The nodes that lead to loss; every node there was, where the program stopped before backward()."""
    if recording.error_line is None or recording.error_line >= _backward(recording):
        return recording.used_nodes
    return frozenset(node.id for node in recording.nodes)


def links(recording: Recording) -> tuple[tuple[str, str], ...]:
    """The edges between the standing nodes."""
    nodes = standing(recording)
    return tuple((edge.source, edge.target) for edge in recording.edges if {edge.source, edge.target} <= nodes)


# What a failing line says, by a piece of it, and what that means here.
READINGS = {
    "does not require grad": "No path of the graph leads from loss back to a tensor that wants a gradient, so "
    "backward() has nothing to walk along.",
    "leaf Variable that requires grad is being used": "Changing a leaf in place would overwrite the very value "
    "whose gradient is wanted, and this name still stands for the leaf.",
    "modified by an inplace operation": "The backward pass needs the value that the forward pass saw, and it has "
    "been overwritten since.",
    "deepcopy protocol": "Only a leaf can be deep-copied: a computed tensor belongs to a graph, and PyTorch will "
    "not copy half of one.",
    "change requires_grad flags of leaf": "A computed tensor requires a gradient because what it was computed from "
    "does; only a leaf can be switched off, and detach() is how the rest is cut.",
    "NoneType": "The backward pass is over, and x.grad is None, so the update has nothing to multiply.",
}


def reading(words: str) -> str:
    """One sentence on PyTorch's words; empty where nothing failed."""
    own = (text for piece, text in READINGS.items() if piece in words)
    return next(own, "PyTorch stopped on this line." if words else "")


def bearer(recording: Recording) -> str | None:
    """The node of the tensor that is called x when the program ends; None if it has none."""
    of_x = {line.number for line in recording.lines if isinstance(line.statement, Leaf | Apply) and _makes_x(line)}
    return next((value.node for value in reversed(recording.values) if value.line in of_x), None)


def _makes_x(line: Line) -> bool:
    return getattr(line.statement, "target", None) == "x"


def elsewhere(recording: Recording) -> dict[str, float]:
    """The gradients that arrived at other leaves than the tensor called x when the program ends, by leaf."""
    last_x = bearer(recording)
    return {leaf: g for leaf, g in recording.gradients.items() if g is not None and leaf != last_x}
