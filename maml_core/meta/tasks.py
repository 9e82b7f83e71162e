"""Tasks: each has a support set to adapt on and a query set to be judged on, from the same task.

Shapes: T tasks, N examples in a set; x (T, N, d_in), y (T, N, d_out).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.sampling import LARGEST, normal, uniform

Range = tuple[float, float]
_DRAWS_PER_TASK = 4096  # fixed: task i is the same however many tasks or shots are asked for
_SUPPORT_AT, _QUERY_AT = 16, 2048  # before 16: what the task is
MOST_NUMBERS = _QUERY_AT - _SUPPORT_AT  # inputs in one set, over all its examples and coordinates


class Family(NamedTuple):
    """The ranges from which the sinusoids of one benchmark are drawn, each from its low to its high end."""

    amplitude: Range = (0.1, 5.0)
    phase: Range = (0.0, math.pi)  # radians
    frequency: Range = (1.0, 1.0)  # radians per unit of x
    x_range: Range = (-5.0, 5.0)


FAMILIES = {
    # Finn, Abbeel & Levine 2017, https://arxiv.org/abs/1703.03400
    "sinusoid": Family(),
    # Meta-SGD: Li et al. 2017, https://arxiv.org/abs/1707.09835
    "frequency": Family(frequency=(0.8, 1.2)),
    # Reptile: Nichol, Achiam & Schulman 2018, https://arxiv.org/abs/1803.02999
    "phase": Family(phase=(0.0, 2 * math.pi)),
    # the source document 001
    "amplitude-frequency": Family((0.0, 5.0), (0.0, 0.0), (0.1, 2.1), (0.0, 2 * math.pi)),
}


class Batch(NamedTuple):
    """One set of examples for each of T tasks."""

    x: Tensor  # (T, N, d_in)
    y: Tensor  # (T, N, d_out)


class Tasks(NamedTuple):
    """T tasks, and what generated them."""

    support: Batch
    query: Batch
    info: dict[str, Tensor]  # for example amplitude (T,)


def _index(tasks: int, *runs: tuple[int, int], device: torch.device | str = "cpu") -> Tensor:
    """The numbers of the draws in `runs` (first, count) for every task: (T, sum of counts)."""
    within = [torch.arange(first, first + count, dtype=torch.int64, device=device) for first, count in runs]
    rows = torch.arange(tasks, dtype=torch.int64, device=device) * _DRAWS_PER_TASK
    return rows.unsqueeze(-1) + torch.cat(within)


def _require_counts(meta_batch: int, shots: int, query_shots: int, dim: int = 1) -> None:
    """One sentence for a number of tasks or examples that cannot be drawn."""
    for name, count, most in (
        ("meta_batch (tasks)", meta_batch, LARGEST // _DRAWS_PER_TASK),
        ("shots (support examples per task)", shots, MOST_NUMBERS // dim),
        ("query_shots (query examples per task)", query_shots, MOST_NUMBERS // dim),
    ):
        if not 1 <= count <= most:
            raise ValueError(f"{name} must be from 1 to {most}, not {count}.")


def _between(unit: Tensor, ends: Range) -> Tensor:
    """[0, 1) stretched to [low, high)."""
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"A range needs two finite ends, the lower one first, not {ends}.")
    return low + (high - low) * unit


def sinusoids(
    meta_batch: int,
    shots: int,
    *,
    seed: int,
    step: int | Tensor = 0,
    query_shots: int | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    amplitude: Range = (0.1, 5.0),
    phase: Range = (0.0, math.pi),
    frequency: Range = (1.0, 1.0),
    x_range: Range = (-5.0, 5.0),
) -> Tasks:
    r"""Sine curves, one per task, with support and query drawn from the same curve.

    $$y = A \sin(\omega x - b), \qquad A, b, \omega, x \text{ uniform in their ranges}$$

    `shots` support and `query_shots` (None: as many) query examples per task. `step` numbers the
    meta-batch: the same (seed, step) gives the same tasks. x and y are (T, N, 1); `info` holds amplitude,
    phase, frequency, each (T,). The ranges default to those of Finn, Abbeel & Levine (2017),
    https://arxiv.org/abs/1703.03400; another family is `**FAMILIES[name]._asdict()`. Raises ValueError
    for counts or ranges that cannot be drawn.
    """
    query_shots = shots if query_shots is None else query_shots
    _require_counts(meta_batch, shots, query_shots)
    index = _index(meta_batch, (0, 3), (_SUPPORT_AT, shots), (_QUERY_AT, query_shots), device=device)
    unit = uniform(seed, step, index).to(dtype).unsqueeze(-1)  # (T, 3 + N + N', 1)
    which, inputs = unit[:, :3], _between(unit[:, 3:], x_range)
    a, b, omega = map(_between, which.split(1, dim=1), (amplitude, phase, frequency))  # each (T, 1, 1)
    targets = a * torch.sin(omega * inputs - b)
    support, query = map(Batch, inputs.split([shots, query_shots], 1), targets.split([shots, query_shots], 1))
    info = {"amplitude": a.flatten(), "phase": b.flatten(), "frequency": omega.flatten()}
    return Tasks(support, query, info)


def lines(
    meta_batch: int,
    shots: int,
    *,
    seed: int,
    step: int | Tensor = 0,
    dim: int = 1,
    dtype: torch.dtype = torch.float32,
) -> Tasks:
    r"""Linear regressions without noise, with as many query as support examples.

    $$y = \langle w, x\rangle + b, \qquad w, b \sim \mathcal N(0, 1), \quad x \text{ uniform in } [-1, 1)^d$$

    x is (T, N, dim), y (T, N, 1); `info` holds weight (T, dim) and bias (T,). `mlp((dim, 1), seed=…)` is a
    model that can learn them. Raises ValueError for counts that cannot be drawn.
    """
    if not 1 <= dim < _SUPPORT_AT:
        raise ValueError(f"dim must be from 1 to {_SUPPORT_AT - 1}, not {dim}.")
    _require_counts(meta_batch, shots, shots, dim)
    which = normal(seed, step, _index(meta_batch, (0, dim + 1))).to(dtype)
    weight, bias = which[:, :dim], which[:, dim]
    index = _index(meta_batch, (_SUPPORT_AT, shots * dim), (_QUERY_AT, shots * dim))
    x = 2 * uniform(seed, step, index).to(dtype).view(meta_batch, 2 * shots, dim) - 1
    y = torch.einsum("tnd,td->tn", x, weight).unsqueeze(-1) + bias[:, None, None]
    support, query = map(Batch, x.split(shots, dim=1), y.split(shots, dim=1))
    return Tasks(support, query, {"weight": weight, "bias": bias})


def own_points(x: Tensor, y: Tensor, *, shots: int) -> Tasks:
    """The reader's own task: the first `shots` of its N points are the support set, the others the query set.

    `x` and `y` are (N,). Gives T = 1 task with x and y (1, ·, 1). Raises ValueError unless the points are
    finite, all different, and enough for both sets.
    """
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must be two lists of one length, not {tuple(x.shape)} and {tuple(y.shape)}.")
    if not 1 <= shots < len(x):
        raise ValueError(
            f"Of {len(x)} points, from 1 to {len(x) - 1} can be support, not {shots}; the rest are query."
        )
    points = torch.stack([x, y], dim=-1)
    if not points.isfinite().all():
        raise ValueError("Every coordinate of a point must be a finite number.")
    if len(points.unique(dim=0)) < len(points):
        raise ValueError("A point occurs twice; support and query must not share one.")
    x, y = x.reshape(1, -1, 1), y.reshape(1, -1, 1)
    return Tasks(Batch(x[:, :shots], y[:, :shots]), Batch(x[:, shots:], y[:, shots:]), {})
