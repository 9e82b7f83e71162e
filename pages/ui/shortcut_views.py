"""Lesson 6 in words and tables: what each algorithm leaves out and costs, and who is closest."""

from collections.abc import Sequence

import streamlit as st

from maml_core.meta.costs import REPEATS, Cost
from maml_core.meta.shortcuts import EXACT, SHORTCUTS, Row, Setting, closest, sharpnesses
from maml_core.meta.starts import SHOTS
from maml_core.numerals import degrees, numeral, told_apart
from pages.ui import guessing
from pages.ui.charts_shortcuts import NAMES

LEAVES_OUT = {
    "maml": "nothing",
    "fomaml": "every Jacobian",
    "reptile": "the query set, which only watches",
    "anil": "the body's inner steps",
    "boil": "the head's inner steps",
    "meta-sgd": "nothing; it adds a gradient for every rate",
    "one-leap": "the Jacobians of the path, for one of rate β at θ",
    "imaml": "the path: it differentiates a minimum",
    "truncated": "the Jacobians of all but the last m steps",
}
GROUPS = {
    "FOMAML or Reptile": ("fomaml", "reptile"),
    "ANIL or BOIL": ("anil", "boil"),
    "one leap": ("one-leap",),
    "truncated": ("truncated",),
    "iMAML": ("imaml",),
}
TIE = "several, exactly"
NONE = "none: MAML’s own is not finite"


def choices(rows: Sequence[Row]) -> list[guessing.Choice]:
    """Which shortcut is closest in angle? The right answer is who it is here."""
    best = closest(rows)
    told = standing(rows)
    groups = [guessing.Choice(text, len(best) == 1 and best[0] in names, told) for text, names in GROUPS.items()]
    return [*groups, guessing.Choice(TIE, len(best) > 1, told), guessing.Choice(NONE, not best, told)]


def standing(rows: Sequence[Row]) -> str:
    """Who is closest and who is farthest, in a sentence."""
    finite: list[Row] = sorted(
        (row for row in rows if row.finite and row.name in SHORTCUTS), key=lambda row: row.degrees
    )
    if not finite:
        return _without_maml(rows)
    (best, *level), worst = closest(rows), finite[-1]
    if level:
        first = f"{_listed([best, *level])} agree to {degrees(finite[0].degrees)}"
    else:
        near, *next_near = told_apart([row.degrees for row in finite[:2]], degrees, 1)
        runner = f"; next is {NAMES[finite[1].name]} with {next_near[0]}" if next_near else ""
        first = f"{NAMES[best]} is {near} from MAML{runner}"
    climbs = ", more than a right angle: a step along it climbs" if worst.degrees > 90 else ""
    return f"{first[0].upper()}{first[1:]}. Farthest is {NAMES[worst.name]} with {degrees(worst.degrees)}{climbs}."


def _without_maml(rows: Sequence[Row]) -> str:
    """What there is where MAML, the yardstick, is missing."""
    left = [row.name for row in rows if not row.overflowed]
    told = f"Finite {'are' if len(left) > 1 else 'is'} {_listed(left)}" if left else "Nothing else is finite either"
    return f"MAML's own gradient is not finite, so there is no MAML to compare with. {told}."


def _listed(names: Sequence[str]) -> str:
    *words, last = [NAMES[name] for name in names]
    return f"{', '.join(words)} and {last}" if words else last


def table(rows: Sequence[Row], costs: Sequence[Cost], *, revealed: bool) -> None:
    """All nine: what they leave out, where they point, what they cost. Angles and lengths wait for the prediction."""
    maml = next(cost for cost in costs if cost.name == "maml")
    cells = [_cells(row, cost, maml, revealed=revealed) for row, cost in zip(rows, costs, strict=True)]
    st.table({column: [row[column] for row in cells] for column in cells[0]})
    st.caption(
        f"Against MAML, whose {maml.gradients} gradients and {maml.hvps} Hessian-vector products took "
        f"{numeral(1000 * maml.seconds, 2)} ms of processor time for ten tasks: the least of {REPEATS} runs, made "
        "when this server first saw this k, this m and as many CG steps. Walks backwards are counted as they happen; "
        "ANIL's and BOIL's are shorter ones. "
        "Meta-SGD has all its rates at α here, where its weights' gradient is MAML's own. On a narrow screen the "
        "last columns are a swipe away."
    )


def _cells(row: Row, cost: Cost, maml: Cost, *, revealed: bool) -> dict[str, str]:
    shown = revealed or row.name in EXACT
    return {
        "": NAMES[row.name],
        "leaves out": LEAVES_OUT[row.name],
        "angle": cell(row, "angle", shown=shown),
        "length": cell(row, "length", shown=shown),
        "gradients": str(cost.gradients),
        "Hv products": str(cost.hvps),
        "kept for backward": kibibytes(cost.peak_bytes),
        "time": f"× {cost.seconds / maml.seconds:.2g}",
    }


def cell(row: Row, measure: str, *, shown: bool) -> str:
    """An angle or a length against MAML's, as far as it exists and may be seen."""
    if not shown:
        return "?"
    if not row.finite:
        return "not finite" if row.overflowed else "no MAML to compare with"
    return f"{numeral(row.degrees, 3)}°" if measure == "angle" else f"× {numeral(row.ratio, 3)}"


def kibibytes(count: int) -> str:
    return f"{count / 1024:.0f} KiB"


def overshoot(setting: Setting) -> str:
    """How many tasks have α·λ_max beyond 2, and what that means for the rows above."""
    sharp = sharpnesses(setting.start, setting.seed)
    beyond = sum(setting.inner_lr * sharpness > 2 for sharpness in sharp)
    least, most = (numeral(setting.inner_lr * sharpness, 2) for sharpness in (sharp[0], sharp[-1]))
    ends = f"α·λ_max at θ is {least} to {most} over the ten tasks of {SHOTS} shots"
    if not beyond:
        return f"{ends}. None exceeds 2, so no first step makes its sharpest direction worse."
    return (
        f":orange[:material/warning: {ends}: **{beyond} of {len(sharp)} tasks exceed 2.** There a step overshoots "
        "by more than it came with: such Jacobians stretch, and the angles may jump from one k to the next.]"
    )
