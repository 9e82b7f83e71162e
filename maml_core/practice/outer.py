"""A short outer loop around an attempt: does the loss fall, and does θ move?"""

from typing import NamedTuple

import torch
from torch.nn.utils import parameters_to_vector

from maml_core.practice.modules_explained import setting
from maml_core.practice.trying import Code, meta_loss

OUTER_LR, OUTER_STEPS = 0.5, 12


class Course(NamedTuple):
    """The mean query loss before each outer step and after the last; how far θ went in all."""

    losses: tuple[float, ...]
    distance: float


def outer_loop(code: Code, kind: str, *, inner_lr: float, inner_steps: int, outer_steps: int = OUTER_STEPS) -> Course:
    r"""Plain gradient descent on θ, which passes over a `.grad` that is None, as every optimiser does.

    $$\theta \leftarrow \theta - \beta\, \theta\text{.grad}$$
    """
    network, tasks = setting(kind)
    start = parameters_to_vector(network.parameters()).detach()
    losses = []
    for step in range(outer_steps + 1):
        loss = meta_loss(code, network, tasks, inner_lr, inner_steps)
        losses.append(loss.item())
        if step == outer_steps:
            break
        network.zero_grad()
        loss.backward()
        with torch.no_grad():
            for leaf in network.parameters():
                if leaf.grad is not None:
                    leaf -= OUTER_LR * leaf.grad
    moved = parameters_to_vector(network.parameters()).detach() - start
    return Course(tuple(losses), float(moved.norm()))
