"""Lesson 2's programs as MathML: after every line its value and its derivative by x, tied to the graph's nodes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sympy

from maml_core.graphs.cut_algebra import LARGEST, Step, Term
from maml_core.graphs.mathml import linked, markup, mi, mn, mo
from maml_core.graphs.programs import Apply, Assign, Line
from maml_core.graphs.recording import Recording
from maml_core.numerals import numeral

EQUALS, BECOMES, TIMES, PLUS = mo("="), mo("←"), mo("×"), mo("+")
SYMBOLS = {"x": mi("x"), "w": mi("w"), "y": mi("y"), "loss": mi("loss")}
SYMBOLS["x_copy"] = f"<msub>{mi('x')}<mtext>copy</mtext></msub>"
SYMBOLS["x_new"] = f"<msub>{mi('x')}<mtext>new</mtext></msub>"


class Row(NamedTuple):
    """One equation of one run, in pieces that may wrap: its left side, then the rest.

    `secret`: the rest says what the reader is asked to predict.
    """

    line: int
    left: str
    pieces: tuple[str, ...]
    secret: bool = False


def equations(recording: Recording, steps: tuple[Step, ...] | None) -> tuple[Row, ...]:
    """All rows of one run, in reading order; one that says so where there is no algebra to show."""
    if steps is None:
        return (Row(0, "<mtext>Too large to show: not finite, or too long for SymPy.</mtext>", ()),)
    lines = {line.number: line for line in recording.lines}
    rows = [_value(lines[step.line], step, steps[:i], recording) for i, step in enumerate(steps)]
    slopes = [_slope(lines[step.line], step, recording) for step in steps if step.target != "w"]
    return (*rows, *slopes)


def _value(line: Line, step: Step, before: tuple[Step, ...], recording: Recording) -> Row:
    target, ids = SYMBOLS[step.target], _ids(recording, line.number)
    shown = EQUALS + _number(step.value)
    match line.statement:
        case Assign(_, expression):
            known = {earlier.target: earlier.value for earlier in before}  # the last of each name
            numbers = {name: mn(numeral(known[name])) for name in expression.names}
            left = target + BECOMES + markup(expression, SYMBOLS, ids)
            pieces = (EQUALS + markup(expression, numbers), shown) if len(ids) > 1 else (shown,)
        case Apply():
            call = f"<mtext>{line.text.removeprefix(step.target + ' = ')}</mtext>"
            left, pieces = linked(target + BECOMES + call, " ".join(filter(None, ids))), (shown,)
        case _:
            left, pieces = linked(target, ids[0] if ids else ""), (shown,)
    return Row(line.number, left, pieces)


def _slope(line: Line, step: Step, recording: Recording) -> Row:
    """d target / dx: the sum over the names in it, with numbers; or 0, because the value is held."""
    ids = " ".join(dict.fromkeys(filter(None, _ids(recording, line.number))))
    left = linked(_d(SYMBOLS[step.target]), ids)
    if step.held:
        pieces = (EQUALS + "<mn>0</mn>", "<mtext>, held fixed</mtext>")
    elif step.terms:
        pieces = (
            EQUALS + PLUS.join(_term(term) for term in step.terms),
            EQUALS + PLUS.join(mn(numeral(t.number)) + TIMES + mn(numeral(t.slope)) for t in step.terms),
            EQUALS + _number(step.slope),
        )
    else:
        pieces = (EQUALS + _number(step.slope),)
    return Row(line.number, left, pieces, secret=True)


def _term(term: Term) -> str:
    derivative = _derivative(term.derivative)
    slope = _d(SYMBOLS[term.name])
    return f"<mrow>{derivative}{TIMES}{slope}</mrow>"


def _derivative(expression: Any) -> str:  # noqa: ANN401
    """SymPy's own MathML, in our names; a placeholder where it is too large to be read."""
    if expression.count_ops() > LARGEST:
        return "<mtext>(too large to show)</mtext>"
    letters = {sympy.Symbol(name): sympy.Symbol(letter) for name, letter in LETTERS.items()}
    text = sympy.printing.mathml(expression.xreplace(letters), printer="presentation")
    text = text.replace("<mo>-</mo>", mo("−")).replace("<mn>-", "<mn>−")
    for name, letter in LETTERS.items():
        text = text.replace(f"<mi>{letter}</mi>", SYMBOLS[name])
    return f"<mrow>{mo('(')}{text}{mo(')')}</mrow>" if expression.is_Add or _is_negative(expression) else text


# SymPy's printer would take x_copy apart; these letters it leaves alone.
LETTERS = {"x_copy": "C", "x": "X", "w": "W", "y": "Y"}


def _is_negative(expression: Any) -> bool:  # noqa: ANN401
    return bool(expression.could_extract_minus_sign())


def _d(above: str) -> str:
    return f"<mfrac><mrow>{mi('d')}{above}</mrow><mrow>{mi('d')}{mi('x')}</mrow></mfrac>"


def _number(value: Any) -> str:  # noqa: ANN401
    return f"<mn>{numeral(value)}</mn>"


def _ids(recording: Recording, line: int) -> list[str]:
    """The node behind each sub-expression of a line."""
    return [value.node or "" for value in recording.values if value.line == line]


def update(recording: Recording, inputs: Mapping[str, float], gradient: float | None) -> Row:
    """x_new = x − lr · x.grad, with numbers; or that there is none."""
    line = recording.lines[-1].number
    left = SYMBOLS["x_new"] + BECOMES + SYMBOLS["x"] + mo("−") + mi("lr") + mo("·") + "<mtext>x.grad</mtext>"
    if gradient is None:
        return Row(line, left, ("<mtext>: x.grad is None</mtext>",), secret=True)
    numbers = (mn(numeral(inputs["x"])), mn(numeral(inputs["lr"])), mn(numeral(gradient + 0.0)))
    x_new = numeral(recording.results.get("x_new"))
    pieces = (f"{EQUALS}{numbers[0]}{mo('−')}{numbers[1]}{mo('·')}{numbers[2]}", f"{EQUALS}<mn>{x_new}</mn>")
    return Row(line, left, pieces, secret=True)
