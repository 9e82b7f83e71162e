"""Lesson 5's figures: plain data in, plotly figures out."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.meta.looking_back import LookBack, Turned
from maml_core.meta.prices import Price
from maml_core.meta.stretching import RateStretch, Stretch
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING

STRIP = 0.35  # the width of a vector, that of a matrix being 1
SAME = 1e-9  # of the largest entry: what rounding parts
MOST_MATRICES = 6  # of the factors, the first and the last ones
SIGNED = [[0, FIRST_ORDER], [0.5, "rgba(128, 128, 128, .08)"], [1, SECOND_ORDER]]
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
HERE = {"width": 1, "dash": "dot", "color": "rgba(128, 128, 128, .9)"}  # where the reader's control stands
BELOW = {"orientation": "h", "y": -0.28, "yanchor": "top"}
WAYS = {  # name, colour, dash, symbol
    "jacobians": ("full Jacobians", WARNING, "dash", "square"),
    "unrolled": ("unrolled loop", SECOND_ORDER, "solid", "diamond"),
    "iterates": ("stored iterates", TRUTH, "dot", "circle"),
}


def product(look: LookBack, *, both: bool) -> go.Figure:
    """g = F₀ F₁ … v as pictures of the matrices; with `both`, the other order below it."""
    order = _shown(len(look.factors))
    rows = [(look.meta_gradient, order, "g")] + [(look.wrong, order[::-1], _other_order(look))] * both
    figure = make_subplots(
        rows=len(rows),
        cols=len(order) + 2,
        column_widths=[STRIP, *[1] * len(order), STRIP],
        horizontal_spacing=0.02,
        vertical_spacing=0.14,
    )
    limit = _largest_change(look) or 1.0  # the diagonal may lie beyond: what the steps change is what is to be seen
    for row, (result, factors, name) in enumerate(rows, 1):
        _strip(figure, result, row, 1, f"{name} =")
        for column, j in enumerate(factors, 2):
            _matrix(figure, look.factors[j], row, column, f"F{str(j).translate(SUBSCRIPT)}")
        _strip(figure, look.slope, row, len(factors) + 2, "∇L_q")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    bar = {"orientation": "h", "y": -0.02, "yanchor": "top", "thickness": 8, "len": 0.5, "nticks": 5}
    figure.update_layout(
        coloraxis={"colorscale": SIGNED, "cmin": -limit, "cmax": limit, "colorbar": bar},
        height=260 + 170 * both,
        margin={**MARGIN, "t": 28},
    )
    return figure


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


def _matrix(figure: go.Figure, rows: Sequence[Sequence[float]], row: int, column: int, name: str) -> None:
    trace = go.Heatmap(
        z=[[float(f"{entry:.3g}") for entry in line] for line in rows],
        coloraxis="coloraxis",
        hovertemplate=f"{name}, row %{{y}}, column %{{x}}: %{{z}}<extra></extra>",
    )
    figure.add_trace(trace, row=row, col=column)
    _name(figure, name, row, column)


def _strip(figure: go.Figure, vector: Sequence[float], row: int, column: int, name: str) -> None:
    """A vector as a column, coloured by its own largest entry."""
    limit = max(map(abs, vector)) or 1.0
    trace = go.Heatmap(
        z=[[entry] for entry in vector],
        zmin=-limit,
        zmax=limit,
        colorscale=SIGNED,
        showscale=False,
        hovertemplate=f"{name.removesuffix(' =')}, entry %{{y}}: %{{z:.4g}}<extra></extra>",
    )
    figure.add_trace(trace, row=row, col=column)
    _name(figure, name, row, column)


def _name(figure: go.Figure, name: str, row: int, column: int) -> None:
    place = {"x": 0.5, "y": 1, "xref": "x domain", "yref": "y domain", "yanchor": "bottom"}
    figure.add_annotation(text=name, showarrow=False, row=row, col=column, **place)


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
    figure.update_yaxes(title="a nudge grows by", type="log", exponentformat="power")
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
    figure.update_yaxes(title="a nudge grows by", type="log", exponentformat="power")
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
