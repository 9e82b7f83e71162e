"""A logarithmic axis whose numbers read like those in the sentences beside it."""

import math
from collections.abc import Iterable
from typing import Any

from maml_core.numerals import numeral

LEAST = math.log10(2) + 0.02  # of an axis on either side of 1, so that a half and a double have their ticks


def logarithmic(values: Iterable[float], *, room: float = 0.08) -> dict[str, Any]:
    """A handful of ticks, however short or long the axis; above the last value `room` as a share of its length."""
    logs = [math.log10(value) for value in values if math.isfinite(value) and value > 0]
    low, high = min(*logs, -LEAST, 0.0), max(*logs, LEAST, 0.0)
    steps = (1, 2, 5) if high - low < 2 else (1,)
    every = max(1, round((high - low) / 6))
    powers = [power for power in range(math.floor(low), math.ceil(high) + 1) if power % every == 0]
    ticks = [step * 10.0**power for power in powers for step in steps]
    ends = {"range": [low - 0.08 * (high - low), high + room * (high - low)]}
    return {
        "type": "log",
        "tickvals": ticks,
        "ticktext": [numeral(tick, 3).removeprefix("1·") for tick in ticks],
        **ends,
    }
