"""The published problem: one task, one start, float64. Every loop of lesson 10 and every reader's answer is about it.

Shapes: 10 support and 10 query examples, x and y (10, 1); θ has 25 numbers: "0.weight" (8, 1), "0.bias" (8,),
"2.weight" (1, 8), "2.bias" (1,).
"""

import json
from collections import OrderedDict
from functools import cache
from typing import NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor, nn

from maml_core.meta.models import mlp, mlp_forward, squared_error
from maml_core.meta.tasks import Batch, Tasks, sinusoids
from maml_core.meta.trees import Params, unflatten

SEED, SIZES, SHOTS = 0, (1, 8, 1), 10
ALPHA, STEPS = 0.1, 3
DTYPE = torch.float64


class Problem(NamedTuple):
    """Where the inner loop starts, what it adapts to, and what the adapted weights are judged on."""

    theta: Params
    support: Batch  # x and y (10, 1)
    query: Batch

    @property
    def tasks(self) -> Tasks:
        """The same task as the engine takes it: T = 1."""
        support, query = (Batch(x.unsqueeze(0), y.unsqueeze(0)) for x, y in (self.support, self.query))
        return Tasks(support, query, {})


def tanh_forward(params: Params, x: Tensor) -> Tensor:
    """1-8-1 with tanh, which is smooth: a central difference has no kinks to fall over."""
    return mlp_forward(params, x, activation=torch.tanh)


tanh_loss = squared_error(tanh_forward)


@cache
def published() -> Problem:
    """The problem, the same on every machine: its numbers are a function of the seed."""
    theta = mlp(SIZES, seed=SEED, initialisation="he", dtype=DTYPE)
    tasks = sinusoids(1, SHOTS, seed=SEED, dtype=DTYPE)
    support, query = (Batch(both.x[0], both.y[0]) for both in (tasks.support, tasks.query))
    return Problem(theta, support, query)


def network(theta: Params, *, normalised: bool = False) -> nn.Module:
    """A fresh module with the weights θ; `normalised` puts a BatchNorm without weights after the tanh."""
    first, last = (nn.utils.skip_init(nn.Linear, *pair, dtype=DTYPE) for pair in ((1, 8), (8, 1)))
    norm = [("norm", nn.BatchNorm1d(8, affine=False, dtype=DTYPE))] if normalised else []
    module = nn.Sequential(OrderedDict([("0", first), ("1", nn.Tanh()), *norm, ("2", last)]))
    with torch.no_grad():
        for name, leaf in module.named_parameters():
            leaf.copy_(theta[name])
    return module


def nudged(theta: Params, direction: Tensor, by: float) -> Params:
    """θ + by · v for a flat direction v (25,)."""
    return {name: leaf + by * step for (name, leaf), step in zip(theta.items(), _parts(direction), strict=True)}


def _parts(direction: Tensor) -> list[Tensor]:
    return list(unflatten(direction, published().theta).values())


def _named() -> dict[str, Tensor]:
    problem = published()
    sets = {"support": problem.support, "query": problem.query}
    data = {f"{name}.{axis}": getattr(batch, axis) for name, batch in sets.items() for axis in ("x", "y")}
    return {f"theta.{name}": leaf for name, leaf in problem.theta.items()} | data


def as_json() -> str:
    """The problem as one JSON object: alpha, steps, and nested lists of float64's shortest exact decimals."""
    return json.dumps({"alpha": ALPHA, "steps": STEPS} | {name: leaf.tolist() for name, leaf in _named().items()})


def as_safetensors() -> bytes:
    """The same as safetensors, with alpha and steps in the metadata."""
    tensors = {name: leaf.contiguous() for name, leaf in _named().items()}
    return save(tensors, {"alpha": str(ALPHA), "steps": str(STEPS)})
