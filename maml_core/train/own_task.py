"""The reader's own task: points (x, y), and several networks that adapt to them step by step."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from maml_core.meta.tasks import Batch
from maml_core.train.adapting import grid_of, points_of, predict
from maml_core.train.config import Config
from maml_core.train.evaluate import adapted
from maml_core.train.starts import Start
from maml_core.train.step import loss_of

MOST_POINTS = 50
FARTHEST = 10.0  # |x| and |y| of a point
ROOM = 1.05  # times the farthest point: where the curves and a plot of them end
Point = tuple[float | None, float | None]


class Learner(NamedTuple):
    """One network: its curve and its error on the reader's points after each inner step."""

    inner_lr: float | None  # None: rates of its own for every weight
    predictions: tuple[tuple[float, ...], ...]  # (steps + 1) times the grid
    errors: tuple[float, ...]  # (steps + 1): mean squared error on the points themselves; ∞ where φ has diverged


class OwnTask(NamedTuple):
    x: tuple[float, ...]  # the grid, across the family's range and all points
    points: tuple[tuple[float, float], ...]
    learners: dict[str, Learner]


def own_points(points: Sequence[Point]) -> Batch:
    """The points as the support set of one task, x and y (1, N, 1). Raises ValueError with one sentence."""
    if not 1 <= len(points) <= MOST_POINTS:
        raise ValueError(f"A task needs from 1 to {MOST_POINTS} points, not {len(points)}.")
    for number, point in enumerate(points, start=1):
        for name, value in zip("xy", point, strict=True):
            if value is None or not math.isfinite(value):
                raise ValueError(f"Point {number} needs a number for {name}.")
            if abs(value) > FARTHEST:
                raise ValueError(
                    f"Point {number} has {name} = {value:g}; it must lie from -{FARTHEST:g} to {FARTHEST:g}."
                )
    if len(set(points)) < len(points):
        double = next(point for point in points if points.count(point) > 1)
        raise ValueError(f"The point ({double[0]:g}, {double[1]:g}) is there twice; one of them is enough.")
    columns = torch.tensor(points, dtype=torch.float32).T.reshape(2, 1, -1, 1)
    return Batch(*columns)


def adapt_to(points: Sequence[Point], learners: Mapping[str, Start], *, steps: int) -> OwnTask:
    """Every learner adapts to all the points. Raises ValueError as `own_points`, or for bad steps."""
    support = own_points(points)
    reach = ROOM * support.x.abs().max().item()
    x = grid_of(next(start.config for start in learners.values()), reach)
    found = {name: _learner(start, support, x, steps) for name, start in learners.items()}
    return OwnTask(tuple(x.flatten().tolist()), points_of(support.x, support.y), found)


def _learner(start: Start, support: Batch, x: torch.Tensor, steps: int) -> Learner:
    config, loss = start.config, loss_of(start.config)
    stops = list(adapted(config, start.theta, support, steps=steps))
    return Learner(
        _rate(config),
        tuple(tuple(predict(config, phi, x).flatten().tolist()) for phi in stops),
        tuple(loss(phi, support).nan_to_num(nan=math.inf, posinf=math.inf).item() for phi in stops),
    )


def _rate(config: Config) -> float | None:
    return None if config.algorithm == "meta-sgd" else config.options["inner_lr"]
