"""The one question lesson 2 asks: this program, this operation at this line, these numbers, seen from all sides."""

from collections.abc import Mapping
from typing import NamedTuple

from maml_core.graphs.cut_agreement import Checks, checks
from maml_core.graphs.cut_equations import Row, equations, update
from maml_core.graphs.cut_outcomes import Cell, Turned, outcomes, turned
from maml_core.graphs.cutting import Copying, Cut, cut, elsewhere
from maml_core.graphs.drawing import Drawing, draw_together


class CutExplanation(NamedTuple):
    """Pairs are of the program as written and of the edited one. `outcomes`: every operation at every line.

    `turned`: what becomes of the errors among them if y ends in `+ w`, a second leaf, or in `+ x`, a second path.
    """

    cut: Cut
    drawing: Drawing
    checks: Checks
    equations: tuple[tuple[Row, ...], tuple[Row, ...]]
    elsewhere: tuple[dict[str, float], dict[str, float]]
    outcomes: tuple[Cell, ...]
    turned: dict[str, Turned]


def explain_cut(copying: Copying, inputs: Mapping[str, float]) -> CutExplanation:
    """`inputs`: x, lr."""
    both = cut(copying, inputs)
    checked = checks(copying, both.inputs)
    rows = tuple(
        (*equations(recording, steps), *([] if steps is None else [update(recording, both.inputs, verdict.gradient)]))
        for recording, steps, verdict in zip((both.written, both.edited), checked.steps, both.verdicts, strict=True)
    )
    cells = outcomes(copying, inputs)
    return CutExplanation(
        cut=both,
        drawing=draw_together(*(copying.program(inserted=inserted) for inserted in (False, True))),
        checks=checked,
        equations=(rows[0], rows[1]),
        elsewhere=(elsewhere(both.written), elsewhere(both.edited)),
        outcomes=cells,
        turned={name: turned(name, copying, cells, inputs) for name in ("w", "x")},
    )
