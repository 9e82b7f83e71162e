"""The inner-step program as equations in MathML, each term tied to the graph nodes it became."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from maml_core.graphs import programs
from maml_core.graphs.algebra import Derivatives, Solution, V
from maml_core.graphs.mathml import from_sympy, linked, markup, mi, mn, mo, primed
from maml_core.graphs.programs import InnerStep
from maml_core.graphs.recording import Recording
from maml_core.numerals import numeral

EQUALS, MINUS, TIMES = mo("="), mo("−"), mo("×")
INNER, OUTER = (f"<msub>{mi('L')}<mtext>{name}</mtext></msub>" for name in ("in", "out"))
INNER_SLOPE, INNER_CURVATURE = (f"<msub>{primed('L', prime)}<mtext>in</mtext></msub>" for prime in "′″")


class Row(NamedTuple):
    """One equation, in pieces that may wrap: `always`, then those of the run that is looked at.

    `line`: the program's line it belongs to (0: none). `step`: its inner step. `secret`: the reader is asked to
    predict what its second-order pieces say.
    """

    line: int
    step: int | None
    always: tuple[str, ...]
    second_order: tuple[str, ...] = ()
    first_order: tuple[str, ...] = ()
    secret: bool = False


class _Context(NamedTuple):
    lesson: InnerStep
    inputs: Mapping[str, float]
    recording: Recording
    derivatives: Derivatives
    solution: Solution

    def point(self, i: int) -> str:
        """How x after i steps is written: x and x′ for one step, x₀ … x_k for more."""
        if self.lesson.inner_steps == 1:
            return [mi("x"), primed("x", "′")][i]
        return f"<msub>{mi('x')}<mn>{i}</mn></msub>"

    def ids(self, line: int, step: int | None = None) -> list[str]:
        """The node behind each sub-expression of a line."""
        return [v.node or "" for v in self.recording.values if (v.line, v.step) == (line, step)]

    def second(self, step: int | None = None) -> str:
        """The nodes that exist only to carry second derivatives, of one step or of all."""
        nodes = (n for n in self.recording.nodes if n.used and step in (None, n.step))
        return " ".join(n.id for n in nodes if n.parent is not None)


def equations(
    lesson: InnerStep,
    inputs: Mapping[str, float],
    recording: Recording,
    derivatives: Derivatives,
    solution: Solution,
) -> tuple[Row, ...]:
    """The equations in reading order. `recording` is the run with `create_graph=True`."""
    context = _Context(lesson, inputs, recording, derivatives, solution)
    inner = (row for i in range(lesson.inner_steps) for row in _inner_step(context, i))
    factors = (row for i in range(lesson.inner_steps) for row in _factor(context, i))
    return (
        _start(context),
        *inner,
        _outer(context),
        *factors,
        _outer_slope(context),
        *_meta_gradient(context),
    )


def _start(context: _Context) -> Row:
    ids = " ".join(["x", *context.ids(programs.CLONE)])
    return Row(programs.CLONE, None, (linked(context.point(0), ids) + EQUALS + _shown(context.solution.points[0]),))


def _inner_step(context: _Context, i: int) -> Iterator[Row]:
    names, numbers = _both(context, i)
    slope = context.derivatives.slope
    ids = context.ids(programs.INNER_LOSS, i)
    yield Row(
        programs.INNER_LOSS,
        i,
        (
            f"{INNER}{mo('(')}{context.point(i)}{mo(')')}{EQUALS}" + markup(context.lesson.inner, names, ids),
            EQUALS + markup(context.lesson.inner, numbers),
            EQUALS + _shown(context.solution.losses[i]),
        ),
    )
    g = context.ids(programs.GRADIENT, i)[0]
    yield Row(
        programs.GRADIENT,
        i,
        (
            linked(f"{mi('g')}{EQUALS}{INNER_SLOPE}{mo('(')}{context.point(i)}{mo(')')}", g),
            EQUALS + linked(from_sympy(slope, V, context.point(i)), g),
            EQUALS + _shown(context.solution.slopes[i]),
        ),
    )
    yield Row(
        programs.INNER_UPDATE,
        i,
        (
            context.point(i + 1) + EQUALS + markup(programs.UPDATE, names, context.ids(programs.INNER_UPDATE, i)),
            EQUALS + markup(programs.UPDATE, numbers),
            EQUALS + _shown(context.solution.points[i + 1]),
        ),
    )


def _both(context: _Context, i: int) -> tuple[dict[str, str], dict[str, str]]:
    """The names of the program at step i, as symbols and as numbers."""
    symbols = {"x_prime": context.point(i), "c": mi("c"), "alpha": mi("α"), "g": mi("g")}
    numbers = {"x_prime": mn(context.solution.points[i])}
    if i < context.lesson.inner_steps:
        numbers |= {name: mn(context.inputs[name]) for name in ("c", "alpha")}
        numbers["g"] = mn(context.solution.slopes[i])
    return symbols, numbers


def _outer(context: _Context) -> Row:
    k = context.lesson.inner_steps
    names, numbers = _both(context, k)
    return Row(
        programs.OUTER_LOSS,
        None,
        (
            f"{OUTER}{mo('(')}{context.point(k)}{mo(')')}{EQUALS}"
            + markup(context.lesson.outer, names, context.ids(programs.OUTER_LOSS)),
            EQUALS + markup(context.lesson.outer, numbers),
            EQUALS + _shown(context.solution.outer),
        ),
    )


def _factor(context: _Context, i: int) -> Iterator[Row]:
    """L_in″, then dx′/dx with it and without it."""
    second = context.second(i)
    curvature = f"{INNER_CURVATURE}{mo('(')}{context.point(i)}{mo(')')}"
    value = context.solution.curvatures[i]
    yield Row(
        0,
        i,
        (
            _second(curvature, second) + EQUALS + from_sympy(context.derivatives.curvature, V, context.point(i)),
            EQUALS + _shown(value),
        ),
    )
    identity = linked(mi("c"), context.ids(programs.INNER_UPDATE, i)[2])  # the part c * x_prime
    c, alpha = context.inputs["c"], context.inputs["alpha"]
    first, exact = mn(c), context.solution.factors[i]
    yield Row(
        0,
        i,
        (
            _d(context.point(i + 1), context.point(i)) + EQUALS + identity,
            _second(f"{MINUS}{mi('α')}{curvature}", second),
        ),
        (
            EQUALS + first + _second(MINUS + mn(alpha) + mo("·") + mn(value), second),
            EQUALS + _shown(exact),
        ),
        (EQUALS + first,),
        secret=True,
    )


def _outer_slope(context: _Context) -> Row:
    point = context.point(context.lesson.inner_steps)
    ids = " ".join(i for i in dict.fromkeys(context.ids(programs.OUTER_LOSS)[::-1]) if i.startswith("L"))
    return Row(
        programs.OUTER_LOSS,
        None,
        (
            _d(OUTER, point) + EQUALS + linked(from_sympy(context.derivatives.outer_slope, V, point), ids),
            EQUALS + _shown(context.solution.outer_slope),
        ),
    )


def _meta_gradient(context: _Context) -> Iterator[Row]:
    """The chain rule over all steps, and the outer update that follows from it."""
    solution, k = context.solution, context.lesson.inner_steps
    last = context.point(k)
    chain = TIMES.join([_d(OUTER, last), *(_d(context.point(i + 1), context.point(i)) for i in reversed(range(k)))])
    slope = mn(solution.outer_slope)

    def product(factors: list[str], total: Any) -> tuple[str, str]:  # noqa: ANN401
        return EQUALS + TIMES.join([slope, *factors]), EQUALS + f"<mrow class='total'>{_shown(total)}</mrow>"

    yield Row(
        programs.BACKWARD,
        None,
        (_d(OUTER, mi("x")) + EQUALS + chain,),
        product(
            [linked(mn(f), context.second(i)) for i, f in enumerate(solution.factors)][::-1],
            solution.gradient[True],
        ),
        product([mn(context.inputs["c"])] * k, solution.gradient[False]),
        secret=True,
    )
    updated = f"<msub>{mi('x')}<mtext>new</mtext></msub>{EQUALS}{mi('x')}{MINUS}{mi('α')}·{_d(OUTER, mi('x'))}"
    alpha = context.inputs["alpha"]
    yield Row(
        programs.OUTER_UPDATE,
        None,
        (updated,),
        (EQUALS + _shown(solution.points[0] - alpha * solution.gradient[True]),),
        (EQUALS + _shown(solution.points[0] - alpha * solution.gradient[False]),),
        secret=True,
    )


def _second(inner: str, ids: str) -> str:
    return f'<mrow class="second" data-ids="{ids}">{inner}</mrow>'


def _d(above: str, below: str) -> str:
    return f"<mfrac><mrow>{mi('d')}{above}</mrow><mrow>{mi('d')}{below}</mrow></mfrac>"


def _shown(value: Any) -> str:  # noqa: ANN401
    return f"<mn>{numeral(value)}</mn>"
