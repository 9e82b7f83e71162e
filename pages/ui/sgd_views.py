"""Lesson 11's furniture: what a result of the timing experiment says, before and after the prediction."""

from collections.abc import Sequence
from statistics import median

import streamlit as st

from maml_core.numerals import numeral
from maml_core.practice.drifting import Drift
from maml_core.practice.sgd_results import SOURCE, Timing, import_agrees, turns_factor
from pages.ui import charts_timing, guessing, lesson

ANSWERS = {"about twice as long": 1.5, "a little longer": 1.1, "about as long": 0.9, "less long": 0.0}  # at least


def predict(name: str, timing: Timing) -> bool:
    """Ask for the factor when both take turns, given the factor when they do not."""
    cold, warm = timing.factor("in order"), turns_factor(timing)
    right = next(answer for answer, least in ANSWERS.items() if warm.median >= least)
    why = (
        f"Round by round the factor is **{numeral(warm.median, 3)}** (quartiles {numeral(warm.low, 3)} to "
        f"{numeral(warm.high, 3)})."
    )
    return guessing.predict(
        name,
        f"Cold and in order, SGD took **{numeral(cold, 3)}** times as long as by hand. Taking turns, it takes …",
        [guessing.Choice(answer, answer == right, why) for answer in ANSWERS],
    )


def picture(timing: Timing, *, revealed: bool) -> None:
    """The source's comparison; once revealed, the same without the import, and each repetition by itself."""
    parts = tuple(charts_timing.PARTS) if revealed else ("in order",)
    left, right = st.columns(2, gap="medium")
    left.markdown("**All repetitions together**")
    alt = "; ".join(f"{charts_timing.PARTS[part]}: factor {numeral(timing.factor(part), 3)}" for part in parts)
    left.plotly_chart(charts_timing.totals(timing, parts), key="totals", alt=f"Total seconds of both loops. {alt}.")
    if revealed:
        right.markdown("**Each repetition of the cold run**")
        alt = "Seconds of each repetition of the cold run, in order, on a logarithmic scale."
        right.plotly_chart(charts_timing.repetitions(timing), key="repetitions_chart", alt=alt)
    else:
        right.markdown(
            "Ten steps of gradient descent on one image, again and again: all repetitions of one loop, then all of "
            "the other, in a process that has just started. That is how the source compares them, and its factor "
            f"is {numeral(charts_timing.SOURCE.factor, 3)}. A total is one number per loop. What it does not show is "
            "*which* of the repetitions took the time."
        )


def second(timing: Timing) -> None:
    """Where the time between the two totals went, on the machine that was measured."""
    seconds = " and ".join(numeral(each, 3) for each in timing.import_seconds)
    st.markdown(
        f"{_first(timing)} {_culprit(timing)} Imported by itself, in a fresh interpreter and before anything is "
        f"timed, it brings **{timing.import_modules} modules** and takes **{seconds} s** of CPU time (in two "
        "processes). With that done first, the same experiment in the same order has the factor "
        f"**{numeral(timing.factor('imported first'), 3)}**. {_source(timing)}"
    )
    check = import_agrees(timing)
    if check.agrees:
        st.markdown(
            f":green[:material/verified:] {len(check.ways)} independent ways put the import at about "
            f"**{numeral(check.ways[0].vector[0], 2)} s**. They differ by {numeral(100 * check.difference, 2)} % of "
            "the longest; two imports by themselves differ by "
            f"{numeral(100 * (1 - min(timing.import_seconds) / max(timing.import_seconds)), 2)} %."
        )
    else:
        st.markdown(f":orange[:material/warning:] The ways to the import's seconds disagree. {check.reason}")
    with st.expander("The ways, in seconds"):
        st.table(lesson.rows_to_columns({way.name: {"seconds": numeral(way.vector[0], 4)} for way in check.ways}))
        st.caption("They come from different processes, so they cannot agree to many digits.")


def _first(timing: Timing) -> str:
    """Whether the first repetition with an optimizer is the one that took the time."""
    cold = timing.seconds["in order"]
    first, *later = cold["SGD"]
    said = f"The first repetition that makes a `torch.optim.SGD` took {numeral(first, 3)} s"
    slowest = max(*later, *cold["by hand"])
    if first > slowest:
        return f"One repetition stands apart. {said}, and a usual one takes {numeral(median(later), 3)} s."
    return f"No repetition of SGD's stands apart here. {said}, another {numeral(slowest, 3)} s."


def _culprit(timing: Timing) -> str:
    if not timing.imported_by:
        return "Nothing in the cold run imported `torch._dynamo`, part of PyTorch's compiler, of which this is about."
    return (
        f"During the *{timing.imported_by}* repetitions the process imported `torch._dynamo`, part of PyTorch's "
        "compiler: making its first optimizer does that."
    )


def _source(timing: Timing) -> str:
    apart, alone = SOURCE.sgd - SOURCE.by_hand, median(timing.import_seconds)
    said = f"The source's two totals are {numeral(apart, 3)} s apart."
    if not timing.imported_by or not alone:
        return said
    return (
        f"{said} An import that takes {numeral(apart / alone, 2)} times as long as this one would do that, and so "
        "would a loop that is slower every time: two totals cannot tell which."
    )


def factor_by_repetitions(timing: Timing, chosen: int) -> None:
    st.plotly_chart(
        charts_timing.factors(timing, chosen),
        key="factors",
        alt="The factor that one import makes falls towards 1 as the repetitions grow.",
    )


def table(timing: Timing) -> None:
    """Median and quartiles of all loops, in milliseconds per repetition."""
    st.plotly_chart(
        charts_timing.spreads(timing),
        key="spreads",
        alt="Medians and quartiles of the SGD variants over the loop by hand.",
    )
    rows = {}
    for loop in timing.seconds["taking turns"]:
        found = timing.spread("taking turns", loop)
        rows[loop] = {name: f"{numeral(s * 1000, 3)} ms" for name, s in zip(("¼", "median", "¾"), found, strict=True)}
    st.table(lesson.rows_to_columns(rows))
    st.markdown(_compiled(timing))


def _compiled(timing: Timing) -> str:
    if timing.trouble:
        return f"Compiled: it did not work on that machine. `{timing.trouble}`"
    if timing.compile_seconds is None:
        return "Compiled: not measured in this run. (Switch on *torch.compile too*.)"
    found = turns_factor(timing, "SGD compiled", "compiled")
    return (
        f"Compiled, with one optimizer for all repetitions: the first ten steps took "
        f"{numeral(timing.compile_seconds, 3)} s (less where PyTorch kept an earlier compilation), every "
        f"later ten **{numeral(found.median, 3)}** times as long as by hand (quartiles "
        f"{numeral(found.low, 3)} to {numeral(found.high, 3)})."
    )


def drifting(timing: Timing) -> None:
    """How far apart the two loops' weights are, and the step at which the comparison fails."""
    st.plotly_chart(
        charts_timing.drifts(timing.drifts),
        key="drifts",
        alt="The distance between the weights of both loops over a hundred steps, in float32 and float64.",
    )
    st.markdown("  \n".join(_drift(dtype, rows) for dtype, rows in timing.drifts.items()))


def _drift(dtype: str, rows: Sequence[Drift]) -> str:
    last = next((i for i, row in enumerate(rows) if not row.close), None)
    if last is None:
        return f"**{dtype}**: the comparison passes for all {len(rows)} steps; then they are {_apart(rows[-1])}."
    if not last:
        return f"**{dtype}**: the comparison fails at the first step."
    before, after = rows[last - 1], rows[last]
    return (
        f"**{dtype}**: the comparison passes up to step {before.steps}, with the weights {_apart(before)}, and first "
        f"fails at step {after.steps}, with {_apart(after)}. It fails at {sum(not row.close for row in rows)} of the "
        f"{len(rows)} steps. At the weights of step {before.steps}, **{before.sides}** "
        "of the ReLUs had the image on different sides of 0 in the two networks."
    )


def _apart(row: Drift) -> str:
    return f"{lesson.scientific(row.distance)} of their length apart"
