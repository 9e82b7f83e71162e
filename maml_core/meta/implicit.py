"""iMAML under the lamp: two residuals that ought to be zero, and what each does to the direction of the gradient.

A smooth network is looked at, tanh instead of ReLU, because the implicit function theorem needs smoothness: with
ReLU the minimum of the proximal loss likes to stand on a kink, and the residual there stays. The lab shows both.
Shapes: T tasks, n weights; flat vectors are (T, n).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.agreement import angle
from maml_core.meta.algorithms import maml
from maml_core.meta.curvature import hvp_operator, spectrum
from maml_core.meta.inner import iterates
from maml_core.meta.models import Loss, mlp, mlp_forward, mlp_loss, squared_error
from maml_core.meta.solvers import conjugate_gradient
from maml_core.meta.starts import problem
from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import Params, add_scaled, detach, flatten, grad, leaves, tile, unflatten

SIZES = (1, 16, 16, 1)
INNER_LR = 0.01
TASKS = 4
STOPS = (1, 2, 4, 8, 16, 32, 64, 128)  # inner steps after which the descent is looked at
CG_STEPS = (1, 2, 5, 10, 20)
SOLVED = 1e-8  # of a residual, against its size at θ: below it, the equation counts as solved
NEWTON_STEPS, NEWTON_CG = 12, 80

smooth_loss: Loss = squared_error(lambda params, x: mlp_forward(params, x, activation=torch.tanh))


class Stop(NamedTuple):
    """After so many inner steps. Residuals are means over the tasks, relative to ‖∇L_s(θ)‖."""

    steps: int
    residual: float  # of the smooth network
    residual_relu: float  # of the ReLU network with the same weights
    degrees: tuple[float, ...]  # to the exact implicit gradient, for each of CG_STEPS
    solver_residuals: tuple[float, ...]  # relative, for each of CG_STEPS
    to_maml: float  # degrees between the gradient after the most CG steps and MAML's through as many inner steps


class Lab(NamedTuple):
    """The stops, and what is exact."""

    stops: tuple[Stop, ...]
    exact_residual: float  # of the inner problem at the point that counts as exact, relative as in Stop
    exact_solver_residual: float
    lowest: (
        float  # the smallest 1 + μ/λ over the tasks, μ the eigenvalues of H where the search ended; ≤ 0: no minimum
    )
    solved: bool  # whether a minimum was reached; without one there is no exact implicit gradient, and no angle to it


def lab(pull: float, *, seed: int) -> Lab:
    r"""Both residuals at growing effort, and the angle to the exact implicit gradient.

    $$r_\text{inner} = \lVert\nabla L_s(\phi) + \lambda(\phi - \theta)\rVert, \qquad
      r_\text{solver} = \lVert (I + H/\lambda)\,x - \nabla L_q(\phi)\rVert / \lVert\nabla L_q(\phi)\rVert$$

    Rajeswaran et al. (2019), https://arxiv.org/abs/1909.04630. Raises ValueError for a pull that is not positive.
    """
    if pull <= 0:
        raise ValueError(f"pull (λ) must be positive, not {pull}.")
    tasks = problem("he", seed=seed, tasks=TASKS).tasks
    start = tile(mlp(SIZES, seed=seed, initialisation="he", dtype=torch.float64), TASKS)
    smooth, relu = (list(descent(loss, start, tasks.support, pull)) for loss in (smooth_loss, mlp_loss))
    best = newton(smooth_loss, smooth[-1], start, tasks.support, pull)
    solved = implicit(smooth_loss, best, tasks, pull, (NEWTON_CG,))[0]
    left = residual(smooth_loss, best, start, tasks.support, pull)
    end = best if left <= SOLVED else smooth[-1]  # where Newton's method runs away, look at the end of the descent
    lowest = 1 + float(spectrum(smooth_loss, end, tasks.support, steps=40)[:, 0].min()) / pull
    reached = max(left, solved.residual) <= SOLVED and lowest > 0
    exact = _Exact(solved.vector if reached else solved.vector * math.nan, start, tasks, pull)
    stops = tuple(_stop(exact, *stop) for stop in zip(STOPS, smooth, relu, strict=True))
    return Lab(stops, left, solved.residual, lowest, reached)


class _Exact(NamedTuple):
    """What every stop is compared with, and the problem that it is a stop of."""

    vector: Tensor  # (n,)
    start: Params
    tasks: Tasks
    pull: float


class Solved(NamedTuple):
    """The implicit gradient of the mean over the tasks, (n,), and the mean relative residual of its linear solve."""

    vector: Tensor
    residual: float


def _stop(exact: _Exact, steps: int, phi: Params, phi_relu: Params) -> Stop:
    found = implicit(smooth_loss, phi, exact.tasks, exact.pull, CG_STEPS)
    theta = {name: leaf[0] for name, leaf in exact.start.items()}
    unrolled = maml(smooth_loss, theta, exact.tasks, inner_lr=INNER_LR, inner_steps=steps)
    where = exact.start, exact.tasks.support, exact.pull
    return Stop(
        steps,
        residual(smooth_loss, phi, *where),
        residual(mlp_loss, phi_relu, *where),
        tuple(_angle(one.vector, exact.vector) for one in found),
        tuple(one.residual for one in found),
        _angle(found[-1].vector, flatten(unrolled.grads)),
    )


def _angle(a: Tensor, b: Tensor) -> float:
    return angle(a, b) if a.isfinite().all() and b.isfinite().all() else math.nan


def descent(loss: Loss, start: Params, support: Batch, pull: float) -> list[Params]:
    """φ at each of STOPS along the very descent that iMAML makes: on the proximal loss, its rate shortened."""

    def proximal(params: Params, batch: Batch) -> Tensor:
        away = flatten(add_scaled(params, -1.0, start), batched=True)
        return loss(params, batch) + pull / 2 * away.square().sum(-1)

    lr = INNER_LR / (1 + INNER_LR * pull)
    path = iterates(proximal, leaves(start), support, lr=lr, steps=STOPS[-1], create_graph=False)
    return [detach(phi) for step, phi in enumerate(path) if step in STOPS]


def _slope(loss: Loss, phi: Params, start: Params, support: Batch, pull: float) -> Tensor:
    """∇L_s(φ) + λ(φ − θ), which is zero at the proximal minimum: (T, n)."""
    at = leaves(phi)
    slope = flatten(grad(loss(at, support).sum(), at), batched=True)
    return slope + pull * flatten(add_scaled(detach(phi), -1.0, start), batched=True)


def residual(loss: Loss, phi: Params, start: Params, support: Batch, pull: float) -> float:
    """How large that slope still is, relative to its size at θ; the mean over the tasks."""
    left = _slope(loss, phi, start, support, pull).norm(dim=-1)
    return float((left / _slope(loss, start, start, support, pull).norm(dim=-1)).mean())


def newton(loss: Loss, phi: Params, start: Params, support: Batch, pull: float) -> Params:
    r"""The last digits of the proximal minimum: $$\phi \leftarrow \phi - (H + \lambda I)^{-1} \nabla$$"""
    for _ in range(NEWTON_STEPS):
        if residual(loss, phi, start, support, pull) < SOLVED / 1e4:
            break
        h, slope = hvp_operator(loss, phi, support), _slope(loss, phi, start, support, pull)
        step = conjugate_gradient(lambda v, h=h: h(v) + pull * v, slope, steps=NEWTON_CG)
        phi = add_scaled(detach(phi), -1.0, unflatten(step.x, phi))
    return phi


def implicit(loss: Loss, phi: Params, tasks: Tasks, pull: float, cg_steps: Sequence[int]) -> list[Solved]:
    r"""$$\tfrac1T\sum_i (I + H_i/\lambda)^{-1} \nabla L_i^q(\phi_i)$$ after each number of CG steps."""
    phi = leaves(phi)
    b = flatten(grad(loss(phi, tasks.query).sum(), phi), batched=True)
    h = hvp_operator(loss, phi, tasks.support)
    solutions = (conjugate_gradient(lambda v: v + h(v) / pull, b, steps=steps) for steps in cg_steps)
    return [Solved(solution.x.mean(0), float(solution.residual.mean())) for solution in solutions]
