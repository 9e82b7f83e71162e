"""The scalar programs of the lessons, as data: statements over checked expressions, printed as numbered lines.

A program is never a text that gets executed. It is a tuple of statements; `recording` runs them one by one,
and `Program.lines` prints the Python that does the same, so that what the reader sees is what ran.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from maml_core.graphs.expressions import parse
from maml_core.graphs.operations import OPERATIONS
from maml_core.graphs.trees import Expression

INDENT = "    "


@dataclass(frozen=True)
class Leaf:
    """`x = torch.tensor(3.0, requires_grad=True)`"""

    target: str


@dataclass(frozen=True)
class Constants:
    """`c, alpha = 2.0, 0.4`: plain Python numbers, which autograd does not follow."""

    targets: tuple[str, ...]


@dataclass(frozen=True)
class Clone:
    """`x_prime = x.clone()`"""

    target: str
    source: str


@dataclass(frozen=True)
class Assign:
    """`outer_loss = 1 - 3 * x_prime**2`"""

    target: str
    expression: Expression


@dataclass(frozen=True)
class Gradient:
    """`(g,) = grad(inner_loss, x_prime, create_graph=True)`, with grad from torch.autograd"""

    target: str
    output: str
    wrt: str


@dataclass(frozen=True)
class InnerGradients:
    """`gu, gv = grad(inner_loss, (u, v), create_graph=True)`: Gradient, for several names at once."""

    targets: tuple[str, ...]
    output: str
    wrt: tuple[str, ...]


@dataclass(frozen=True)
class Gradients:
    """`g1, g2 = grad(y1, (x1, x2), retain_graph=True)`: one call, a gradient for each of several leaves."""

    targets: tuple[str, ...]
    output: str
    wrt: tuple[str, ...]
    retain_graph: bool = False


@dataclass(frozen=True)
class Backward:
    """`outer_loss.backward()`"""

    output: str
    retain_graph: bool = False


@dataclass(frozen=True)
class Clear:
    """`x1.grad = x2.grad = None`, or a zero into every `.grad` that is there: an optimiser's `zero_grad`."""

    leaves: tuple[str, ...]
    to_none: bool


@dataclass(frozen=True)
class Descend:
    """`x_new = x.detach() - alpha * x.grad`: one step of gradient descent, outside the graph."""

    target: str
    leaf: str
    rate: str


@dataclass(frozen=True)
class Repeat:
    """`for step in range(3):` over the statements of `body`."""

    times: int
    body: tuple["Statement", ...]


@dataclass(frozen=True)
class Apply:
    """One of operations.OPERATIONS on one tensor: `x_copy = x_copy.detach()`, `x_copy.add_(1)`."""

    target: str
    operation: str


@dataclass(frozen=True)
class NoGrad:
    """`with torch.no_grad():` over one statement."""

    body: "Statement"


@dataclass(frozen=True)
class Blank:
    """An empty line. It keeps the numbers of the lines below it as they are in a program that has one more."""


Statement = (
    Leaf
    | Constants
    | Clone
    | Assign
    | Gradient
    | InnerGradients
    | Gradients
    | Backward
    | Clear
    | Descend
    | Repeat
    | Apply
    | NoGrad
    | Blank
)


class Span(NamedTuple):
    """A sub-expression's place in its line's text."""

    start: int
    end: int


class Line(NamedTuple):
    """One printed line. `spans` are its sub-expressions in the order in which they are computed.

    `shift`: the columns by which a `with` moved the line to the right, which ids do not count.
    """

    number: int
    text: str
    spans: tuple[Span, ...]
    statement: Statement
    shift: int = 0


@dataclass(frozen=True)
class Program:
    """Statements in order. Hashable, so that what depends on the program alone can be cached."""

    statements: tuple[Statement, ...]

    def lines(self, inputs: Mapping[str, float], *, create_graph: bool) -> tuple[Line, ...]:
        """The program as Python, with the numbers of `inputs` written where a leaf or constant is made."""
        printed = _printed(self.statements, inputs, create_graph, indent="")
        lines = [
            Line(number, text, spans, statement) for number, (text, spans, statement) in enumerate(printed, start=1)
        ]
        shielded = {line.number + 1 for line in lines if isinstance(line.statement, NoGrad)}
        return tuple(line._replace(shift=len(INDENT)) if line.number in shielded else line for line in lines)

    def schedule(self) -> Iterator[tuple[int, Statement, int | None]]:
        """(line number, statement, inner step from 0) in the order of execution; no step outside loops."""
        return _schedule(self.statements, first=1, step=None)


def _schedule(
    statements: tuple[Statement, ...], first: int, step: int | None
) -> Iterator[tuple[int, Statement, int | None]]:
    number = first
    for statement in statements:
        yield number, statement, step
        number += 1
        if isinstance(statement, Repeat):
            for k in range(statement.times):
                yield from _schedule(statement.body, number, k)
            number += len(statement.body)
        elif isinstance(statement, NoGrad):
            yield number, statement.body, step
            number += 1


def _printed(
    statements: tuple[Statement, ...], inputs: Mapping[str, float], create_graph: bool, indent: str
) -> Iterator[tuple[str, tuple[Span, ...], Statement]]:
    for statement in statements:
        head, code, spans = _text(statement, inputs, create_graph)
        offset = len(indent) + len(head)
        yield indent + head + code, tuple(Span(a + offset, b + offset) for a, b in spans), statement
        if isinstance(statement, Repeat):
            yield from _printed(statement.body, inputs, create_graph, indent + INDENT)
        elif isinstance(statement, NoGrad):
            yield from _printed((statement.body,), inputs, create_graph, indent + INDENT)


def _text(
    statement: Statement, inputs: Mapping[str, float], create_graph: bool
) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    """What stands left of the computed part, the computed part, and the spans inside that."""
    match statement:
        case Leaf(target):
            return _whole(f"{target} = ", f"torch.tensor({float(inputs[target])!r}, requires_grad=True)")
        case Constants(targets):
            return f"{', '.join(targets)} = ", ", ".join(repr(inputs[name]) for name in targets), ()
        case Clone(target, source):
            return _whole(f"{target} = ", f"{source}.clone()")
        case Assign(target, expression):
            code, parts = expression.rendered("torch.")
            return f"{target} = ", code, tuple((part.start, part.end) for part in parts)
        case Gradient(target, output, wrt):
            call = f"grad({output}, {wrt}, create_graph={create_graph})"
            return _whole(f"({target},) = ", call)
        case InnerGradients(targets, output, wrt):
            code = f"{_tuple(targets)} = grad({output}, ({_tuple(wrt)}), create_graph={create_graph})"
            return "", code, tuple((code.index(name), code.index(name) + len(name)) for name in targets)
        case Gradients(targets, output, wrt, retain_graph):
            option = ", retain_graph=True" if retain_graph else ""
            return _whole(f"{_tuple(targets)} = ", f"grad({output}, ({_tuple(wrt)}){option})")
        case Backward(output, retain_graph):
            return _whole("", f"{output}.backward({'retain_graph=True' if retain_graph else ''})")
        case Clear(leaves, to_none):
            each = f"for x in ({_tuple(leaves)}): x.grad is None or x.grad.zero_()"
            return _whole("", " = ".join(f"{leaf}.grad" for leaf in leaves) + " = None" if to_none else each)
        case Descend(target, leaf, rate):
            return _whole(f"{target} = ", f"{leaf}.detach() - {rate} * {leaf}.grad")
        case Repeat(times):
            return "", f"for step in range({times}):", ()
        case Apply(target, operation):
            head, code = OPERATIONS[operation].code(target)
            return _whole(head, code)
        case NoGrad():
            return "", "with torch.no_grad():", ()
        case Blank():
            return "", "", ()


def _tuple(names: tuple[str, ...]) -> str:
    return ", ".join(names) + "," * (len(names) == 1)


def _whole(head: str, code: str) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    return head, code, ((0, len(code)),)


class Preset(NamedTuple):
    """An inner and an outer loss worth looking at, and why."""

    inner: str
    outer: str
    why: str


# The first pair, with c = 2, x = 3 and α = 0.4, is the worked example of the source document (002).
PRESETS = {
    "quartic": Preset("2 - 2 * x_prime**4", "1 - 3 * x_prime**2", "curvature grows with x²"),
    "bowl": Preset("(x_prime - 1)**2", "(x_prime + 1)**2", "curvature is 2 everywhere"),
    "wave": Preset("sin(2 * x_prime)", "x_prime**2", "curvature changes sign"),
}


@dataclass(frozen=True)
class InnerStep:
    r"""x → clone → `inner_steps` updates → outer loss → backward → one outer update. Both losses are in x_prime.

    $$x'_{i+1} = c\,x'_i - \alpha\, \nabla L_{\text{in}}(x'_i), \qquad x'_0 = x$$

    With c = 1 this is MAML's inner loop for one parameter (Finn, Abbeel & Levine 2017,
    https://arxiv.org/abs/1703.03400). Its program takes the inputs x, c and alpha.
    """

    inner: Expression
    outer: Expression
    inner_steps: int

    @classmethod
    def parse(cls, inner: str, outer: str, *, inner_steps: int) -> "InnerStep":
        """From text. Raises ExpressionError if one of them is not an expression in x_prime."""
        return cls(parse(inner, {"x_prime"}), parse(outer, {"x_prime"}), inner_steps)

    @property
    def program(self) -> Program:
        step = (
            Assign("inner_loss", self.inner),
            Gradient("g", output="inner_loss", wrt="x_prime"),
            Assign("x_prime", UPDATE),
        )
        return Program(
            (
                Leaf("x"),
                Constants(("c", "alpha")),
                Clone("x_prime", source="x"),
                Repeat(self.inner_steps, step),
                Assign("outer_loss", self.outer),
                Backward("outer_loss"),
                Descend("x_new", leaf="x", rate="alpha"),
            )
        )


UPDATE = parse("c * x_prime - alpha * g", {"c", "x_prime", "alpha", "g"})
# The line on which each step of the story stands in that program.
LEAF, CLONE, INNER_LOSS, GRADIENT, INNER_UPDATE, OUTER_LOSS, BACKWARD, OUTER_UPDATE = 1, 3, 5, 6, 7, 8, 9, 10
