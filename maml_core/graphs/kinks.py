"""Where a program stands exactly on a kink, and which slope PyTorch takes there."""

from maml_core.graphs.nodes import Call
from maml_core.graphs.programs import Assign
from maml_core.graphs.recording import Recording

# Left slope, right slope, and PyTorch's choice at 0, which tests/graphs/test_kinks.py asks it for.
KINKS = {"relu": (0, 1, 0), "abs": (-1, 1, 0)}


def kinks(recording: Recording) -> tuple[str, ...]:
    """One sentence for each function whose argument was exactly 0 where its slope jumps."""
    found = []
    for line in recording.lines:
        parts = line.statement.expression.parts if isinstance(line.statement, Assign) else ()
        for i, part in enumerate(parts):
            if isinstance(part.node, Call) and part.node.function in KINKS:
                argument = line.spans[i - 1]  # what a function is of is computed right before it
                values = {v.value for v in recording.values if (v.line, v.start, v.end) == (line.number, *argument)}
                found += [_sentence(line.number, part.node.function)] * (0.0 in values)
    return tuple(dict.fromkeys(found))


def _sentence(line: int, function: str) -> str:
    left, right, chosen = KINKS[function]
    return (
        f"Line {line} stands on the kink of {function}: the slope is {left} to the left and {right} to the right, "
        f"and PyTorch takes {chosen}. A nudge to both sides measures their mean."
    )
