r"""What the three ways back cost as k and the network grow, measured in small slices that a page can stop between.

One sinusoid task on a 1-w-w-1 ReLU network in float32, so $n = w^2 + 4w + 1$ weights. Bytes and nodes are counted
and depend on nothing but the sizes; seconds are this machine's, the best of a few runs.
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.backward import WAYS
from maml_core.meta.models import mlp, mlp_loss
from maml_core.meta.tasks import sinusoids

STEPS = (1, 2, 4, 7, 10, 15, 20)
FIT_STEPS = (1, 2)  # two counts make a line in k
FIT_WIDTHS = {"jacobians": (2, 3, 4, 5, 6), "unrolled": (4, 8, 16), "iterates": (4, 8, 16)}
DEGREES = {"jacobians": 4, "unrolled": 2, "iterates": 2}  # of the bytes, as a polynomial in the width
MOST_PRODUCTS = 400  # Hessian-vector products in one slice of the Jacobian's way: about a third of a second
FEW_SHOTS = 10
MILLION_WIDTH = 998  # of the network of this kind with about a million weights
FLOAT = 4  # bytes of a float32
ALPHA = 0.01
REPEATS = 3


class Sample(NamedTuple):
    """One slice of the measurement: which way back, on which width, through how many steps."""

    way: str
    width: int
    inner_steps: int
    shots: int  # support examples


class Price(NamedTuple):
    """What a sample took."""

    sample: Sample
    seconds: float
    peak_bytes: int
    nodes: int


class Bytes(NamedTuple):
    """Peak bytes as a line in k: `once` + k · `per_step`."""

    once: float
    per_step: float

    def at(self, inner_steps: int) -> float:
        return self.once + inner_steps * self.per_step


def weights(width: int) -> int:
    """Of the 1-w-w-1 network: $n = w^2 + 4w + 1$."""
    return width**2 + 4 * width + 1


def plan(width: int, shots: int) -> tuple[Sample, ...]:
    """All slices for a reader's width: the curves over k, then the sizes to which the bytes are fitted."""
    affordable = [Sample(way, width, k, shots) for k in STEPS for way in WAYS if _affordable(way, width, k)]
    return tuple(dict.fromkeys([*affordable, *(sample for way in WAYS for sample in _fit_samples(way, shots))]))


def _fit_samples(way: str, shots: int) -> list[Sample]:
    """The matrices of "jacobians" do not depend on the examples, and few examples leave them the largest part."""
    examples = min(shots, FEW_SHOTS) if way == "jacobians" else shots
    return [Sample(way, w, k, examples) for w in FIT_WIDTHS[way] for k in FIT_STEPS]


def _affordable(way: str, width: int, inner_steps: int) -> bool:
    """A Jacobian takes n Hessian-vector products per step."""
    return way != "jacobians" or inner_steps * weights(width) <= MOST_PRODUCTS


def price(sample: Sample) -> Price:
    """Measure one slice. Raises ValueError for a way that does not exist."""
    if sample.way not in WAYS:
        raise ValueError(f"The way must be one of {', '.join(WAYS)}, not {sample.way!r}.")
    theta = mlp((1, sample.width, sample.width, 1), seed=0, initialisation="he")
    tasks = sinusoids(1, sample.shots, seed=0)
    repeats = 1 if sample.way == "jacobians" else REPEATS
    rates = {"inner_lr": ALPHA, "inner_steps": sample.inner_steps}
    costs = [WAYS[sample.way](mlp_loss, theta, tasks, **rates).cost for _ in range(repeats)]
    return Price(sample, min(cost.seconds for cost in costs), costs[0].peak_bytes, costs[0].nodes)


def some(samples: Sequence[Sample], seconds: float) -> tuple[Price, ...]:
    """As many of these slices, from the first on, as fit into so many seconds: at least one."""
    start, found = time.perf_counter(), []
    for sample in samples:
        found.append(price(sample))
        if time.perf_counter() - start > seconds:
            break
    return tuple(found)


def growing(shots: int, width: int = 4) -> dict[str, float]:
    """Bytes that each more step adds to the peak of every way, counted on a small network."""
    found = {}
    for way in WAYS:
        few, many = (price(Sample(way, width, k, shots)).peak_bytes for k in FIT_STEPS)
        found[way] = (many - few) / (FIT_STEPS[1] - FIT_STEPS[0])
    return found


def fitted_bytes(prices: Iterable[Price], way: str, width: int, shots: int) -> Bytes:
    """Peak bytes at any width, from the counts at small ones: sizes of tensors are polynomials in the width.

    Raises ValueError if the fit's samples have not been measured.
    """
    counts = {price.sample: price.peak_bytes for price in prices}
    wanted = _fit_samples(way, shots)
    if not counts.keys() >= set(wanted):
        raise ValueError(f"The sizes of {way} have not been measured yet.")
    few, many = torch.tensor([counts[sample] for sample in wanted], dtype=torch.float64).view(-1, 2).T
    per_step = (many - few) / (FIT_STEPS[1] - FIT_STEPS[0])
    lines = torch.stack([few - FIT_STEPS[0] * per_step, per_step], dim=-1)
    return Bytes(*_polynomial(FIT_WIDTHS[way], lines, DEGREES[way], width))


def _polynomial(at: Sequence[int], values: Tensor, degree: int, x: float) -> list[float]:
    """The polynomials of `degree` through the columns of `values` (points, columns), at x."""
    powers = torch.arange(degree + 1, dtype=torch.float64)
    known = torch.tensor(at, dtype=torch.float64).unsqueeze(-1) ** powers
    coefficients = torch.linalg.lstsq(known, values).solution
    return (torch.tensor(float(x), dtype=torch.float64) ** powers @ coefficients).tolist()


def seconds_per_step(prices: Iterable[Price], way: str, width: int) -> float:
    """The slope of the time over k, through the origin; for a Jacobian too large to measure, from its products."""
    mine = [price for price in prices if price.sample.way == way]
    here = [price for price in mine if price.sample.width == width] or mine
    size = {price: price.sample.inner_steps for price in here}
    if way == "jacobians":  # the time of one Hessian-vector product, at the largest network that was measured
        size = {price: price.sample.inner_steps * weights(price.sample.width) / weights(width) for price in here}
    return sum(price.seconds for price in here) / sum(size.values())
