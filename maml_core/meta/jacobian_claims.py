"""Claims 16, 23 and 24, from the page "interactive-maml": each put to the test by a program of a few lines.

All run on a 1-8-1 ReLU network, whose 25 weights adapt to sinusoids by one step of gradient descent, in float64.
"""

import math

import torch
from torch import Tensor

from maml_core.claims import Claim
from maml_core.meta.agreement import relative_difference
from maml_core.meta.algorithms import maml
from maml_core.meta.curvature import hessian, inner_jacobian
from maml_core.meta.inner import adapt
from maml_core.meta.models import Loss, mlp, mlp_loss
from maml_core.meta.tasks import Batch, Tasks, sinusoids
from maml_core.meta.trees import Params, add_scaled, detach, dot, flatten, grad, leaves, tile
from maml_core.numerals import numeral

ALPHA = 0.01
ROUNDING = 1e-9  # relative; a central difference gets a thousand times more


def network() -> Params:
    return mlp((1, 8, 1), seed=0, dtype=torch.float64, initialisation="he")


def adapted(loss: Loss, theta: Params, support: Batch, *, create_graph: bool = False) -> Params:
    """φ after one inner step from θ, one per task."""
    phi = tile(theta, len(support.x))
    return adapt(loss, phi, support, lr=ALPHA, steps=1, create_graph=create_graph)


def claim_16() -> Claim:
    """One inner step's Jacobian, row by row from autograd, against the formula."""
    theta, support = leaves(network()), sinusoids(1, 10, seed=0, dtype=torch.float64).support
    phi = flatten(adapted(mlp_loss, theta, support, create_graph=True))
    by_autograd = torch.stack([flatten(grad(weight, theta, retain_graph=True)) for weight in phi])
    by_formula = inner_jacobian(hessian(mlp_loss, tile(theta, 1), support)[0], inner_lr=ALPHA)
    apart = relative_difference([by_autograd.flatten().tolist(), by_formula.detach().flatten().tolist()])
    stretch = float(torch.linalg.matrix_norm(by_autograd - torch.eye(len(phi)), ord=2))
    return Claim(
        16,
        "true" if apart <= ROUNDING else "false",
        f"All {len(phi)}² entries that autograd finds through the step agree with I − αH to "
        f"{numeral(apart, 2)}; and that matrix is not I: some nudge it changes by {numeral(stretch, 3)} of its "
        "length.",
    )


def claim_23() -> Claim:
    """What is the objective, and what is its gradient?"""
    theta, tasks = network(), sinusoids(25, 10, seed=0, dtype=torch.float64)
    objective, gradient, slope, along = _objective(mlp_loss, theta, tasks)
    size = sum(leaf.numel() for leaf in gradient.values())
    same = size == 1 and math.isclose(objective, float(flatten(gradient)), rel_tol=ROUNDING)
    return Claim(
        23,
        "true" if same else "false" if math.isclose(slope, along, rel_tol=1e3 * ROUNDING) else "half",
        f"The objective is E[L], here the number {numeral(objective, 4)}. E[∇L] has {size} entries and is its "
        f"gradient: E[L] rises by {numeral(slope, 6)} per unit along (1, 1, …, 1), and E[∇L] times that direction is "
        f"{numeral(along, 6)}.",
    )


def _objective(loss: Loss, theta: Params, tasks: Tasks) -> tuple[float, Params, float, float]:
    """E[L_q(φ)]; E[∇L_q(φ)]; the slope of the first along (1, 1, …) by moving θ; the second times (1, 1, …)."""
    gradient = maml(loss, theta, tasks, inner_lr=ALPHA, inner_steps=1).grads
    ones = {name: torch.ones_like(leaf) for name, leaf in theta.items()}

    def height(step: float) -> Tensor:
        phi = detach(adapted(loss, leaves(add_scaled(theta, step, ones)), tasks.support))
        return loss(phi, tasks.query).mean()

    slope = (height(1e-6) - height(-1e-6)) / 2e-6
    return float(height(0.0)), gradient, float(slope), float(dot(gradient, ones))


def claim_24() -> Claim:
    """One rule for two tasks; what happens when they swap their support sets?"""
    theta, support = leaves(network()), sinusoids(2, 10, seed=0, dtype=torch.float64).support
    swapped = Batch(support.x.flip(0), support.y.flip(0))
    first, second = flatten(detach(adapted(mlp_loss, theta, support)), batched=True)
    first_swapped, _ = flatten(detach(adapted(mlp_loss, theta, swapped)), batched=True)
    apart, left = float((first - second).norm()), float((first_swapped - second).norm())
    return Claim(
        24,
        "true" if apart == 0 else "half" if left <= ROUNDING * apart else "false",
        "The rule is one and the same function, but it is given the task's support set: from one θ, two tasks go to "
        f"φ that are {numeral(apart, 3)} apart. With the other's support set, the first goes where the second went: "
        f"the distance is {numeral(left, 2)}.",
    )
