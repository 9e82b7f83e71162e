"""Lesson 6's two labs, iMAML and the frozen leaves. Plain data in, plotly figures out."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.meta.freezing import Leaf
from maml_core.meta.implicit import CG_STEPS, Lab
from pages.ui.charts import MARGIN, SECOND_ORDER, WARNING
from pages.ui.charts_axes import logarithmic
from pages.ui.charts_shortcuts import LOOKS, NAMES, short

ROOM = 1.35  # of the longest bar: the rest is for its number


def residuals(lab: Lab) -> go.Figure:
    """What is left of the inner problem, step by step, for a smooth network and one with ReLU."""
    figure = go.Figure()
    steps = [stop.steps for stop in lab.stops]
    for name, field, colour, dash, symbol in (
        ("tanh network", "residual", SECOND_ORDER, "solid", "diamond"),
        ("ReLU network, same weights", "residual_relu", WARNING, "dash", "square-open"),
    ):
        figure.add_scatter(
            x=steps,
            y=[getattr(stop, field) for stop in lab.stops],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            marker={"symbol": symbol, "size": 8},
            hovertemplate="%{y:.2g} after %{x} inner steps",
        )
    figure.update_xaxes(title="inner steps", type="log", tickvals=steps)
    left = [value for stop in lab.stops for value in (stop.residual, stop.residual_relu)]
    figure.update_yaxes(title="residual, relative to θ's", **logarithmic(left))
    return figure.update_layout(height=330, margin=MARGIN, legend={"orientation": "h", "y": 1.15})


def solved(lab: Lab) -> go.Figure:
    """The angle to the exact implicit gradient, for every number of inner steps and of CG steps."""
    steps, solves = [str(stop.steps) for stop in lab.stops], [str(count) for count in CG_STEPS]
    degrees = [[stop.degrees[i] for stop in lab.stops] for i in range(len(CG_STEPS))]
    figure = go.Figure()
    figure.add_heatmap(
        x=steps,
        y=solves,
        z=degrees,
        zmin=0,
        zmax=120,
        colorscale=[(0, "rgba(128, 128, 128, 0.08)"), (1, "rgba(200, 120, 20, 0.6)")],
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{z:.3g}° after %{x} inner steps and %{y} CG steps<extra></extra>",
    )
    _texts(figure, steps, solves, degrees)
    figure.update_xaxes(title="inner steps", type="category", showgrid=False)
    figure.update_yaxes(title="CG steps", type="category", showgrid=False)
    return figure.update_layout(height=330, margin=MARGIN)


def _texts(figure: go.Figure, columns: list[str], rows: list[str], values: list[list[float]]) -> None:
    """The numbers in their cells. As texts of their own they have the theme's colour, light or dark."""
    cells = [
        (column, rows[i], value) for i, row in enumerate(values) for column, value in zip(columns, row, strict=True)
    ]
    xs, ys, degrees = zip(*cells, strict=True)
    texts = [_angle(value) for value in degrees]
    figure.add_scatter(x=xs, y=ys, text=texts, mode="text", hoverinfo="skip", showlegend=False)


def _angle(value: float) -> str:
    return (
        ""
        if not math.isfinite(value)
        else "0°"
        if value < 0.05
        else f"{value:.2g}°"
        if value < 100
        else f"{value:.0f}°"
    )


def frozen(leaves: Sequence[Leaf]) -> go.Figure:
    """Leaf by leaf under MAML, ANIL and BOIL: how far the inner loop moves it, and its meta-gradient."""
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.14)
    for name in reversed(list(dict.fromkeys(leaf.algorithm for leaf in leaves))):  # bars stack upwards
        mine = [leaf for leaf in leaves if leaf.algorithm == name][::-1]
        for column, field in enumerate(("moved", "gradient"), start=1):
            figure.add_bar(**_bars(mine, field), name=NAMES[name], showlegend=column == 1, row=1, col=column)
    for column, (title, field) in enumerate({"inner move ‖φ − θ‖": "moved", "meta-gradient": "gradient"}.items(), 1):
        most = max((getattr(leaf, field) for leaf in leaves if math.isfinite(getattr(leaf, field))), default=1.0)
        ends = [0, ROOM * (most or 1.0)]
        figure.update_xaxes(title=title, nticks=5, range=ends, exponentformat="power", row=1, col=column)
    return figure.update_layout(
        height=430,
        margin=MARGIN,
        barmode="group",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.1, "traceorder": "reversed"},
    )


def _bars(leaves: Sequence[Leaf], field: str) -> dict[str, Any]:
    colour = LOOKS[leaves[0].algorithm][0]
    values = [getattr(leaf, field) for leaf in leaves]
    return {
        "orientation": "h",
        "y": [leaf.name for leaf in leaves],
        "x": [value if math.isfinite(value) else None for value in values],
        "text": [
            "frozen" if leaf.frozen and field == "moved" else short(v) for leaf, v in zip(leaves, values, strict=True)
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {
            "color": colour,
            "pattern": {"shape": {"maml": "", "anil": "/", "boil": "x"}[leaves[0].algorithm]},
        },
        "legendgroup": leaves[0].algorithm,
        "hovertemplate": "%{y}: %{x:.4g}",
    }
