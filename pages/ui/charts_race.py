"""The race as a figure: a line per entrant and, around it, the band of its seeds. Colours as in charts.py."""

from collections.abc import Sequence

import plotly.graph_objects as go

from maml_core.train.race import BUDGETS, SCRATCH, Race
from maml_core.train.standings import Band
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING

INKS = (SECOND_ORDER, FIRST_ORDER, WARNING, TRUTH)
DASHES = ("solid", "dash", "dot", "dashdot")
TICKS = [a * 10.0**b for b in range(-4, 6) for a in (1, 1.5, 2, 3, 4, 5, 7)]
SYMBOLS = ("circle", "square", "diamond", "triangle-up")


def race(setup: Race, found: Sequence[Band] = (), *, height: int = 380) -> go.Figure:
    """Two traces per entrant, its band and its line; `traces` has their points."""
    figure = go.Figure()
    known = [*traces(found), *({} for _ in range(2 * len(setup.entrants)))]
    for k, (name, ink, dash, symbol) in enumerate(zip(setup.entrants, INKS, DASHES, SYMBOLS, strict=False)):
        same = {"name": name, "legendgroup": name}
        edge = {"width": 0, "color": ink}
        figure.add_scatter(
            **same,
            **known[2 * k],
            mode="lines",
            line=edge,
            fill="toself",
            opacity=0.25,
            hoverinfo="skip",
            showlegend=False,
        )
        line, marker = {"color": ink, "dash": dash, "width": 3}, {"symbol": symbol, "size": 8}
        figure.add_scatter(
            **same, **known[2 * k + 1], mode="lines+markers", line=line, marker=marker, hovertemplate="%{y:.3f}"
        )
    figure.update_xaxes(title=f"{BUDGETS[setup.budget]}, per leg", range=[0, 1.02 * setup.amount])
    steps = f"{setup.test_steps} inner step{'s' * (setup.test_steps != 1)}"
    figure.update_yaxes(title=f"mean squared error after {steps}", type="log", tickvals=TICKS)
    return figure.update_layout(
        height=height, margin=MARGIN, hovermode="x unified", legend={"orientation": "h", "y": 1.1}
    )


def traces(found: Sequence[Band]) -> list[dict[str, list[float]]]:
    """The points of `race`'s traces, in its order. The mark before training is left out: it would dwarf the rest."""
    points = []
    for band in found:
        spent, mean, low, high = (list(values)[1 if band.entrant != SCRATCH else 0 :] for values in band[1:])
        points += [{"x": spent + spent[::-1], "y": high + low[::-1]}, {"x": spent, "y": mean}]
    return points
