"""dy/dx₁, dy/dx₂, dy/dx₃ of one expression, each in independent ways: how far they are apart, and why."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import sympy
import torch

from maml_core.graphs.agreement import (
    CANCELLED,
    TOLERANCE,
    Slope,
    Way,
    central_difference,
    chain_rule,
    relative_difference,
)
from maml_core.graphs.algebra import DIGITS, TooLarge, at, number, patience
from maml_core.graphs.kinks import kinks
from maml_core.graphs.programs import Assign, Backward, Leaf, Program
from maml_core.graphs.recording import record
from maml_core.graphs.trees import Expression
from maml_core.graphs.two_calls import LEAVES
from maml_core.numerals import numeral

LARGEST = 60  # operations in a derivative that is still worth reading
ZERO = 1e-3  # a slope this small, relative to y/x, is compared as if it were that large


class Partial(NamedTuple):
    """The derivative by one leaf. `difference`: the largest relative one; `reason`: why they part, or empty."""

    leaf: str
    ways: tuple[Way, ...]
    difference: float
    reason: str
    kinks: tuple[str, ...]  # a sentence for each on which y stands

    @property
    def agrees(self) -> bool:
        return not self.reason

    @property
    def value(self) -> float:
        """Autograd's, in float64; 0 for a leaf that y does not depend on."""
        return self.ways[0].value


@lru_cache(maxsize=256)
def differentiate(expression: Expression) -> dict[str, Any] | None:
    """SymPy's derivative by each leaf, or None where they are too large to be worked out."""
    try:
        with patience():
            output = expression.sympy()
            found = {leaf: sympy.diff(output, sympy.Symbol(leaf)) for leaf in LEAVES}
    except (TooLarge, OverflowError):
        return None
    return found if max(d.count_ops() for d in found.values()) <= LARGEST else None


def partials(expression: Expression, inputs: Mapping[str, float]) -> tuple[Partial, ...]:
    """Autograd, the chain rule over the recorded graph, a central difference, and SymPy if it gets there."""
    program = Program((*(Leaf(name) for name in LEAVES), Assign("y", expression), Backward("y")))
    recording = record(program, inputs, create_graph=False, dtype=torch.float64)
    derivatives = differentiate(expression) if _is_finite(expression, inputs) else None
    found_kinks = kinks(recording)
    found = []
    for leaf in LEAVES:
        slope = central_difference(program, inputs, frozen=None, leaf=leaf, output="y")
        gradient = recording.gradients[leaf]
        chained = chain_rule(recording, leaf) if leaf in recording.used_nodes else gradient or 0.0
        ways = [
            Way("autograd", gradient or 0.0),
            Way("chain rule over the recorded graph", chained),
            Way("central difference", slope.value),
        ]
        exact = substituted(derivatives, leaf, inputs)
        if exact is not None:
            ways.insert(1, Way("SymPy", exact))
        y = recording.results["y"]
        floor = max(
            CANCELLED * (chain_rule(recording, leaf, absolute=True) if leaf in recording.used_nodes else 0.0),
            ZERO * max(abs(y), ZERO) / max(1.0, abs(inputs[leaf])),
        )
        difference = relative_difference([way.value for way in ways], floor)
        if math.isfinite(y):
            reason = _reason(tuple(ways), difference, floor, slope, bool(found_kinks))
        else:
            reason = f"y itself is {numeral(y)} here, so there is no derivative, whatever autograd returns."
        found.append(Partial(leaf, tuple(ways), difference, reason, found_kinks))
    return tuple(found)


def substituted(derivatives: Mapping[str, Any] | None, leaf: str, inputs: Mapping[str, float]) -> float | None:
    """SymPy's derivative by one leaf at these numbers, or None if that takes too long."""
    if derivatives is None:
        return None
    # Through the decimal text: the reader chose 0.1, not the float nearest to it.
    exact = {sympy.Symbol(name): sympy.Float(repr(value), DIGITS) for name, value in inputs.items()}
    try:
        with patience():
            return number(at(derivatives[leaf], exact))
    except TooLarge:
        return None


def _is_finite(expression: Expression, inputs: Mapping[str, float]) -> bool:
    """Whether every step of the way is: SymPy would fill the memory with the digits of sin(exp(exp(exp(9))))."""
    return all(map(math.isfinite, _values(expression, inputs)))


def _values(expression: Expression, inputs: Mapping[str, float]) -> list[float]:
    """Of every part of the expression, in float64."""
    seen: list[float] = []
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in inputs.items()}
    expression.evaluate(tensors, lambda _, value: seen.append(float(value)))
    return seen


def _reason(ways: tuple[Way, ...], difference: float, floor: float, slope: Slope, on_kink: bool) -> str:
    broken = [way.name for way in ways if not math.isfinite(way.value)]
    if broken:
        return (
            f"Not a finite number: {', '.join(broken)}. y is finite, but its slope, or a step on the way to "
            "it, is not."
        )
    if difference <= TOLERANCE:
        return ""
    if relative_difference([way.value for way in ways if way.name != "central difference"], floor) > TOLERANCE:
        return "Rounding in float64 was amplified on the way."
    if on_kink:
        return "Only the central difference parts: it measures the mean of both sides of the kink."
    if slope.rounding > slope.bends:
        return "Only the central difference parts: y is so large that float64 cannot see it move by a small step."
    return (
        "Only the central difference parts: y bends so fast, or has a kink so near, that even the best step is in "
        f"doubt by {numeral(slope.bends, 1)}."
    )
