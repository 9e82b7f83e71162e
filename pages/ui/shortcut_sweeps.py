"""A knob of lesson 6 turned from end to end, point by point: with progress, a Stop, and what is done kept."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from maml_core.meta.crossings import Crossing, crossings, lead_changes
from maml_core.meta.shortcuts import AXES, SAME, SHORTCUTS, Axis, Row, Setting, sharpnesses, sweep_point, sweep_values
from maml_core.numerals import numeral
from pages.ui import charts_shortcuts, controls
from pages.ui.charts_shortcuts import NAMES, Turned

KEPT = 12  # finished or stopped sweeps that a visit keeps
MOST_NAMED = 4  # changes of the lead that are told in words
MEASURES = ("angle", "length")


class Swept(NamedTuple):
    """What is there of a sweep. A curve is shorter than `xs` if it was stopped."""

    axis: Axis
    xs: tuple[float, ...]
    curves: dict[str, list[float]]


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
    reached = swept.xs[: _reached(swept)]
    crossed, leads = (() if lengths else find(reached, swept.curves) for find in (crossings, lead_changes))
    veils = _veils(setting) if what.knob == "alpha" else []
    axis, here = swept.axis, getattr(setting, swept.axis.field)
    turned = Turned(axis.label, swept.xs, swept.curves, crossed, leads, here, lengths, axis.logarithmic, veils)
    words = _words(swept, leads, what.measure)
    st.plotly_chart(charts_shortcuts.sweep(turned), key="sweep_chart", alt=f"{axis.label}, end to end. {words}")
    st.markdown(words)
    if crossed:
        with st.expander(f"All {len(crossed)} crossings"):
            st.markdown("\n".join(f"- {swept.axis.symbol} = {_told(crossing)}" for crossing in crossed))


def _told(crossing: Crossing) -> str:
    place = f"{_number(crossing.x)}, {numeral(round(crossing.y, 1))}°"
    return f"{place}: {NAMES[crossing.falling]} comes closer than {NAMES[crossing.rising]}"


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


def _reached(swept: Swept) -> int:
    return len(next(iter(swept.curves.values())))


def _veils(setting: Setting) -> list[tuple[float, str]]:
    """Where α·λ_max at θ exceeds 2 on one task, and on all."""
    sharp = sharpnesses(setting.start, setting.seed)
    return [(2 / sharp[-1], "one task overshoots"), (2 / sharp[0], "all do")]


def _words(swept: Swept, leads: Sequence[Crossing], measure: str) -> str:
    """Who leads from where on; and what is not finite."""
    reached = _reached(swept)
    if not reached:
        return "No point yet."
    gaps = _gaps(swept)
    if measure == "length":
        return gaps or "A length of 1 is as long as MAML's. Reptile's is a sum over k steps."
    first = _leader(swept)
    if first is None:
        return gaps
    if not leads:
        told = f"{first} from end to end: no other curve goes below it."
    else:
        told = f"First {first}, then {_turns(swept.axis.symbol, leads)}."
    return f"Closest in angle: {told} Between two points the curves are taken for straight lines. {gaps}"


def _turns(symbol: str, leads: Sequence[Crossing]) -> str:
    turns = [
        f"from {symbol} = {_number(lead.x)} on **{NAMES[lead.falling]}** (at {numeral(round(lead.y, 1))}°)"
        for lead in leads[:MOST_NAMED]
    ]
    more = f"; and {len(leads) - MOST_NAMED} more changes, ringed" if len(leads) > MOST_NAMED else ""
    return ", ".join(turns) + more


def _leader(swept: Swept) -> str | None:
    """The lowest curve at the first point, in bold; of several that are equal there, the lowest at the next."""
    heights = {name: ys[:2] for name, ys in swept.curves.items() if math.isfinite(ys[0])}
    if not heights:
        return None
    level = [name for name, ys in heights.items() if ys[0] <= min(heights.values())[0] + SAME]
    first = min(level, key=lambda name: heights[name][-1])
    others = " and ".join(NAMES[name] for name in level if name != first)
    beside = f" (level with {others} at {swept.axis.symbol} = {_number(swept.xs[0])})" if others else ""
    return f"**{NAMES[first]}**{beside}"


def _gaps(swept: Swept) -> str:
    """The values at which a curve is not finite."""
    reached = _reached(swept)
    broken = {
        name: [x for x, y in zip(swept.xs, ys, strict=False) if not math.isfinite(y)]
        for name, ys in swept.curves.items()
    }
    symbol = swept.axis.symbol
    told = [f"{NAMES[name]} at {symbol} = {_number(xs[0])} to {_number(xs[-1])}" for name, xs in broken.items() if xs]
    if all(len(xs) == reached for xs in broken.values()):
        return ":orange[:material/warning: Nothing here is finite: MAML's own inner loop overflows at every point.]"
    return f":orange[:material/warning: Not finite, so not drawn: {'; '.join(told)}.]" if told else ""


def _number(x: float) -> str:
    return numeral(float(f"{x:.3g}"))
