"""Lesson 9's one question: this network, this attempt, these steps. What happens, and what is the truth?

Shapes: θ as one vector is (n,); the slopes along three directions are (3,).
"""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from maml_core.meta.agreement import Agreement, agreement
from maml_core.meta.algorithms import maml
from maml_core.meta.modules import module_loss, module_params
from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import flatten
from maml_core.practice.attempts import chained, own_params
from maml_core.practice.networks import NETWORKS, Task, build, draw_tasks
from maml_core.practice.trying import ATTEMPTS, Outcome, attempt, meta_loss

SEED, TASKS_SEED, TASKS = 1, 11, 2
NUDGE = 1e-7  # so small that a kink of ReLU rarely lies within; rounding then costs about 1e-9 of the slope
DIRECTIONS = 3
WHY = (
    "A ReLU network's meta-loss jumps wherever a kink is crossed, for the inner gradient jumps there; a jump "
    "between the two ends of a central difference is divided by their tiny distance."
)


class ModuleExplained(NamedTuple):
    """An attempt's outcome on a network beside the exact meta-gradient, leaf by leaf."""

    leaves: tuple[str, ...]
    exact: tuple[float, ...]  # the length of the meta-gradient at each leaf
    weights: int
    before: float  # the mean query loss of θ itself, without any adaptation
    outcome: Outcome
    clones: int  # how many of what the sketch calls clones are the network's own tensors


def explain_module(kind: str, number: int, *, inner_lr: float, inner_steps: int) -> ModuleExplained:
    """Run attempt `number` (from 0) on a network of `kind` and two tasks."""
    network, tasks = setting(kind)
    exact = by_the_engine(kind, network, tasks, inner_lr=inner_lr, inner_steps=inner_steps)
    outcome = attempt(ATTEMPTS[number].code, network, tasks, exact, inner_lr=inner_lr, inner_steps=inner_steps)
    sizes = [leaf.numel() for leaf in network.parameters()]
    lengths = tuple(float(piece.norm()) for piece in exact.split(sizes))
    same = zip(own_params(network).values(), network.parameters(), strict=True)
    with torch.no_grad():
        before = meta_loss(chained, network, tasks, inner_lr, 0).item()
    return ModuleExplained(
        tuple(own_params(network)), lengths, sum(sizes), before, outcome, sum(one is other for one, other in same)
    )


def setting(kind: str) -> tuple[nn.Module, list[Task]]:
    """The network and the tasks of this lesson, the same for everybody."""
    return build(NETWORKS[kind], seed=SEED), draw_tasks(TASKS, NETWORKS[kind].shape, seed=TASKS_SEED)


def by_the_engine(
    kind: str, network: nn.Module, tasks: Sequence[Task], *, inner_lr: float, inner_steps: int
) -> Tensor:
    """The meta-gradient (n,) by `maml_core.meta`, which runs all tasks at once under vmap."""
    loss = module_loss(without_running_statistics(network), cross_entropy)
    x, y, query_x, query_y = (torch.stack(column) for column in zip(*tasks, strict=True))
    both = Tasks(Batch(x, y), Batch(query_x, query_y), {})
    return flatten(maml(loss, module_params(network), both, inner_lr=inner_lr, inner_steps=inner_steps).grads)


def without_running_statistics(network: nn.Module) -> nn.Module:
    """A copy whose BatchNorm layers know only the batch before them, which is what they use in training anyway."""
    twin = copy.deepcopy(network)
    for part in twin.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.track_running_stats = False
            part.running_mean = part.running_var = part.num_batches_tracked = None
    return twin


def slopes_agree(kind: str, *, inner_lr: float, inner_steps: int) -> Agreement:
    """The slope of the meta-loss along three directions, three ways; the directions lean towards the gradient."""
    network, tasks = setting(kind)
    meta_loss(chained, network, tasks, inner_lr, inner_steps).backward()
    repaired = torch.cat([leaf.grad.flatten() for leaf in network.parameters() if leaf.grad is not None])
    engine = by_the_engine(kind, network, tasks, inner_lr=inner_lr, inner_steps=inner_steps)
    generator = torch.Generator().manual_seed(SEED)
    lean = torch.rand(DIRECTIONS, len(engine), generator=generator, dtype=engine.dtype) * engine
    directions = lean / torch.linalg.vector_norm(lean, dim=1, keepdim=True)  # (3, n)

    def at(theta: Tensor) -> float:
        twin = copy.deepcopy(network)
        vector_to_parameters(theta, twin.parameters())
        return meta_loss(chained, twin, tasks, inner_lr, inner_steps).item()

    here = parameters_to_vector(network.parameters()).detach()
    nudged = [(at(here + NUDGE * v) - at(here - NUDGE * v)) / (2 * NUDGE) for v in directions]
    ways = {
        "the seventh attempt, task by task": directions @ repaired,
        "maml_core, all tasks under vmap": directions @ engine,
        "central difference, rerunning everything": torch.tensor(nudged, dtype=engine.dtype),
    }
    return agreement(ways, WHY)
