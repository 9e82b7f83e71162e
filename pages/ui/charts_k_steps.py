"""Lesson 5's figures: plain data in, plotly figures out."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from maml_core.meta.looking_back import Turned
from maml_core.meta.prices import Price
from maml_core.meta.stretching import RateStretch, Stretch
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING
from pages.ui.charts_axes import logarithmic

HERE = {"width": 1, "dash": "dot", "color": "rgba(128, 128, 128, .9)"}  # where the reader's control stands
BELOW = {"orientation": "h", "y": -0.28, "yanchor": "top"}
WAYS = {  # name, colour, dash, symbol
    "jacobians": ("full Jacobians", WARNING, "dash", "square"),
    "unrolled": ("unrolled loop", SECOND_ORDER, "solid", "diamond"),
    "iterates": ("stored iterates", TRUTH, "dot", "circle"),
}


def turns(turned: dict[str, tuple[Turned, ...]], steps: int) -> go.Figure:
    """The angle to the meta-gradient over k, in the wrong order and without second-order terms."""
    figure = go.Figure()
    styles = {"wrong order": (WARNING, "solid", "square"), "first order": (FIRST_ORDER, "dot", "circle")}
    for name, rows in turned.items():
        _line(figure, [row.steps for row in rows], [row.degrees for row in rows], name, styles[name], "%{y:.3g}°")
    figure.add_vline(steps, line=HERE)
    figure.update_yaxes(title="degrees off g", rangemode="tozero")
    return _over_steps(figure)


def stretch(rows: Sequence[Stretch], steps: int) -> go.Figure:
    """The singular values of the product over k, on a logarithmic axis."""
    figure = go.Figure()
    styles = {
        "bound": ("bound", (WARNING, "dash", "square")),
        "largest": ("largest", (SECOND_ORDER, "solid", "diamond")),
        "middle": ("median", (TRUTH, "dashdot", "x")),
        "smallest": ("smallest", (FIRST_ORDER, "dot", "circle")),
    }
    for field, (name, style) in styles.items():
        _line(figure, [row.steps for row in rows], [_positive(row, field) for row in rows], name, style)
    figure.add_vline(steps, line=HERE)
    figure.update_yaxes(title="a nudge grows by", **logarithmic(getattr(row, end) for row in rows for end in styles))
    return _over_steps(figure)


def _positive(row: Stretch | RateStretch, field: str) -> float | None:
    """What has a place on a logarithmic axis: not 0."""
    return getattr(row, field) or None


def rates(rows: Sequence[RateStretch], inner_lr: float) -> go.Figure:
    """The ends of the spectrum over α, on a logarithmic axis."""
    figure = go.Figure()
    styles = {"largest": (SECOND_ORDER, "solid", "diamond"), "smallest": (FIRST_ORDER, "dot", "circle")}
    for field, style in styles.items():
        _line(figure, [row.inner_lr for row in rows], [_positive(row, field) for row in rows], field, style)
    figure.add_vline(inner_lr, line=HERE)
    figure.update_xaxes(title="α, inner_lr")
    figure.update_yaxes(title="a nudge grows by", **logarithmic(getattr(row, end) for row in rows for end in styles))
    return figure.update_layout(height=320, margin=MARGIN, legend=BELOW)


def price(prices: Sequence[Price], field: str, title: str, *, fitted: Sequence[float] = ()) -> go.Figure:
    """One quantity over k for each way. `fitted`: the Jacobians' for every k from 1 on, where it was not measured."""
    figure = go.Figure()
    for way, (name, *style) in WAYS.items():
        mine = sorted((p.sample.inner_steps, getattr(p, field)) for p in prices if p.sample.way == way)
        _line(figure, [k for k, _ in mine], [value for _, value in mine], name, style, "%{y:.4s}")
    if fitted:
        line = {"color": WARNING, "dash": "dash", "width": 1}
        ks = list(range(1, len(fitted) + 1))
        figure.add_scatter(x=ks, y=fitted, mode="lines", line=line, name="full Jacobians, by the fit")
    if field == "nodes":
        figure.update_yaxes(title=title, rangemode="tozero")
    else:
        figure.update_yaxes(title=title, type="log", exponentformat="SI", dtick=1)
    return _over_steps(figure)


def _line(
    figure: go.Figure,
    x: Sequence[float],
    y: Sequence[float | None],
    name: str,
    style: Sequence[str],
    form: str = "%{y:.4g}",
) -> None:
    color, dash, symbol = style
    look: dict[str, Any] = {"line": {"color": color, "dash": dash}, "marker": {"symbol": symbol, "size": 6}}
    hover = f"{name}: {form}<extra></extra>"
    figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", hovertemplate=hover, **look)


def _over_steps(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(title="inner steps k")
    return figure.update_layout(height=320, margin=MARGIN, legend=BELOW)
