"""One vector obtained in independent ways: how far apart they are; and two vectors compared as arrows."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

TOLERANCE = 1e-6  # relative: far above rounding in float64, far below any mistake in a formula


class Way(NamedTuple):
    name: str
    vector: tuple[float, ...]


class Agreement(NamedTuple):
    """`difference`: the largest relative one between two ways. `reason`: why they part; empty if all is well."""

    ways: tuple[Way, ...]
    difference: float
    reason: str

    @property
    def agrees(self) -> bool:
        return not self.reason


def agreement(vectors: Mapping[str, Tensor], why: str = "", tolerance: float = TOLERANCE) -> Agreement:
    """Compare flat vectors (n,) of one quantity. `why`: the sentence for ways that part, if the caller knows it."""
    ways = tuple(Way(name, tuple(vector.detach().double().flatten().tolist())) for name, vector in vectors.items())
    difference = relative_difference([way.vector for way in ways])
    if math.isnan(difference):
        broken = [way.name for way in ways if not all(map(math.isfinite, way.vector))]
        return Agreement(ways, difference, f"Not finite: {', '.join(broken)}.")
    if difference <= tolerance:
        return Agreement(ways, difference, "")
    return Agreement(ways, difference, why or f"They differ by {difference:.1e} of their length.")


def relative_difference(vectors: Sequence[Sequence[float]]) -> float:
    r"""$$\max_{a,b} \lVert a - b\rVert \,/\, \max_a \lVert a\rVert$$; NaN if an entry is not finite."""
    if not all(math.isfinite(entry) for vector in vectors for entry in vector):
        return math.nan
    size = max(math.hypot(*vector) for vector in vectors)
    distance = max(math.dist(a, b) for a in vectors for b in vectors)
    return distance / size if size else 0.0


def angle(a: Tensor, b: Tensor) -> float:
    """Degrees between two flat vectors, 0 to 180, exact also where it is tiny; NaN if one is zero or not finite."""
    a, b = a.double(), b.double()
    a, b = a / a.norm(), b / b.norm()
    # acos loses half the digits near 0° and 180°; this form (Kahan) loses none.
    return math.degrees(2 * float(torch.atan2((a - b).norm(), (a + b).norm())))


def length_ratio(a: Tensor, b: Tensor) -> float:
    """How many times as long `a` is as `b`; NaN if both are zero."""
    return float(a.double().norm() / b.double().norm())
