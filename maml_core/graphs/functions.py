"""The functions a reader may type, each as PyTorch, as SymPy, as code and as LaTeX."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import sympy
import torch
import torch.nn.functional as F
from torch import Tensor


def _own(name: str, number: Callable, slope: Callable, exact: Callable | None = None) -> Any:  # noqa: ANN401
    """A SymPy function: its float value (where evalf and lambdify look), its slope, and its exact value."""
    body = {
        "__module__": __name__,  # so that it can be pickled
        "_imp_": staticmethod(number),
        "eval": classmethod(lambda cls, x: (x if x is sympy.nan else exact(x)) if exact and x.is_Number else None),
        "fdiff": lambda self, argindex=1: slope(self.args[0]),
    }
    return type(name, (sympy.Function,), body)


def _decay(x: Any) -> float:  # noqa: ANN401
    return math.exp(-abs(float(x)))


# SymPy's Abs differentiates into real and imaginary parts, and its sign into a Dirac delta. PyTorch's slopes
# are plainer: 0 at the kink itself, and 0 for the slope of a slope. (PyTorch's softplus returns x itself
# beyond 20, which differs from ours by at most 2.1e-9.)
sign = _own("sign", lambda x: float((x > 0) - (x < 0)), lambda x: sympy.S.Zero, sympy.sign)
step = _own("step", lambda x: float(x > 0), lambda x: sympy.S.Zero, lambda x: sympy.Max(sympy.sign(x), 0))
absolute = _own("absolute", lambda x: abs(float(x)), sign, sympy.Abs)
relu = _own("relu", lambda x: max(float(x), 0.0), step, lambda x: sympy.Max(x, 0))
sigmoid = _own("sigmoid", lambda x: _decay(min(x, 0)) / (1 + _decay(x)), lambda x: sigmoid(x) * (1 - sigmoid(x)))
softplus = _own("softplus", lambda x: max(float(x), 0.0) + math.log1p(_decay(x)), sigmoid)
absolute._latex = lambda self, printer, exp=None: (
    rf"\left|{printer.doprint(self.args[0])}\right|" + (f"^{{{exp}}}" if exp else "")
)


class Function(NamedTuple):
    torch: Callable[[Tensor], Tensor]
    sympy: Any
    code: str  # its name in Python, after "torch."
    latex: str  # with %s for its argument


FUNCTIONS: dict[str, Function] = {
    "sin": Function(torch.sin, sympy.sin, "sin", r"\sin\left(%s\right)"),
    "cos": Function(torch.cos, sympy.cos, "cos", r"\cos\left(%s\right)"),
    "tan": Function(torch.tan, sympy.tan, "tan", r"\tan\left(%s\right)"),
    "exp": Function(torch.exp, sympy.exp, "exp", r"e^{%s}"),
    "log": Function(torch.log, sympy.log, "log", r"\log\left(%s\right)"),
    "sqrt": Function(torch.sqrt, sympy.sqrt, "sqrt", r"\sqrt{%s}"),
    "tanh": Function(torch.tanh, sympy.tanh, "tanh", r"\tanh\left(%s\right)"),
    "sigmoid": Function(torch.sigmoid, sigmoid, "sigmoid", r"\operatorname{sigmoid}\left(%s\right)"),
    "relu": Function(torch.relu, relu, "relu", r"\operatorname{relu}\left(%s\right)"),
    "abs": Function(torch.abs, absolute, "abs", r"\left|%s\right|"),
    "softplus": Function(F.softplus, softplus, "nn.functional.softplus", r"\operatorname{softplus}\left(%s\right)"),
}
