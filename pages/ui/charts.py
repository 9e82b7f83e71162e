"""Plain data in, plotly figures out. No Streamlit here; colours come from the theme's chart palette."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from maml_core.graphs.comparing import Growth
from maml_core.graphs.sweeping import Sweep

NAMES = ("create_graph=False", "create_graph=True")


def growth(rows: Sequence[Growth]) -> go.Figure:
    """Nodes, edges and saved bytes of both graphs against inner steps."""
    panels = {"nodes": "grad_fn nodes", "edges": "edges", "saved_bytes": "bytes saved for backward"}
    figure = make_subplots(1, len(panels), subplot_titles=list(panels.values()), horizontal_spacing=0.06)
    steps = [row.inner_steps for row in rows]
    for column, field in enumerate(panels, start=1):
        for k, name in enumerate(NAMES):
            line = go.Scatter(
                x=steps,
                y=[getattr((row.first_order, row.second_order)[k], field) for row in rows],
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines+markers",
                line={"dash": ("solid", "dot")[1 - k]},
                marker={"symbol": ("circle", "diamond")[k], "size": 8},
                hovertemplate="%{y} at %{x} inner steps",
            )
            figure.add_trace(line, 1, column)
    figure.update_traces(selector={"name": NAMES[0]}, line_color=None)
    figure.update_xaxes(title="inner_steps", dtick=1)
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(
        height=260, margin={"t": 40, "b": 40, "l": 10, "r": 10}, legend={"orientation": "h", "y": -0.3}
    )


def two_gradients(sweep: Sweep) -> go.Figure:
    """The gradient of one program by both settings of create_graph, and the true slope beneath them."""
    figure = go.Figure()
    figure.add_scatter(
        x=sweep.at, y=sweep.first_order, name="x.grad, create_graph=False", mode="lines", line_width=2.5
    )
    figure.add_scatter(
        x=sweep.at, y=sweep.second_order, name="x.grad, create_graph=True", mode="lines", line_width=3.5
    )
    figure.add_scatter(
        x=sweep.at[::4],
        y=sweep.slope[::4],
        name="true slope (central difference)",
        mode="markers",
        marker={"symbol": "circle-open", "size": 8},
    )
    figure.update_xaxes(title="x, where the inner step starts")
    figure.update_yaxes(title="gradient that reaches x")
    return figure.update_layout(
        height=380,
        hovermode="x unified",
        margin={"t": 10, "b": 10, "l": 10, "r": 10},
        legend={"orientation": "h", "y": 1.12},
    )
