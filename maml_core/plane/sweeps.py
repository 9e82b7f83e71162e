"""α swept through 1/λ and 2/λ: what the step does to a nudge, and what dropping J costs."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.curvature import hessian
from maml_core.meta.inner import adapt
from maml_core.meta.trees import flatten, grad, leaves, tile
from maml_core.plane import problems
from maml_core.plane.problems import Point, Problem

POINTS = 201


class Gain(NamedTuple):
    """1 − αλ for every α of the sweep, of one direction of one task."""

    name: str
    curvature: float
    values: tuple[float, ...]


class Sweep(NamedTuple):
    """One inner step from one θ, for many α. `angle` (degrees, 0 to 180) and `ratio` compare FOMAML with MAML.

    Where one of the two is 0, there is no angle: NaN. Where the support loss at θ, φ, the curvature or a gradient is
    not finite, there is nothing to compare: both are NaN, although autograd may return a finite slope.
    `sharpest` is the largest curvature, `whose` the name of its task: empty if there is only one.
    """

    alphas: tuple[float, ...]
    gains: tuple[Gain, ...]
    angle: tuple[float, ...]
    ratio: tuple[float, ...]
    sharpest: float
    whose: str


def sweep(problem: Problem, theta: Point, most: float = 1.0) -> Sweep:
    r"""For α from 0 to `most`: $$1 - \alpha\lambda_j, \qquad \angle(\nabla L_q(\phi), J^\top\nabla L_q(\phi))$$

    All α at once: each is a copy of the task with its own rate.
    """
    alphas = torch.linspace(0, most, POINTS, dtype=torch.float64)
    exact, first_order = (_gradients(problem, theta, alphas, create_graph=flag) for flag in (True, False))
    loss, tasks = problems.loss(problem), problems.tasks(problem)
    curvatures = hessian(loss, tile(problems.leaves(theta), len(problem.tasks)), tasks.support)
    curvatures = curvatures if problems.stands(problem, theta) else curvatures * math.nan
    values = _eigenvalues(curvatures)
    return Sweep(
        tuple(alphas.tolist()),
        tuple(
            Gain(f"1 − αλ{'₁₂'[j]}{task.name and f', task {task.name}'}", value, tuple((1 - alphas * value).tolist()))
            for task, pair in zip(problem.tasks, values, strict=True)
            for j, value in enumerate(pair)
        ),
        *_compared(first_order, exact if curvatures.isfinite().all() else exact * math.nan),
        *max((pair[0], task.name) for pair, task in zip(values, problem.tasks, strict=True)),
    )


def _gradients(problem: Problem, theta: Point, alphas: Tensor, *, create_graph: bool) -> Tensor:
    """MAML's meta-gradient, or FOMAML's, for every α: (α, 2); NaN where a task's φ is not finite."""
    count = len(problem.tasks)
    loss, tasks = problems.loss(problem), problems.tasks(problem, len(alphas))
    rates = alphas.repeat(count)
    start = leaves(tile(problems.leaves(theta), count * len(alphas)))
    phi = adapt(loss, start, tasks.support, lr=dict.fromkeys(start, rates), steps=1, create_graph=create_graph)
    gradient = flatten(grad(loss(phi, tasks.query).sum(), start), batched=True)
    arrived = flatten(phi, batched=True).isfinite().view(count, len(alphas), 2).all(-1).all(0)
    return gradient.view(count, len(alphas), 2).mean(0).where(arrived[:, None], torch.nan)


def _eigenvalues(matrices: Tensor) -> list[tuple[float, float]]:
    """The larger one first."""
    if not matrices.isfinite().all():
        return [(math.nan, math.nan)] * len(matrices)
    return [(float(pair[1]), float(pair[0])) for pair in torch.linalg.eigvalsh(matrices)]


def _compared(a: Tensor, b: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Degrees between the rows of two matrices of vectors, and how many times as long a's are; NaN if not finite.

    The rows are scaled first: products of huge finite entries overflow.
    """
    sizes = [x.abs().amax(-1, keepdim=True) for x in (a, b)]
    a, b = (x / size.where(size > 0, 1) for x, size in zip((a, b), sizes, strict=True))
    cross, along = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(-1)
    some = (a.norm(dim=-1) > 0) & (b.norm(dim=-1) > 0)
    ratio = a.norm(dim=-1) / b.norm(dim=-1) * (sizes[0] / sizes[1])[:, 0]
    angle = torch.atan2(cross, along).rad2deg().abs().where(some, torch.nan)
    return tuple(angle.tolist()), tuple(ratio.tolist())
