"""What a sweep of lesson 6 shows, in words: who leads from where on, and where there is nothing to compare."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from maml_core.meta.crossings import Crossing
from maml_core.meta.shortcuts import SAME, Axis
from maml_core.numerals import MOST_DIGITS, degrees, numeral, told_apart
from pages.ui.charts_shortcuts import NAMES

MOST_NAMED = 4  # changes of the lead that are told in words


class Swept(NamedTuple):
    """What is there of a sweep. A curve is shorter than `xs` if it was stopped."""

    axis: Axis
    xs: tuple[float, ...]
    curves: dict[str, list[float]]


def reached(swept: Swept) -> int:
    return len(next(iter(swept.curves.values())))


def in_words(swept: Swept, leads: Sequence[Crossing], measure: str) -> str:
    """Who leads from where on; and what is not finite."""
    if not reached(swept):
        return "No point yet."
    gaps = _gaps(swept)
    if measure == "length":
        return gaps or "A length of 1 is as long as MAML's. Reptile's is a sum over k steps."
    first = _leader(swept)
    if first is None:
        return gaps
    turns = _turns(swept, leads)
    told = f"first {first}, then {turns}." if turns else f"{first} {_as_far(swept)}: no other curve goes below it."
    return f"Closest in angle: {told} Between two points the curves are taken for straight lines. {gaps}"


def _turns(swept: Swept, leads: Sequence[Crossing]) -> str:
    """Who takes the lead where. A knob of whole numbers alone stands at the first of them, never between two."""
    symbol = swept.axis.symbol
    if _whole(swept.axis):
        taken = {math.ceil(lead.x): lead.falling for lead in leads}  # of several in one gap the last
        turns = [
            f"at {symbol} = {x} **{NAMES[name]}** ({degrees(swept.curves[name][swept.xs.index(x)])})"
            for x, name in taken.items()
        ]
    else:
        places = told_apart([lead.x for lead in leads], _number, 3)
        turns = [
            f"from {symbol} = {place} on **{NAMES[lead.falling]}** (at {degrees(lead.y)})"
            for place, lead in zip(places, leads, strict=True)
        ]
    rest = len(turns) - MOST_NAMED
    more = f"; and {rest} more {'change' if rest == 1 else 'changes'}, ringed" if rest > 0 else ""
    return ", ".join(turns[:MOST_NAMED]) + more


def _whole(axis: Axis) -> bool:
    return all(isinstance(x, int) for x in axis.values)


def _as_far(swept: Swept) -> str:
    """As far as there is a comparison: to the end, or to the last point before any curve that began breaks off."""
    begun = [ys for ys in swept.curves.values() if math.isfinite(ys[0])]
    places = (place for ys in begun for place, y in enumerate(ys) if not math.isfinite(y))
    gap = min(places, default=None)
    if gap is None:
        return "from end to end"
    return f"{'at' if gap == 1 else 'from'} {swept.axis.symbol} = {_ends(set(swept.xs[:gap]))}"


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
    """The points at which a curve is not finite; where none is, it is MAML's gradient that is missing."""
    broken = {
        name: {x for x, y in zip(swept.xs, ys, strict=False) if not math.isfinite(y)}
        for name, ys in swept.curves.items()
    }
    missing = set.intersection(*broken.values())
    symbol, told = swept.axis.symbol, []
    if len(missing) == reached(swept):
        told = ["MAML's own gradient is not finite at any point: there is no MAML to compare with."]
    elif missing:
        told = [f"MAML's own gradient is not finite at {symbol} = {_ends(missing)}: no MAML to compare with."]
    alone = [f"{NAMES[name]} at {symbol} = {_ends(xs - missing)}" for name, xs in broken.items() if xs - missing]
    told += [f"Not finite, so not drawn: {'; '.join(alone)}."] if alone else []
    return f":orange[:material/warning: {' '.join(told)}]" if told else ""


def _ends(xs: set[float]) -> str:
    low, high = _number(min(xs)), _number(max(xs))
    return low if low == high else f"{low} to {high}"


def _number(x: float, digits: int = 3) -> str:
    return numeral(float(f"{x:.{digits}g}"), MOST_DIGITS)


def crossing_in_words(crossing: Crossing, axis: Axis) -> str:
    if _whole(axis) and crossing.x % 1:
        place = f"between {axis.symbol} = {math.floor(crossing.x)} and {math.ceil(crossing.x)}"
    else:
        place = f"{axis.symbol} = {_number(crossing.x)}"
    return (
        f"{place}, near {degrees(crossing.y)}: {NAMES[crossing.falling]} comes closer than {NAMES[crossing.rising]}"
    )
