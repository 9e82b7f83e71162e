r"""How far a nudge of θ reaches after k steps: the singular values of the product of the factors.

$$\sigma_{\min}(J) \le \frac{\lVert J u\rVert}{\lVert u\rVert} \le \sigma_{\max}(J)
  \le \prod_{j<k} \max_i \lvert 1 - \alpha\lambda_i(H_j)\rvert, \qquad J = \partial\phi_k/\partial\theta$$

The same numbers bound what the walk back does to $\nabla L_q$, because transposing changes none of them.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.inner import descend
from maml_core.meta.k_steps import Path, Setting, hessians, problem, products_so_far, repeated
from maml_core.meta.trees import Params, flatten, grad, leaves, tile

RATES = 25
HIGHEST_RATE = 0.2


class Stretch(NamedTuple):
    """What J does to lengths after so many steps. `bound`: the product of the factors' own largest gains."""

    steps: int
    largest: float
    middle: float  # the median
    smallest: float
    bound: float


class RateStretch(NamedTuple):
    """The same for one inner_lr after all steps; NaN where the inner loop left float64."""

    inner_lr: float
    largest: float
    smallest: float


def stretches(path: Path) -> tuple[Stretch, ...]:
    """For k = 1 … m, the singular values of $J$ at their largest, middle and smallest."""
    values = torch.linalg.svdvals(products_so_far(path.factors))  # (m, n), descending
    bounds = torch.linalg.eigvalsh(path.factors).abs().amax(-1).cumprod(0)
    rows = zip(values[:, 0], values.median(-1).values, values[:, -1], bounds, strict=True)
    return tuple(Stretch(k, *map(float, row)) for k, row in enumerate(rows, 1))


def rate_sweep(setting: Setting, steps: int) -> tuple[RateStretch, ...]:
    """J's largest and smallest singular value after `steps` steps, for rates from 0 to `HIGHEST_RATE`."""
    rates = torch.linspace(0, HIGHEST_RATE, RATES, dtype=torch.float64)
    jacobians = _jacobians(setting, rates, steps)
    finite = jacobians.flatten(1).isfinite().all(-1)
    values = torch.full((RATES, jacobians.shape[-1]), math.nan, dtype=rates.dtype)
    values[finite] = torch.linalg.svdvals(jacobians[finite])
    return tuple(
        RateStretch(float(rate), float(row[0]), float(row[-1])) for rate, row in zip(rates, values, strict=True)
    )


def _jacobians(setting: Setting, rates: Tensor, steps: int) -> Tensor:
    """∂φ/∂θ at the end of the inner loop, for every rate: each rate is a task to the loss."""
    loss, theta, tasks = problem(setting)
    support = repeated(tasks.support, len(rates))
    phi = leaves(tile(theta, len(rates)))
    jacobian = torch.eye(flatten(theta).numel(), dtype=rates.dtype).expand(len(rates), -1, -1)
    for _ in range(steps):
        bend = hessians(loss, flatten(phi, batched=True).detach(), theta, tasks.support)
        jacobian = jacobian - rates[:, None, None] * (bend @ jacobian)
        slope = grad(loss(phi, support).sum(), phi)
        phi = leaves(descend(phi, _per_leaf(phi, rates), slope))
    return jacobian


def _per_leaf(phi: Params, rates: Tensor) -> dict[str, Tensor | float]:
    return {name: rates.view(-1, *[1] * (leaf.ndim - 1)) for name, leaf in phi.items()}
