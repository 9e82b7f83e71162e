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
    for k, name in enumerate(setup.entrants):
        _entrant(figure, name, k, known[2 * k : 2 * k + 2])
    figure.update_xaxes(title=f"{BUDGETS[setup.budget]}, per leg", range=[0, 1.02 * setup.amount])
    steps = f"{setup.test_steps} inner step{'s' * (setup.test_steps != 1)}"
    figure.update_yaxes(title=f"mean squared error after {steps}", type="log", tickvals=TICKS)
    return figure.update_layout(
        height=height,
        margin=MARGIN,
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )


def _entrant(figure: go.Figure, name: str, place: int, points: list[dict[str, list[float]]]) -> None:
    """The band and the line of one entrant."""
    ink, same = INKS[place], {"name": name, "legendgroup": name}
    band = {"line": {"width": 0, "color": ink}, "fill": "toself", "opacity": 0.25, "hoverinfo": "skip"}
    figure.add_scatter(**same, **points[0], **band, mode="lines", showlegend=False)
    line, marker = {"color": ink, "dash": DASHES[place], "width": 3}, {"symbol": SYMBOLS[place], "size": 8}
    figure.add_scatter(**same, **points[1], mode="lines+markers", line=line, marker=marker, hovertemplate="%{y:.3f}")


def traces(found: Sequence[Band]) -> list[dict[str, list[float]]]:
    """The points of `race`'s traces, in its order. The mark before training is left out: it would dwarf the rest."""
    points = []
    for band in found:
        spent, mean, low, high = (list(values)[1 if band.entrant != SCRATCH else 0 :] for values in band[1:5])
        points += [{"x": spent + spent[::-1], "y": high + low[::-1]}, {"x": spent, "y": mean}]
    return points
