"""What ANIL and BOIL hold still: leaf by leaf, how far the inner loop moves it and what meta-gradient it gets."""

import math
from typing import NamedTuple

from torch import Tensor

from maml_core.meta.agreement import angle
from maml_core.meta.algorithms import ALGORITHMS, head_of
from maml_core.meta.inner import adapt, freeze
from maml_core.meta.models import mlp_loss
from maml_core.meta.shortcuts import Setting, meta_gradient
from maml_core.meta.starts import Problem
from maml_core.meta.trees import Params, leaves, tile

COMPARED = ("maml", "anil", "boil")


class Leaf(NamedTuple):
    """One leaf of θ under one algorithm. Lengths are NaN where the numbers are no longer finite."""

    algorithm: str
    name: str  # for a reader: "layer 1 weights"
    size: int  # numbers in it
    frozen: bool  # the inner loop holds it still
    moved: float  # ‖φ − θ‖ of the leaf, the mean over the tasks
    gradient: float  # length of its meta-gradient
    degrees: float  # between that and MAML's for the same leaf; NaN if either is zero


def frozen_leaves(setting: Setting, where: Problem) -> tuple[Leaf, ...]:
    """Every leaf under MAML, ANIL and BOIL, first layer first."""
    exact = meta_gradient("maml", setting, where).grads
    rows = []
    for algorithm in COMPARED:
        moving = moving_leaves(algorithm, where.theta)
        moved = _moved(setting, where, moving)
        grads = meta_gradient(algorithm, setting, where).grads
        rows += [
            Leaf(algorithm, label(name), leaf.numel(), name not in moving, moved[name], *_against(grads, exact, name))
            for name, leaf in where.theta.items()
        ]
    return tuple(rows)


def moving_leaves(algorithm: str, theta: Params) -> tuple[str, ...]:
    """The leaves that the algorithm's inner loop adapts."""
    head = head_of(theta)
    body = tuple(name for name in theta if name not in head)
    return {"all": tuple(theta), "head": head, "body": body}[ALGORITHMS[algorithm].adapts]


def label(name: str) -> str:
    """ "2.weight", as nn.Sequential has it, in words."""
    layer, _, kind = name.partition(".")
    return f"layer {int(layer) // 2 + 1} {'weights' if kind == 'weight' else 'biases'}"


def _moved(setting: Setting, where: Problem, moving: tuple[str, ...]) -> dict[str, float]:
    """How far each leaf is from θ after the inner loop on the leaves in `moving`, the mean over the tasks."""
    start = leaves(tile(where.theta, len(where.tasks.support.x)))
    loss, part, still = freeze(mlp_loss, start, moving)
    rates = {"lr": setting.inner_lr, "steps": setting.inner_steps}
    end = still | adapt(loss, part, where.tasks.support, **rates, create_graph=False)
    return {name: float((end[name] - leaf).detach().flatten(1).norm(dim=1).mean()) for name, leaf in start.items()}


def _against(grads: Params, exact: Params, name: str) -> tuple[float, float]:
    one, other = grads[name].flatten(), exact[name].flatten()
    return float(one.norm()), angle(one, other) if _has_direction(one) and _has_direction(other) else math.nan


def _has_direction(vector: Tensor) -> bool:
    return bool(vector.isfinite().all() and vector.norm() > 0)
