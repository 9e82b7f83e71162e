"""Where a network can start from without meta-learning: fresh weights, or weights pretrained on all tasks at once.

Each adapts at the step size that suits it best, found by trying, as the pretrained network of Finn, Abbeel &
Levine (2017) does: https://arxiv.org/abs/1703.03400
"""

import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from maml_core.meta.trees import Params
from maml_core.train.checkpoint import load
from maml_core.train.config import Config
from maml_core.train.evaluate import adaptation, from_scratch, unseen

ASSETS = Path(__file__).parents[2] / "assets"
RATES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # inner_lr to try
TUNING_SEED, TUNING_TASKS = 1, 100  # unseen tasks too, but not those that are shown and measured (seed 0)
TUNED_FOR = (1, 2, 5, 10, 20, 50)  # shots
KINDS = ("pretrained", "scratch")


class Start(NamedTuple):
    """A θ, and the config by which it adapts."""

    config: Config
    theta: Params


def pretraining_command(family: str) -> str:
    """What made assets/pretrained-FAMILY.safetensors."""
    changed = "" if family == "sinusoid" else f"--family {family} "
    out = f"--out assets/pretrained-{family}.safetensors"
    return f"python -m maml_core train --preset paper {changed}--inner-steps 0 {out}"


@lru_cache(maxsize=256)
def start(kind: str, config: Config, *, shots: int, steps: int) -> Start:
    """A baseline for the family and the network of `config`, at its best rate for `steps` steps on `shots` points.

    "scratch" is the config's network with fresh weights, scaled after He; "pretrained" is the paper's network,
    trained on the family's tasks without an inner loop. Raises ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"The baseline must be one of {', '.join(KINDS)}, not {kind!r:.60}.")
    if kind == "pretrained":
        state, own = load(ASSETS / f"pretrained-{config.family}.safetensors")
        theta = state.theta
    else:
        own, theta = config, from_scratch(config, seed=config.seed)
    tried = max(size for size in TUNED_FOR if size <= shots or size == TUNED_FOR[0])
    return Start(tuned(own, theta, shots=tried, steps=steps), theta)


def tuned(config: Config, theta: Params, *, shots: int, steps: int, tasks: int = TUNING_TASKS) -> Config:
    """Plain gradient steps at the one of RATES whose mean error after `steps` of them is smallest, as a config."""
    plain = replace(config, algorithm="maml", inner_steps=steps)
    drawn = unseen(config, tasks=tasks, shots=shots, seed=TUNING_SEED)
    tried = [replace(plain, inner_lr=rate) for rate in RATES]
    means = [adaptation(each, theta, drawn, steps=steps)[-1].mean().nan_to_num(math.inf).item() for each in tried]
    return tried[means.index(min(means))]
