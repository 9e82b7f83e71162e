"""Lesson 10's picture: vectors as arrows beside the meta-gradient, with their true angles and lengths."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from maml_core.practice.loops.judging import Finding, Mark
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER

HIGHLIGHT, QUIET = "#000003", "#8a8a8a"
NAMES = {
    "exact": "meta-gradient",
    "first order": "first order",
    "leak": "first order + (θ − φ)/α",
    "wrong order": "wrong order",
    "reptile": "Reptile",
    "one step": "one step only",
    "support as query": "support as query",
    "no adaptation": "no inner loop",
}
# What is across the meta-gradient is a different direction for each vector, so the side is ours to choose: legibly.
BELOW = ("support as query", "no adaptation", "wrong order")
COLOURS = {"exact": SECOND_ORDER, "first order": FIRST_ORDER}


def compass(marks: Sequence[Mark], found: Finding | None = None) -> go.Figure:
    """Arrows from one origin; across is the part along the meta-gradient, up is what is left of the vector."""
    figure, known = go.Figure(), [mark for mark in marks if mark.name in NAMES]
    for mark in known:
        width = 3 if mark.name in COLOURS else 1.5
        _arrow(figure, NAMES[mark.name], _tip(mark), COLOURS.get(mark.name, QUIET), width)
    if found is not None and found.degrees is not None and found.length is not None:
        known.append(Mark(found.known_as, found.degrees, found.length))
        _arrow(figure, "this loop", _tip(known[-1]), HIGHLIGHT, 4, dash="dot")
    across, up = zip(*map(_tip, known), strict=True)
    figure.update_xaxes(title="along the meta-gradient", range=_room(across, -0.1, 1.5), constrain="domain")
    figure.update_yaxes(title="across it", range=_room(up, -0.6, 0.6), scaleanchor="x", constrain="domain")
    return figure.update_layout(height=430, margin=MARGIN, showlegend=False)


def _room(tips: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """An axis that holds every tip and its name, and at least what is between the two ends."""
    return min(low, 1.3 * min(tips)), max(high, 1.15 * max(tips))


def _tip(mark: Mark) -> tuple[float, float]:
    angle = math.radians(mark.degrees) * (-1 if mark.name in BELOW else 1)
    return mark.length * math.cos(angle), mark.length * math.sin(angle)


def _arrow(
    figure: go.Figure, name: str, tip: tuple[float, float], colour: str, width: float, dash: str = "solid"
) -> None:
    x, y = tip
    degrees, length = abs(math.degrees(math.atan2(y, x))), math.hypot(x, y)
    found = dash == "dot"  # its tip may lie on a known one's, so its name stands at the middle
    figure.add_scatter(
        x=[0, x / 2, x],
        y=[0, y / 2, y],
        name=name,
        mode="lines+markers+text",
        text=["", name, ""] if found else ["", "", name],
        textposition=_side(x, y, found),
        textfont={"color": colour},
        line={"color": colour, "width": width, "dash": dash},
        marker={"symbol": "arrow", "angleref": "previous", "size": [0, 0, 9 + 2 * width], "color": colour},
        hovertemplate=f"{name}: {degrees:.1f}°, {length:.2f} times as long<extra></extra>",
        cliponaxis=False,
    )


def _side(x: float, y: float, found: bool) -> str:
    """Where a name stands, so that names neither meet nor leave a phone's screen."""
    if found or x > 1.5:
        return "top left"
    return "bottom center" if y < -0.5 else "middle right"


def in_words(marks: Sequence[Mark], found: Finding | None = None) -> str:
    """The same picture as a sentence, for those who do not see it."""
    arrows = [f"{NAMES[m.name]} {m.degrees:.0f}° and {m.length:.2f}" for m in marks if m.name in NAMES]
    if found is not None and found.degrees is not None and found.length is not None:
        arrows.append(f"this loop {found.degrees:.0f}° and {found.length:.2f}")
    return f"Angle to the meta-gradient, and length against its own: {'; '.join(arrows)}."
