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
# Where a name stands at its tip, so that names neither meet nor leave a phone's screen.
SIDES = dict.fromkeys(NAMES, "middle right") | {
    "first order": "top center",
    "wrong order": "bottom right",
    "no adaptation": "bottom right",
    "support as query": "bottom center",
}
LOOP = "this loop"
SAME = 1e-6  # two tips that no reader could tell apart
COLOURS = {"exact": SECOND_ORDER, "first order": FIRST_ORDER}


def compass(marks: Sequence[Mark], found: Finding | None = None) -> go.Figure:
    """Arrows from one origin; across is the part along the meta-gradient, up is what is left of the vector."""
    figure, known = go.Figure(), [mark for mark in marks if mark.name in NAMES]
    loop = _found(found)
    twin = next((mark for mark in known if loop is not None and math.dist(_tip(mark), _tip(loop)) < SAME), None)
    for mark in known:
        width = 3 if mark.name in COLOURS else 1.5
        text = "" if mark is twin else _on_lines(NAMES[mark.name])
        _arrow(figure, NAMES[mark.name], mark, text, COLOURS.get(mark.name, QUIET), width)
    if loop is not None:
        known.append(loop)
        text = f"{_on_lines(NAMES[twin.name])}<br>{LOOP}" if twin else LOOP
        _arrow(figure, LOOP, loop, text, HIGHLIGHT, 4)
    across, up = zip(*map(_tip, known), strict=True)
    figure.update_xaxes(
        title="along the meta-gradient", range=_room(across, -0.1, 1.5, spare=1.33), constrain="domain"
    )
    figure.update_yaxes(
        title="across it", range=_room(up, -0.6, 0.6, spare=1.15), scaleanchor="x", constrain="domain"
    )
    return figure.update_layout(height=430, margin=MARGIN, showlegend=False)


def _found(finding: Finding | None) -> Mark | None:
    """The loop's own arrow, if it has one."""
    if finding is None or finding.degrees is None or finding.length is None:
        return None
    return Mark(finding.known_as, finding.degrees, finding.length)


def _on_lines(name: str) -> str:
    return name.replace(" + ", "<br>+ ")


def _room(tips: Sequence[float], low: float, high: float, *, spare: float) -> tuple[float, float]:
    """An axis that holds every tip and its name, and at least what is between the two ends."""
    return min(low, 1.3 * min(tips)), max(high, spare * max(tips))


def _tip(mark: Mark) -> tuple[float, float]:
    angle = math.radians(mark.degrees) * (-1 if mark.name in BELOW else 1)
    return mark.length * math.cos(angle), mark.length * math.sin(angle)


def _arrow(figure: go.Figure, name: str, mark: Mark, text: str, colour: str, width: float) -> None:
    x, y = _tip(mark)
    figure.add_scatter(
        x=[0, x],
        y=[0, y],
        name=name,
        mode="lines+markers+text",
        text=["", text],
        textposition=SIDES.get(mark.name, "top right"),
        textfont={"color": colour},
        line={"color": colour, "width": width, "dash": "dot" if name == LOOP else "solid"},
        marker={"symbol": "arrow", "angleref": "previous", "size": [0, 9 + 2 * width], "color": colour},
        hovertemplate=f"{name}: {mark.degrees:.1f}°, {mark.length:.2f} times as long<extra></extra>",
        cliponaxis=False,
    )


def in_words(marks: Sequence[Mark], found: Finding | None = None) -> str:
    """The same picture as a sentence, for those who do not see it."""
    arrows = [f"{NAMES[m.name]} {m.degrees:.0f}° and {m.length:.2f}" for m in marks if m.name in NAMES]
    loop = _found(found)
    if loop is not None:
        arrows.append(f"{LOOP} {loop.degrees:.0f}° and {loop.length:.2f}")
    return f"Angle to the meta-gradient, and length against its own: {'; '.join(arrows)}."
