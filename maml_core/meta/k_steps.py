r"""An inner loop of k steps with the factor of each, and the tasks on which lesson 5 walks it.

$$\frac{\partial\phi_k}{\partial\theta} = (I - \alpha H_{k-1}) \cdots (I - \alpha H_0)$$

One task, so that a picture can show its matrices; the meta-gradient of several is the mean of theirs. Shapes: n
weights, m steps that stayed finite. Everything is float64, and comes from one walk of `MOST_STEPS` steps.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.bowls import bowl_loss, bowls
from maml_core.meta.curvature import hvp_operator
from maml_core.meta.inner import iterates
from maml_core.meta.models import Loss, mlp, mlp_forward, mlp_loss, squared_error
from maml_core.meta.sampling import LARGEST, normal
from maml_core.meta.tasks import Batch, Tasks, sinusoids
from maml_core.meta.trees import Params, flatten, grad, leaves, tile, unflatten

FAMILIES = ("tanh", "ReLU", "bowl")
MOST_STEPS, SHOTS = 20, 10
FLATTEST, SHARPEST = 0.5, 12.0  # the ends of the bowl's spectrum
tanh_loss = squared_error(lambda params, x: mlp_forward(params, x, activation=torch.tanh))


class Setting(NamedTuple):
    """What the reader has chosen. `width`: of both hidden layers, or the dimensions of the bowl."""

    family: str
    inner_lr: float
    width: int
    seed: int


class Problem(NamedTuple):
    """One task and where its inner loop starts."""

    loss: Loss
    theta: Params
    tasks: Tasks


class Path(NamedTuple):
    """An inner loop as it was walked. It ends early where a number leaves float64."""

    stops: Tensor  # (m + 1, n): φ_0 … φ_m
    factors: Tensor  # (m, n, n): I − αH_j
    slopes: Tensor  # (m + 1, n): ∇L_q at every stop
    losses: Tensor  # (m + 1, 2): support and query


def problem(setting: Setting) -> Problem:
    """The task of a setting. Raises ValueError for a family that is not in `FAMILIES`, or an impossible width."""
    family, _, width, seed = setting
    if family not in FAMILIES:
        raise ValueError(f"The family must be one of {', '.join(FAMILIES)}, not {family!r}.")
    if family == "bowl":
        spectrum = tuple(torch.linspace(FLATTEST, SHARPEST, width, dtype=torch.float64).tolist())
        point = normal(seed, LARGEST, torch.arange(width))
        return Problem(bowl_loss, {"point": point}, bowls(1, spectrum, seed=seed, gap=1.0))
    theta = mlp((1, width, width, 1), seed=seed, initialisation="he", dtype=torch.float64)
    tasks = sinusoids(1, SHOTS, seed=seed, dtype=torch.float64)
    return Problem(tanh_loss if family == FAMILIES[0] else mlp_loss, theta, tasks)


def hessians(loss: Loss, stops: Tensor, like: Params, batch: Batch) -> Tensor:
    """The Hessians at several points (m, n) of one task, (m, n, n), by one Hessian-vector product.

    Every row of every Hessian is a task of its own to the loss, which takes many tasks at the price of few.
    """
    m, n = stops.shape
    points = unflatten(stops.repeat_interleave(n, 0), tile(like, m * n))
    product = hvp_operator(loss, points, repeated(batch, m * n))
    return product(torch.eye(n, dtype=stops.dtype).repeat(m, 1)).view(m, n, n)


def repeated(batch: Batch, tasks: int) -> Batch:
    """One task's batch for so many tasks."""
    return Batch(batch.x.expand(tasks, -1, -1), batch.y.expand(tasks, -1, -1))


def walk(setting: Setting) -> Path:
    """The inner loop of a setting, with its factors, as far as float64 holds them."""
    loss, theta, tasks = problem(setting)
    start = leaves(tile(theta, 1))
    ahead = iterates(loss, start, tasks.support, lr=setting.inner_lr, steps=MOST_STEPS, create_graph=False)
    stops = torch.cat([flatten(stop, batched=True).detach() for stop in ahead])
    bend = hessians(loss, stops[:-1], theta, tasks.support)
    factors = torch.eye(stops.shape[-1], dtype=stops.dtype) - setting.inner_lr * bend
    phi = leaves(unflatten(stops, tile(theta, len(stops))))
    query = loss(phi, repeated(tasks.query, len(stops)))
    slopes = flatten(grad(query.sum(), phi), batched=True)
    losses = torch.stack([loss(phi, repeated(tasks.support, len(stops))), query], dim=-1).detach()
    steps = _finite_steps(products_so_far(factors), slopes[1:], losses[1:])
    return Path(stops[: steps + 1], factors[:steps], slopes[: steps + 1], losses[: steps + 1])


def products_so_far(factors: Tensor) -> Tensor:
    r"""$\partial\phi_k / \partial\theta$ for k = 1 … m, from the factors (m, n, n): as many matrices."""
    found = factors.clone()
    for k in range(1, len(factors)):
        found[k] = factors[k] @ found[k - 1]
    return found


def _finite_steps(*rows: Tensor) -> int:
    """How many first rows are finite in all of these."""
    finite = torch.stack([row.flatten(1).isfinite().all(-1) for row in rows]).all(0)
    return int(finite.int().cumprod(0).sum())
