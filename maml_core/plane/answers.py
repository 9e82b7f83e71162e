"""What PyTorch says at one θ of the map: every arrow by autograd through the real inner loop.

Shapes: T tasks; a point or an arrow is (u, v); a matrix is its rows.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.curvature import hessian, products, step_jacobians
from maml_core.meta.inner import adapt
from maml_core.meta.trees import detach, flatten, leaves, tile
from maml_core.plane import problems
from maml_core.plane.problems import Point, Problem

Matrix = tuple[Point, Point]
HEAD = ("v",)  # who adapts in ANIL; in BOIL the other one


class Rates(NamedTuple):
    """The numbers of the inner loop, and those that only one algorithm asks for."""

    inner_lr: float  # α
    inner_steps: int = 1  # k
    last: int = 1  # steps that the truncated one looks back
    leap_lr: float | None = None  # β of one leap; None: α
    pull: float = 2.0  # λ of iMAML
    proximal_steps: int = 16  # inner steps of iMAML, which needs more of them
    cg_steps: int = 5  # of iMAML's linear solver


class Answer(NamedTuple):
    """Everything that the map shows at one θ; infinite and undefined entries are math.nan or math.inf.

    `arrows` are the gradients, by the names of meta.algorithms.ALGORITHMS. Per task: `ends` φ, `hessians` of the
    support loss at θ, `jacobians` ∂φ/∂θ.
    """

    theta: Point
    arrows: dict[str, Point]
    ends: tuple[Point, ...]
    hessians: tuple[Matrix, ...]
    jacobians: tuple[Matrix, ...]


def answer(problem: Problem, theta: Point, rates: Rates, arrows: Sequence[str]) -> Answer:
    r"""PyTorch's own gradients at θ, by the functions that train the networks of Part III.

    $$g = \nabla_\theta \frac1T \sum_i L_i^q(\phi_i)$$

    and what each shortcut makes of it. Raises ValueError as the algorithms do; Reptile at α = 0 is not a number.
    """
    loss, tasks = problems.loss(problem), problems.tasks(problem)
    start = leaves(tile(problems.leaves(theta), len(problem.tasks)))
    end = adapt(loss, start, tasks.support, lr=rates.inner_lr, steps=rates.inner_steps, create_graph=False)
    factors = step_jacobians(loss, start, tasks.support, inner_lr=rates.inner_lr, inner_steps=rates.inner_steps)
    return Answer(
        theta=theta,
        arrows={name: gradient(problem, theta, rates, name) for name in arrows},
        ends=tuple(_points(flatten(detach(end), batched=True))),
        hessians=tuple(_matrices(hessian(loss, start, tasks.support))),
        jacobians=tuple(_matrices(products(factors).jacobian)),
    )


def gradient(problem: Problem, theta: Point, rates: Rates, name: str) -> Point:
    """One algorithm's meta-gradient at θ."""
    if name == "reptile" and rates.inner_lr == 0:
        return math.nan, math.nan
    algorithm = ALGORITHMS[name].function
    found = algorithm(problems.loss(problem), problems.leaves(theta), problems.tasks(problem), **options(name, rates))
    return float(found.grads["u"]), float(found.grads["v"])


def options(name: str, rates: Rates) -> dict[str, Any]:
    """The keyword arguments with which an algorithm of meta.algorithms is called."""
    common: dict[str, Any] = {"inner_lr": rates.inner_lr, "inner_steps": rates.inner_steps}
    return common | {
        "truncated": {"last": rates.last},
        "one-leap": {"leap_lr": rates.leap_lr},
        "anil": {"head": HEAD},
        "boil": {"head": HEAD},
        "imaml": {"inner_steps": rates.proximal_steps, "pull": rates.pull, "cg_steps": rates.cg_steps},
    }.get(name, {})


def _points(rows: Tensor) -> list[Point]:
    return [(u, v) for u, v in rows.tolist()]


def _matrices(stack: Tensor) -> list[Matrix]:
    return [((a, b), (c, d)) for (a, b), (c, d) in stack.tolist()]
