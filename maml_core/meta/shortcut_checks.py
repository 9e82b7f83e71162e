"""The agreement lines of lesson 6: the exact meta-gradient by independent ways; one leap against MAML at k = 1."""

from dataclasses import replace

import torch
from torch import Tensor

from maml_core.meta.agreement import Agreement, agreement
from maml_core.meta.backward import stored_iterates
from maml_core.meta.inner import adapt
from maml_core.meta.models import mlp_loss
from maml_core.meta.shortcuts import Setting, meta_gradient, vector
from maml_core.meta.starts import Problem
from maml_core.meta.trees import Params, add_scaled, dot, leaves, norm, tile

NUDGE = 1e-8  # of θ, along a direction of length 1: short, as ReLU has kinks close by
WHY = (
    "A central difference asks both neighbours of θ. Between them a ReLU switches on some task, or the inner loop "
    "overflows; a loop that overshoots tears neighbours apart and makes both likely."
)


def exact_ways(setting: Setting, where: Problem) -> Agreement:
    r"""MAML's meta-gradient by autograd, by the product of Jacobians, and by central differences.

    Seen as its slopes along one direction per leaf of θ, that of the meta-gradient on the leaf:

    $$s_j = \langle g, d_j\rangle \approx \frac{L(\theta + \epsilon d_j) - L(\theta - \epsilon d_j)}{2\epsilon}$$
    """
    rates = {"inner_lr": setting.inner_lr, "inner_steps": setting.inner_steps}
    autograd = meta_gradient("maml", setting, where).grads
    product = stored_iterates(mlp_loss, where.theta, where.tasks, **rates).grads
    directions = [_direction(autograd, name) for name in where.theta]
    return agreement(
        {
            "autograd through the loop": torch.stack([dot(autograd, d) for d in directions]),
            "product of Jacobians": torch.stack([dot(product, d) for d in directions]),
            "central difference": torch.stack([_difference(setting, where, d) for d in directions]),
        },
        WHY,
    )


def _direction(gradient: Params, name: str) -> Params:
    """The gradient on one leaf and zero elsewhere, of length 1 if it is not zero."""
    part = {other: leaf if other == name else torch.zeros_like(leaf) for other, leaf in gradient.items()}
    length = norm(part)
    return {other: leaf / length if length > 0 else leaf for other, leaf in part.items()}


def _difference(setting: Setting, where: Problem, direction: Params) -> Tensor:
    up, down = (_meta_loss(setting, where, add_scaled(where.theta, side * NUDGE, direction)) for side in (1, -1))
    return (up - down) / (2 * NUDGE)


def _meta_loss(setting: Setting, where: Problem, theta: Params) -> Tensor:
    """The mean query loss after the inner loop from `theta`."""
    support, query, _ = where.tasks
    phi = leaves(tile(theta, len(support.x)))
    phi = adapt(mlp_loss, phi, support, lr=setting.inner_lr, steps=setting.inner_steps, create_graph=False)
    return mlp_loss(phi, query).mean().detach()


def one_step_ways(setting: Setting, where: Problem) -> Agreement:
    """The check that the idea's poster proposes: with k = 1 and β = α one leap is MAML, in every entry."""
    once = replace(setting, inner_steps=1, leap=1.0)
    names = {"MAML, k = 1": "maml", "one leap, k = 1, β = α": "one-leap"}
    return agreement({label: vector(meta_gradient(name, once, where), where) for label, name in names.items()})
