"""Figures of lesson 9: plain data in, plotly figures out."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, WARNING

DASHES = ("solid", "dash", "dot")
EXPLODED = 100  # times: from here on a linear axis would flatten every other line
LEGEND = {"orientation": "h", "y": 1.05, "yanchor": "bottom"}  # on a phone it grows upwards, not over the lines
SYMBOLS = ("circle", "square", "diamond")


def arrivals(
    leaves: Sequence[str],
    exact: Sequence[float],
    arrived: Sequence[float | None] | None,
    apart: Sequence[float | None],
    note: str,
) -> go.Figure:
    """How long a gradient reaches each leaf of θ: the meta-gradient, and an attempt's if it is to be seen.

    `apart`: how long their difference is there, as two vectors of one length may point different ways.
    """
    figure = go.Figure()
    if arrived is not None:
        figure.add_bar(x=leaves, y=arrived, name="this attempt", marker={"color": FIRST_ORDER, "opacity": 0.75})
    marker = {"symbol": "diamond", "size": 9, "color": SECOND_ORDER}
    figure.add_scatter(x=leaves, y=exact, name="the meta-gradient", mode="markers", marker=marker)
    if apart:
        marker = {"symbol": "x", "size": 8, "color": WARNING}
        figure.add_scatter(x=leaves, y=apart, name="their difference", mode="markers", marker=marker)
    if note:
        figure.add_annotation(text=note, xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False, font={"size": 15})
    top = max([*exact, *(length or 0.0 for length in (*(arrived or ()), *apart))])
    figure.update_yaxes(title="length of the gradient", range=[0, 1.1 * top or 1])
    figure.update_xaxes(tickangle=-40 if len(leaves) < 8 else -90)
    return figure.update_layout(height=340, margin=MARGIN, showlegend=True, legend=LEGEND)


def courses(losses: Mapping[str, Sequence[float]]) -> go.Figure:
    """The loss over the outer steps, one line per attempt; each keeps its colour while others have no values."""
    figure = go.Figure()
    for i, (name, values) in enumerate(losses.items()):
        if not values:
            continue
        line = {"color": (WARNING, FIRST_ORDER, SECOND_ORDER)[i], "dash": DASHES[i], "width": 3}
        marker = {"symbol": SYMBOLS[i], "size": 7}
        figure.add_scatter(y=values, name=name, mode="lines+markers", line=line, marker=marker)
    figure.update_xaxes(title="outer steps")
    figure.update_yaxes(title="mean query loss", rangemode="tozero")
    largest = [max(values) for values in losses.values() if values]
    if max(largest) > EXPLODED * min(largest):
        figure.update_yaxes(type="log", exponentformat="power")
    return figure.update_layout(height=300, margin=MARGIN, showlegend=True, legend=LEGEND)
