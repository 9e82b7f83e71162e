"""The live chart without serve.py's route: Streamlit's own charts, redrawn every second."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.ui import charts_live
from pages.ui.charts_live import Panel


def chart(
    look: Callable[[], dict[str, Any] | None], panels: Mapping[str, Panel], empty: str, *, moving: bool
) -> None:
    """The panels with what a feed shows now, again and again as long as it moves."""

    @st.fragment(run_every=1.0 if moving else None)
    def draw() -> None:
        now = look()
        st.markdown(f"**{now['words']}**  \n{now['numbers']}" if now else empty)
        for column, (name, panel) in zip(st.columns(len(panels)), panels.items(), strict=True):
            column.caption(panel.title)
            figure = charts_live.filled(panel, (now["traces"].get(name) if now else None) or [])
            column.plotly_chart(figure, key=f"plain {name}", alt=panel.alt)
        if moving and not (now and now["live"]):
            st.rerun()

    draw()
