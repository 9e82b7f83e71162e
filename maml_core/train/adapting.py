"""What a θ makes of tasks it has never seen, as curves, statistics and a histogram: plain numbers to draw.

Errors are mean squared errors in the squared unit of y; number j of a sequence belongs to j inner steps.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.models import ACTIVATIONS, mlp_forward
from maml_core.meta.tasks import FAMILIES, Tasks
from maml_core.meta.trees import Params
from maml_core.train.config import Config
from maml_core.train.evaluate import FAR, Summary, adaptation, adapted, task_agnostic, unseen

GRID = 121  # points of a drawn curve
SHOWN_TASKS = 4
BINS = 24


class Curves(NamedTuple):
    """One unseen task: what it is, what was seen of it, and the network after each inner step."""

    amplitude: float
    phase: float  # radians
    frequency: float  # radians per unit of x
    support: tuple[tuple[float, float], ...]
    truth: tuple[float, ...]  # on the grid
    predictions: tuple[tuple[float, ...], ...]  # (steps + 1) times the grid; not finite where φ has diverged
    errors: tuple[float, ...]  # (steps + 1): on query examples that no step has seen; ∞ where φ has diverged


class Adaptation(NamedTuple):
    x: tuple[float, ...]  # the grid
    tasks: tuple[Curves, ...]


class Errors(NamedTuple):
    """The errors of many unseen tasks, in numbers and one by one."""

    summaries: tuple[Summary, ...]  # (steps + 1)
    each: tuple[tuple[float, ...], ...]  # (steps + 1) times the tasks
    shots: int


class Histogram(NamedTuple):
    """How many errors lie between two edges. The bins are equally wide in log₁₀."""

    edges: tuple[float, ...]  # one more than counts
    counts: tuple[tuple[int, ...], ...]  # one row per set of errors
    beyond: tuple[int, ...]  # per set: errors that are not finite


def grid_of(config: Config, reach: float = 0.0) -> Tensor:
    """Inputs across the family's range, and as far as `reach` on either side, (1, GRID, 1)."""
    low, high = FAMILIES[config.family].x_range
    return torch.linspace(min(low, -reach), max(high, reach), GRID).view(1, -1, 1)


def predict(config: Config, phi: Params, x: Tensor) -> Tensor:
    """The configured network's outputs, (T, N, 1), for one φ per task."""
    return mlp_forward(phi, x, activation=ACTIVATIONS[config.activation])


def unseen_curves(
    config: Config, theta: Params, *, steps: int, shots: int | None = None, tasks: int = SHOWN_TASKS, seed: int = 0
) -> Adaptation:
    """Adapt θ to the first `tasks` of the unseen tasks of `seed`. Raises ValueError as `unseen` and `adapted`.

    They are also the first tasks of `errors`, `evaluate` and the command line.
    """
    drawn = unseen(config, tasks=tasks, shots=shots or config.shots, seed=seed)
    x, loss = grid_of(config), adaptation(config, theta, drawn, steps=steps)
    stops = adapted(config, theta, drawn.support, steps=steps)
    predictions = torch.stack([predict(config, phi, x.expand(tasks, -1, -1)) for phi in stops])
    return Adaptation(
        tuple(x.flatten().tolist()),
        tuple(_curves(drawn, i, x, predictions[:, i], loss[:, i]) for i in range(tasks)),
    )


def _curves(drawn: Tasks, i: int, x: Tensor, predictions: Tensor, errors: Tensor) -> Curves:
    amplitude, phase, frequency = (drawn.info[name][i].item() for name in ("amplitude", "phase", "frequency"))
    return Curves(
        amplitude,
        phase,
        frequency,
        support=points_of(drawn.support.x[i], drawn.support.y[i]),
        truth=tuple((amplitude * torch.sin(frequency * x.flatten() - phase)).tolist()),
        predictions=tuple(tuple(row) for row in predictions.squeeze(-1).tolist()),
        errors=tuple(errors.nan_to_num(nan=math.inf, posinf=math.inf).tolist()),
    )


def points_of(x: Tensor, y: Tensor) -> tuple[tuple[float, float], ...]:
    """Two columns (N, 1) as points."""
    return tuple(zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))


def errors(
    config: Config, theta: Params, *, steps: int, shots: int | None = None, tasks: int = 100, seed: int = 0
) -> Errors:
    """The errors of `tasks` unseen tasks after 0 to `steps` inner steps. Raises ValueError for bad counts."""
    shots = shots or config.shots
    found = adaptation(config, theta, unseen(config, tasks=tasks, shots=shots, seed=seed), steps=steps)
    far = FAR * found[0].mean().item()
    return Errors(
        tuple(Summary.of(row, far=far) for row in found), tuple(tuple(row) for row in found.tolist()), shots
    )


def floor(config: Config, *, tasks: int = 100, seed: int = 0) -> Summary:
    """What the one best function that ignores the task would get on the same tasks. No θ is below it on average."""
    drawn = unseen(config, tasks=tasks, shots=config.shots, seed=seed)
    guess = task_agnostic(FAMILIES[config.family], drawn.query.x)
    return Summary.of((guess - drawn.query.y).square().mean((-2, -1)))


def histogram(rows: Sequence[Sequence[float]], bins: int = BINS) -> Histogram:
    """Count several sets of errors over the same bins, from the smallest to the largest finite error."""
    finite = [[e for e in row if math.isfinite(e) and e > 0] for row in rows]
    logs = [[math.log10(e) for e in row] for row in finite]
    low = min((v for row in logs for v in row), default=0.0)
    high = max((v for row in logs for v in row), default=0.0)
    high = high if high > low else low + 1.0
    counts = [torch.histc(torch.tensor(row, dtype=torch.float64), bins, low, high).int().tolist() for row in logs]
    edges = (10 ** (low + (high - low) * k / bins) for k in range(bins + 1))
    beyond = (sum(not math.isfinite(e) for e in row) for row in rows)
    return Histogram(tuple(edges), tuple(map(tuple, counts)), tuple(beyond))
