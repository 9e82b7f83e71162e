"""The gradient that reaches x, four ways, and what a central difference of the whole program says instead."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch

from maml_core.graphs.agreement import (
    TOLERANCE,
    Slope,
    Way,
    central_difference,
    chain_rule,
    relative_difference,
)
from maml_core.graphs.algebra import number
from maml_core.graphs.cut_algebra import Step, follow
from maml_core.graphs.cutting import Copying, bearer, verdict
from maml_core.graphs.kinks import kinks
from maml_core.graphs.nodes import Number
from maml_core.graphs.programs import Apply, Assign, Backward, NoGrad, Program, Statement
from maml_core.graphs.recording import Recording, record
from maml_core.graphs.trees import Expression
from maml_core.numerals import numeral

SMALL = 1e-3  # a slope this small, relative to the largest number over x, is compared as if it were that large


class Check(NamedTuple):
    """One program. `ways` is empty where no gradient arrives; `reason`: why they part, or empty.

    `whole`: the slope of loss when x is nudged and everything runs again, None where the program cannot run so far.
    `honest`: the sentence that is due where autograd does not answer with that slope.
    """

    ways: tuple[Way, ...]
    difference: float
    reason: str
    whole: float | None
    honest: str


class Checks(NamedTuple):
    """Both programs, with their algebra (None: too large, or not finite)."""

    written: Check
    edited: Check
    steps: tuple[tuple[Step, ...] | None, tuple[Step, ...] | None]


def checks(copying: Copying, inputs: Mapping[str, float]) -> Checks:
    """Everything in float64. `inputs`: x, lr, w."""
    found, steps = [], []
    for inserted in (False, True):
        program = copying.program(inserted=inserted)
        recording = record(program, inputs, create_graph=False, dtype=torch.float64)
        fixed = inserted and holds(copying, recording)
        steps.append(follow(recording, inputs, held=fixed))
        held = _with_held_value(program, recording) if fixed else program
        found.append(_check(program, held, recording, inputs, steps[-1]))
    return Checks(found[0], found[1], (steps[0], steps[1]))


def holds(copying: Copying, recording: Recording) -> bool:
    """Whether the insertion turns a value that depends on x into a constant, as far as gradients go."""
    place = _place(recording)
    node = next((value.node for value in reversed(recording.values) if value.line == place), None)
    if copying.insertion.operation == "stop_gradient()":
        return True
    if copying.insertion.operation == "deepcopy()":  # a leaf of its own; called x, it is the leaf that is asked
        return copying.insertion.target != "x"
    return node is None


def _place(recording: Recording) -> int:
    """The line that the insertion is, or that stands under it."""
    for line in recording.lines:
        if isinstance(line.statement, Apply | NoGrad):
            return line.number + isinstance(line.statement, NoGrad)
    return 0


def _with_held_value(program: Program, recording: Recording) -> Program:
    """The same program with the held value written in as a number."""
    place = _place(recording)
    value = next((value.value for value in reversed(recording.values) if value.line == place), math.nan)
    constant = Expression(Number(value))

    def fixed(statement: Statement) -> Statement:
        match statement:
            case Apply(target, _) | NoGrad(Assign(target, _)):
                return Assign(target, constant)
        return statement

    return Program(tuple(fixed(statement) for statement in program.statements))


def _forward(program: Program) -> Program:
    backward = next(i for i, s in enumerate(program.statements) if isinstance(s, Backward))
    return Program(program.statements[:backward])


def _check(
    program: Program,
    held: Program,
    recording: Recording,
    inputs: Mapping[str, float],
    steps: tuple[Step, ...] | None,
) -> Check:
    answer = verdict(recording)
    slope = _slope(program, inputs)
    whole = slope.value if slope else None
    if answer.gradient is None or answer.outcome == "error":
        return Check((), 0.0, "", whole, _honest(None, whole, math.nan))
    ways = [Way("autograd", answer.gradient)]
    if steps is not None:
        ways.append(Way("SymPy", number(steps[-1].slope)))
    ways.append(Way("chain rule over the recorded graph", chain_rule(recording, bearer(recording) or "x")))
    fixed = _slope(held, inputs) or Slope(math.nan, math.nan, math.nan)
    ways.append(Way("central difference", fixed.value))
    sizes = [abs(value.value) for value in recording.values]
    floor = SMALL * max(sizes) / max(1.0, abs(inputs["x"]))
    reason = _reason(ways, fixed, floor, kinks(recording))
    apart = relative_difference([answer.gradient, whole or 0.0], floor) if held is not program else 0.0
    difference = relative_difference([way.value for way in ways], floor)
    return Check(tuple(ways), difference, reason, whole, _honest(answer.gradient, whole, apart))


def _slope(program: Program, inputs: Mapping[str, float]) -> Slope | None:
    """The central difference of loss by x; None where PyTorch stops before loss is there."""
    try:
        return central_difference(_forward(program), inputs, frozen=None, output="loss")
    except RuntimeError:
        return None


def _honest(gradient: float | None, whole: float | None, difference: float) -> str:
    """What a nudge of x does to loss, where that is not what the program finds in x.grad."""
    if not whole or not math.isfinite(whole):
        return ""
    nudged = f"Nudge x and run everything again, and loss moves by {numeral(whole, 5)} per unit of x"
    if gradient is None:
        return f"{nudged}. The dependence is there; this program does not bring it to x.grad."
    if not difference > TOLERANCE:
        return ""
    return (
        f"{nudged}, not by {numeral(gradient + 0.0, 5)}. Autograd differentiates with the cut value held fixed; a "
        "rerun does not hold it."
    )


def _reason(ways: list[Way], slope: Slope, floor: float, found: tuple[str, ...]) -> str:
    broken = [way.name for way in ways if not math.isfinite(way.value)]
    if broken:
        return f"Not finite: {', '.join(broken)}. On the way an operation overflowed or left its domain."
    if relative_difference([way.value for way in ways], floor) <= TOLERANCE:
        return ""
    if relative_difference([way.value for way in ways if way.name != "central difference"], floor) > TOLERANCE:
        return "Rounding in float64 was amplified: the terms nearly cancel."
    if found:
        return f"Only the central difference parts. {found[0]}"
    if slope.rounding > slope.bends:
        return (
            "Only the central difference parts: numbers on the way are so large that float64 cannot see x move by "
            "a step small enough."
        )
    return (
        "Only the central difference parts: loss bends so fast, or has a kink so near, that even the best step is in "
        f"doubt by {numeral(slope.bends, 1)}."
    )
