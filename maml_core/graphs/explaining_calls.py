"""The one question of lesson 1: two calls on one expression written twice, seen from all sides."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from maml_core.graphs.drawing import Drawing, draw_outputs
from maml_core.graphs.ledger import Ledger, Outcome, keep
from maml_core.graphs.ledger_equations import LedgerRow, ledger_equations
from maml_core.graphs.partials import Partial, partials
from maml_core.graphs.two_calls import EXAMPLES, FIRST, SECOND, TwoCalls, read
from maml_core.numerals import numeral


class CallsExplained(NamedTuple):
    """Code and numbers (`ledger`), graphs (`drawing`), algebra (`equations`) and the derivatives four ways."""

    lesson: TwoCalls
    inputs: dict[str, float]
    ledger: Ledger
    drawing: Drawing
    equations: tuple[LedgerRow, ...]
    partials: tuple[Partial, ...]

    @property
    def decisive(self) -> Partial:
        """The derivative that the lesson asks about: by the first leaf that tells once from twice, if one does."""
        ours = [partial for partial in self.partials if partial.leaf in self.lesson.expression.names]
        return next((partial for partial in ours if _tells(self.in_float32[partial.leaf])), ours[0])

    @property
    def in_float32(self) -> dict[str, float]:
        """Each derivative as the first call found it; in float64 where that call stopped."""
        return {partial.leaf: self.ledger.found(partial.leaf, partial.value) for partial in self.partials}

    @property
    def tells(self) -> bool:
        """Whether once and twice the derivative are two different numbers."""
        return _tells(self.in_float32[self.decisive.leaf])

    @property
    def outcome(self) -> Outcome:
        """What became of that leaf's `.grad`."""
        return self.ledger.outcome(self.decisive.leaf, self.decisive.value)

    @property
    def story(self) -> str:
        """What that leaf's `.grad` is in the end, and how it came to be so."""
        leaf = self.decisive.leaf
        same = f" A call finds {numeral(self.in_float32[leaf])} for {leaf}, and twice that is the same."
        ending = f"`{leaf}.grad` ends as **{numeral(self.ledger.entries[-1].grads[leaf])}**."
        numbers = self.outcome in ("zero", "not finite") and not self.tells
        return f"{ending} {self.ledger.story}{same if numbers else ''}"


def _tells(gradient: float) -> bool:
    return math.isfinite(gradient) and gradient != 0


def explain_calls(lesson: TwoCalls, inputs: Mapping[str, float]) -> CallsExplained:
    """Run the program of two calls and look at it from all sides. `inputs`: x1, x2, x3."""
    ledger = keep(lesson.program, inputs)
    derivatives = partials(lesson.expression, inputs)
    return CallsExplained(
        lesson=lesson,
        inputs=dict(inputs),
        ledger=ledger,
        drawing=draw_outputs(lesson.graphs, (FIRST, SECOND)),
        equations=ledger_equations(lesson, inputs, ledger, derivatives),
        partials=derivatives,
    )


def warm_up() -> None:
    """SymPy's first derivative in a process takes far longer than the second."""
    explain_calls(TwoCalls(read(EXAMPLES["product"].text)), {"x1": 3.0, "x2": 4.0, "x3": 5.0})
