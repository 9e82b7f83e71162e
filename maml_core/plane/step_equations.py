"""The recorded step as equations in MathML: θ to φ, H by SymPy, J, and the gradient with J and without it."""

from functools import lru_cache
from typing import Any

import sympy

from maml_core.graphs.algebra import TooLarge, patience
from maml_core.graphs.equations import Row
from maml_core.graphs.mathml import linked, markup, mi, mo
from maml_core.graphs.recording import Recording
from maml_core.graphs.trees import Expression
from maml_core.numerals import numeral
from maml_core.plane.answers import Answer, Matrix
from maml_core.plane.problems import NAMES, Point, Task
from maml_core.plane.recorded import GRADIENT, INNER_LOSS, OUTER_LOSS, UPDATE_U, UPDATE_V

EQUALS = mo("=")
SUPPORT, QUERY = (f"<msub>{mi('L')}<mtext>{name}</mtext></msub>" for name in ("s", "q"))
AT_PHI = {name: f"<msub>{mi(name)}{mi('φ')}</msub>" for name in NAMES}
LONGEST = 14  # operations of a derivative that is written out
BACKWARD = OUTER_LOSS + 1


def step_equations(task: Task, recording: Recording, exact: Answer) -> tuple[Row, ...]:
    """In reading order. `recording` is the run with create_graph=True, `exact` the same step in float64."""
    second = " ".join(node.id for node in recording.nodes if node.used and node.parent is not None)
    symbols = {name: mi(name) for name in NAMES}
    rows = [
        _loss(
            INNER_LOSS, SUPPORT, markup(task.support, symbols, _ids(recording, INNER_LOSS)), recording, "inner_loss"
        ),
        *(_slope(name, recording) for name in NAMES),
        *(_update(name, line, recording) for name, line in zip(NAMES, (UPDATE_U, UPDATE_V), strict=True)),
        _loss(OUTER_LOSS, QUERY, markup(task.query, AT_PHI), recording, "outer_loss"),
    ]
    return (*rows, *_curvatures(task.support, exact, second), _jacobian(exact, second), *_gradients(exact, second))


def _ids(recording: Recording, line: int) -> list[str]:
    return [value.node or "" for value in recording.values if value.line == line]


def _number(value: Any) -> str:  # noqa: ANN401
    return f"<mn>{numeral(value, 5)}</mn>"


def _loss(line: int, name: str, written: str, recording: Recording, result: str) -> Row:
    return Row(line, None, (name + EQUALS, written, EQUALS + _number(recording.results[result])))


def _d(above: str, *below: str) -> str:
    power = "<msup><mo>∂</mo><mn>2</mn></msup>" if len(below) > 1 else mo("∂")
    return f"<mfrac><mrow>{power}{above}</mrow><mrow>{''.join(mo('∂') + name for name in below)}</mrow></mfrac>"


def _slope(name: str, recording: Recording) -> Row:
    return Row(GRADIENT, None, (_d(SUPPORT, mi(name)), EQUALS + _number(recording.results[f"g{name}"])))


def _update(name: str, line: int, recording: Recording) -> Row:
    left = linked(AT_PHI[name], _ids(recording, line)[-1])
    right = mi(name) + mo("−") + mi("α") + _d(SUPPORT, mi(name))
    return Row(line, None, (left, EQUALS + right, EQUALS + _number(recording.results[f"{name}_phi"])))


def _curvatures(support: Expression, exact: Answer, second: str) -> tuple[Row, ...]:
    """The three second derivatives: SymPy's formula where it is short, and PyTorch's number."""
    (uu, uv), (_, vv) = exact.hessians[0]
    written = _formulas(support)
    pairs = zip(("uu", "uv", "vv"), (uu, uv, vv), strict=True)
    return tuple(
        Row(
            GRADIENT,
            None,
            (linked(_d(SUPPORT, *map(mi, names)), second), *written.get(names, ()), EQUALS + _number(value)),
        )
        for names, value in pairs
    )


@lru_cache(maxsize=64)
def _formulas(support: Expression) -> dict[str, tuple[str]]:
    """SymPy's second derivatives, those that are not numbers and short enough to be read."""
    symbols = {name: sympy.Symbol(name) for name in NAMES}
    try:
        with patience():
            form = support.sympy()
            found = {
                names: sympy.diff(form, *(symbols[n] for n in names)).expand().n(5) for names in ("uu", "uv", "vv")
            }
    except (TooLarge, OverflowError):
        return {}
    readable = {names: e for names, e in found.items() if e.free_symbols and e.count_ops() <= LONGEST}
    return {names: (EQUALS + _mathml(e),) for names, e in readable.items()}


def _mathml(expression: Any) -> str:  # noqa: ANN401
    text = sympy.printing.mathml(expression, printer="presentation")
    return f"<mrow>{text.replace('<mo>-</mo>', mo('−')).replace('<mn>-', '<mn>−')}</mrow>"


def _jacobian(exact: Answer, second: str) -> Row:
    left = f"{mi('J')}{EQUALS}{mi('I')}{mo('−')}{mi('α')}{mi('H')}"
    return Row(
        BACKWARD,
        None,
        (mi("J"),),
        (linked(left.removeprefix(mi("J")), second), EQUALS + matrix(exact.jacobians[0])),
        (EQUALS + mi("I"), "<mtext>: H is not in this graph</mtext>"),
    )


def _gradients(exact: Answer, second: str) -> tuple[Row, ...]:
    """The query gradient at φ, and what arrives at θ in each run."""
    at_phi = f"<mrow>{mo('∇')}{QUERY}{mo('(')}{mi('φ')}{mo(')')}</mrow>"
    at_theta = f"<mrow><msub>{mo('∇')}{mi('θ')}</msub>{QUERY}</mrow>"
    transposed = f"<msup>{mi('J')}<mi>T</mi></msup>"
    (a, b), (c, d) = exact.jacobians[0]
    g = exact.arrows["fomaml"]
    return (
        Row(OUTER_LOSS, None, (at_phi, EQUALS + column(g))),
        Row(
            BACKWARD,
            None,
            (at_theta,),
            (
                EQUALS + linked(transposed, second) + at_phi,
                EQUALS + matrix(((a, c), (b, d))) + column(g),
                f'{EQUALS}<mrow class="total">{column(exact.arrows["maml"])}</mrow>',
            ),
            (EQUALS + at_phi, f'{EQUALS}<mrow class="total">{column(g)}</mrow>'),
        ),
    )


def matrix(rows: Matrix) -> str:
    """Two rows of two numbers in parentheses."""
    body = "".join("<mtr>" + "".join(f"<mtd>{_number(x)}</mtd>" for x in row) + "</mtr>" for row in rows)
    return f"<mrow>{mo('(')}<mtable>{body}</mtable>{mo(')')}</mrow>"


def column(vector: Point) -> str:
    """Two numbers, one above the other."""
    body = "".join(f"<mtr><mtd>{_number(x)}</mtd></mtr>" for x in vector)
    return f"<mrow>{mo('(')}<mtable>{body}</mtable>{mo(')')}</mrow>"
