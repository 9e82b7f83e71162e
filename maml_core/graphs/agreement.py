"""One quantity, dL_out/dx, obtained in independent ways; how far they are apart, and why."""

import itertools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from maml_core.graphs.algebra import Solution, number
from maml_core.graphs.numerals import numeral
from maml_core.graphs.programs import Gradient, Program
from maml_core.graphs.recording import Recording, record, run

TOLERANCE = 1e-6  # relative: far above rounding in float64, far below any mistake in a formula
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

    @property
    def agrees(self) -> bool:
        return not self.reason


def agreement(
    program: Program, inputs: Mapping[str, float], solution: Solution | None, *, create_graph: bool
) -> Agreement:
    """Autograd, SymPy, the chain rule over the recorded graph, and a central difference, all in float64.

    Without a solution SymPy is left out. With `create_graph=False` every way holds the inner gradients fixed, as that run does.
    """
    recording = record(program, inputs, create_graph=create_graph, dtype=torch.float64)
    frozen = None if create_graph else _inner_gradients(recording)
    slope, doubt = central_difference(program, inputs, frozen=frozen)
    ways = [Way("autograd", _gradient(recording))]
    if solution is not None:
        ways.append(Way("SymPy", number(solution.gradient[create_graph])))
    ways.append(Way("chain rule over the recorded graph", chain_rule(recording)))
    ways.append(Way("central difference", slope))
    difference = relative_difference([way.value for way in ways])
    exact = solution.gradient[create_graph] if solution is not None else None
    return Agreement(create_graph, tuple(ways), difference, _reason(ways, difference, doubt, exact))


def _gradient(recording: Recording) -> float:
    gradient = recording.gradients["x"]
    return math.nan if gradient is None else gradient


def _inner_gradients(recording: Recording) -> dict[int, float]:
    line = next(line.number for line in recording.lines if isinstance(line.statement, Gradient))
    return {value.step or 0: value.value for value in recording.values if value.line == line}


def chain_rule(recording: Recording, leaf: str = "x") -> float:
    r"""$$\frac{\partial L}{\partial a} = \sum_{a \to b} \frac{\partial L}{\partial b}\frac{\partial b}{\partial a}$$

    over the recorded edges, each local derivative asked of its node alone. nan if nothing reaches the leaf.
    """
    order = {node.id: i for i, node in enumerate(recording.nodes)}
    used = [edge for edge in recording.edges if edge.used and edge.local is not None]
    totals = dict.fromkeys(recording.used_nodes, 0.0)
    if leaf not in totals:
        return math.nan
    totals[max(totals, key=order.__getitem__)] = 1.0
    # A node is created after everything it is computed from, so latest first is a topological order.
    for edge in sorted(used, key=lambda edge: -order[edge.target]):
        totals[edge.source] += totals[edge.target] * (edge.local or 0.0)
    return totals[leaf]


def central_difference(
    program: Program,
    inputs: Mapping[str, float],
    *,
    frozen: Mapping[int, float] | None,
    leaf: str = "x",
    output: str = "outer_loss",
) -> tuple[float, float]:
    """(L(x + h) − L(x − h)) / 2h for the most trustworthy h, and its likely relative error.

    Too large an h misses the bends, too small a one drowns in rounding: the first error is estimated by halving h,
    the second by float64's spacing at L, and the h with the smallest sum is taken.
    """
    x = inputs[leaf]

    def loss(at: float) -> float:
        env = run(program, {**inputs, leaf: at}, create_graph=False, dtype=torch.float64, frozen=frozen)
        return float(torch.as_tensor(env[output]).detach())

    steps = [h * max(1.0, abs(x)) for h in STEPS]
    ends = [(loss(x - h), loss(x + h)) for h in steps]
    slopes = [(right - left) / (2 * h) for h, (left, right) in zip(steps, ends, strict=True)]
    rounding = [math.ulp(max(map(abs, pair))) / h for h, pair in zip(steps, ends, strict=True)]
    errors = [abs(b - a) + r for (a, b), r in zip(itertools.pairwise(slopes), rounding[1:], strict=True)]
    best = min(range(len(errors)), key=lambda i: math.inf if math.isnan(errors[i]) else errors[i])
    slope = slopes[best + 1]
    return slope, errors[best] / abs(slope) if slope else errors[best]


def relative_difference(values: list[float] | tuple[float, ...]) -> float:
    """Largest distance between two of the values over the largest size; nan if any of them is not finite."""
    if not all(map(math.isfinite, values)):
        return math.nan
    size = max(map(abs, values))
    return (max(values) - min(values)) / size if size else 0.0


def _reason(ways: list[Way], difference: float, doubt: float, exact: Any) -> str:  # noqa: ANN401
    broken = [way.name for way in ways if not math.isfinite(way.value)]
    if broken and exact is not None and exact.is_finite:
        return (
            f"Not finite: {', '.join(broken)}. float64 ends at 1.8·10³⁰⁸ and float32 at 3.4·10³⁸; "
            f"SymPy, which has no such limit, gets {numeral(exact)}."
        )
    if broken:
        return f"Not finite: {', '.join(broken)}. On the way an operation overflowed or left its domain."
    if difference <= TOLERANCE:
        return ""
    without = relative_difference([way.value for way in ways if way.name != "central difference"])
    if without <= TOLERANCE:
        return (
            "Only the central difference parts: here the loss bends so fast, or has a kink so near, that even its "
            f"best step is in doubt by {numeral(doubt, 1)} of the value."
        )
    return "Rounding in float64 was amplified on the way through the inner steps: the terms nearly cancel."
