"""The race as a figure: a line per entrant, named at its end, in the band of its seeds. Colours as in charts.py."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from maml_core.train.race import BUDGETS, PRETRAINED, SCRATCH, Race
from maml_core.train.standings import Band
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING, WRONG
from pages.ui.charts_lab import NEUTRAL


class Look(NamedTuple):
    """Of one method, in every race. The five inks of the theme do not go round; the others suit either ground."""

    ink: str
    dash: str
    symbol: str


LOOKS = {
    "maml": Look(SECOND_ORDER, "solid", "circle"),
    "fomaml": Look(FIRST_ORDER, "dash", "square"),
    "reptile": Look(WRONG, "longdash", "triangle-down"),
    "anil": Look("#2494a6", "dot", "cross"),
    "boil": Look("#a9745a", "dashdot", "x"),
    "meta-sgd": Look("#7b78d8", "longdashdot", "star"),
    "one-leap": Look("#8c8a2b", "dash", "pentagon"),
    "imaml": Look(NEUTRAL, "dashdot", "hexagon"),
    "truncated": Look("#c2618a", "longdash", "hourglass"),
    PRETRAINED: Look(WARNING, "dot", "diamond"),
    SCRATCH: Look(TRUTH, "dashdot", "triangle-up"),
}
PAST = {"seconds": 1.15}  # of the budget: by the clock a last slice may take longer than what was left
ROOM = 74  # pixels on the right for the longest name there
LABEL = 16 / 270  # of the height: what a name takes of it
NEAR = 0.15  # of the width: names that begin as near as this may touch
NOTHING: dict[str, Any] = {"x": [0, 0], "y": [1, 10], "text": ["", ""]}  # an axis where there is nothing yet


def race(setup: Race, found: Sequence[Band] = (), *, height: int = 380) -> go.Figure:
    """Two traces per entrant, its band and its line, and one of names; `traces` has their points."""
    figure = go.Figure()
    known = traces(setup, found) if found else [*({} for _ in range(2 * len(setup.entrants))), NOTHING]
    for k, name in enumerate(setup.entrants):
        _entrant(figure, name, known[2 * k : 2 * k + 2])
    figure.add_scatter(**known[-1], name="names", mode="text", cliponaxis=False, hoverinfo="skip")
    figure.update_xaxes(
        title=f"{BUDGETS[setup.budget]}, per leg", range=[0, PAST.get(setup.budget, 1.02) * setup.amount]
    )
    steps = f"{setup.test_steps} inner step{'s' * (setup.test_steps != 1)}"
    figure.update_yaxes(title=f"mean squared error after {steps}", type="log", tickformat="~g", nticks=6)
    return figure.update_layout(height=height, margin=MARGIN | {"r": ROOM}, hovermode="x unified", showlegend=False)


def _entrant(figure: go.Figure, name: str, points: list[dict[str, Any]]) -> None:
    """The band and the line of one entrant."""
    look = LOOKS[name]
    opacity = 0.1 if name == SCRATCH else 0.25  # the widest band is that of the entrant that matters least
    band = {"line": {"width": 0, "color": look.ink}, "fill": "toself", "opacity": opacity, "hoverinfo": "skip"}
    figure.add_scatter(**points[0], **band, name=name, mode="lines")
    line, marker = {"color": look.ink, "dash": look.dash, "width": 3}, {"symbol": look.symbol, "size": 8}
    figure.add_scatter(
        **points[1], name=name, mode="lines+markers", line=line, marker=marker, hovertemplate="%{y:.3f}"
    )


def traces(setup: Race, found: Sequence[Band]) -> list[dict[str, Any]]:
    """The points of `race`'s traces, in its order. The mark before training is left out: it would dwarf the rest."""
    points: list[dict[str, Any]] = []
    for band in found:
        spent, mean, low, high = (list(values)[1 if band.entrant != SCRATCH else 0 :] for values in band[1:5])
        points += [{"x": spent + spent[::-1], "y": high + low[::-1]}, {"x": spent, "y": mean}]
    drawn = [value for trace in points for value in trace["y"] if 0 < value < math.inf]
    ends = [
        _End(line["x"][-1], line["y"][-1], band.entrant)
        for band, line in zip(found, points[1::2], strict=True)
        if line["y"] and 0 < line["y"][-1] < math.inf
    ]
    if not ends:
        return [*points, NOTHING]
    return [*points, _names(ends, near=NEAR * setup.amount, gap=(max(drawn) / min(drawn)) ** LABEL)]


class _End(NamedTuple):
    """Where the line of an entrant ends."""

    x: float
    y: float
    name: str


def _names(ends: list[_End], *, near: float, gap: float) -> dict[str, Any]:
    """A name at the end of every line; those that would lie on each other are moved apart."""
    groups: list[list[_End]] = []
    for end in sorted(ends):
        if groups and end.x - groups[-1][-1].x < near:
            groups[-1].append(end)
        else:
            groups.append([end])
    groups = [sorted(group, key=lambda end: end.y) for group in groups]
    placed = [end for group in groups for end in group]
    return {
        "x": [end.x for end in placed],
        "y": [y for group in groups for y in apart([end.y for end in group], gap)],
        "text": [f"\u2002{end.name}" for end in placed],
        "textposition": "middle right",
        "textfont": {"color": [LOOKS[end.name].ink for end in placed], "size": 13},
    }


def apart(values: Sequence[float], gap: float) -> list[float]:
    """Ascending positive values moved so that each is at least `gap` times the one before, their middle kept."""
    groups: list[list[float]] = []
    for value in values:
        groups.append([math.log(value)])
        while len(groups) > 1 and _low(groups[-1], gap) < _low(groups[-2], gap) + len(groups[-2]) * math.log(gap):
            groups[-2:] = [groups[-2] + groups[-1]]
    return [math.exp(_low(group, gap) + k * math.log(gap)) for group in groups for k in range(len(group))]


def _low(group: Sequence[float], gap: float) -> float:
    """Where the lowest of a group stands whose members are `gap` apart and centred on their mean."""
    return sum(group) / len(group) - (len(group) - 1) / 2 * math.log(gap)
