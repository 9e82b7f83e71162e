"""A gradient against the exact one: the verdict, the known vector it is, its angle and its length."""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from maml_core.meta.agreement import angle, length_ratio
from maml_core.meta.trees import Params, flatten
from maml_core.numerals import numeral
from maml_core.practice.loops.landmarks import LABELS, landmarks
from maml_core.practice.loops.problem import published

Verdict = Literal["exact", "first order", "zero", "None", "wrong", "raises"]
DOUBLE, SINGLE = 1e-9, 1e-4  # relative: what rounding in float64 and in float32 may cost; landmarks are 0.1 apart


MOST = 1000  # no factor above it is taken for a whole number


class Finding(NamedTuple):
    """What a gradient is. `degrees` and `length` are against the exact one; None where there is no vector."""

    verdict: Verdict
    known_as: str  # a key of LABELS; empty for a vector that nobody here has a name for
    factor: float  # it is so many times that known vector
    difference: float | None  # relative, to the known vector times the factor, or to the exact one
    degrees: float | None
    length: float | None

    @property
    def name(self) -> str:
        """The known vector in words, with its factor."""
        label = LABELS.get(self.known_as, "")
        return label if self.factor == 1 or not label else f"{_times(self.factor)} {label}"


def _times(factor: float) -> str:
    """A factor in words; a whole number, or one over it, also where rounding in float32 has blurred it."""
    sign, size = "−" if factor < 0 else "", abs(factor)
    whole, part = (round(x) if 0.5 < x < MOST else 0 for x in (size, 1 / size))
    if whole and math.isclose(size, whole, rel_tol=SINGLE):
        return f"{sign}{whole} times"
    if part and math.isclose(size * part, 1.0, rel_tol=SINGLE):
        return f"{sign}1/{part} of"
    return f"{numeral(factor, 6)} times"


def judge(gradient: Params, *, exact: Tensor | None = None, tolerance: float = DOUBLE) -> Finding:
    """The verdict on a gradient by leaf; leaves that are not in it are None. `exact`: if not the published one."""
    theta = published().theta
    if not gradient:
        return Finding("None", "", 1.0, None, None, None)
    whole = {name: gradient.get(name, torch.zeros_like(leaf)) for name, leaf in theta.items()}
    vector = flatten(whole).double()
    known = landmarks() if exact is None else {**landmarks(), "exact": exact}
    degrees, length = angle(vector, known["exact"]), length_ratio(vector, known["exact"])
    if length == 0:
        return Finding("zero", "", 1.0, None, None, 0.0)
    name, factor, difference = _nearest(vector, known)
    if difference > tolerance:
        return Finding("wrong", "", 1.0, relative(vector, known["exact"]), degrees, length)
    verdict: Verdict = name if factor == 1 and name in ("exact", "first order") else "wrong"  # type: ignore[assignment]
    return Finding(verdict, name, factor, difference, degrees, length)


def relative(vector: Tensor, reference: Tensor) -> float:
    """How far apart, in lengths of the reference."""
    return float((vector - reference).norm() / reference.norm())


def _nearest(vector: Tensor, known: Mapping[str, Tensor]) -> tuple[str, float, float]:
    """The known vector that this one is a multiple of, or comes nearest to being: its key, the factor, the rest."""
    return min((_against(vector, name, other) for name, other in known.items()), key=lambda found: found[2])


def _against(vector: Tensor, name: str, other: Tensor) -> tuple[str, float, float]:
    factor = float(vector @ other / (other @ other))
    rest = relative(vector, factor * other) if factor else math.inf
    whole = relative(vector, other)
    # A factor that rounding alone explains is 1.
    return (name, 1.0, whole) if math.isclose(factor, 1.0, abs_tol=SINGLE) else (name, factor, rest)


class Mark(NamedTuple):
    """A known vector as an arrow beside the meta-gradient, which has length 1 and points along 0°."""

    name: str  # a key of LABELS
    degrees: float
    length: float


def marks() -> tuple[Mark, ...]:
    """Every landmark against the meta-gradient."""
    known = landmarks()
    return tuple(Mark(name, angle(v, known["exact"]), length_ratio(v, known["exact"])) for name, v in known.items())
