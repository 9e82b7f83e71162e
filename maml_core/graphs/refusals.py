"""What PyTorch says when it refuses a call for gradients, in a sentence about the program at hand."""

import re
from collections.abc import Sequence

from maml_core.graphs.programs import Backward, Gradients, Line, Statement


def refusal(words: str, lines: Sequence[Line], line: Line) -> str:
    """PyTorch's error on a line in one sentence of ours, about this program."""
    statement = line.statement
    output = statement.output if isinstance(statement, Backward | Gradients) else ""
    if "second time" in words:
        freer = next(
            past.number
            for past in reversed(lines[: line.number - 1])
            if isinstance(past.statement, Backward | Gradients) and past.statement.output == output
        )
        return (
            f"Line {freer} freed what the graph of {output} had saved, as every call does unless told otherwise, and "
            f"line {line.number} needs it once more; `retain_graph=True` on line {freer} keeps it."
        )
    if "not have been used" in words:
        return (
            f"{output} does not depend on {_unused(words, statement)}, and `grad` would rather stop than return a "
            "None that nobody expects; `backward()` leaves such a leaf's `.grad` alone."
        )
    return f"PyTorch refuses line {line.number}, and nothing after it has run."


def _unused(words: str, statement: Statement) -> str:
    """The leaf that PyTorch names by its place, counted from 0."""
    index = re.search(r"index (\d+)", words)
    if index is None or not isinstance(statement, Gradients):
        return "every leaf it was asked about"
    return f"{statement.wrt[int(index[1])]}, which PyTorch calls “index {index[1]}”"
