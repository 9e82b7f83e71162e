"""Lesson 1's screen as a standalone Python script: the page's lines, then an assert for each number in the ledger."""

import math
from collections.abc import Iterable

import torch

from maml_core.graphs.explaining_calls import CallsExplained
from maml_core.graphs.ledger import Entry
from maml_core.graphs.programs import Gradients

HEAD = '''"""Two calls on one expression written twice: what is in .grad, and what is saved, after each line.
{link}
Needs only PyTorch; written for torch {torch}. Run it: it prints what the page shows and checks each number.
"""

import math
import weakref

import torch
from torch.autograd import grad
from torch.autograd.graph import saved_tensors_hooks


class Saved:
    """Stands in for a tensor that autograd saves, so that its life can be watched."""

    def __init__(self, tensor):
        self.tensor = tensor


boxes = []
ledger = []


def pack(tensor):
    box = Saved(tensor)
    boxes.append(weakref.ref(box))
    return box


def note(returned=()):
    """After a line: every .grad, what grad returned, and the bytes still saved, each storage once."""
    alive = [box().tensor for box in boxes if box() is not None]
    saved = sum({{tensor.data_ptr(): tensor.nbytes for tensor in alive}}.values())
    grads = [None if x.grad is None else x.grad.item() for x in (x1, x2, x3)]
    ledger.append((grads, [tensor.item() for tensor in returned], saved))
    print(ledger[-1])


def close(a, b):
    """Equal to float32's rounding; None, infinities and nan must be the same ones."""
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)):
        return str(a) == str(b)
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-30)


with saved_tensors_hooks(pack, lambda box: box.tensor):
'''
STOPPED = """    try:
        {line}
    except RuntimeError as error:
        print(error)
        assert {words!r} in str(error), error
    else:
        raise AssertionError("PyTorch was expected to refuse this line.")
    note()
"""
TAIL = """
inf, nan = math.inf, math.nan
expected = [
    # every .grad, what grad returned, bytes saved
{rows}
]
assert len(ledger) == len(expected)
for (grads, returned, saved), (want, wanted, bytes_) in zip(ledger, expected):
    assert all(map(close, grads + returned, want + wanted)) and len(returned) == len(wanted), (grads, returned)
    assert saved == bytes_, saved
"""


def ledger_script(explained: CallsExplained, link: str = "") -> str:
    """The script of lesson 1. The ledger begins with the line after which both graphs stand."""
    ledger = explained.ledger
    first = len(explained.lesson.graphs.statements)
    noted = [entry for entry in ledger.entries if entry.line >= first]
    head = HEAD.format(link=f"\n{link}\n" if link else "", torch=torch.__version__.split("+")[0])
    setup = "".join(f"    {line.text}\n" for line in ledger.lines[: first - 1])
    rows = [f"    ({_list(e.grads.values())}, {_list(e.returned)}, {e.saved_bytes})," for e in noted]
    body = "".join(_line(explained, entry) for entry in noted)
    return head + setup + body + TAIL.format(rows="\n".join(rows))


def _line(explained: CallsExplained, entry: Entry) -> str:
    line = explained.ledger.lines[entry.line - 1]
    failure = explained.ledger.failure
    if failure is not None and failure.line == entry.line:
        return STOPPED.format(line=line.text, words=failure.words.split(" (")[0].split(". ")[0])
    returned = f"({', '.join(line.statement.targets)})" if isinstance(line.statement, Gradients) else ""
    return f"    {line.text}\n    note({returned})\n"


def _list(values: Iterable[float | None]) -> str:
    return "[" + ", ".join(map(_literal, values)) + "]"


def _literal(value: float | None) -> str:
    return repr(value) if value is None or math.isfinite(value) else str(value)
