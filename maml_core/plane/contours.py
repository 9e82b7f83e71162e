"""Level sets of a loss on its square, as SVG paths."""

from itertools import pairwise
from typing import Any, NamedTuple

import contourpy
import numpy
import torch

from maml_core.graphs.trees import Expression
from maml_core.plane.problems import Point, Problem

SIZE = 632  # of the picture, in units of its own; v grows upwards, SVG's y downwards
REACH = 260  # from the middle to the farthest θ: beyond it there is room for the circle around θ
GRID = 97  # points per side
LEVELS = tuple(((i + 0.5) / 10) ** 1.4 for i in range(10))  # shares of the square below each level


class Contours(NamedTuple):
    """`terraces`: one area per level, everything below it, nested. `lines`: the level sets. `lowest`: where."""

    terraces: tuple[str, ...]
    lines: tuple[str, ...]
    lowest: Point  # in the picture's units


def contours(expression: Expression, problem: Problem) -> Contours:
    """Ten levels that share the square by area, so that steep and flat losses are equally readable.

    Where the loss is not a finite number nothing is drawn.
    """
    heights = heights_on(expression, problem)
    finite = heights[numpy.isfinite(heights)]
    if finite.size == 0 or finite.min() == finite.max():
        return Contours((), (), (SIZE / 2, SIZE / 2))
    pixels = numpy.linspace(0, SIZE, GRID)
    masked = numpy.ma.masked_invalid(heights / abs(finite).max())  # differences of huge heights would overflow
    finite = masked.compressed()
    generator = contourpy.contour_generator(pixels, pixels[::-1], masked, fill_type="OuterOffset")
    levels = sorted(set(numpy.quantile(finite, LEVELS).tolist()) - {float(finite.min())})
    below = float(finite.min()) - 1.0
    terraces = tuple(_areas(generator.filled(below, level)) for level in levels)
    lines = tuple("".join(_path(line) for line in generator.lines(level)) for level in levels)
    row, column = numpy.unravel_index(int(numpy.nanargmin(masked.filled(numpy.inf))), heights.shape)
    return Contours(terraces, lines, (float(pixels[column]), float(SIZE - pixels[row])))


def in_sight(problem: Problem) -> float:
    """Half the width of what the picture shows, in units of the weights."""
    return problem.half_width * SIZE / 2 / REACH


def heights_on(expression: Expression, problem: Problem) -> numpy.ndarray:
    """The loss on the grid of the picture, rows from the lowest v up: (GRID, GRID)."""
    sides = [torch.linspace(-1, 1, GRID, dtype=torch.float64) * in_sight(problem) + c for c in problem.centre]
    v, u = torch.meshgrid(sides[1], sides[0], indexing="ij")
    heights = torch.as_tensor(expression.evaluate({"u": u, "v": v}), dtype=torch.float64)
    return heights.expand(GRID, GRID).numpy()


def _areas(filled: Any) -> str:  # noqa: ANN401
    """Polygons with their holes, which the even-odd rule leaves out."""
    points, offsets = filled
    return "".join(
        _path(polygon[first:last])
        for polygon, cuts in zip(points, offsets, strict=True)
        for first, last in pairwise(cuts)
    )


def _path(points: Any) -> str:  # noqa: ANN401
    """One line of an SVG path, to a tenth of a pixel."""
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points.tolist())
    return f"M{steps}"
