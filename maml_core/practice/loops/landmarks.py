"""Vectors that people hand to the outer optimiser, each computed by this engine on the published problem.

All are flat, (25,), float64, in the order of θ. The first is the meta-gradient, the others are what it is mistaken
for.
"""

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

from maml_core.meta.agreement import Agreement, agreement
from maml_core.meta.algorithms import MetaGradient, anil, boil, fomaml, maml, one_leap, reptile, truncated
from maml_core.meta.backward import accumulated_jacobians, stored_iterates
from maml_core.meta.curvature import products, step_jacobians
from maml_core.meta.inner import adapt
from maml_core.meta.tasks import Tasks
from maml_core.meta.trees import Params, flatten, grad, leaves, tile
from maml_core.practice.loops.problem import ALPHA, SHOTS, STEPS, nudged, published, tanh_loss

WIDTH = 2e-5  # of a difference quotient: wide enough for float64, narrow enough for the sharpest of these losses
LABELS = {
    "exact": "the meta-gradient",
    "first order": "the first-order gradient ∇L_q(φ)",
    "leak": "the first-order gradient plus (θ − φ)/α, the sum of all support gradients",
    "late leak": "the first-order gradient plus the last step's support gradient",
    "wrong order": "∇L_q(φ) times the factors I − αH in the wrong order",
    "reptile": "Reptile's (θ − φ)/α",
    "one step": "the meta-gradient of a single step of α",
    "one long step": "the meta-gradient of a single step of kα",
    "one step fewer": "the meta-gradient of k − 1 steps",
    "one step more": "the meta-gradient of k + 1 steps",
    "summed": "the meta-gradient of losses that are sums over the points, not means",
    "halved": "the meta-gradient of losses with a ½ in front",
    "support as query": "the meta-gradient of the support loss",
    "swapped": "the meta-gradient with support and query exchanged",
    "no adaptation": "∇L_q(θ), with no inner loop at all",
    "last step": "the gradient through the last inner step alone",
    "last two steps": "the gradient through the last two inner steps",
    "one leap": "the one-leap estimate (I − αH(θ)) ∇L_q(φ)",
    "anil": "ANIL's gradient, where only the last layer adapts",
    "boil": "BOIL's gradient, where all but the last layer adapts",
}


@cache
def landmarks() -> dict[str, Tensor]:
    """Every vector by its key in LABELS."""
    tasks = published().tasks
    run = partial(_gradient, theta=published().theta, tasks=tasks)
    first, way_back = run(fomaml), run(reptile)
    found = {
        "exact": run(maml),
        "first order": first,
        "leak": first + way_back,
        "late leak": first + _support_gradient(STEPS - 1),
        "wrong order": _wrong_order(first),
        "reptile": way_back,
        "one step": run(maml, inner_steps=1),
        "one long step": run(maml, inner_lr=STEPS * ALPHA, inner_steps=1),
        "support as query": run(maml, tasks=tasks._replace(query=tasks.support)),
        "no adaptation": run(maml, inner_steps=0),
        **_slips(run),
        **_shortcuts(run),
    }
    return {name: vector.detach() for name, vector in found.items()}


def _slips(run: Callable[..., Tensor]) -> dict[str, Tensor]:
    """The meta-gradient of a problem that was read a little differently. A factor on a loss is one on α, too."""
    tasks = published().tasks
    return {
        "one step fewer": run(maml, inner_steps=STEPS - 1),
        "one step more": run(maml, inner_steps=STEPS + 1),
        "summed": SHOTS * run(maml, inner_lr=SHOTS * ALPHA),
        "halved": run(maml, inner_lr=ALPHA / 2) / 2,
        "swapped": run(maml, tasks=tasks._replace(support=tasks.query, query=tasks.support)),
    }


def _shortcuts(run: Callable[..., Tensor]) -> dict[str, Tensor]:
    """Published ones, as somebody may have meant to compute them."""
    truncations = {"last step": run(truncated, last=1), "last two steps": run(truncated, last=2)}
    return truncations | {"one leap": run(one_leap), "anil": run(anil), "boil": run(boil)}


def _gradient(algorithm: Callable[..., MetaGradient], theta: Params, tasks: Tasks, **options: float) -> Tensor:
    settings = {"inner_lr": ALPHA, "inner_steps": STEPS} | options
    return flatten(algorithm(tanh_loss, theta, tasks, **settings).grads)


def _support_gradient(step: int) -> Tensor:
    """∇L_s at the φ that `step` inner steps lead to."""
    theta, tasks = leaves(published().theta), published().tasks
    phi = adapt(tanh_loss, tile(theta, 1), tasks.support, lr=ALPHA, steps=step, create_graph=False)
    return flatten(grad(tanh_loss(phi, tasks.support).sum(), phi))


def _wrong_order(query_gradient: Tensor) -> Tensor:
    """J ∇L_q where Jᵀ ∇L_q belongs."""
    theta, tasks = published().theta, published().tasks
    factors = step_jacobians(tanh_loss, tile(theta, 1), tasks.support, inner_lr=ALPHA, inner_steps=STEPS)
    return products(factors).jacobian[0] @ query_gradient


def meta_loss(theta: Params) -> float:
    """The number whose gradient the meta-gradient is: the query loss after k inner steps from θ."""
    tasks = published().tasks
    phi = adapt(tanh_loss, tile(leaves(theta), 1), tasks.support, lr=ALPHA, steps=STEPS, create_graph=False)
    return tanh_loss(phi, tasks.query).mean().item()


def difference_quotients() -> Tensor:
    r"""The meta-gradient without any derivative: 25 times a central difference with five points, error O(h⁴).

    $$f'(0) \approx \frac{8\,(f(h) - f(-h)) - (f(2h) - f(-2h))}{12\,h}$$
    """
    theta = published().theta
    directions = torch.eye(sum(leaf.numel() for leaf in theta.values()), dtype=torch.float64)
    slopes = [slope(lambda h, v=v: meta_loss(nudged(theta, v, h))) for v in directions]
    return torch.tensor(slopes, dtype=torch.float64)


def slope(f: Callable[[float], float], width: float = WIDTH) -> float:
    """f′(0) by the five-point formula above."""
    near, far = f(width) - f(-width), f(2 * width) - f(-2 * width)
    return (8 * near - far) / (12 * width)


@cache
def checked() -> Agreement:
    """The meta-gradient by four independent ways."""
    theta, tasks = published().theta, published().tasks
    rates = {"inner_lr": ALPHA, "inner_steps": STEPS}
    return agreement(
        {
            "backpropagation through the loop": landmarks()["exact"],
            "stored iterates, one HVP per step": flatten(stored_iterates(tanh_loss, theta, tasks, **rates).grads),
            "full Jacobians": flatten(accumulated_jacobians(tanh_loss, theta, tasks, **rates).grads),
            "central differences": difference_quotients(),
        }
    )
