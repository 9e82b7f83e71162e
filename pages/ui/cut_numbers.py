"""Lesson 2's outcomes as words, and its headline numbers."""

from typing import Any

from maml_core.graphs.cutting import Verdict, links, standing
from maml_core.graphs.cutting_explained import CutExplanation
from maml_core.graphs.recording import Recording
from maml_core.numerals import numeral

RUNS: tuple[str, str] = ("written", "edited")


def said(verdict: Verdict) -> str:
    """The outcome in one word. A negative zero is a zero."""
    if verdict.outcome == "error":
        return "error"
    return numeral(None if verdict.gradient is None else verdict.gradient + 0.0)


def summary(explanation: CutExplanation, *, revealed: bool) -> list[dict[str, Any]]:
    """The headline numbers. float32 is shown to its last digit, so that readers can compare it with their own."""
    cut = explanation.cut
    runs = (cut.written, cut.edited)
    rows = [
        ("<code>x.grad</code>", [numeral(verdict.gradient, 16) for verdict in cut.verdicts]),
        ("<code>x_new</code>", [_result(run, "x_new") for run in runs]),
        ("gradient at other leaves", [others(found) for found in explanation.elsewhere]),
        *((f"<code>{name}</code>", [_result(run, name) for run in runs]) for name in ("x_copy", "loss")),
        ("grad_fn nodes", [str(len(standing(run))) for run in runs]),
        ("edges between them", [str(len(links(run))) for run in runs]),
    ]
    return [
        {"label": label, "values": {RUNS[0]: first, RUNS[1]: second if revealed else None}}
        for label, (first, second) in rows
    ]


def _result(recording: Recording, name: str) -> str:
    return numeral(recording.results[name], 16) if name in recording.results else "never computed"


def others(gradients: dict[str, float]) -> str:
    return ", ".join(f"{_leaf(leaf)}: {numeral(gradient)}" for leaf, gradient in gradients.items()) or "–"


def _leaf(name: str) -> str:
    """`x_copy.L4`, the deep copy made on line 4, in words."""
    tensor, _, line = name.partition(".L")
    return f"{tensor} of line {line}" if line else tensor
