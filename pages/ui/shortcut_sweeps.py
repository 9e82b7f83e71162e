"""A knob of lesson 6 turned from end to end, point by point: with progress, a Stop, and what is done kept."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from maml_core.meta.crossings import crossings, lead_changes
from maml_core.meta.shortcuts import AXES, SHORTCUTS, Row, Setting, sharpnesses, sweep_point, sweep_values
from pages.ui import charts_shortcuts, controls
from pages.ui.charts_shortcuts import Turned
from pages.ui.shortcut_sweep_words import Swept, crossing_in_words, in_words, reached

KEPT = 12  # finished or stopped sweeps that a visit keeps
MEASURES = ("angle", "length")


class Asked(NamedTuple):
    """What the reader wants to see."""

    knob: str
    measure: str


def asked() -> Asked:
    """Which knob to turn, and what to look at."""
    with st.container(horizontal=True, gap="medium"):
        knobs = "\n\n".join(f"**{name}**: {axis.label}" for name, axis in AXES.items())
        knob = controls.choice("sweep", "turn", tuple(AXES), "k", knobs)
        measure = controls.choice("measure", "show", MEASURES, MEASURES[0], "Against MAML at the same k and α.")
    return Asked(knob, measure)


def sweeps(setting: Setting, base: Sequence[Row], what: Asked) -> None:
    """Turn the knob, draw the curves, say where they cross."""
    lengths = what.measure == "length"
    swept = _sweep(setting, what.knob, base, lengths=lengths)
    xs = swept.xs[: reached(swept)]
    crossed, leads = (() if lengths else find(xs, swept.curves) for find in (crossings, lead_changes))
    veils = _veils(setting) if what.knob == "alpha" else []
    axis, here = swept.axis, getattr(setting, swept.axis.field)
    turned = Turned(axis.label, swept.xs, swept.curves, crossed, leads, here, lengths, axis.logarithmic, veils)
    words = in_words(swept, leads, what.measure)
    if any(math.isfinite(y) for ys in swept.curves.values() for y in ys):
        st.plotly_chart(charts_shortcuts.sweep(turned), key="sweep_chart", alt=f"{axis.label}, end to end. {words}")
    st.markdown(words)
    if crossed:
        with st.expander("The one crossing" if len(crossed) == 1 else f"All {len(crossed)} crossings"):
            st.markdown("\n".join(f"- {crossing_in_words(crossing, swept.axis)}" for crossing in crossed))


def _sweep(setting: Setting, chosen: str, base: Sequence[Row], *, lengths: bool) -> Swept:
    """Every point of the sweep that has been reached; what the knob does not move keeps its value of `base`."""
    axis, xs = AXES[chosen], sweep_values(setting, chosen)
    done = _points(setting, chosen, xs)
    still = {row.name: row.ratio if lengths else row.degrees for row in base}
    curves = {name: [still[name]] * len(done) for name in SHORTCUTS}
    for place, rows in enumerate(done):
        for row in rows:
            curves[row.name][place] = row.ratio if lengths else row.degrees
    return Swept(axis, xs, curves)


def _points(setting: Setting, chosen: str, xs: Sequence[float]) -> list[tuple[Row, ...]]:
    """The points so far, computing those that are missing unless the reader has stopped."""
    kept = st.session_state.setdefault("sweeps", {})
    knob = replace(setting, **{AXES[chosen].field: xs[0]}), chosen  # where it stands does not matter
    done = kept.setdefault(knob, [])
    while len(kept) > KEPT:
        kept.pop(next(iter(kept)))
    place = st.empty()
    if len(done) < len(xs) and st.session_state.get("sweep stopped") != knob:
        with place.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, "Turning …")
            st.button("Stop", icon=":material/stop:", on_click=_stop, args=(knob,), help="What is done stays.")
        for x in xs[len(done) :]:
            done.append(sweep_point(setting, chosen, x))
            bar.progress(len(done) / len(xs), f"{len(done)} of {len(xs)} points")
        place.empty()
    elif len(done) < len(xs):
        with place.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":orange[:material/stop: Stopped after {len(done)} of {len(xs)} points.]", width="content")
            st.button("Go on", icon=":material/play_arrow:", on_click=_stop, args=(None,))
    return list(done)


def _stop(knob: object) -> None:
    st.session_state["sweep stopped"] = knob


def _veils(setting: Setting) -> list[tuple[float, str]]:
    """Where α·λ_max at θ exceeds 2 on one task, and on all."""
    sharp = sharpnesses(setting.start, setting.seed)
    return [(2 / sharp[-1], "one task overshoots"), (2 / sharp[0], "all do")]
