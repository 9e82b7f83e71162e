"""All claims as a board of squares. Plain data in, a plotly figure out."""

from collections.abc import Mapping

import plotly.graph_objects as go

from maml_core.claims import SOURCES, TABLE
from pages.ui.charts import MARGIN, TRUTH, WARNING, WRONG

UNRUN = "rgba(128, 128, 128, 0.55)"
LOOKS: dict[str | None, tuple[str, str, str]] = {
    None: ("not run yet", UNRUN, "square-open"),
    "true": ("true", TRUTH, "circle"),
    "half": ("half true", WARNING, "diamond"),
    "false": ("false", WRONG, "square"),
}


def board(verdicts: Mapping[int, str | None]) -> go.Figure:
    """A row per source, a mark per claim; shape and colour are what its run said (None: not run yet)."""
    figure = go.Figure()
    places = _places(verdicts)
    for verdict, (name, colour, symbol) in LOOKS.items():
        numbers = [number for number in verdicts if verdicts[number] == verdict]
        figure.add_scatter(
            x=[places[number] for number in numbers],
            y=[TABLE[number].source for number in numbers],
            text=[str(number) for number in numbers],
            customdata=[[TABLE[number].sentence] for number in numbers],
            name=name,
            mode="markers+text",
            textposition="bottom center",
            textfont={"size": 10},
            marker={"symbol": symbol, "size": 12, "color": colour, "line": {"width": 2, "color": colour}},
            hovertemplate="%{text}. %{customdata[0]}<extra>" + name + "</extra>",
            showlegend=True,
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(categoryorder="array", categoryarray=[*reversed(SOURCES)], showgrid=False)
    return figure.update_layout(height=330, margin=MARGIN, legend={"orientation": "h", "y": 1.12})


def _places(numbers: Mapping[int, str | None]) -> dict[int, int]:
    """Each claim's place in its source's row."""
    rows: dict[str, list[int]] = {}
    for number in numbers:
        rows.setdefault(TABLE[number].source, []).append(number)
    return {number: place for row in rows.values() for place, number in enumerate(row)}
