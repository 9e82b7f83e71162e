"""Tasks whose φ has two weights, u and v, so that a whole meta-learning problem fits on a map.

All are of a height at which inner rates from 0 to 1 are worth trying.
"""

import math
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.graphs.expressions import parse
from maml_core.graphs.nodes import Binary, Call, Name, Node, Number
from maml_core.graphs.trees import Expression
from maml_core.meta.models import Loss
from maml_core.meta.tasks import Batch, Tasks, sinusoids
from maml_core.meta.trees import Params

NAMES = ("u", "v")
FLAT = 0.5  # curvature of the bowl along its valley
Point = tuple[float, float]


class Task(NamedTuple):
    """One task: the loss that the inner loop descends and the loss by which it is judged, both in u and v."""

    name: str
    support: Expression
    query: Expression


class Problem(NamedTuple):
    """One or more tasks, and the square of the plane on which they are looked at."""

    name: str
    tasks: tuple[Task, ...]
    centre: Point
    half_width: float
    start: Point  # θ, until the reader moves it
    about: str


def bowl(sharpness: float, degrees: float) -> Problem:
    r"""A rotatable bowl, with curvature `sharpness` across its valley and `FLAT` along it.

    $$L_s = \tfrac{\lambda}{2} p^2 + \tfrac{1}{4} q^2, \qquad
      (p, q) = R(\text{degrees})\,(u - 0.8,\; v - 0.4)$$
    """
    text = _bowl(sharpness, degrees, (0.8, 0.4))
    query = "0.7 * (u - 1.3)**2 + 0.4 * (u - 1.3) * (v + 0.4) + 0.5 * (v + 0.4)**2"
    about = "One quadratic task: the same curvature everywhere."
    return Problem("bowl", (_task("", text, query),), (0.0, 0.0), 3.0, (-1.4, -0.3), about)


def rosenbrock() -> Problem:
    """A tenth of Rosenbrock's valley (1960, https://doi.org/10.1093/comjnl/3.3.175), with 4 instead of 100."""
    support = "0.1 * ((1 - u)**2 + 4 * (v - u**2)**2)"
    query = "0.1 * ((0.5 - u)**2 + 4 * (v - 0.9 * u**2)**2)"
    about = "A bent valley: the curvature turns along the way."
    return Problem("rosenbrock", (_task("", support, query),), (0.0, 1.0), 2.0, (-1.04, 0.14), about)


def pair() -> Problem:
    """Two tasks whose valleys cross. A meta-gradient is the mean over both."""
    about = "Two quadratic tasks. The meta-gradient is the mean of theirs."
    a = _task("A", _bowl(2.4, 20, (1.4, 0.9)), _bowl(1.6, 40, (1.7, 0.5)))
    b = _task("B", _bowl(1.8, 115, (-1.2, 1.2)), _bowl(1.4, 100, (-1.6, 1.4)))
    return Problem("two tasks", (a, b), (0.0, 0.0), 3.0, (-2.2, -0.6), about)


def network() -> Problem:
    r"""Two weights of a network with a ReLU: the weight into one hidden unit, u, and the one out of it, v.

    $$f(x) = v\,\mathrm{relu}(u x + 1) + \tfrac12\,\mathrm{relu}(-x) - 1$$

    Half the mean squared error, on five support and five query points of one sinusoid.
    """
    drawn = sinusoids(1, 5, seed=7, dtype=torch.float64, amplitude=(1.5, 1.5), x_range=(-1.6, 1.6))
    support, query = (_network_loss(batch) for batch in (drawn.support, drawn.query))
    about = "Two weights of a ReLU network, the others fixed: kinks, flats and saddles."
    return Problem("ReLU net", (Task("", support, query),), (0.0, 0.0), 2.5, (-1.1, 1.2), about)


def own(support: str, query: str) -> Problem:
    """The reader's own losses in u and v. Raises ExpressionError if one of them is not an expression."""
    return Problem("own", (_task("", support, query),), (0.0, 0.0), 3.0, (-1.0, 0.8), "Two losses of your own.")


def _task(name: str, support: str, query: str) -> Task:
    return Task(name, parse(support, NAMES), parse(query, NAMES))


def _bowl(sharpness: float, degrees: float, centre: Point) -> str:
    c, s = (round(f(math.radians(degrees)), 9) for f in (math.cos, math.sin))
    u, v = f"(u - {centre[0]!r})", f"(v - {centre[1]!r})"
    across, along = f"({c!r} * {u} + {s!r} * {v})", f"({c!r} * {v} - {s!r} * {u})"
    return f"{sharpness / 2!r} * {across}**2 + {FLAT / 2!r} * {along}**2"


def _network_loss(batch: Batch) -> Expression:
    """Half the mean squared error as a tree, one term per point."""
    points = zip(batch.x.flatten().tolist(), batch.y.flatten().tolist(), strict=True)
    terms = [_squared_error(x, y) for x, y in points]
    total = terms[0]
    for term in terms[1:]:
        total = Binary("+", total, term)
    return Expression(Binary("/", total, Number(2 * len(terms))))


def _squared_error(x: float, y: float) -> Node:
    unit = Call("relu", Binary("+", Binary("*", Name("u"), Number(x)), Number(1)))
    rest = Number(max(-x, 0.0) / 2 - 1 - y)  # the other unit and the bias, which do not move, and the target
    return Binary("**", Binary("+", Binary("*", Name("v"), unit), rest), Number(2))


def loss(problem: Problem) -> Loss:
    """The losses of a problem as one `Loss` of φ = {"u": (T,), "v": (T,)}; `x` of a batch says whose is meant.

    Neighbours in a batch with the same loss are evaluated together.
    """
    heights = [task.support for task in problem.tasks] + [task.query for task in problem.tasks]

    def height(params: Params, batch: Batch) -> Tensor:
        found, first = [], 0
        for which, group in groupby(batch.x.flatten().long().tolist()):
            last = first + len(list(group))
            found.append(heights[which].evaluate({name: params[name][first:last] for name in NAMES}))
            first = last
        return torch.cat(found)

    return height


def tasks(problem: Problem, copies: int = 1) -> Tasks:
    """The batches for `loss`: every task `copies` times over, support then query."""
    count = len(problem.tasks)
    which = torch.arange(count, dtype=torch.float64).repeat_interleave(copies).view(-1, 1, 1)
    return Tasks(Batch(which, which), Batch(which + count, which), {})


def stands(problem: Problem, theta: Point) -> bool:
    """Whether every support loss has a finite value at θ.

    Where one has none, autograd may still return a slope and a curvature: log(u) becomes 1/u where u < 0 too.
    """
    start = {name: weight.expand(len(problem.tasks)) for name, weight in leaves(theta).items()}
    return bool(loss(problem)(start, tasks(problem).support).isfinite().all())


def leaves(theta: Point) -> Params:
    """θ as the engine takes it, in float64."""
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in zip(NAMES, theta, strict=True)}
