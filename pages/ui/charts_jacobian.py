"""Lesson 4's curves: α through 1/λ and 2/λ, and the curvature of a real network. No Streamlit here."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from maml_core.plane.sweeps import Sweep
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING

GREY = "rgba(128, 128, 128, .14)"
HEIGHT = 260
MOST_GAIN = 8.0  # beyond it a gain leaves the chart
FARTHEST = 1e6  # a line that leaves the chart is drawn to here: plotly cannot place 1e308
TINY = 1e-6  # an eigenvalue below this share of the largest is rounding


def gains(sweep: Sweep, alpha: float) -> go.Figure:
    """1 − αλ over α. In the shaded band a nudge is not stretched."""
    figure = go.Figure()
    for i, gain in enumerate(sweep.gains):
        line = {"color": SECOND_ORDER, "dash": ("solid", "dot")[i % 2], "width": 3 if i < 2 else 1.5}
        drawn = [min(max(value, -FARTHEST), FARTHEST) for value in gain.values]
        figure.add_scatter(x=sweep.alphas, y=drawn, name=gain.name, mode="lines", line=line, customdata=gain.values)
    figure.update_traces(hovertemplate="%{customdata:.4g}")
    figure.add_hrect(y0=-1, y1=1, fillcolor=GREY, line_width=0)
    figure.update_yaxes(title="a nudge is multiplied by", range=_reach(sweep))
    return _over_alpha(figure, sweep, alpha)


def angle(sweep: Sweep, alpha: float) -> go.Figure:
    """Degrees between FOMAML's gradient and MAML's."""
    figure = go.Figure()
    line = {"color": FIRST_ORDER, "width": 3}
    figure.add_scatter(x=sweep.alphas, y=sweep.angle, name="FOMAML", mode="lines", line=line, showlegend=False)
    figure.update_yaxes(title="FOMAML is turned by (°)", range=[-5, 185], tickvals=[0, 45, 90, 135, 180])
    return _over_alpha(figure, sweep, alpha)


def length(sweep: Sweep, alpha: float) -> go.Figure:
    """How many times as long FOMAML's gradient is."""
    figure = go.Figure()
    line = {"color": FIRST_ORDER, "width": 3}
    figure.add_scatter(x=sweep.alphas, y=sweep.ratio, name="FOMAML", mode="lines", line=line, showlegend=False)
    figure.add_hline(y=1, line={"color": SECOND_ORDER, "width": 2})
    figure.update_yaxes(title="FOMAML is longer by", type="log", ticksuffix="×", **_decades(sweep.ratio))
    return _over_alpha(figure, sweep, alpha)


def _reach(sweep: Sweep) -> list[float]:
    """From the smallest gain to the largest, the band included; a few strong curvatures must not flatten the rest."""
    gains = [value for gain in sweep.gains for value in gain.values if math.isfinite(value)]
    low, high = max(min([-1.0, *gains]), -MOST_GAIN), min(max([1.0, *gains]), MOST_GAIN)
    return [low - 0.1 * (high - low), high + 0.1 * (high - low)]


def _decades(ratios: Sequence[float]) -> dict[str, Any]:
    """The range of a logarithmic axis, at least from a half to two, with ticks enough to read it by."""
    found = [math.log10(ratio) for ratio in ratios if 0 < ratio < math.inf]
    low, high = min([-0.31, *found]), max([0.31, *found])
    ends = {"range": [low - 0.05, high + 0.05]}
    if high - low > 2:
        return ends | {"dtick": max(1, round((high - low) / 5))}
    return ends | {"tickvals": _ticks(low, high)}


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every decade between two powers of ten."""
    return [m * 10.0**k for k in range(math.floor(low), math.ceil(high)) for m in (1, 2, 5)]


def _over_alpha(figure: go.Figure, sweep: Sweep, alpha: float) -> go.Figure:
    """The axis of α with the marks 1/λ₁ and 2/λ₁ that lie on it, and where the slider is."""
    most, whose = sweep.alphas[-1], f" of task {sweep.whose}" if sweep.whose else ""
    for name, multiple, side in ((f"1/λ₁{whose}", 1.0, "right"), ("2/λ₁", 2.0, "left")):
        at = multiple / sweep.sharpest if sweep.sharpest > 0 else math.inf
        if at <= most:  # the labels point away from one another: they stay apart where λ₁ is large
            mark = {"text": name, "y": 1.1, "xanchor": side if at < 0.9 * most else "right"}
            figure.add_vline(x=at, line={"color": WARNING, "dash": "dash"}, annotation=mark)
    figure.add_vline(x=alpha, line={"color": TRUTH, "width": 1.5}, annotation={"text": "α", "y": 1.0})
    figure.update_xaxes(title="α", range=[0, most])
    legend = {"orientation": "h", "y": -0.32}
    return figure.update_layout(height=HEIGHT, margin=MARGIN | {"t": 28}, legend=legend, hovermode="x unified")


def spectrum(eigenvalues: tuple[float, ...], alpha: float) -> go.Figure:
    """Every curvature of one task's support loss that is not rounding, by rank and on a logarithmic scale."""
    figure = go.Figure()
    least = TINY * max(map(abs, eigenvalues))
    for name, sign, color, symbol in (
        ("curves upwards", 1, SECOND_ORDER, "circle"),
        ("curves downwards, |λ|", -1, FIRST_ORDER, "diamond-open"),
    ):
        found = sorted((sign * value for value in eigenvalues if sign * value > least), reverse=True)
        marker = {"color": color, "symbol": symbol, "size": 6}
        ranks = list(range(1, len(found) + 1))
        figure.add_scatter(x=ranks, y=found, name=name, mode="markers", marker=marker)
    line = {"color": WARNING, "dash": "dash"}
    figure.add_hline(
        y=2 / alpha, line=line, annotation={"text": f"2/α = {2 / alpha:g}", "y": math.log10(2.6 / alpha)}
    )
    figure.update_yaxes(title="curvature λ", type="log")
    figure.update_xaxes(title="rank")
    return figure.update_layout(height=HEIGHT + 40, margin=MARGIN, legend={"orientation": "h", "y": -0.28})


def share(sharpness: tuple[float, ...], alpha: float) -> go.Figure:
    """Over α: on what share of the tasks α·λ_max is above 2."""
    at = sorted(2 / value for value in sharpness if value > 0)
    shares = [(i + 1) / len(sharpness) for i in range(len(at))]
    figure = go.Figure()
    line = {"color": SECOND_ORDER, "width": 3, "shape": "hv"}
    figure.add_scatter(x=at, y=shares, name="share of tasks", mode="lines", line=line, showlegend=False)
    mark = {"text": f"α = {alpha:g}", "x": math.log10(alpha), "y": 1.1}  # plotly wants a logarithm here
    figure.add_vline(x=alpha, line={"color": TRUTH}, annotation=mark)
    ends = [math.log10(end) for end in (min(*at, alpha), max(*at, alpha))]
    figure.update_xaxes(title="α", type="log", range=[ends[0] - 0.2, ends[1] + 0.2], tickvals=_ticks(*ends))
    figure.update_yaxes(title="tasks with α·λ_max > 2", tickformat=".0%", range=[0, 1.04])
    return figure.update_layout(height=HEIGHT + 40, margin=MARGIN | {"t": 28})
