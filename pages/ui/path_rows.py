"""The gradient as a sum over paths, as data for the linked views."""

from typing import Any

from maml_core.graphs.paths import paths_to
from maml_core.graphs.recording import Recording
from maml_core.numerals import numeral


def path_rows(recording: Recording, other: Recording, *, shown: bool, extra: str) -> dict[str, Any]:
    """The paths from the output to x. Those that `other` lacks are marked with the word `extra`."""
    known = {path.nodes for path in paths_to("x", other).listed}
    found = paths_to("x", recording)
    rows = [
        {
            "ids": " ".join(path.nodes),
            "factors": " · ".join(_factor(factor) for factor in path.factors) if shown else None,
            "product": numeral(path.product) if shown else None,
            "extra": "" if path.nodes in known else extra,
        }
        for path in found.listed
    ]
    more = found.number - len(rows)
    rest = f"{more} more paths add {numeral(found.rest) if shown else '?'}" if more else ""
    return {"rows": rows, "rest": rest, "total": numeral(recording.gradients.get("x")) if shown else None}


def _factor(value: float) -> str:
    text = numeral(value, 4)
    return f"({text})" if text.startswith("−") else text
