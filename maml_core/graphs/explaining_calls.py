"""The one question of lesson 1: two calls on one expression written twice, seen from all sides."""

from collections.abc import Mapping
from typing import NamedTuple

from maml_core.graphs.drawing import Drawing, draw_outputs
from maml_core.graphs.ledger import Ledger, Outcome, keep
from maml_core.graphs.ledger_equations import LedgerRow, ledger_equations
from maml_core.graphs.partials import Partial, partials
from maml_core.graphs.two_calls import EXAMPLES, FIRST, SECOND, TwoCalls, read


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
        """The derivative by the leaf that the lesson asks about."""
        return next(partial for partial in self.partials if partial.leaf == self.lesson.leaf)

    @property
    def outcome(self) -> Outcome:
        """What became of that leaf's `.grad`."""
        return self.ledger.outcome(self.lesson.leaf, self.decisive.value)


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
