"""Figures of the sinusoid lab: plain data in, plotly figures out. Colours as in charts.py."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.train.adapting import Adaptation, Curves, Errors, Histogram
from maml_core.train.evaluate import Summary
from maml_core.train.own_task import ROOM, OwnTask
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH, WARNING

NEUTRAL = "#8a8780"  # readable on light and dark ground
LEARNERS = {  # colour and dash: colour is never the only sign
    "your θ": (SECOND_ORDER, "solid"),
    "pretrained": (FIRST_ORDER, "dash"),
    "from scratch": (WARNING, "dashdot"),
}
FARTHEST = 3.0  # times the usual frame of a sine: a curve that has blown up leaves it
WIDE = 100.0  # errors that grow by more than this want a logarithmic axis
GRID_STEP = 0.5  # of the invisible markers that catch a click
STATISTICS = {"median": "median", "mean": "mean", "trimmed mean": "trimmed_mean"}


def adaptation(shown: Adaptation, step: int) -> go.Figure:
    """Unseen tasks, two by two: the true sine, its points, the network before and after `step` inner steps."""
    titles = [f"A = {task.amplitude:.2f}, phase {task.phase:.2f}" for task in shown.tasks]
    figure = make_subplots(
        2, 2, subplot_titles=titles, shared_xaxes=True, vertical_spacing=0.12, horizontal_spacing=0.06
    )
    for i, task in enumerate(shown.tasks):
        _task(figure, shown.x, task, step, place=(i // 2 + 1, i % 2 + 1))
    figure.update_annotations(font_size=12)
    return figure.update_layout(height=430, margin={**MARGIN, "t": 30}, legend={"orientation": "h", "y": -0.1})


def _task(figure: go.Figure, x: Sequence[float], task: Curves, step: int, *, place: tuple[int, int]) -> None:
    row, col = place
    first = place == (1, 1)
    after = f"after {step} step{'s' * (step != 1)}"
    curves = (
        ("true sine", task.truth, TRUTH, "solid", 2),
        ("before", task.predictions[0], NEUTRAL, "dot", 2),
        (after, task.predictions[step], SECOND_ORDER, "solid", 3),
    )
    for name, y, color, dash, width in curves:
        line = {"color": color, "dash": dash, "width": width}
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines", line=line, legendgroup=name, showlegend=first, row=row, col=col
        )
    px, py = zip(*task.support, strict=True)
    marker = {"color": TRUTH, "size": 8, "line": {"color": NEUTRAL, "width": 1}}
    figure.add_scatter(
        x=px, y=py, name="what it saw", mode="markers", marker=marker, showlegend=first, row=row, col=col
    )
    usual = 1.3 * max(task.amplitude, 2.0)
    drawn = [abs(y) for _, curve, *_ in curves for y in curve if math.isfinite(y)]
    reach = min(max(usual, ROOM * max(drawn, default=usual)), FARTHEST * usual)
    figure.update_yaxes(range=[-reach, reach], row=row, col=col)


def errors_by_step(rows: Mapping[str, Errors], statistic: str, floor: float | None) -> go.Figure:
    """The error on many unseen tasks after each inner step, for θ and for the baselines."""
    figure = go.Figure()
    for name, errors in rows.items():
        color, dash = LEARNERS[name]
        figure.add_scatter(
            x=list(range(len(errors.summaries))),
            y=[value(summary, statistic) for summary in errors.summaries],
            name=name,
            mode="lines+markers",
            line={"color": color, "dash": dash},
            hovertemplate="%{y:.3f} after %{x} steps",
        )
    first = [value(errors.summaries[0], statistic) for errors in rows.values()]
    figure.update_yaxes(title=f"{statistic} squared error", range=[0, 1.15 * max(first)])
    if floor is not None:
        line = {"color": NEUTRAL, "dash": "dot"}
        figure.add_hline(
            y=floor, line=line, annotation_text="best without looking at the task", annotation_font_size=11
        )
    figure.update_xaxes(title="inner steps", dtick=1)
    return figure.update_layout(height=330, margin=MARGIN, legend={"orientation": "h", "y": 1.15})


def value(summary: Summary, statistic: str) -> float:
    return getattr(summary, STATISTICS[statistic])


def histogram(found: Histogram, names: Sequence[str]) -> go.Figure:
    """How the errors of single tasks are spread, over equal steps of log₁₀."""
    figure = go.Figure()
    widths = [b - a for a, b in zip(found.edges, found.edges[1:], strict=False)]
    middles = [(a * b) ** 0.5 for a, b in zip(found.edges, found.edges[1:], strict=False)]
    for row, name, color, shape in zip(found.counts, names, (NEUTRAL, SECOND_ORDER), ("/", ""), strict=False):
        marker = {"color": color, "pattern": {"shape": shape}}
        figure.add_bar(x=middles, y=row, width=widths, name=name, marker=marker, opacity=0.65)
    figure.update_xaxes(type="log", title="squared error of one task")
    figure.update_yaxes(title="tasks")
    return figure.update_layout(height=330, margin=MARGIN, barmode="overlay", legend={"orientation": "h", "y": 1.15})


def own_task(task: OwnTask, step: int, *, reach: float) -> go.Figure:
    """The reader's points and every learner after `step` inner steps, over markers that catch a click anywhere."""
    figure = go.Figure()
    px, py = zip(*task.points, strict=True)
    side = task.x[-1]
    _catch_clicks(figure, side, reach)
    for name, learner in task.learners.items():
        color, dash = LEARNERS[name]
        line = {"color": color, "dash": dash, "width": 3 if name == "your θ" else 2}
        figure.add_scatter(
            x=task.x, y=learner.predictions[step], name=name, mode="lines", line=line, hoverinfo="skip"
        )
    marker = {"color": TRUTH, "size": 11, "line": {"color": NEUTRAL, "width": 1}}
    figure.add_scatter(x=px, y=py, name="your points", mode="markers", marker=marker)
    figure.update_xaxes(range=[-side, side], title="x", fixedrange=True)
    figure.update_yaxes(range=[-reach, reach], title="y", fixedrange=True)
    return figure.update_layout(
        height=420, margin=MARGIN, clickmode="event+select", dragmode=False, legend={"orientation": "h", "y": 1.1}
    )


def _catch_clicks(figure: go.Figure, side: float, reach: float) -> None:
    """Invisible markers all over the plot: a click is told where there is one."""
    across, up = ([k * GRID_STEP for k in range(-int(n), int(n) + 1)] for n in (side / GRID_STEP, reach / GRID_STEP))
    figure.add_scatter(
        x=[x for x in across for _ in up],
        y=[y for _ in across for y in up],
        mode="markers",
        marker={"opacity": 0.0, "size": 14},
        hoverinfo="none",
        showlegend=False,
    )


def own_errors(task: OwnTask, step: int) -> go.Figure:
    """Every learner's error on the reader's points, step by step."""
    figure = go.Figure()
    for name, learner in task.learners.items():
        color, dash = LEARNERS[name]
        line = {"color": color, "dash": dash}
        x = list(range(len(learner.errors)))
        figure.add_scatter(x=x, y=learner.errors, name=name, mode="lines+markers", line=line)
    figure.add_vline(x=step, line={"color": NEUTRAL, "dash": "dot"})
    figure.update_xaxes(title="inner steps", dtick=1)
    most = WIDE * max(learner.errors[0] for learner in task.learners.values())
    calm = all(error <= most for learner in task.learners.values() for error in learner.errors)
    scale = {"rangemode": "tozero"} if calm else {"type": "log"}
    figure.update_yaxes(title="squared error on your points", **scale)  # pyright: ignore[reportArgumentType]
    return figure.update_layout(height=420, margin=MARGIN, showlegend=False)
