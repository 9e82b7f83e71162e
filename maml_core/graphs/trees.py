"""One checked expression, and everything that is made from it: the torch value, the SymPy expression, LaTeX, the
code line, and the place of each sub-expression in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from maml_core.graphs.nodes import Name, Node, Observer, Value, evaluate, walk
from maml_core.graphs.printing import Part, Rendered, render
from maml_core.graphs.symbolic import to_latex, to_sympy


@dataclass(frozen=True)
class Expression:
    """A checked tree. Its text parses back to an equal one."""

    tree: Node

    def __str__(self) -> str:
        return self.rendered().text

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every sub-expression in the order of evaluation, the whole last, placed in str(self)."""
        return self.rendered().parts

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(node.name for node in walk(self.tree) if isinstance(node, Name))

    def rendered(self, prefix: str = "") -> Rendered:
        """The text and its spans: as typed, or as runnable code with a prefix such as "torch."."""
        return render(self.tree, prefix)

    def code(self, prefix: str = "torch.") -> str:
        """Python that does, operation for operation, what `evaluate` does."""
        return self.rendered(prefix).text

    def evaluate(self, values: Mapping[str, Value], observe: Observer | None = None) -> Value:
        """The value, by the very operations that `code` spells; observe(index in parts, value) after each.

        Tensors meet Python's ints and floats as in the code. Between plain numbers, what Python refuses or
        answers otherwise (1 / 0, 1e300**2, (-1)**0.5, sin(1), integers beyond 10**15) is torch's in float64.
        """
        return evaluate(self.tree, values, observe)

    def sympy(self) -> sympy.Expr:
        """The same in algebra, over symbols without assumptions: sqrt(x**2) and log(exp(x)) stay as typed.

        Whole numbers stay exact; constants with decimals, or without a finite real value, are torch's number.
        Raises OverflowError where a power has too many digits to show: ((((2 * x)**16)**16)**16)**16.
        """
        return to_sympy(self.tree)

    def latex(self, symbols: Mapping[str, str] | None = None) -> str:
        """LaTeX in the order typed; symbols gives the LaTeX of a name where its own will not do."""
        return to_latex(self.tree, symbols or {})
