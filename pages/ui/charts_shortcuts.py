"""Lesson 6's pictures. Plain data in, plotly figures out. Colours and dashes are those of the map's arrows."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.meta.crossings import Crossing
from maml_core.meta.shortcuts import Row
from maml_core.numerals import numeral
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING, WRONG
from pages.ui.charts_axes import logarithmic

NAMES = {
    "maml": "MAML",
    "fomaml": "FOMAML",
    "reptile": "Reptile",
    "anil": "ANIL",
    "boil": "BOIL",
    "meta-sgd": "Meta-SGD",
    "one-leap": "one leap",
    "imaml": "iMAML",
    "truncated": "truncated",
}
LOOKS = {  # colour, dash, marker; the first two as in assets/landscape.css
    "maml": (SECOND_ORDER, "solid", "star"),
    "meta-sgd": (SECOND_ORDER, "dot", "star-open"),
    "fomaml": (FIRST_ORDER, "solid", "circle"),
    "truncated": (FIRST_ORDER, "dash", "circle-open"),
    "reptile": (TRUTH, "solid", "square"),
    "anil": (TRUTH, "dash", "triangle-up"),
    "one-leap": (WARNING, "solid", "diamond"),
    "boil": (WARNING, "dash", "triangle-down"),
    "imaml": (WRONG, "solid", "cross"),
}
GRAY = "rgba(128, 128, 128, 0.6)"
VEIL = "rgba(128, 128, 128, 0.12)"


def standings(rows: Sequence[Row]) -> go.Figure:
    """Every algorithm's angle and length against MAML's, the closest on top; what is not finite has no mark."""
    ordered = sorted(rows, key=lambda row: (not row.finite, row.degrees if row.finite else 0))[::-1]
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    _marks(figure, 1, ordered, [row.degrees for row in ordered], "°")
    _marks(figure, 2, ordered, [row.ratio for row in ordered], " × MAML's length")
    figure.update_xaxes(title="degrees to MAML", range=[-4, 196], tickvals=[0, 45, 90, 135, 180], row=1, col=1)
    lengths = logarithmic([row.ratio for row in ordered], room=0.35)  # for the number beside the last mark
    figure.update_xaxes(title="length over MAML's", **lengths, row=1, col=2)
    figure.add_vrect(x0=90, x1=196, fillcolor=VEIL, line_width=0, layer="below", row=1, col=1)  # type: ignore[arg-type]
    figure.add_vline(x=1, line={"color": GRAY, "dash": "dot"}, row=1, col=2)  # type: ignore[arg-type]
    return figure.update_layout(height=330, margin=MARGIN)


def _marks(figure: go.Figure, column: int, rows: Sequence[Row], values: Sequence[float], unit: str) -> None:
    looks = [LOOKS[row.name] for row in rows]
    figure.add_scatter(
        x=[value if math.isfinite(value) else None for value in values],
        y=[NAMES[row.name] for row in rows],
        mode="markers+text",
        text=[short(value) for value in values],
        textposition="middle right",
        marker={"size": 12, "color": [look[0] for look in looks], "symbol": [look[2] for look in looks]},
        hovertemplate="%{y}: %{x:.4g}" + unit + "<extra></extra>",
        showlegend=False,
        cliponaxis=False,
        row=1,
        col=column,
    )


def short(value: float) -> str:
    return numeral(float(f"{value:.3g}")) if math.isfinite(value) else ""


class Turned(NamedTuple):
    """A sweep to be drawn. `veils`: from such an x to the right end something holds, and what."""

    label: str  # of the knob
    xs: Sequence[float]
    curves: Mapping[str, Sequence[float]]  # as far as they have been computed
    crossings: Sequence[Crossing]
    leads: Sequence[Crossing]  # those at which the closest one changes
    here: float  # where the page's own setting is
    lengths: bool  # of the gradients, instead of angles
    logarithmic: bool
    veils: Sequence[tuple[float, str]]


def sweep(turned: Turned) -> go.Figure:
    """One curve per algorithm. A cross marks each crossing, a ring a change of the lead; the dotted line is here."""
    figure, xs = go.Figure(), turned.xs
    for name, ys in turned.curves.items():
        _curve(figure, name, xs[: len(ys)], ys)
    thin = {"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": GRAY}}
    ring = {"symbol": "circle-open", "size": 16, "line": {"width": 2.5}, "color": GRAY}
    for name, found, marker in (("crossing", turned.crossings, thin), ("lead changes", turned.leads, ring)):
        where = {"x": [crossing.x for crossing in found], "y": [crossing.y for crossing in found]}
        figure.add_scatter(**where, name=name, mode="markers", marker=marker, hovertemplate="%{y:.4g} at %{x:.4g}")
    for start, text in turned.veils:
        if start < xs[-1]:
            _veil(figure, max(start, xs[0]), xs[-1], text, logarithmic=turned.logarithmic)
    if xs[0] <= turned.here <= xs[-1]:
        figure.add_vline(x=turned.here, line={"color": GRAY, "dash": "dot"})
    _axes(figure, turned)
    return figure.update_layout(
        height=420, margin=MARGIN, hovermode="closest", legend={"orientation": "h", "y": -0.2}
    )


def _curve(figure: go.Figure, name: str, xs: Sequence[float], ys: Sequence[float]) -> None:
    colour, dash, symbol = LOOKS[name]
    figure.add_scatter(
        x=list(xs),
        y=[y if math.isfinite(y) else None for y in ys],
        name=NAMES[name],
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"symbol": symbol, "size": 6},
        hovertemplate="%{y:.4g} at %{x:.4g}",
    )


def _axes(figure: go.Figure, turned: Turned) -> None:
    figure.update_xaxes(title=turned.label)
    if len(turned.xs) < 10 and all(isinstance(x, int) for x in turned.xs):
        figure.update_xaxes(dtick=1)  # of a knob of whole numbers no halves
    if turned.logarithmic:
        low, high = math.log10(turned.xs[0]), math.log10(turned.xs[-1])
        figure.update_xaxes(type="log", exponentformat="power", dtick=1, range=[low - 0.05, high + 0.05])
    if turned.lengths:
        lengths = [y for ys in turned.curves.values() for y in ys]
        figure.update_yaxes(title="length over MAML's", **logarithmic(lengths))
    else:
        ticks = [0, 30, 60, 90, 120, 150, 180]
        figure.update_yaxes(title="degrees to MAML", rangemode="tozero", tickvals=ticks)


def _veil(figure: go.Figure, start: float, end: float, text: str, *, logarithmic: bool) -> None:
    """Grey from one x to another. On a logarithmic axis a shape wants the number, but a text its logarithm."""
    figure.add_vrect(x0=start, x1=end, fillcolor=VEIL, line_width=0, layer="below")
    place = {"x": math.log10(start) if logarithmic else start, "xanchor": "left", "y": 1.0, "yref": "paper"}
    figure.add_annotation(text=text, showarrow=False, textangle=-90, yanchor="top", **place)
