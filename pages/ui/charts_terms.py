"""Lesson 5's ledger as a figure: what each term adds along the meta-gradient."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from maml_core.meta.looking_back import Term
from maml_core.numerals import numeral
from pages.ui.charts import FIRST_ORDER, MARGIN, SECOND_ORDER, TRUTH

HEADING = "along g, of length"
COLUMN: dict[str, Any] = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "showarrow": False}
LETTER = 6.5  # pixels that a letter takes, on average


def ledger(terms: Sequence[Term], length: float) -> go.Figure:
    """Bars that start where the last one ended, and end at the length of the meta-gradient."""
    names = ["∇L_q(φ)", *(f"step {term.step}" for term in terms[1:]), "‖g‖"]
    shares = [*(term.share for term in terms), length]
    figure = go.Figure(
        go.Bar(
            y=names,
            x=shares,
            base=[*(sum(shares[:i]) for i in range(len(terms))), 0],
            orientation="h",
            marker={
                "color": [FIRST_ORDER, *[SECOND_ORDER] * (len(terms) - 1), TRUTH],
                "pattern": {"shape": ["", *["/"] * (len(terms) - 1), "."], "solidity": 0.25},
            },
            hovertemplate="%{y}: reaches %{x:.4g} along g<extra></extra>",
        )
    )
    texts = [*(_of(term) for term in terms), numeral(length, 3)]
    for name, text in zip(names, texts, strict=True):  # in a column: beside a bar that goes left stands its name
        figure.add_annotation(y=name, text=text, **COLUMN)
    figure.add_annotation(y=1, yref="paper", yanchor="bottom", text=HEADING, **COLUMN)
    figure.update_yaxes(autorange="reversed", ticks="", type="category")
    figure.update_xaxes(title="along the meta-gradient", zeroline=True)
    room = {**MARGIN, "t": 26, "r": 12 + LETTER * max(map(len, (HEADING, *texts)))}
    return figure.update_layout(height=max(260, 70 + 21 * len(names)), margin=room, bargap=0.25)


def _of(term: Term) -> str:
    return f"{numeral(term.share, 2)} of {numeral(term.length, 2)}"
