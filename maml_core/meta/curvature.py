"""Curvature of the support loss: what the inner loop bends, and by how much.

Shapes: T tasks, n weights. Every function takes one φ per task, leaves (T, ...): for θ itself,
`tile(theta, T)`. Flat vectors are (T, n), in the order of `trees.flatten`.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.inner import iterates
from maml_core.meta.models import Loss
from maml_core.meta.solvers import Operator, ritz_values
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params, dot, flatten, grad, leaves, unflatten

MOST_WEIGHTS = 4096  # a dense Hessian of so many weights takes 128 MiB in float64


class Products(NamedTuple):
    """The k factors I − αH multiplied in both orders. They do not commute, so the two differ."""

    jacobian: Tensor  # (T, n, n): ∂φ_k/∂θ, the last step's factor on the left
    transposed: Tensor  # (T, n, n): its transpose, the first step's factor on the left: multiplies ∇L_q


def hvp_operator(loss: Loss, phi: Params, batch: Batch) -> Operator:
    r"""A function v ↦ Hv on flat vectors, (T, n) -> (T, n), with each task's own Hessian at its own φ.

    $$H v = \nabla_\phi \langle \nabla \mathcal L(\phi), v\rangle$$

    The gradient's graph is built once and walked once per product; the matrix never exists.
    Pearlmutter (1994). https://doi.org/10.1162/neco.1994.6.1.147
    """
    phi = leaves(phi)
    gradient = grad(loss(phi, batch).sum(), phi, create_graph=True)

    def product(vector: Tensor) -> Tensor:
        return flatten(grad(dot(gradient, unflatten(vector, phi)), phi, retain_graph=True), batched=True)

    return product


def hvp(loss: Loss, phi: Params, batch: Batch, v: Params) -> Params:
    r"""One Hessian-vector product of every task, shaped like φ: $$H_i v_i$$ with $H_i$ at $\phi_i$."""
    return unflatten(hvp_operator(loss, phi, batch)(flatten(v, batched=True)), phi)


def hessian(loss: Loss, phi: Params, batch: Batch) -> Tensor:
    r"""The Hessians in full, (T, n, n), one Hessian-vector product per column.

    $$H_{jk} = \partial^2 \mathcal L / \partial\phi_j\,\partial\phi_k$$

    Raises ValueError above `MOST_WEIGHTS` weights.
    """
    start = flatten(phi, batched=True)
    n = start.shape[-1]
    if n > MOST_WEIGHTS:
        raise ValueError(f"A full Hessian is for at most {MOST_WEIGHTS} weights, not {n}: use hvp or spectrum.")
    product = hvp_operator(loss, phi, batch)
    columns = [product(unit.expand_as(start)) for unit in torch.eye(n, dtype=start.dtype, device=start.device)]
    return torch.stack(columns, dim=-1)


def inner_jacobian(hessian: Tensor, *, inner_lr: float) -> Tensor:
    r"""What one inner step does to a nudge of its start: (T, n, n), or (n, n) for one Hessian.

    $$J = \frac{\partial\phi_{k+1}}{\partial\phi_k} = I - \alpha H(\phi_k)$$

    Its eigenvalues, the gains, are 1 − αλ. Finn, Abbeel & Levine (2017), https://arxiv.org/abs/1703.03400
    """
    return torch.eye(hessian.shape[-1], dtype=hessian.dtype, device=hessian.device) - inner_lr * hessian


def step_jacobians(loss: Loss, phi: Params, support: Batch, *, inner_lr: float, inner_steps: int) -> Tensor:
    """The factor I − αH of each inner step, first to last: (k, T, n, n).

    Raises ValueError for fewer than 1 inner step, as then ∂φ/∂θ has no factors, and for more than
    `MOST_WEIGHTS` weights.
    """
    if inner_steps < 1:
        raise ValueError(f"inner_steps must be 1 or more to have a Jacobian per step, not {inner_steps}.")
    stops = iterates(loss, leaves(phi), support, lr=inner_lr, steps=inner_steps - 1, create_graph=False)
    return torch.stack([inner_jacobian(hessian(loss, stop, support), inner_lr=inner_lr) for stop in stops])


def products(factors: Tensor) -> Products:
    r"""The k-step Jacobian from its factors (k, T, n, n), in both orders.

    $$\frac{\partial\phi_k}{\partial\theta} = (I - \alpha H_{k-1}) \cdots (I - \alpha H_0), \qquad
      g = (I - \alpha H_0) \cdots (I - \alpha H_{k-1})\, \nabla\mathcal L^q(\phi_k)$$

    The meta-gradient g needs the second one.
    """
    jacobian = transposed = factors[0]
    for factor in factors[1:]:
        jacobian, transposed = factor @ jacobian, transposed @ factor
    return Products(jacobian, transposed)


def spectrum(loss: Loss, phi: Params, batch: Batch, *, steps: int = 30) -> Tensor:
    """Approximate eigenvalues of every task's Hessian, ascending: (T, m), m = min(`steps`, n), by `lanczos`.

    The outermost converge first; with `steps` ≥ n all of them are exact, to rounding.
    """
    return ritz_values(hvp_operator(loss, phi, batch), flatten(phi, batched=True), steps=steps)


def scaled_sharpness(loss: Loss, phi: Params, batch: Batch, *, inner_lr: float, steps: int = 30) -> Tensor:
    r"""The largest curvature of every task in units of the step, (T,): above 2 the inner loop overshoots.

    $$\alpha\,\lambda_{\max}(H)$$

    The gain 1 − αλ is then below −1: on a quadratic, each step lands further away than the one before.
    """
    return inner_lr * spectrum(loss, phi, batch, steps=steps)[:, -1]
