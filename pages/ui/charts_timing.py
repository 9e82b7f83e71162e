"""Figures of lesson 11: plain data in, plotly figures out."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from maml_core.practice.drifting import Drift
from maml_core.practice.sgd_results import SOURCE, Timing, expected_factor, turns_factor
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING

ROUND = [
    mantissa * 10**power for power in range(-3, 3) for mantissa in (1, 2, 5)
]  # where a logarithmic axis is marked
LEGEND = {"orientation": "h", "y": 1.05, "yanchor": "bottom"}  # on a phone it grows upwards, not over the lines
PARTS = {
    "in order": "in order, cold",
    "imported first": "in order, import first",
    "taking turns": "taking turns",
}


def totals(timing: Timing, parts: Sequence[str]) -> go.Figure:
    """Seconds that each loop took in all, part by part."""
    figure = go.Figure()
    for loop, color, pattern in (("SGD", WARNING, ""), ("by hand", TRUTH, "/")):
        seconds = [sum(timing.seconds[part][loop]) for part in parts]
        marker = {"color": color, "pattern": {"shape": pattern}}
        figure.add_bar(
            x=[PARTS[part] for part in parts],
            y=seconds,
            name=loop,
            marker=marker,
            texttemplate="%{y:.3g} s",
            textposition="outside",
        )
    figure.update_traces(cliponaxis=False)
    figure.update_yaxes(title="CPU seconds, all repetitions", rangemode="tozero")
    return _shaped(figure)


def repetitions(timing: Timing) -> go.Figure:
    """Every repetition of the cold run, in the order in which they ran."""
    figure = go.Figure()
    done = 0
    for loop, seconds in timing.seconds["in order"].items():
        color, symbol = {"SGD": (WARNING, "circle")}.get(loop, (TRUTH, "diamond"))
        places = [done + i + 1 for i in range(len(seconds))]
        marker = {"color": color, "symbol": symbol, "size": 7}
        figure.add_scatter(x=places, y=seconds, name=loop, mode="markers", marker=marker)
        done += len(seconds)
    figure.update_xaxes(title="repetition, in the order they ran")
    figure.update_yaxes(title="CPU seconds", type="log", tickvals=ROUND)
    return _shaped(figure)


def factors(timing: Timing, chosen: int) -> go.Figure:
    """The factor that an import makes, by the number of repetitions it is spread over."""
    counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
    figure = go.Figure()
    line = {"color": WARNING, "width": 3}
    curve = [expected_factor(timing, count) for count in counts]
    figure.add_scatter(x=counts, y=curve, name="import + loop over loop", mode="lines", line=line)
    for name, x, y, symbol, color in (
        ("measured, cold", timing.repetitions, timing.factor("in order"), "diamond", SECOND_ORDER),
        ("your repetitions", chosen, expected_factor(timing, chosen), "circle-open", FIRST_ORDER),
        ("the source", SOURCE.repetitions, SOURCE.factor, "x", TRUTH),
    ):
        marker = {"symbol": symbol, "size": 11, "color": color}
        figure.add_scatter(x=[x], y=[y], name=name, mode="markers", marker=marker)
    figure.update_xaxes(title="repetitions of ten steps", type="log", dtick=1)
    figure.update_yaxes(title="SGD's time over the loop's", type="log", tickvals=ROUND)
    return _shaped(figure)


def spreads(timing: Timing) -> go.Figure:
    """Median and quartiles of each loop over the loop by hand of the same round, taking turns."""
    loops = [loop for loop in timing.seconds["taking turns"] if loop != "by hand"]
    found = [turns_factor(timing, loop) for loop in loops]
    bars = {
        "array": [one.high - one.median for one in found],
        "arrayminus": [one.median - one.low for one in found],
    }
    marker = {"size": 10, "color": WARNING}
    figure = go.Figure()
    figure.add_scatter(
        x=[one.median for one in found], y=loops, error_x=bars, mode="markers", marker=marker, showlegend=False
    )
    figure.add_vline(
        x=1, line={"dash": "dot", "color": TRUTH}, annotation_text="by hand", annotation_position="top right"
    )
    figure.update_xaxes(title="time relative to by hand: median, quartiles")
    figure.update_yaxes(range=[-0.5, len(loops) - 0.3])  # room for the line's name above the bars
    return _shaped(figure)


def drifts(found: Mapping[str, Sequence[Drift]]) -> go.Figure:
    """How far the two loops' weights are apart, step by step, and where the source's comparison fails."""
    figure = go.Figure()
    for (dtype, rows), color, dash in zip(found.items(), (WARNING, FIRST_ORDER), ("solid", "dot"), strict=True):
        line = {"color": color, "dash": dash, "width": 3}
        steps, distances = [row.steps for row in rows], [row.distance for row in rows]
        figure.add_scatter(x=steps, y=distances, name=dtype, mode="lines", line=line)
        failed = [row for row in rows if not row.close]
        marker = {"symbol": "x", "size": 6, "color": SECOND_ORDER}
        if failed:
            x, y = [row.steps for row in failed], [row.distance for row in failed]
            figure.add_scatter(x=x, y=y, name=f"{dtype}: comparison fails", mode="markers", marker=marker)
    figure.update_xaxes(title="steps")
    figure.update_yaxes(title="distance over the length of θ", type="log", exponentformat="power")
    return _shaped(figure)


def _shaped(figure: go.Figure) -> go.Figure:
    return figure.update_layout(height=300, margin=MARGIN, legend=LEGEND)
