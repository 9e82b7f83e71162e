"""The one question a lesson of Part I asks: this program with these numbers, seen four ways."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from maml_core.graphs.agreement import Agreement, agreement
from maml_core.graphs.algebra import Solution, differentiate, solve
from maml_core.graphs.comparing import Comparison, Growth, compare, growth
from maml_core.graphs.drawing import Drawing, draw
from maml_core.graphs.equations import Row, equations
from maml_core.graphs.kinks import kinks
from maml_core.graphs.programs import PRESETS, InnerStep
from maml_core.numerals import numeral

MOST_INNER_STEPS = 5
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Explanation(NamedTuple):
    """Code and numbers (`both`), graph (`drawing`), algebra (`equations`), and the check of one against the other.

    `solution` is None, and there are no equations, where SymPy's derivatives are too large to show.
    """

    lesson: InnerStep
    inputs: dict[str, float]
    both: Comparison
    drawing: Drawing
    equations: tuple[Row, ...]
    solution: Solution | None
    agreement: dict[bool, Agreement]  # by create_graph
    growth: tuple[Growth, ...]
    kinks: tuple[str, ...]

    @property
    def product_name(self) -> str:
        steps = self.lesson.inner_steps
        return "dx′/dx" if steps == 1 else f"dx{str(steps).translate(SUBSCRIPT)}/dx"

    @property
    def products(self) -> tuple[str, str]:
        """dx_k/dx of both runs, as they are shown."""
        if self.solution is None:
            return "?", "?"
        return numeral(self.solution.product[False]), numeral(self.solution.product[True])


def explain(lesson: InnerStep, inputs: Mapping[str, float]) -> Explanation:
    """Run the inner-step program both ways and look at it from all sides. `inputs`: x, c, alpha."""
    program = lesson.program
    both = compare(program, inputs)
    derivatives = differentiate(lesson.inner, lesson.outer)
    solution = solve(derivatives, inputs, inner_steps=lesson.inner_steps) if derivatives else None
    rows = equations(lesson, inputs, both.second_order, derivatives, solution) if derivatives and solution else ()
    return Explanation(
        lesson=lesson,
        inputs=dict(inputs),
        both=both,
        drawing=draw(program),
        equations=rows,
        solution=solution,
        agreement={flag: agreement(program, inputs, solution, create_graph=flag) for flag in (False, True)},
        growth=growth(replace(lesson, inner_steps=1), up_to=MOST_INNER_STEPS),
        kinks=kinks(both.second_order),
    )


def warm_up() -> None:
    """The first recording in a process takes a hundred times as long as the second."""
    preset = PRESETS["quartic"]
    explain(InnerStep.parse(preset.inner, preset.outer, inner_steps=1), {"x": 3.0, "c": 2, "alpha": 0.4})
