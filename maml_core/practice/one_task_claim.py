"""Claim 38: do support and query come from one task? What the source draws, and what it costs to get that wrong.

The long trainings are precomputed: `python -m benchmarks.one_task` writes assets/claim_38.json.
"""

import json
import math
from pathlib import Path

import torch

from maml_core.claims import Claim
from maml_core.meta.algorithms import maml
from maml_core.meta.inner import adapt
from maml_core.meta.models import mlp_loss, mlp_shapes
from maml_core.meta.tasks import FAMILIES, Tasks, sinusoids
from maml_core.meta.trees import Params, leaves, tile
from maml_core.numerals import numeral
from maml_core.train.step import adam

SHIPPED = Path(__file__).parents[2] / "assets" / "claim_38.json"
SIZES, ALPHA, STEPS, OUTER_LR = (1, 64, 1), 0.01, 5, 1e-3  # the source's
UNSEEN = 2**32 - 2  # a step that no training here reaches


def source_theta(sizes: tuple[int, ...] = SIZES, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Params:
    """θ as nn.Linear draws it, uniform in ± 1/√fan-in, from a generator of our own."""
    draws, theta, bound = torch.Generator().manual_seed(seed), {}, 1.0
    for name, shape in mlp_shapes(sizes).items():
        bound = 1 / math.sqrt(shape[1]) if len(shape) == 2 else bound  # a bias has its weight's
        theta[name] = (2 * torch.rand(shape, generator=draws, dtype=dtype) - 1) * bound
    return theta


def source_tasks(
    count: int, *, seed: int, step: int = 0, query: int = 5, dtype: torch.dtype = torch.float32
) -> Tasks:
    """Sine waves of the source's ranges; here support and query do come from one curve."""
    ranges = FAMILIES["amplitude-frequency"]._asdict()
    return sinusoids(count, 10, seed=seed, step=step, query_shots=query, dtype=dtype, **ranges)


def drawn_twice() -> dict[str, tuple[float, float]]:
    """What the source does: one call of its generator for support, another for query. Amplitude and frequency."""
    support, query = source_tasks(1, seed=0), source_tasks(1, seed=0, step=1)
    return {name: (support.info[name].item(), query.info[name].item()) for name in ("amplitude", "frequency")}


def trained(iterations: int, *, same_task: bool) -> Params:
    """θ after meta-training as in the source, with the query set from the support's own task or from another."""
    theta = source_theta()
    first = second = {name: torch.zeros_like(leaf) for name, leaf in theta.items()}
    for step in range(iterations):
        tasks = source_tasks(5, seed=0, step=step)
        if not same_task:
            tasks = tasks._replace(query=source_tasks(5, seed=1, step=step).query)
        grads = maml(mlp_loss, theta, tasks, inner_lr=ALPHA, inner_steps=STEPS).grads
        theta, first, second = adam(theta, grads, first, second, torch.tensor(step + 1), OUTER_LR)
    return theta


def median_error(theta: Params, *, tasks: int = 600) -> float:
    """The median over unseen tasks of the query error after the source's five inner steps."""
    unseen = source_tasks(tasks, seed=2, step=UNSEEN, query=100)
    phi = adapt(mlp_loss, tile(leaves(theta), tasks), unseen.support, lr=ALPHA, steps=STEPS, create_graph=False)
    return mlp_loss(phi, unseen.query).median().item()


def errors(iterations: int) -> dict[str, float]:
    """Both trainings' median errors."""
    return {
        "iterations": iterations,
        "different": median_error(trained(iterations, same_task=False)),
        "same": median_error(trained(iterations, same_task=True)),
    }


def claim_38(iterations: int = 0) -> Claim:
    """`iterations`: train so long now; 0 takes the precomputed errors."""
    drawn = drawn_twice()
    found = errors(iterations) if iterations else json.loads(SHIPPED.read_text())["errors"][-1]
    said = ", ".join(f"{name} {numeral(a, 3)} and then {numeral(b, 3)}" for name, (a, b) in drawn.items())
    said = (
        f"Two calls draw {said}. After {found['iterations']} iterations the median error is "
        f"{numeral(found['different'], 3)} that way, and {numeral(found['same'], 3)} with one task for both."
    )
    return Claim(38, "true" if all(a == b for a, b in drawn.values()) else "false", said)
