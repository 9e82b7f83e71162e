"""Where curves of one sweep cross, by straight lines between its points; and who leads where."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

Curves = Mapping[str, Sequence[float]]  # name -> a value at each x; NaN where there is none


class Crossing(NamedTuple):
    """At x, `rising` comes from below `falling` and goes above it."""

    x: float
    y: float
    rising: str
    falling: str


def crossings(xs: Sequence[float], curves: Curves) -> tuple[Crossing, ...]:
    r"""Every crossing of two curves, by x. Between two points of the sweep each curve is taken for a straight line.

    $$x^* = x_0 + \frac{d_0}{d_0 - d_1}(x_1 - x_0), \qquad d = a(x) - b(x)$$

    Curves that only touch do not cross, and a curve that runs along another for a while crosses it where it
    leaves, if it leaves on the other side.
    """
    found = [crossing for pair in combinations(curves, 2) for crossing in _of_pair(xs, curves, pair)]
    return tuple(sorted(found, key=lambda crossing: crossing.x))


def _of_pair(xs: Sequence[float], curves: Curves, pair: tuple[str, str]) -> list[Crossing]:
    first, second = pair
    points = [(x, a - b, a) for x, a, b in zip(xs, curves[first], curves[second], strict=True)]
    found, side = [], 0.0
    for (x0, d0, a0), (x1, d1, a1) in pairwise(points):
        if not math.isfinite(d0) or not math.isfinite(d1):
            side = 0.0  # nobody knows what happens in a gap
            continue
        side = d0 or side
        if side * d1 < 0:
            share = d0 / (d0 - d1)
            order = (first, second) if d1 > 0 else (second, first)
            found.append(Crossing(x0 + share * (x1 - x0), a0 + share * (a1 - a0), *order))
    return found


def lead_changes(xs: Sequence[float], curves: Curves) -> tuple[Crossing, ...]:
    """The crossings at which the lowest curve gives way to another: below them runs no third."""
    return tuple(found for found in crossings(xs, curves) if _lowest(found, xs, curves))


def _lowest(found: Crossing, xs: Sequence[float], curves: Curves) -> bool:
    others = (curves[name] for name in curves if name not in (found.rising, found.falling))
    heights = [height for ys in others if math.isfinite(height := interpolated(xs, ys, found.x))]
    return all(height >= found.y for height in heights)


def interpolated(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """The height of a curve at x, on the straight line between its neighbours; NaN outside or in a gap."""
    for (x0, y0), (x1, y1) in pairwise(zip(xs, ys, strict=True)):
        if x0 <= x <= x1:
            return y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    return math.nan
