"""What lesson 4 asks about one inner step at θ: the gain of a nudge, and the meta-gradient by independent ways."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.agreement import Agreement, agreement
from maml_core.meta.curvature import hessian, inner_jacobian
from maml_core.meta.inner import adapt
from maml_core.meta.trees import detach, flatten, grad, leaves, tile
from maml_core.plane import problems
from maml_core.plane.answers import Answer, Rates, answer
from maml_core.plane.problems import Point, Problem

ROUNDING = 1e-7  # of a gain: a bowl's coefficients have nine digits
NUDGE = 1e-5  # of the central difference: its error is of the order of its square
PART = (
    "θ, or the φ it leads to, stands on or beside a kink, where a slope to both sides is a mean of two; or the "
    "numbers are so large that rounding shows."
)


class Sharpest(NamedTuple):
    """The strongest curvature over all tasks, upwards or downwards, and what a nudge of θ along it becomes at φ.

    `fate`: one of `fate`'s words, or "not a number" where the loss or its curvature is not finite. `task`: whose.
    """

    curvature: float
    gain: float
    fate: str
    task: int


def sharpest(problem: Problem, exact: Answer, rates: Rates) -> Sharpest:
    r"""The λ of the largest |λ|, and $1 - \alpha\lambda$. Of two that are as strong, the one that curves upwards."""
    matrices = torch.tensor(exact.hessians, dtype=torch.float64)
    if not matrices.isfinite().all() or not problems.stands(problem, exact.theta):
        return Sharpest(math.nan, math.nan, "not a number", 0)
    curvatures = torch.linalg.eigvalsh(matrices).flip(-1)  # (T, 2), the upward one first
    task, place = divmod(int(curvatures.abs().argmax()), 2)
    curvature = float(curvatures[task, place])
    gain = 1 - rates.inner_lr * curvature
    return Sharpest(curvature, gain, fate(gain), task)


def fate(gain: float) -> str:
    """What multiplying by `gain` does to a nudge, as assets/landscape_maths.js has it too."""
    for exact, word in {1.0: "just as far", 0.0: "not at all", -1.0: "backwards, as far"}.items():
        if abs(gain - exact) < ROUNDING:
            return word
    side = "" if gain > 0 else "backwards, "
    return side + ("less" if abs(gain) < 1 else "more")


def ways(problem: Problem, theta: Point, rates: Rates) -> Agreement:
    r"""The meta-gradient of one inner step, by autograd through it, by its matrix, and by moving θ.

    $$\nabla_\theta \tfrac1T\sum_i L_i^q(\phi_i) = \tfrac1T\sum_i (I - \alpha H_i)^\top \nabla L_i^q(\phi_i)$$
    """
    nowhere = undefined(problem, theta, rates)
    exact = answer(problem, theta, rates, ("maml",))
    found = {
        "autograd through the step": torch.tensor(exact.arrows["maml"], dtype=torch.float64),
        "(I − αH)ᵀ times ∇L_q(φ)": _by_matrix(problem, theta, rates),
        "central difference of L_q(φ(θ))": _by_nudging(problem, theta, rates),
    }
    check = agreement(found, PART)
    return check._replace(difference=math.nan, reason=f"{nowhere} {check.reason}".strip()) if nowhere else check


def undefined(problem: Problem, theta: Point, rates: Rates) -> str:
    """The sentence about a loss that has no finite value where the inner step needs it; empty if all have one.

    Autograd does not notice: it differentiates log(u) to 1/u where u < 0 and log(u) is not a number.
    """
    loss, tasks = problems.loss(problem), problems.tasks(problem)
    start = leaves(tile(problems.leaves(theta), len(problem.tasks)))
    phi = detach(adapt(loss, start, tasks.support, lr=rates.inner_lr, steps=1, create_graph=False))
    heights = {"support loss at θ": loss(detach(start), tasks.support), "query loss at φ": loss(phi, tasks.query)}
    broken = {name: value[~value.isfinite()] for name, value in heights.items()}
    said = [f"The {name} is {_word(values)}." for name, values in broken.items() if len(values)]
    return " ".join(said) and f"{' '.join(said)} A gradient there is one of nothing, whatever autograd returns."


def _word(values: Tensor) -> str:
    return "not a number" if values.isnan().any() else "infinite in float64"


def _by_matrix(problem: Problem, theta: Point, rates: Rates) -> Tensor:
    loss, tasks = problems.loss(problem), problems.tasks(problem)
    start = leaves(tile(problems.leaves(theta), len(problem.tasks)))
    jacobian = inner_jacobian(hessian(loss, start, tasks.support), inner_lr=rates.inner_lr)
    phi = leaves(adapt(loss, start, tasks.support, lr=rates.inner_lr, steps=1, create_graph=False))
    gradient = flatten(grad(loss(phi, tasks.query).sum(), phi), batched=True)
    return torch.einsum("tji,tj->ti", jacobian, gradient).mean(0)


def _by_nudging(problem: Problem, theta: Point, rates: Rates) -> Tensor:
    nudges = [(NUDGE, 0.0), (0.0, NUDGE)]
    slopes = [
        (_height(problem, theta, n, rates) - _height(problem, theta, n, rates, -1)) / (2 * NUDGE) for n in nudges
    ]
    return torch.tensor(slopes, dtype=torch.float64)


def _height(problem: Problem, theta: Point, nudge: Point, rates: Rates, sign: int = 1) -> float:
    """The mean query loss after one inner step from a nudged θ."""
    loss, tasks = problems.loss(problem), problems.tasks(problem)
    moved = problems.leaves((theta[0] + sign * nudge[0], theta[1] + sign * nudge[1]))
    start = leaves(tile(moved, len(problem.tasks)))
    phi = adapt(loss, start, tasks.support, lr=rates.inner_lr, steps=1, create_graph=False)
    return float(loss(detach(phi), tasks.query).mean())
