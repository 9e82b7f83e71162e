"""The map of lesson 2: every operation at every line, and what a second leaf or a second path makes of its errors."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from maml_core.graphs.cutting import INSERTIONS, PLACES, Copying, Insertion, Verdict, W, verdict
from maml_core.graphs.nodes import Binary, Name
from maml_core.graphs.recording import record
from maml_core.graphs.trees import Expression


class Cell(NamedTuple):
    """One entry of the map of outcomes."""

    operation: str
    place: str
    verdict: Verdict


class Turned(NamedTuple):
    """How many of the map's errors become a None, and how many a finite number that is not the uncut program's."""

    none: int
    wrong: int


def outcomes(copying: Copying, inputs: Mapping[str, float]) -> tuple[Cell, ...]:
    """Every operation at every place of this program. `inputs`: x, lr."""
    return tuple(
        Cell(operation, place, _verdict(copying, operation, place, inputs))
        for operation in INSERTIONS
        for place in PLACES
    )


def turned(name: str, copying: Copying, cells: Sequence[Cell], inputs: Mapping[str, float]) -> Turned:
    """What becomes of the errors among `cells` when `+ name` is typed at the end of y."""
    longer = replace(copying, y=Expression(Binary("+", copying.y.tree, Name(name))))
    uncut = _run(longer, inputs, inserted=False).gradient
    errors = [cell for cell in cells if cell.verdict.outcome == "error"]
    found = [_verdict(longer, cell.operation, cell.place, inputs) for cell in errors]
    wrong = [v for v in found if v.outcome in ("number", "zero") and not _close(v.gradient, uncut)]
    return Turned(sum(v.outcome == "none" for v in found), len(wrong))


def _verdict(copying: Copying, operation: str, place: str, inputs: Mapping[str, float]) -> Verdict:
    return _run(replace(copying, insertion=Insertion(operation, place)), inputs, inserted=True)


def _run(copying: Copying, inputs: Mapping[str, float], *, inserted: bool) -> Verdict:
    return verdict(record(copying.program(inserted=inserted), {**inputs, "w": W}, create_graph=False))


def _close(a: float | None, b: float | None) -> bool:
    """Equal but for float32's rounding."""
    return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-30)
