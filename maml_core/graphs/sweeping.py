"""One program at many starting points: where its two gradients meet and where they part."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch

from maml_core.graphs.agreement import central_difference
from maml_core.graphs.programs import InnerStep
from maml_core.graphs.running import run


class Sweep(NamedTuple):
    """`x.grad` with create_graph off and on at each x of `at`; the program's slope at each x of `checked_at`."""

    at: tuple[float, ...]
    first_order: tuple[float, ...]
    second_order: tuple[float, ...]
    checked_at: tuple[float, ...]
    slope: tuple[float, ...]


def sweep_x(lesson: InnerStep, inputs: Mapping[str, float], low: float, high: float, points: int) -> Sweep:
    """float64, `points` values of x from `low` to `high`, every fourth checked."""
    at = tuple(low + (high - low) * i / (points - 1) for i in range(points))
    program = lesson.program

    def gradient(x: float, create_graph: bool) -> float:
        leaf = run(program, {**inputs, "x": x}, create_graph=create_graph, dtype=torch.float64)["x"]
        assert isinstance(leaf, torch.Tensor)
        return math.nan if leaf.grad is None else float(leaf.grad)

    return Sweep(
        at=at,
        first_order=tuple(gradient(x, create_graph=False) for x in at),
        second_order=tuple(gradient(x, create_graph=True) for x in at),
        checked_at=at[::4],
        slope=tuple(central_difference(program, {**inputs, "x": x}, frozen=None).value for x in at[::4]),
    )
