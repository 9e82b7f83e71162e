"""The inner step of a task in u and v as a program, recorded with create_graph off and on, and drawn."""

from typing import NamedTuple

from maml_core.graphs.comparing import Comparison, compare
from maml_core.graphs.drawing import Drawing, draw
from maml_core.graphs.expressions import parse
from maml_core.graphs.nodes import Binary, Call, Name, Negative, Node, walk
from maml_core.graphs.programs import Assign, Backward, Constants, InnerGradients, Leaf, Program
from maml_core.graphs.trees import Expression
from maml_core.plane.problems import Point, Problem, Task

MOST_OPERATIONS = 20  # in one loss: the graph of the step has about six nodes for each
UPDATES = tuple(parse(f"{w} - alpha * g{w}", (w, "alpha", f"g{w}")) for w in "uv")
RENAMED = {"u": "u_phi", "v": "v_phi"}
INNER_LOSS, GRADIENT, UPDATE_U, UPDATE_V, OUTER_LOSS = 4, 5, 6, 7, 8  # the line of each step of the story


class Recorded(NamedTuple):
    """Both runs of the step, in float32 as a reader's own script would run, and the graph of the larger."""

    both: Comparison
    drawing: Drawing


def program(task: Task) -> Program:
    """θ = (u, v) → inner loss → its gradient → φ = (u_phi, v_phi) → outer loss → backward."""
    return Program(
        (
            Leaf("u"),
            Leaf("v"),
            Constants(("alpha",)),
            Assign("inner_loss", task.support),
            InnerGradients(("gu", "gv"), output="inner_loss", wrt=("u", "v")),
            Assign("u_phi", UPDATES[0]),
            Assign("v_phi", UPDATES[1]),
            Assign("outer_loss", Expression(_renamed(task.query.tree))),
            Backward("outer_loss"),
        )
    )


def record_step(problem: Problem, theta: Point, inner_lr: float) -> Recorded | None:
    """The step of one task whose losses are short enough to be read and use both weights; None for any other."""
    task, *others = problem.tasks
    if others:
        return None
    if max(operations(task.support), operations(task.query)) > MOST_OPERATIONS or len(task.support.names) < 2:
        return None
    steps = program(task)
    return Recorded(compare(steps, {"u": theta[0], "v": theta[1], "alpha": inner_lr}), draw(steps))


def operations(expression: Expression) -> int:
    """How many operations and functions it is made of."""
    return sum(isinstance(node, Binary | Call | Negative) for node in walk(expression.tree))


def _renamed(node: Node) -> Node:
    """The same expression at φ."""
    match node:
        case Name(name):
            return Name(RENAMED[name])
        case Negative(operand):
            return Negative(_renamed(operand))
        case Call(function, argument):
            return Call(function, _renamed(argument))
        case Binary(sign, left, right):
            return Binary(sign, _renamed(left), _renamed(right))
    return node
