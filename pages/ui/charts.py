"""Plain data in, plotly figures out. No Streamlit here; colours come from the theme's chart palette."""

from collections.abc import Sequence

import plotly.graph_objects as go

from maml_core.graphs.comparing import Growth
from maml_core.graphs.sweeping import Sweep

# Streamlit's frontend replaces these by the theme's chartCategoricalColors, light or dark (.streamlit/config.toml).
FIRST_ORDER, SECOND_ORDER, WARNING, TRUTH, WRONG = (f"#00000{place}" for place in range(1, 6))
GROWING = {"nodes": "grad_fn nodes", "edges": "edges between them", "saved_bytes": "bytes saved for backward"}
MARGIN = {"t": 10, "b": 10, "l": 10, "r": 10}
NAMES = ("create_graph=False", "create_graph=True")


def growth(rows: Sequence[Growth]) -> dict[str, go.Figure]:
    """What grows with the inner steps: one figure per quantity, by its name."""
    return {name: _growth(rows, field) for field, name in GROWING.items()}


def _growth(rows: Sequence[Growth], field: str) -> go.Figure:
    figure = go.Figure()
    for k, name in enumerate(NAMES):
        figure.add_scatter(
            x=[row.inner_steps for row in rows],
            y=[getattr((row.first_order, row.second_order)[k], field) for row in rows],
            name=name,
            mode="lines+markers",
            line={"color": (FIRST_ORDER, SECOND_ORDER)[k], "dash": ("dot", "solid")[k]},
            marker={"symbol": ("circle", "diamond")[k], "size": 8},
            hovertemplate="%{y} at %{x} inner steps",
        )
    figure.update_xaxes(title="inner_steps", dtick=1)
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(height=240, margin=MARGIN, legend={"orientation": "h", "y": 1.2})


def two_gradients(sweep: Sweep) -> go.Figure:
    """The gradient of one program by both settings of create_graph, and the true slope beneath them."""
    figure = go.Figure()
    for values, name, color, dash in (
        (sweep.first_order, NAMES[0], FIRST_ORDER, "dot"),
        (sweep.second_order, NAMES[1], SECOND_ORDER, "solid"),
    ):
        line = {"color": color, "dash": dash, "width": 3}
        figure.add_scatter(x=sweep.at, y=values, name=f"x.grad, {name}", mode="lines", line=line)
    marker = {"symbol": "circle-open", "size": 8, "color": TRUTH}
    figure.add_scatter(x=sweep.checked_at, y=sweep.slope, name="true slope", mode="markers", marker=marker)
    figure.update_xaxes(title="x, where the inner step starts")
    figure.update_yaxes(title="gradient that reaches x")
    return figure.update_layout(
        height=380,
        hovermode="x unified",
        margin=MARGIN,
        legend={"orientation": "h", "y": -0.22},
    )
