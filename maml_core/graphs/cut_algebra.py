r"""Lesson 2's programs in SymPy: after every line its value and its derivative by x, to thirty digits.

$$\frac{dt}{dx} = \sum_{n \in t} \frac{\partial t}{\partial n}\,\frac{dn}{dx}, \qquad
\frac{dt}{dx} = 0 \text{ where a value is held fixed}$$

Nothing here has seen PyTorch's graph; only whether the insertion holds a value fixed is told.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import sympy

from maml_core.graphs.algebra import DIGITS, TooLarge, patience
from maml_core.graphs.algebra import LARGEST as TOO_LARGE
from maml_core.graphs.programs import Apply, Assign, Leaf, Line, NoGrad
from maml_core.graphs.recording import Recording
from maml_core.graphs.trees import Expression

LARGEST = 60  # operations in a derivative that is still worth reading


class Term(NamedTuple):
    """One name in an expression: the expression's derivative by it, in symbols and as a number, and its own by x."""

    name: str
    derivative: Any
    number: Any
    slope: Any


class Step(NamedTuple):
    """One line: what its target then is, d target / dx, and the terms that sum to it (none but for expressions)."""

    line: int
    target: str
    value: Any
    slope: Any
    terms: tuple[Term, ...] = ()
    held: bool = False


def follow(recording: Recording, inputs: Mapping[str, float], *, held: bool) -> tuple[Step, ...] | None:
    """The lines that ran, in algebra; None where the numbers are not finite or SymPy would take too long.

    `held`: the inserted operation fixes a value.
    """
    # SymPy would fill the memory with the digits of exp(exp(exp(9))).
    if not all(math.isfinite(value.value) for value in recording.values):
        return None
    try:
        with patience():
            return _follow(recording, inputs, held)
    except (TooLarge, OverflowError):
        return None


def _follow(recording: Recording, inputs: Mapping[str, float], held: bool) -> tuple[Step, ...]:
    steps: list[Step] = []
    known: dict[str, Step] = {}
    ran = {value.line for value in recording.values}
    lines = [line for line in recording.lines if line.number in ran]
    shielded = {line.number + 1 for line in recording.lines if isinstance(line.statement, NoGrad)}
    for line in lines:
        step = _step(line, known, inputs, held, held and line.number in shielded)
        if step is not None:
            steps.append(step)
            known[step.target] = step
    return tuple(steps)


def _step(
    line: Line, known: Mapping[str, Step], inputs: Mapping[str, float], held: bool, shielded: bool
) -> Step | None:
    match line.statement:
        case Leaf(target):
            # Through the decimal text: the reader chose 0.4, not the float nearest to it.
            return Step(line.number, target, sympy.Float(repr(inputs[target]), DIGITS), sympy.Integer(target == "x"))
        case Assign(target, expression):
            step = _assigned(line.number, target, expression, known)
            return step._replace(slope=sympy.Integer(0), held=True) if shielded else step
        case Apply(target, operation):
            value = known[target].value + (1 if operation == "add_(1)" else 0)
            slope = sympy.Integer(0) if held else known[target].slope
            return Step(line.number, target, value, slope, held=held)
    return None


def _assigned(number: int, target: str, expression: Expression, known: Mapping[str, Step]) -> Step:
    values = {sympy.Symbol(name): known[name].value for name in expression.names}
    terms = tuple(
        Term(name, derivative, _at(derivative, values), known[name].slope)
        for name, derivative in _derivatives(expression).items()
    )
    slope = sympy.Add(*(term.number * term.slope for term in terms if term.slope != 0))
    return Step(number, target, _at(expression.sympy(), values), slope, terms)


@lru_cache(maxsize=256)
def _derivatives(expression: Expression) -> dict[str, Any]:
    tree = expression.sympy()
    return {name: sympy.diff(tree, sympy.Symbol(name)) for name in sorted(expression.names, reverse=True)}


def _at(expression: Any, values: Mapping[Any, Any]) -> Any:  # noqa: ANN401
    """The value at these values of the symbols, from the leaves up; nan if it is not real, or too large to go on."""
    if expression.is_Symbol:
        return values[expression]
    if expression.is_Number:
        return expression
    operands = [_at(argument, values) for argument in expression.args]
    if any(not operand.is_real or abs(operand) > TOO_LARGE for operand in operands):
        return sympy.nan
    value = expression.func(*operands).evalf(DIGITS)
    return value if value.is_Float or value.is_Integer else sympy.nan
