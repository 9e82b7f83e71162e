"""The loss curve of a run as a figure for the live chart, and the plotly.js that draws it. No Streamlit here."""

import gzip
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs_version

from maml_core.numerals import numeral
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER

HEIGHT = 430
LIBRARY = f"/lib/plotly-{get_plotlyjs_version()}.min.js"  # the version in the name, so that browsers may keep it


@lru_cache
def library() -> bytes:
    """The installed plotly.js, compressed."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes())


def loss(name: str = "query loss after adaptation") -> go.Figure:
    """An empty loss curve: the losses themselves faint, their running mean over them."""
    figure = go.Figure()
    for part, color, width, opacity in (("single steps", FIRST_ORDER, 1, 0.45), ("smoothed", SECOND_ORDER, 3, 1.0)):
        line = {"color": color, "width": width}
        figure.add_scatter(x=[], y=[], name=part, mode="lines", line=line, opacity=opacity)
    figure.update_traces(hovertemplate="%{y:.4g}")
    figure.update_xaxes(title="outer steps", rangemode="tozero")
    ticks = [digit * 10.0**power for power in range(-6, 13) for digit in (1, 2, 5)]
    figure.update_yaxes(title=name, type="log", tickvals=ticks, ticktext=[numeral(tick, 4) for tick in ticks])
    return figure.update_layout(
        height=HEIGHT, margin=MARGIN, hovermode="x unified", legend={"orientation": "h", "y": 1.12}
    )


class Panel(NamedTuple):
    """One figure of a live chart, as JSON data, with its caption and its text alternative."""

    figure: dict[str, Any]
    title: str
    alt: str
    hint: str = ""  # stands in its place as long as no trace has a point
    of: str = ""  # what it was drawn for: a feed's traces that name something else are not put into it


def panel(figure: go.Figure, title: str, alt: str, hint: str = "") -> Panel:
    """The figure without plotly's own theme: the browser gives it the page's."""
    return Panel(json.loads(figure.update_layout(template="none").to_json() or ""), title, alt, hint)


def filled(panel: Panel, traces: Sequence[dict[str, Any]]) -> go.Figure:
    """The panel's figure with its traces updated: what the live chart does in the browser."""
    more = [*traces, *({} for _ in panel.figure["data"])]
    data = [{**trace, **fresh} for trace, fresh in zip(panel.figure["data"], more, strict=False)]
    figure = go.Figure({"data": data, "layout": panel.figure["layout"]})
    if panel.hint and not any(trace.get("x") for trace in data):
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
        figure.add_annotation(text=panel.hint, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5)
    return figure
