r"""The inner-step program in SymPy: its derivatives, and the same numbers by exact rules at thirty digits.

$$\frac{dx'}{dx} = c - \alpha L_{\text{in}}''(x), \qquad
\frac{dL_{\text{out}}}{dx} = L_{\text{out}}'(x_k) \prod_i \big(c - \alpha L_{\text{in}}''(x_i)\big)$$

`create_graph=False` leaves out every α L″. Nothing here has seen PyTorch's graph: that is what makes it a check.
"""

import inspect
import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType
from typing import Any, NamedTuple

import sympy

from maml_core.graphs.trees import Expression

DIGITS = 30
PATIENCE = 0.5  # seconds of processor time, so that a busy machine does not change what is shown
LARGEST = sympy.Float("1e5000", DIGITS)  # what an operation may be given: its answer still comes within a blink
V = sympy.Symbol("x_prime")  # the variable of both losses


class Derivatives(NamedTuple):
    """Both losses and their derivatives, as SymPy expressions in V."""

    inner: Any
    slope: Any  # L_in′
    curvature: Any  # L_in″
    outer: Any
    outer_slope: Any  # L_out′


class Solution(NamedTuple):
    """The program's numbers, step by step, to DIGITS digits. `points` has one more entry than the rest."""

    points: tuple[Any, ...]  # x₀ … x_k
    losses: tuple[Any, ...]
    slopes: tuple[Any, ...]
    curvatures: tuple[Any, ...]
    factors: tuple[Any, ...]  # c − α L″(x_i)
    outer: Any
    outer_slope: Any
    product: tuple[Any, Any]  # dx_k/dx: first order (every α L″ left out), second order
    gradient: tuple[Any, Any]  # dL_out/dx, likewise


class TooLarge(BaseException):
    """SymPy took longer than a reader would wait. No `except Exception` of its own may swallow this."""


@contextmanager
def patience() -> Iterator[None]:
    """Ends SymPy's work after PATIENCE seconds of this thread's processor time: nested functions can take minutes.

    A trace function that is asked at every Python call, in this thread alone, is the only way to stop a library
    from inside that needs neither a process nor a signal. It raises in SymPy's own functions alone: in a finalizer, a
    generator that is being thrown away or a callback of the garbage collector, Python would swallow the exception and
    forget the trace function with it.
    """
    deadline = time.thread_time() + PATIENCE
    before = sys.gettrace()

    def ask(frame: FrameType, *_: object) -> None:
        if time.thread_time() > deadline and _may_raise(frame):
            raise TooLarge

    sys.settrace(ask)
    try:
        yield
    finally:
        sys.settrace(before)


def _may_raise(frame: FrameType) -> bool:
    ours = frame.f_globals.get("__name__", "").startswith(("sympy.", "mpmath."))
    return ours and not frame.f_code.co_flags & inspect.CO_GENERATOR


@lru_cache(maxsize=256)
def differentiate(inner: Expression, outer: Expression) -> Derivatives | None:
    """SymPy's derivatives of both losses, kept: they do not depend on the numbers. None if too large to show."""
    try:
        with patience():
            slope = sympy.diff(inner.sympy(), V)
            curvature = sympy.diff(slope, V)
            return Derivatives(inner.sympy(), slope, curvature, outer.sympy(), sympy.diff(outer.sympy(), V))
    except (TooLarge, OverflowError):
        return None


def solve(derivatives: Derivatives, inputs: Mapping[str, float], *, inner_steps: int) -> Solution | None:
    """Run the inner loop and the chain rule in SymPy's arithmetic; None if that takes too long.

    `inputs`: x, c, alpha.
    """
    try:
        with patience():
            return _solve(derivatives, inputs, inner_steps)
    except TooLarge:
        return None


def _solve(derivatives: Derivatives, inputs: Mapping[str, float], inner_steps: int) -> Solution:
    # Through the decimal text: the reader chose 0.4, not the float nearest to it.
    x, c, alpha = (sympy.Float(repr(inputs[name]), DIGITS) for name in ("x", "c", "alpha"))
    points, losses, slopes, curvatures = [x], [], [], []
    for _ in range(inner_steps):
        losses.append(at(derivatives.inner, {V: points[-1]}))
        slopes.append(at(derivatives.slope, {V: points[-1]}))
        curvatures.append(at(derivatives.curvature, {V: points[-1]}))
        points.append(c * points[-1] - alpha * slopes[-1])
    factors = tuple(c - alpha * curvature for curvature in curvatures)
    outer_slope = at(derivatives.outer_slope, {V: points[-1]})
    product = (c**inner_steps, sympy.prod(factors))
    return Solution(
        points=tuple(points),
        losses=tuple(losses),
        slopes=tuple(slopes),
        curvatures=tuple(curvatures),
        factors=factors,
        outer=at(derivatives.outer, {V: points[-1]}),
        outer_slope=outer_slope,
        product=product,
        gradient=(outer_slope * product[0], outer_slope * product[1]),
    )


def at(expression: Any, point: Mapping[Any, Any]) -> Any:  # noqa: ANN401
    """The value where each symbol is as `point` says, from the leaves up; nan if it is not real, or too large on
    the way.

    Asked for the value of exp(exp(exp(x))) in one go, SymPy would fill the memory with digits.
    """
    if expression in point:
        return point[expression]
    if expression.is_Number:
        return expression
    values = [at(argument, point) for argument in expression.args]
    if any(not value.is_real or abs(value) > LARGEST for value in values):
        return sympy.nan
    try:
        value = expression.func(*values).evalf(DIGITS)
    except (ArithmeticError, ValueError):  # SymPy's answers to 0**-1 and to the floor of nan differ by function
        return sympy.nan
    return value if value.is_Float or value.is_Integer else sympy.nan


def number(value: Any) -> float:  # noqa: ANN401
    """A SymPy number as a float: infinite beyond float64, nan where there is no real value."""
    return float(value) if value.is_extended_real else math.nan
