r"""The inner-step program in SymPy: its derivatives, and the same numbers by exact rules at thirty digits.

$$\frac{dx'}{dx} = c - \alpha L_{\text{in}}''(x), \qquad
\frac{dL_{\text{out}}}{dx} = L_{\text{out}}'(x_k) \prod_i \big(c - \alpha L_{\text{in}}''(x_i)\big)$$

`create_graph=False` leaves out every α L″. Nothing here has seen PyTorch's graph: that is what makes it a check.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import sympy

from maml_core.graphs.trees import Expression

DIGITS = 30
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


@lru_cache(maxsize=256)
def differentiate(inner: Expression, outer: Expression) -> Derivatives:
    """SymPy's derivatives of both losses, kept: they do not depend on the numbers."""
    slope = sympy.diff(inner.sympy(), V)
    curvature = sympy.diff(slope, V)
    return Derivatives(inner.sympy(), slope, curvature, outer.sympy(), sympy.diff(outer.sympy(), V))


def solve(derivatives: Derivatives, inputs: Mapping[str, float], *, inner_steps: int) -> Solution:
    """Run the inner loop and the chain rule in SymPy's arithmetic. `inputs`: x, c, alpha."""
    # Through the decimal text: the reader chose 0.4, not the float nearest to it.
    x, c, alpha = (sympy.Float(repr(inputs[name]), DIGITS) for name in ("x", "c", "alpha"))
    points, losses, slopes, curvatures = [x], [], [], []
    for _ in range(inner_steps):
        losses.append(_at(derivatives.inner, points[-1]))
        slopes.append(_at(derivatives.slope, points[-1]))
        curvatures.append(_at(derivatives.curvature, points[-1]))
        points.append(c * points[-1] - alpha * slopes[-1])
    factors = tuple(c - alpha * curvature for curvature in curvatures)
    outer_slope = _at(derivatives.outer_slope, points[-1])
    product = (c**inner_steps, sympy.prod(factors))
    return Solution(
        points=tuple(points),
        losses=tuple(losses),
        slopes=tuple(slopes),
        curvatures=tuple(curvatures),
        factors=factors,
        outer=_at(derivatives.outer, points[-1]),
        outer_slope=outer_slope,
        product=product,
        gradient=(outer_slope * product[0], outer_slope * product[1]),
    )


def _at(expression: Any, point: Any) -> Any:  # noqa: ANN401
    value = expression.evalf(DIGITS, subs={V: point})
    return value if value.is_Float or value.is_Integer else sympy.nan


def number(value: Any) -> float:  # noqa: ANN401
    """A SymPy number as a float: infinite beyond float64, nan where there is no real value."""
    return float(value) if value.is_extended_real else math.nan
