"""What each shortcut costs, counted and timed on the very run: gradients, Hessian-vector products, bytes, seconds."""

import time
from collections import Counter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.inner import with_rates
from maml_core.meta.metering import Meter, watching
from maml_core.meta.models import Loss, mlp_loss
from maml_core.meta.shortcuts import Setting, options
from maml_core.meta.starts import Problem
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params

REPEATS = 3  # timings of each, interleaved, so that a busy moment hits all nine; the least counts


class Cost(NamedTuple):
    """One meta-gradient's price for all T tasks together."""

    name: str
    gradients: int  # backward walks through a loss
    hvps: int  # walks back through a gradient: Hessian-vector products
    peak_bytes: int  # the most that autograd kept for its backward passes at one time
    seconds: float  # of processor time, the least of `REPEATS` runs without the counting


class _SecondWalk(torch.autograd.Function):
    """The identity on a gradient; whoever differentiates that gradient passes here and is counted."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, counted: Counter[str]) -> Tensor:  # noqa: ANN401
        ctx.counted = counted
        return slope.view_as(slope)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        ctx.counted["second"] += 1
        return slopes[0], None


class _Walk(torch.autograd.Function):
    """The identity on a leaf; every backward walk from the loss to the leaf passes here and is counted."""

    @staticmethod
    def forward(ctx: Any, leaf: Tensor, counted: Counter[str]) -> Tensor:  # noqa: ANN401
        ctx.counted = counted
        return leaf.view_as(leaf)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        ctx.counted["all"] += 1
        return _SecondWalk.apply(slopes[0], ctx.counted), None  # type: ignore[return-value]


class Counted(NamedTuple):
    """What one run of an algorithm did, as in `Cost`."""

    gradients: int
    hvps: int
    peak_bytes: int


def counted(name: str, setting: Setting, where: Problem, loss: Loss = mlp_loss) -> Counted:
    """Run the algorithm once and watch it.

    A product walks back through a gradient and then, like any gradient, through the loss: it is seen twice
    and counted once. Each leaf is watched; what one of them sees most often is the number of walks.
    """
    counts = {leaf: Counter[str]() for leaf in where.theta}
    meter = Meter(on=True)

    def watched(params: Params, batch: Batch) -> Tensor:
        return loss({leaf: _Walk.apply(value, counts[leaf]) for leaf, value in params.items()}, batch)  # type: ignore[misc]

    with watching(meter):
        _run(name, setting, where, watched)
    hvps = max(seen["second"] for seen in counts.values())
    return Counted(max(seen["all"] - seen["second"] for seen in counts.values()), hvps, meter.peak_bytes)


def _run(name: str, setting: Setting, where: Problem, loss: Loss) -> None:
    theta = with_rates(where.theta, setting.inner_lr) if name == "meta-sgd" else where.theta
    ALGORITHMS[name].function(loss, theta, where.tasks, **options(name, setting))


def priced(setting: Setting) -> Setting:
    """The setting with the same prices and all else as usual: they depend on how often something is done."""
    return Setting(
        inner_steps=setting.inner_steps,
        last=min(setting.last, setting.inner_steps),
        proximal_steps=setting.proximal_steps,
        cg_steps=setting.cg_steps,
    )


def costs(setting: Setting, where: Problem, *, repeats: int = REPEATS) -> tuple[Cost, ...]:
    """The price of all nine, in the order of the table of algorithms.

    The counting comes first: it is slow, and whatever a process does only at its first run is then behind it.
    Processor time of this thread is what is measured, so that a busy machine does not look like a dear algorithm.
    """
    found = {name: counted(name, setting, where) for name in ALGORITHMS}
    times: dict[str, list[float]] = {name: [] for name in ALGORITHMS}
    for _ in range(repeats):
        for name, spent in times.items():
            start = time.thread_time()
            _run(name, setting, where, mlp_loss)
            spent.append(time.thread_time() - start)
    return tuple(Cost(name, *found[name], min(spent)) for name, spent in times.items())
