"""Run a loop on the published problem, as a stranger would, and keep what it leaves behind."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from maml_core.meta.sampling import normal
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params
from maml_core.practice.loops.landmarks import slope
from maml_core.practice.loops.problem import ALPHA, STEPS, network, nudged, published

Run = Callable[[nn.Module, Batch, Batch, float, int], Tensor]
# PyTorch counts the open levels of forward-mode differentiation in one variable for all threads: two readers who
# run jacfwd at once get errors, and sometimes zeros.
_one_at_a_time = threading.RLock()


class Trial(NamedTuple):
    """What a loop left in p.grad, what it returned, what it raised, and whether θ is still where it was."""

    gradient: Params  # by leaf; without those whose .grad is None
    missing: tuple[str, ...]  # leaves whose .grad is None
    query_loss: float | None
    error: str
    moved: bool


def attempt(run: Run, theta: Params, *, normalised: bool = False, steps: int = STEPS) -> Trial:
    """One run from θ on a fresh module; an exception is a result, in the library's words."""
    problem = published()
    module = network(theta, normalised=normalised)
    leaves = dict(module.named_parameters())  # held here, as some libraries put other tensors into the module
    loss, error = None, ""
    with _one_at_a_time:
        try:
            loss = run(module, problem.support, problem.query, ALPHA, steps).item()
        except Exception as stop:
            error = f"{type(stop).__name__}: {stop}"
    gradient = {name: leaf.grad.detach() for name, leaf in leaves.items() if leaf.grad is not None}
    moved = any(not torch.equal(leaf.detach(), theta[name]) for name, leaf in leaves.items())
    return Trial(gradient, tuple(name for name in leaves if name not in gradient), loss, error, moved)


def loss_at(run: Run, theta: Params, *, normalised: bool = False) -> float:
    """The query loss that the loop itself reports. Raises ValueError if it stops before that."""
    trial = attempt(run, theta, normalised=normalised)
    if trial.query_loss is None:
        raise ValueError(trial.error)
    return trial.query_loss


def direction() -> Tensor:
    """The one direction v (25,) of length 1 along which every loop's promise is compared with its loss."""
    v = normal(1, 0, torch.arange(sum(leaf.numel() for leaf in published().theta.values())))
    return v / v.norm()


def own_slope(run: Run, v: Tensor, *, normalised: bool = False) -> float:
    """How fast the loop's own query loss changes when θ moves along v: no derivative is asked of the loop."""
    theta = published().theta
    return slope(lambda h: loss_at(run, nudged(theta, v, h), normalised=normalised))


def own_gradient(run: Run, *, normalised: bool = False) -> Tensor:
    """The gradient of the loop's own query loss, (25,), one difference quotient per weight."""
    count = sum(leaf.numel() for leaf in published().theta.values())
    directions = torch.eye(count, dtype=torch.float64)
    return torch.tensor([own_slope(run, v, normalised=normalised) for v in directions], dtype=torch.float64)
