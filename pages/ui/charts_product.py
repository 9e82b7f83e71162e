"""Lesson 5's product as a figure: a row of matrices, with the vector that they start from and the one they make."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
import plotly.graph_objects as go

from maml_core.meta.looking_back import LookBack
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER

STRIP, GAP = 0.35, 0.12  # the width of a vector and of what is between two parts, that of a matrix being 1
BETWEEN = 0.14  # two rows, of the whole height
AXES = (("x", "y"), ("x2", "y2"))  # of the first row and the second
SAME = 1e-9  # of the largest entry: what rounding parts
MOST_MATRICES = 6  # of the factors, the first and the last ones
SIGNED = [[0, FIRST_ORDER], [0.5, "rgba(128, 128, 128, .08)"], [1, SECOND_ORDER]]
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class _Part(NamedTuple):
    """A matrix, or a vector as a column: what stands beside each other in a product."""

    name: str
    rows: Sequence[Sequence[float]]
    width: float
    colours: dict[str, Any]


def product(look: LookBack, *, both: bool) -> go.Figure:
    """g = F₀ F₁ … v as pictures of the matrices; with `both`, the other order below it.

    A row is one pair of axes: a pair for each matrix would take plotly several times as long.
    """
    order = _shown(len(look.factors))
    rows = [(look.meta_gradient, order, "g")] + [(look.wrong, order[::-1], _other_order(look))] * both
    traces, notes, axes = [], [], {}
    for row, (result, factors, name) in enumerate(rows):
        start = 0.0
        for part in _parts(look, result, factors, name):
            traces.append(_drawn(part, start, AXES[row]))
            notes.append(_named(part, start, AXES[row]))
            start += part.width + GAP
        axes |= _axes(row, len(rows))
    limit = _largest_change(look) or 1.0  # the diagonal may lie beyond: what the steps change is what is to be seen
    bar = {"orientation": "h", "y": -0.02, "yanchor": "top", "thickness": 8, "len": 0.5, "nticks": 5}
    layout = {
        "annotations": notes,
        "coloraxis": {"colorscale": SIGNED, "cmin": -limit, "cmax": limit, "colorbar": bar},
        "height": 260 + 170 * both,
        "margin": {**MARGIN, "t": 28},
    }
    return go.Figure(traces, layout | axes)


def _axes(row: int, rows: int) -> dict[str, Any]:
    """The pair of axes of a row, the first on top."""
    height = (1 - BETWEEN * (rows - 1)) / rows
    low = (rows - 1 - row) * (height + BETWEEN)
    x, y = AXES[row]
    place = {"domain": [low, min(1.0, low + height)], "autorange": "reversed", "anchor": x}
    return {
        x.replace("x", "xaxis"): {"visible": False, "anchor": y},
        y.replace("y", "yaxis"): {"visible": False, **place},
    }


def _other_order(look: LookBack) -> str:
    """What the product in the other order is: wrong, unless the order makes no difference beyond rounding."""
    size = max(map(abs, look.meta_gradient))
    apart = max(abs(a - b) for a, b in zip(look.meta_gradient, look.wrong, strict=True))
    return "wrong" if apart > SAME * size else "also g"


def _largest_change(look: LookBack) -> float:
    """The largest entry of αH, over all steps."""
    rows = (row for factor in look.factors for row in enumerate(factor))
    return max(abs(entry - (i == j)) for i, row in rows for j, entry in enumerate(row))


def _shown(steps: int) -> list[int]:
    """The first and the last steps, if all are too many."""
    half = MOST_MATRICES // 2
    return [j for j in range(steps) if steps <= MOST_MATRICES or j < half or j >= steps - half]


def _parts(look: LookBack, result: Sequence[float], order: Sequence[int], name: str) -> list[_Part]:
    """The result, its factors, the query gradient."""
    shared = {"coloraxis": "coloraxis"}
    factors = [_Part(f"F{str(j).translate(SUBSCRIPT)}", look.factors[j], 1.0, shared) for j in order]
    return [_strip(f"{name} =", result), *factors, _strip("∇L_q", look.slope)]


def _strip(name: str, vector: Sequence[float]) -> _Part:
    """A vector as a column, coloured by its own largest entry."""
    limit = max(map(abs, vector)) or 1.0
    colours = {"zmin": -limit, "zmax": limit, "colorscale": SIGNED, "showscale": False}
    return _Part(name, [[entry] for entry in vector], STRIP, colours)


def _drawn(part: _Part, start: float, axes: tuple[str, str]) -> go.Heatmap:
    """The part with its left edge at `start`; x0 is the middle of its first column.

    As an array: of lists plotly would look at each of many thousand numbers, and send it as text.
    """
    column = part.width / len(part.rows[0])
    where = "entry %{y}" if len(part.rows[0]) == 1 else "row %{pointNumber[0]}, column %{pointNumber[1]}"
    return go.Heatmap(
        z=numpy.array(part.rows, dtype=numpy.float32),
        x0=start + column / 2,
        dx=column,
        xaxis=axes[0],
        yaxis=axes[1],
        hovertemplate=f"{part.name.removesuffix(' =')}, {where}: %{{z:.3g}}<extra></extra>",
        **part.colours,
    )


def _named(part: _Part, start: float, axes: tuple[str, str]) -> dict[str, Any]:
    """The part's name, above its middle."""
    place = {"x": start + part.width / 2, "xref": axes[0], "y": 1, "yref": f"{axes[1]} domain", "yanchor": "bottom"}
    return {"text": part.name, "showarrow": False, **place}
