"""Lesson 5's measurement: three ways back in slices, with progress and Stop; then curves and a million weights."""

import streamlit as st

from maml_core.meta.k_steps import MOST_STEPS
from maml_core.meta.prices import (
    FEW_SHOTS,
    MILLION_WIDTH,
    Bytes,
    Price,
    fitted_bytes,
    growing,
    plan,
    seconds_per_step,
    some,
    weights,
)
from maml_core.numerals import numeral
from pages.ui import charts_k_steps, controls, guessing, lesson

SLICE, PERIOD = 0.25, 0.7  # seconds of measuring, and from one slice to the next: the rest is for other readers
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
Size = tuple[int, int]  # width, support examples
KEPT = 12  # sizes whose measurements a visit keeps
QUANTITIES = {
    "peak_bytes": "bytes held at the peak",
    "seconds": "seconds of processor time",
    "nodes": "nodes of the largest graph",
}
GROWERS = {
    "only the full Jacobians": {"jacobians"},
    "only the unrolled loop": {"unrolled"},
    "the unrolled loop and the stored iterates": {"unrolled", "iterates"},
    "all three": {"jacobians", "unrolled", "iterates"},
}


def size() -> Size:
    """The network whose way back is measured."""
    with st.container(horizontal=True, gap="medium"):
        help_text = "Of both hidden layers of the network that is measured: n = w² + 4w + 1 weights, float32."
        width = controls._slider("k_units", "width to measure", (4, 40), 16, 1, help_text)
        help_text = "Support examples: what every step's activations are kept for."
        shots = controls._slider("k_shots", "shots", (10, 200), 50, 10, help_text)
    return int(width), int(shots)


@st.cache_data(show_spinner=False)
def _growing() -> dict[str, float]:
    return growing(FEW_SHOTS)


def predict_growth(name: str) -> bool:
    """Which way needs more memory for more steps?"""
    added = _growing()
    growers = {way for way, bytes_ in added.items() if bytes_ > 0}
    why = (
        f"Counted on {weights(4)} weights and {FEW_SHOTS} examples, each more step adds "
        f"{readable(added['jacobians'])} to the Jacobians, {readable(added['unrolled'])} to the unrolled loop and "
        f"{readable(added['iterates'])} to the stored iterates: one more copy of the weights."
    )
    return guessing.predict(
        name,
        "With more inner steps, memory grows for …",
        [guessing.Choice(text, ways == growers, why) for text, ways in GROWERS.items()],
    )


def readable(count: float) -> str:
    """Bytes in the unit that suits them, a thousand of one being the next."""
    power = 0
    while count >= 999.5 and power < len(UNITS) - 1:
        count, power = count / 1000, power + 1
    return f"{numeral(count, 3)} {UNITS[power]}"


def measurement(at: Size, steps: int) -> None:
    """Measure in slices until all are done or the reader stops; then show what there is."""
    kept: dict[Size, list[Price]] = st.session_state.setdefault("k_prices", {})
    measured = kept.setdefault(at, [])
    while len(kept) > KEPT:
        kept.pop(next(size for size in kept if size != at))
    left = len(plan(*at)) - len(measured)
    if left > 0 and st.session_state.get("k_stopped") != at:
        st.fragment(_measure, run_every=PERIOD)(at, measured)
    else:
        _show(at, measured, steps)


def _measure(at: Size, measured: list[Price]) -> None:
    """One slice per run of this fragment, so that no other reader waits for more than that."""
    samples = plan(*at)
    if st.session_state.get("k_stopped") != at:
        measured.extend(some(samples[len(measured) :], SLICE))
    if st.session_state.get("k_stopped") == at or len(measured) >= len(samples):
        st.rerun()
    share = len(measured) / len(samples)
    st.progress(share, f"Measuring on this server: {len(measured)} of {len(samples)} runs.")
    st.button("Stop", icon=":material/stop:", key="k_stop", on_click=_stop, args=(at,))


def _stop(at: Size) -> None:
    st.session_state["k_stopped"] = at


def _resume(at: Size, again: bool) -> None:
    st.session_state["k_stopped"] = None
    if again:
        st.session_state["k_prices"][at].clear()


def _show(at: Size, measured: list[Price], steps: int) -> None:
    width, shots = at
    whole = len(measured) >= len(plan(*at))
    here = [price for price in measured if price.sample.width == width and price.sample.shots == shots]
    for column, (field, title) in zip(st.columns(3), QUANTITIES.items(), strict=True):
        fitted = _fitted_curve(measured, at, field) if whole else []
        figure = charts_k_steps.price(here, field, title, fitted=fitted)
        column.plotly_chart(figure, key=f"k_{field}", alt=f"{title} of the three ways back over the inner steps.")
    if whole:
        _fits(at, measured, steps)
    label = "Measure again" if whole else "Go on measuring"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(label, icon=":material/replay:", key="k_resume", on_click=_resume, args=(at, whole))
        st.caption(_how_measured(at, measured, whole))


def _fitted_curve(measured: list[Price], at: Size, field: str) -> list[float]:
    """The Jacobians' bytes or seconds for every k, as far as a few measurements tell."""
    width, shots = at
    if field == "peak_bytes":
        line = fitted_bytes(measured, "jacobians", width, shots)
        return [line.at(k) for k in range(1, MOST_STEPS + 1)]
    if field == "seconds":
        slope = seconds_per_step(measured, "jacobians", width)
        return [k * slope for k in range(1, MOST_STEPS + 1)]
    return []


def _how_measured(at: Size, measured: list[Price], whole: bool) -> str:
    stopped = "" if whole else f"Stopped after {len(measured)} of {len(plan(*at))} runs. "
    dashes = " Thin orange dashes: the Jacobians by the fit, as measuring them for every k would take too long."
    return (
        f"{stopped}Bytes: tensors that autograd saved, and matrices or weights that the way itself keeps, shared "
        "memory once. Seconds: of processor time on this server, without what it does for others meanwhile."
        f"{dashes if whole else ''}"
    )


def _fits(at: Size, measured: list[Price], steps: int) -> None:
    """The fits at the reader's width and at a million weights."""
    width, shots = at
    ways = {name: way for way, (name, *_) in charts_k_steps.WAYS.items()}
    columns: dict[str, dict[str, str]] = {}
    for name, way in ways.items():
        here, large = (fitted_bytes(measured, way, w, shots) for w in (width, MILLION_WIDTH))
        columns[name] = _column(here, large, at, steps) | {
            "seconds per step, here": _seconds(seconds_per_step(measured, way, width))
        }
    rows = {row: {name: column[row] for name, column in columns.items()} for row in next(iter(columns.values()))}
    st.table(lesson.rows_to_columns(rows))
    n = weights(MILLION_WIDTH)
    st.markdown(
        f"At a million weights **one** matrix ∂φ/∂θ in float32 is {readable(4.0 * n * n)}; carrying it along "
        f"holds two at once. {_verdict(measured, at)}"
    )


def _column(here: Bytes, large: Bytes, at: Size, steps: int) -> dict[str, str]:
    n = weights(at[0])
    return {
        f"peak at k = {steps}, {n} weights": readable(here.at(steps)),
        f"each more step, {n} weights": readable(round(here.per_step)),
        f"peak at k = {steps}, a million weights": readable(large.at(steps)),
        "each more step, a million weights": readable(max(0, round(large.per_step, -3))),
    }


def _seconds(seconds: float) -> str:
    return f"{numeral(seconds, 3)} s" if seconds >= 1 else f"{numeral(1000 * seconds, 3)} ms"


def _verdict(measured: list[Price], at: Size) -> str:
    """What a step costs in the two ways that need no matrix, at the reader's width and far beyond."""
    ratios = []
    for width in (at[0], MILLION_WIDTH):
        loop, stops = (fitted_bytes(measured, way, width, at[1]).per_step for way in ("unrolled", "iterates"))
        ratios.append(loop / stops)
    here, large = ratios
    return (
        f"A step of the unrolled loop keeps its activations and a copy of the weights, a stored iterate the copy "
        f"alone: **{numeral(here, 3)} times** less at your width with {at[1]} shots, {numeral(large, 3)} times at a "
        "million weights, where the copies outweigh the activations. The more examples, the more it saves."
    )
