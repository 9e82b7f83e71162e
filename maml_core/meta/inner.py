"""The inner loop: the same few lines for every algorithm, every solver and every picture of this project.

Shapes: a leaf of one φ per task is (T, ...); the loss gives (T,).
"""

from collections import deque
from collections.abc import Collection, Iterator

import torch
from torch import Tensor

from maml_core.meta.models import Loss
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params, add_scaled, grad

RATE = "lr."  # the leaf "lr.NAME" of θ holds the rates of the leaf NAME (Meta-SGD)
Rates = float | dict[str, Tensor | float]  # one inner_lr for all, or one per leaf or per weight (Meta-SGD)


def descend(phi: Params, lr: Rates, gradient: Params) -> Params:
    r"""One step of gradient descent: $$\phi - \alpha \odot g$$, with α a number or a dict of rates like θ."""
    if isinstance(lr, dict):
        return {name: leaf - lr[name] * gradient[name] for name, leaf in phi.items()}
    return add_scaled(phi, -lr, gradient)


def iterates(
    loss: Loss, phi: Params, support: Batch, *, lr: Rates, steps: int, create_graph: bool
) -> Iterator[Params]:
    r"""Every stop of the inner loop, φ₀ to φ_k: k + 1 of them for k = `steps`.

    $$\phi_{k+1} = \phi_k - \alpha \nabla \mathcal{L}^{s}(\phi_k)$$

    `phi` has to require gradients, or be made of what does. With `create_graph` the gradients are part of
    the graph, so φ_k can be differentiated through them; without, only the identity part of each step
    leads back to φ₀. Raises ValueError for a negative number of steps.
    """
    if steps < 0:
        raise ValueError(f"inner_steps must be 0 or more, not {steps}.")
    yield phi
    for _ in range(steps):
        # Tasks do not interact, so the gradient of the sum is every task's own gradient.
        gradient = grad(loss(phi, support).sum(), phi, create_graph=create_graph)
        phi = descend(phi, lr, gradient)
        yield phi


def adapt(loss: Loss, phi: Params, support: Batch, *, lr: Rates, steps: int, create_graph: bool) -> Params:
    r"""The end of the inner loop, φ_k. Arguments, equation and errors as in `iterates`.

    Finn, Abbeel & Levine (2017), https://arxiv.org/abs/1703.03400
    """
    stops = iterates(loss, phi, support, lr=lr, steps=steps, create_graph=create_graph)
    return deque(stops, maxlen=1).pop()  # keeps one stop at a time


def with_rates(theta: Params, inner_lr: float) -> Params:
    """θ for Meta-SGD: a leaf "lr.NAME" of rates beside each leaf NAME, all equal to `inner_lr` at first."""
    return theta | {RATE + name: torch.full_like(leaf, inner_lr) for name, leaf in theta.items()}


def split_rates(theta: Params, inner_lr: float) -> tuple[Params, Rates]:
    """The weights of θ, and the rate of each: its own leaf "lr.NAME" where θ has one, or `inner_lr`."""
    learned = {RATE + name for name in theta} & set(theta)
    weights = {name: leaf for name, leaf in theta.items() if name not in learned}
    return weights, {name: theta.get(RATE + name, inner_lr) for name in weights}


def freeze(loss: Loss, phi: Params, names: Collection[str]) -> tuple[Loss, Params, Params]:
    """The loss as one of the leaves in `names` alone; those leaves, which may move; those that stay."""
    moving = {name: leaf for name, leaf in phi.items() if name in names}
    still = {name: leaf for name, leaf in phi.items() if name not in names}
    return lambda part, batch: loss({**still, **part}, batch), moving, still
