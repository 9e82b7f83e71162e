r"""Stop-gradient on a small vector program: one inner step on a curved loss, and a loss at its end.

$$\varphi = \theta - \alpha \nabla L_s(\theta), \qquad
\nabla_\theta \big(\varphi \cdot \operatorname{sg}(v)\big) = J^\top v = \nabla_\theta L_q(\varphi), \qquad
v = \nabla L_q(\varphi),\; J = \frac{\partial \varphi}{\partial \theta} = I - \alpha \nabla^2 L_s(\theta)$$

All in float64. J is taken from SymPy's Hessian, so that autograd is compared with something it has not seen.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import sympy
import torch
from torch import Tensor

from maml_core.graphs.algebra import DIGITS

REST = (-0.5, 0.8)  # the components of θ besides x
TARGET = (1.0, -1.0, 0.5)


class Identity(NamedTuple):
    """`ways`: the same vector by independent ways. `without`: the gradient of φ·v when v is not held fixed."""

    theta: tuple[float, ...]
    phi: tuple[float, ...]
    v: tuple[float, ...]
    ways: tuple[tuple[str, tuple[float, ...]], ...]
    without: tuple[float, ...]
    difference: float


def identity(x: float, alpha: float) -> Identity:
    """At θ = (x, −0.5, 0.8), with inner step size alpha."""
    theta = torch.tensor((x, *REST), dtype=torch.float64, requires_grad=True)
    phi = _step(theta, alpha)
    (v,) = torch.autograd.grad(_query(phi), phi, create_graph=True)
    stopped = _gradient(torch.dot(phi, v.detach()), theta)
    ways = (
        ("autograd of φ·sg(v)", stopped),
        ("Jᵀv, with J from SymPy", _transposed_jacobian_times(theta.tolist(), alpha, v.tolist())),
        ("autograd of L_q(φ), through the step", _gradient(_query(_step(theta, alpha)), theta)),
    )
    return Identity(
        theta=tuple(theta.tolist()),
        phi=tuple(phi.tolist()),
        v=tuple(v.tolist()),
        ways=ways,
        without=_gradient(torch.dot(phi, v), theta),
        difference=max(_apart(stopped, way) for _, way in ways),
    )


def _support(theta: Any) -> Any:  # noqa: ANN401
    """L_s, a valley that bends from each component to the next; of tensors or of symbols."""
    a, b, c = theta
    return (1 - a) ** 2 + (b - a**2) ** 2 + (c - b**2) ** 2


def _query(phi: Tensor) -> Tensor:
    """L_q, a skewed bowl around TARGET."""
    a, b, c = phi - torch.tensor(TARGET, dtype=phi.dtype)
    return a**2 + 2 * b**2 + c**2 / 2 + a * b - b * c / 2


def _step(theta: Tensor, alpha: float) -> Tensor:
    (gradient,) = torch.autograd.grad(_support(theta), theta, create_graph=True)
    return theta - alpha * gradient


def _gradient(output: Tensor, theta: Tensor) -> tuple[float, ...]:
    (gradient,) = torch.autograd.grad(output, theta, retain_graph=True)
    return tuple(gradient.tolist())


@lru_cache(maxsize=1)
def _hessian() -> tuple[Any, Any]:
    symbols = sympy.symbols("a b c")
    return symbols, sympy.hessian(_support(symbols), symbols)


def _transposed_jacobian_times(theta: list[float], alpha: float, v: list[float]) -> tuple[float, ...]:
    symbols, hessian = _hessian()
    at = {symbol: sympy.Float(value, DIGITS) for symbol, value in zip(symbols, theta, strict=True)}
    jacobian = sympy.eye(3) - sympy.Float(alpha, DIGITS) * hessian.subs(at)
    return tuple(map(float, jacobian.T * sympy.Matrix(v)))


def _apart(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Largest distance between two components, over the largest component."""
    size = max(map(abs, first + second))
    return max(abs(a - b) for a, b in zip(first, second, strict=True)) / size if size else 0.0
