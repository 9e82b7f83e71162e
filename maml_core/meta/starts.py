"""Where a comparison starts: a θ of the 1-40-40-1 network and tasks for it, the same numbers on every machine."""

import math
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file

from maml_core.meta.models import mlp, mlp_shapes
from maml_core.meta.sampling import LARGEST, uniform
from maml_core.meta.tasks import Tasks, sinusoids
from maml_core.meta.trees import Params

TRAINED = Path(__file__).parents[2] / "assets" / "maml-5-shot.safetensors"
STARTS = {
    "trained": "MAML's own θ after 70 000 outer steps on 5 points",
    "fresh": "fresh weights as nn.Linear draws them",
    "he": "fresh He weights, which keep the size of signals, so that everything is steeper",
    "tiny": "fresh weights of deviation 0.01 without biases, where the paper starts",
}
SIZES = (1, 40, 40, 1)
SHOTS = 10  # of a task: as many support as query points


class Problem(NamedTuple):
    """One θ and T tasks. Their entries are float32 numbers, so that a script can carry them; the type is float64."""

    theta: Params
    tasks: Tasks


def theta_of(start: str, *, seed: int = 0) -> Params:
    """The θ called `start`, one of `STARTS`, in float64. Raises ValueError for another name."""
    if start not in STARTS:
        raise ValueError(f"The start must be one of {', '.join(STARTS)}, not {start!r}.")
    if start == "trained":
        found = load_file(TRAINED)  # Adam's memories are in it too, and the order is its own
        leaves = {name: found[f"theta/{name}"] for name in mlp_shapes(SIZES)}
    elif start == "fresh":
        leaves = _as_linear_draws(seed)
    else:
        leaves = mlp(SIZES, seed=seed, initialisation={"he": "he", "tiny": "paper"}[start])
    return {name: leaf.double() for name, leaf in leaves.items()}


def _as_linear_draws(seed: int) -> Params:
    r"""Weights and biases uniform in $$\pm 1 / \sqrt{\text{fan-in}}$$, as torch.nn.Linear has them at first."""
    leaves: Params = {}
    for layer, (name, shape) in enumerate(mlp_shapes(SIZES).items()):
        fan_in = SIZES[layer // 2]
        index = torch.arange(math.prod(shape)) + layer * SIZES[1] ** 2
        leaves[name] = (2 * uniform(seed, LARGEST, index).view(shape) - 1) / math.sqrt(fan_in)
    return leaves


def problem(start: str, *, seed: int, tasks: int = 10, shots: int = SHOTS) -> Problem:
    """θ and `tasks` sinusoids of `shots` support and as many query points. Raises ValueError as its parts do."""
    drawn = sinusoids(tasks, shots, seed=seed)
    support, query = (type(batch)(batch.x.double(), batch.y.double()) for batch in (drawn.support, drawn.query))
    return Problem(theta_of(start, seed=seed), Tasks(support, query, drawn.info))
