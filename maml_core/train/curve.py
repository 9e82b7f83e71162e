"""A loss curve of bounded size, however long the training: every w-th loss, and the smoothed loss beside it."""

from collections.abc import Iterable
from typing import NamedTuple

MOST_POINTS = 400
MEMORY = 0.98  # of the smoothed loss: it looks back over about fifty steps


class Curve(NamedTuple):
    """`raw` is the loss of step `at` itself; `smooth` the mean of all losses before it, recent ones weighing more."""

    at: tuple[int, ...] = ()
    raw: tuple[float, ...] = ()
    smooth: tuple[float, ...] = ()


def smoothed(losses: Iterable[float], memory: float = MEMORY) -> Iterable[float]:
    r"""The exponentially weighted mean of all losses so far, one for each.

    $$s_n = \frac{\sum_{i \le n} m^{\,n-i}\, \ell_i}{\sum_{i \le n} m^{\,n-i}}$$
    """
    total = weight = 0.0
    for loss in losses:
        total, weight = memory * total + loss, memory * weight + 1
        yield total / weight


class Thinned:
    """Losses come in one by one; once there are too many points, every second one goes and the stride doubles."""

    def __init__(self, first: int, losses: Iterable[float] = ()) -> None:
        """`first` is the number of the step before the first loss."""
        self.done, self.stride = first, 1
        self.points: list[tuple[int, float, float]] = []
        self.total = self.weight = 0.0
        self.last = float("nan")
        self.add(losses)

    @property
    def smooth(self) -> float:
        """The smoothed loss now; NaN before the first."""
        return self.total / self.weight if self.weight else float("nan")

    def add(self, losses: Iterable[float]) -> None:
        """The losses of the next steps."""
        for loss in losses:
            self.done, self.last = self.done + 1, loss
            self.total, self.weight = MEMORY * self.total + loss, MEMORY * self.weight + 1
            if self.done % self.stride == 0:
                self.points.append((self.done, loss, self.smooth))
                if len(self.points) > MOST_POINTS:
                    self.stride *= 2
                    self.points = [point for point in self.points if point[0] % self.stride == 0]

    def curve(self) -> Curve:
        """The points, and the last step whether or not it is one of them."""
        points = self.points
        if self.weight and (not points or points[-1][0] != self.done):
            points = [*points, (self.done, self.last, self.smooth)]
        return Curve(*(tuple(column) for column in zip(*points, strict=True))) if points else Curve()
