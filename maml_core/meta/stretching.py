r"""How far a nudge of θ reaches after k steps: the singular values of the product of the factors.

$$\sigma_{\min}(J) \le \frac{\lVert J u\rVert}{\lVert u\rVert} \le \sigma_{\max}(J)
  \le \prod_{j<k} \max_i \lvert 1 - \alpha\lambda_i(H_j)\rvert, \qquad J = \partial\phi_k/\partial\theta$$

The same numbers bound what the walk back does to $\nabla L_q$, because transposing changes none of them.

What the formed product says of its smallest singular value is lost below $\varepsilon\,\sigma_{\max}$. It is read off
the product of the inverses instead: $\sigma_{\min}(J) = 1 / \sigma_{\max}(F_0^{-1} \cdots F_{k-1}^{-1})$.
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
ENLARGED = 1e12  # times a float64's own rounding: what is left is less than four digits


class Stretch(NamedTuple):
    """What J does to lengths after so many steps. `bound`: the product of the factors' own largest gains.

    `smallest` is 0 from a step on whose factor is singular up to rounding; `middle` is NaN where all is rounding.
    """

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
    inverses, singular = _inverses(path.factors)
    values = torch.linalg.svdvals(products_so_far(path.factors))  # (m, n), descending
    reciprocals = torch.linalg.svdvals(products_so_far(inverses.mT)).reciprocal().flip(-1)  # of J's, descending
    smallest = reciprocals[:, -1].masked_fill(singular.cummax(0).values, 0.0)
    bounds = torch.linalg.eigvalsh(path.factors).abs().amax(-1).cumprod(0)
    rows = zip(values[:, 0], _middle(values, reciprocals, smallest), smallest, bounds, strict=True)
    return tuple(Stretch(k, *map(float, row)) for k, row in enumerate(rows, 1))


def _middle(values: Tensor, reciprocals: Tensor, smallest: Tensor) -> Tensor:
    """The median from the product to which it is nearer to being the largest, NaN where neither has digits of it."""
    largest, one, other = values[:, 0], values.median(-1).values, reciprocals.median(-1).values
    lost, lost_too = largest / one, other / smallest  # how many times rounding is enlarged
    middle = torch.where(lost <= lost_too, one, other)
    return middle.masked_fill(torch.minimum(lost, lost_too) > ENLARGED, math.nan)


def _inverses(factors: Tensor) -> tuple[Tensor, Tensor]:
    """The inverses of (…, n, n), and which have none up to rounding; the identity stands in for those."""
    identity = torch.eye(factors.shape[-1], dtype=factors.dtype)
    finite = factors.isfinite().all(-1).all(-1)
    safe = torch.where(finite[..., None, None], factors, identity)
    inverses = torch.linalg.inv_ex(safe).inverse
    conditions = inverses.abs().sum(-1).amax(-1) * safe.abs().sum(-1).amax(-1)
    singular = ~(conditions < 1 / torch.finfo(factors.dtype).eps / factors.shape[-1])
    return torch.where(singular[..., None, None], identity, inverses), singular


def rate_sweep(setting: Setting, steps: int) -> tuple[RateStretch, ...]:
    """J's largest and smallest singular value after `steps` steps, for rates from 0 to `HIGHEST_RATE`."""
    rates = torch.linspace(0, HIGHEST_RATE, RATES, dtype=torch.float64)
    forward, backward, singular = _products(setting, rates, steps)
    finite = (forward + backward).flatten(1).isfinite().all(-1)
    ends = torch.full((2, RATES), math.nan, dtype=rates.dtype)
    ends[0, finite] = torch.linalg.matrix_norm(forward[finite], 2)
    ends[1, finite] = torch.linalg.matrix_norm(backward[finite], 2).reciprocal()
    ends[1, finite & singular] = 0.0
    return tuple(RateStretch(*map(float, row)) for row in zip(rates, *ends, strict=True))


def _products(setting: Setting, rates: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """∂φ/∂θ at the end of the inner loop and its inverse, transposed, for every rate; and which have none.

    Each rate is a task to the loss.
    """
    loss, theta, tasks = problem(setting)
    support = repeated(tasks.support, len(rates))
    phi = leaves(tile(theta, len(rates)))
    identity = torch.eye(flatten(theta).numel(), dtype=rates.dtype)
    forward = backward = identity.expand(len(rates), -1, -1)
    lost = torch.zeros(len(rates), dtype=torch.bool)
    for _ in range(steps):
        bend = hessians(loss, flatten(phi, batched=True).detach(), theta, tasks.support)
        inverses, singular = _inverses(identity - rates[:, None, None] * bend)
        forward = forward - rates[:, None, None] * (bend @ forward)
        backward, lost = inverses.mT @ backward, lost | singular
        slope = grad(loss(phi, support).sum(), phi)
        phi = leaves(descend(phi, _per_leaf(phi, rates), slope))
    return forward, backward, lost


def _per_leaf(phi: Params, rates: Tensor) -> dict[str, Tensor | float]:
    return {name: rates.view(-1, *[1] * (leaf.ndim - 1)) for name, leaf in phi.items()}
