"""Each case of `layers`, run: the slope that autograd gives, the slope found by nudging θ, the same call twice."""

import copy
import math
from functools import cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from maml_core.practice.layers_topics import TOPICS, Code
from maml_core.practice.networks import Task, draw_tasks, fill

NUDGE = 1e-6  # these networks are smooth, or their kinks are far: the central difference is good to about 1e-9
CLOSE = 1e-6  # relative


class Found(NamedTuple):
    """A case after its run. Slopes are along one random direction of θ; NaN where there is none."""

    kind: Literal["agrees", "parts", "none", "raises"]
    slope: float = math.nan
    nudged: float = math.nan
    losses: tuple[float, float] = (math.nan, math.nan)  # of the same call, twice in a row
    memory: float = 0.0  # how far the buffers moved in one call
    words: str = ""  # the exception's, with its class


@cache
def try_topic(name: str) -> tuple[Found, ...]:
    """Run all cases of a topic, once per process."""
    topic = TOPICS[name]
    task = draw_tasks(1, (6,), seed=3, shots=2)[0]
    network = topic.build().double()
    fill(network, seed=2)
    return tuple(try_case(case.code, network, task) for case in topic.cases)


def warm_up() -> None:
    """Try every topic before the first reader comes.

    PyTorch's generator belongs to the whole process: a network that is made for somebody else between the seed and
    the masks of dropout would change them, and the verdict.
    """
    for name in TOPICS:
        try_topic(name)


def try_case(code: Code, network: nn.Sequential, task: Task) -> Found:
    """Run it on copies: backward, a central difference along a random direction, and twice in a row."""
    generator = torch.Generator().manual_seed(4)
    here = parameters_to_vector(network.parameters()).detach()
    direction = torch.randn(here.shape, generator=generator, dtype=here.dtype)
    direction /= direction.norm()

    def at(theta: Tensor) -> float:
        twin, again = copy.deepcopy((network, task))
        vector_to_parameters(theta, twin.parameters())
        return code(twin, again).item()

    try:
        slope, losses, memory = _run(code, network, task, direction)
    except RuntimeError as error:
        return Found("raises", words=f"{type(error).__name__}: {error}")
    nudged = (at(here + NUDGE * direction) - at(here - NUDGE * direction)) / (2 * NUDGE)
    if slope is None:
        return Found("none", nudged=nudged, losses=losses, memory=memory)
    agrees = math.isclose(slope, nudged, rel_tol=CLOSE)
    return Found("agrees" if agrees else "parts", slope, nudged, losses, memory)


def _run(
    code: Code, network: nn.Sequential, task: Task, direction: Tensor
) -> tuple[float | None, tuple[float, float], float]:
    """The slope by autograd, the losses of two calls in a row, and how far the first moved the buffers."""
    twin, mine = copy.deepcopy((network, task))
    loss = code(twin, mine)
    loss.backward()
    grads = [leaf.grad for leaf in twin.parameters()]
    memory = _distance(network, twin)
    losses = loss.item(), code(twin, mine).item()
    if all(g is None for g in grads):
        return None, losses, memory
    flat = torch.cat([torch.zeros(0) if g is None else g.flatten() for g in grads])
    return float(flat @ direction), losses, memory


def _distance(before: nn.Module, now: nn.Module) -> float:
    """Between the running averages of two networks."""
    pairs = ((old, new) for (name, old), (_, new) in zip(before.named_buffers(), now.named_buffers(), strict=False))
    return math.hypot(*(float((new - old).norm()) for old, new in pairs if old.is_floating_point()))
