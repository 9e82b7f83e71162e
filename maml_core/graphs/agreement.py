"""One quantity, dL_out/dx, obtained in independent ways; how far they are apart, and why."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from maml_core.graphs.algebra import Solution, number
from maml_core.graphs.programs import Gradient, Program
from maml_core.graphs.recording import Recording, record
from maml_core.graphs.running import run
from maml_core.numerals import numeral

TOLERANCE = 1e-6  # relative: far above rounding in float64, far below any mistake in a formula
CANCELLED = 1e-6  # terms that cancel leave rounding of their own size: below this share of it nothing is compared
STEPS = [2.0**-n for n in range(2, 26)]  # of the central difference, relative to x


class Way(NamedTuple):
    name: str
    value: float


class Agreement(NamedTuple):
    """`difference`: the largest relative one between two ways. `reason`: why they part; empty if all is well."""

    create_graph: bool
    ways: tuple[Way, ...]
    difference: float
    reason: str
    single: float  # what a float32 run, such as a reader's own, gives

    @property
    def agrees(self) -> bool:
        return not self.reason


def agreement(
    program: Program, inputs: Mapping[str, float], solution: Solution | None, *, create_graph: bool
) -> Agreement:
    """Autograd, SymPy, the chain rule over the recorded graph, and a central difference, all in float64.

    Without a solution SymPy is left out. With `create_graph=False` every way holds the inner gradients fixed, as
    that run does. The chain rule asks each node alone for its local derivative, so it checks how autograd walks the
    graph; the formulas of the nodes are checked by the other two.
    """
    recording = record(program, inputs, create_graph=create_graph, dtype=torch.float64)
    slope = central_difference(program, inputs, frozen=None if create_graph else _inner_gradients(recording))
    ways = [Way("autograd", _gradient(recording))]
    if solution is not None:
        ways.append(Way("SymPy", number(solution.gradient[create_graph])))
    ways.append(Way("chain rule over the recorded graph", chain_rule(recording)))
    ways.append(Way("central difference", slope.value))
    floor = CANCELLED * chain_rule(recording, absolute=True)
    exact = solution.gradient[create_graph] if solution is not None else None
    reason = _reason(ways, slope, floor, exact)
    single = _gradient(record(program, inputs, create_graph=create_graph))
    return Agreement(create_graph, tuple(ways), relative_difference([w.value for w in ways], floor), reason, single)


def _gradient(recording: Recording) -> float:
    gradient = recording.gradients["x"]
    return math.nan if gradient is None else gradient


def _inner_gradients(recording: Recording) -> dict[int, float]:
    line = next(line.number for line in recording.lines if isinstance(line.statement, Gradient))
    return {value.step or 0: value.value for value in recording.values if value.line == line}


def chain_rule(recording: Recording, leaf: str = "x", *, absolute: bool = False) -> float:
    r"""$$\frac{\partial L}{\partial a} = \sum_{a \to b} \frac{\partial L}{\partial b}\frac{\partial b}{\partial a}$$

    over the recorded edges, each local derivative asked of its node alone. nan if nothing reaches the leaf.
    `absolute`: the sum of the sizes of all paths instead.
    """
    order = {node.id: i for i, node in enumerate(recording.nodes)}
    used = [edge for edge in recording.edges if edge.used and edge.local is not None]
    totals = dict.fromkeys(recording.used_nodes, 0.0)
    if leaf not in totals:
        return math.nan
    totals[max(totals, key=order.__getitem__)] = 1.0
    # A node is created after everything it is computed from, so latest first is a topological order.
    for edge in sorted(used, key=lambda edge: -order[edge.target]):
        local = edge.local or 0.0
        totals[edge.source] += totals[edge.target] * (abs(local) if absolute else local)
    return totals[leaf]


class Slope(NamedTuple):
    """A central difference and its two likely errors, absolute: from the bends it skips and from rounding."""

    value: float
    bends: float
    rounding: float


def central_difference(
    program: Program,
    inputs: Mapping[str, float],
    *,
    frozen: Mapping[int, float] | None,
    leaf: str = "x",
    output: str = "outer_loss",
) -> Slope:
    """(L(x + h) − L(x − h)) / 2h for the most trustworthy h.

    Too large an h misses the bends, too small a one drowns in rounding: the first error is estimated by halving h,
    the second by float64's spacing at L, and the h with the smallest sum is taken.
    """
    x = inputs[leaf]

    def loss(at: float) -> float:
        env = run(program, {**inputs, leaf: at}, create_graph=False, dtype=torch.float64, frozen=frozen)
        return float(torch.as_tensor(env[output]).detach())

    def slope(h: float) -> tuple[float, float]:
        left, right = loss(x - h), loss(x + h)
        return (right - left) / (2 * h), math.ulp(max(abs(left), abs(right))) / h

    slopes = [slope(h * max(1.0, abs(x))) for h in STEPS]
    tried = [Slope(value, abs(value - wider), noise) for (wider, _), (value, noise) in itertools.pairwise(slopes)]
    return min(tried, key=lambda s: math.inf if math.isnan(s.bends + s.rounding) else s.bends + s.rounding)


def relative_difference(values: Sequence[float], floor: float = 0.0) -> float:
    """Largest distance between two values over the largest size, at least `floor`; nan if one is not finite."""
    if not all(map(math.isfinite, values)):
        return math.nan
    size = max(floor, *map(abs, values))
    return (max(values) - min(values)) / size if size else 0.0


def _reason(ways: list[Way], slope: Slope, floor: float, exact: Any) -> str:  # noqa: ANN401
    known = exact is not None and exact.is_finite
    broken = [way.name for way in ways if not math.isfinite(way.value) and not (known and way.name == "SymPy")]
    if broken and known:
        return (
            f"Not finite: {', '.join(broken)}. float64 ends at 1.8·10³⁰⁸; SymPy, which has no such limit, gets "
            f"{numeral(exact)}."
        )
    if broken:
        return f"Not finite: {', '.join(broken)}. On the way an operation overflowed or left its domain."
    if relative_difference([way.value for way in ways], floor) <= TOLERANCE:
        return ""
    if relative_difference([way.value for way in ways if way.name != "central difference"], floor) > TOLERANCE:
        return "Rounding in float64 was amplified on the way through the inner steps."
    if slope.rounding > slope.bends:
        return (
            "Only the central difference parts: numbers on the way are so large that float64 cannot see x move by "
            "a step small enough."
        )
    return (
        "Only the central difference parts: the loss bends so fast, or has a kink so near, that even the best "
        f"step is in doubt by {numeral(slope.bends, 1)}."
    )
