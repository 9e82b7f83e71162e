"""What stands in memory after each line of a program: every `.grad`, what is saved for backward, what is freed."""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from maml_core.graphs.programs import Backward, Clear, Gradients, Line, Program
from maml_core.graphs.running import Number, Watch, run
from maml_core.graphs.saving import SavedTensors
from maml_core.graphs.tracing import GradFn, Node, Trace, Value, trace

Outcome = Literal["error", "None", "not finite", "zero", "once", "twice", "something else"]


class Entry(NamedTuple):
    """After one line. `arrived`: the gradient each node got from the latest call. `freed`: nodes that had saved
    something for backward and have let it go. `returned`: what `autograd.grad` gave back on this line.
    """

    line: int
    grads: dict[str, float | None]
    returned: tuple[float, ...]
    arrived: dict[str, float]
    freed: frozenset[str]
    saved_bytes: int


class Failure(NamedTuple):
    """The line at which the program stopped, in PyTorch's words and in ours."""

    line: int
    words: str
    reading: str


class Ledger(NamedTuple):
    """One run of a program, line by line; `entries` ends with the line that failed, if one did."""

    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]
    nodes: tuple[Node, ...]
    values: tuple[Value, ...]
    failure: Failure | None

    @property
    def calls(self) -> tuple[Entry, ...]:
        """After each line that asked for gradients."""
        return tuple(e for e in self.entries if isinstance(self.lines[e.line - 1].statement, Backward | Gradients))

    @property
    def failed_halfway(self) -> bool:
        """Whether the line that failed had already changed a `.grad`."""
        return self.failure is not None and self.entries[-1].grads != self.entries[-2].grads

    def outcome(self, leaf: str, derivative: float) -> Outcome:
        """What the leaf's `.grad` is in the end, against what the first call found, or else the derivative itself."""
        gradient = self._found(leaf, derivative)
        if self.failure is not None:
            return "error"
        grad = self.entries[-1].grads[leaf]
        if grad is None:
            return "None"
        if not math.isfinite(grad):
            return "not finite"
        if grad == 0:
            return "zero"
        if math.isclose(grad, gradient, rel_tol=1e-5):
            return "once"
        return "twice" if math.isclose(grad, 2 * gradient, rel_tol=1e-5) else "something else"

    def _found(self, leaf: str, derivative: float) -> float:
        call = self.calls[0]
        statement = self.lines[call.line - 1].statement
        if isinstance(statement, Gradients) and call.returned:
            return call.returned[statement.wrt.index(leaf)]
        return call.arrived.get(leaf, derivative)

    @property
    def story(self) -> str:
        """What each line from the first call on did to `.grad`, in one sentence."""
        calls = self.entries[self.calls[0].line - 1 :] if self.calls else ()
        did = "; ".join(f"line {entry.line} {self._did(entry)}" for entry in calls)
        return f"{did[:1].upper()}{did[1:]}."

    def _did(self, entry: Entry) -> str:
        if self.failure is not None and entry.line == self.failure.line:
            return "stopped with a RuntimeError, which is quoted below the views"
        match self.lines[entry.line - 1].statement:
            case Gradients():
                return "returned the gradients and left every `.grad` as it was"
            case Clear(to_none=True):
                return "set every `.grad` to None"
            case Clear():
                empty = all(grad is None for grad in entry.grads.values())
                return (
                    "found no `.grad` to write a zero into" if empty else "wrote a zero into every `.grad` there was"
                )
        return "added to `.grad`"


def keep(program: Program, inputs: Mapping[str, float], *, dtype: torch.dtype = torch.float32) -> Ledger:
    """Run the program and keep its ledger. Never raises for what PyTorch refuses: see `failure`."""
    entries: list[Entry] = []

    def after(seen: Trace, number: int, names: Mapping[str, Number]) -> None:
        entries.append(_entry(seen, number, names))

    seen, _, error = trace(program, inputs, create_graph=False, dtype=dtype, after=after)
    sizes = _saved_after_each_line(program, inputs, dtype)
    entries = [entry._replace(saved_bytes=size) for entry, size in zip(entries, sizes, strict=True)]
    grad_fns = seen.walk(seen.tensors)
    return Ledger(
        lines=seen.lines,
        entries=tuple(entries),
        nodes=tuple(n._replace(op=type(grad_fns[n.id]).__name__) for n in seen.nodes.values() if n.id in grad_fns),
        values=tuple(seen.values),
        failure=None if error is None else Failure(entries[-1].line, error, _reading(error, seen.lines, entries)),
    )


def _entry(seen: Trace, number: int, names: Mapping[str, Number]) -> Entry:
    statement = seen.lines[number - 1].statement
    called = isinstance(statement, Backward | Gradients)
    targets = statement.targets if isinstance(statement, Gradients) else ()
    return Entry(
        line=number,
        grads={name: _number(leaf.grad) for name, leaf in seen.leaves.items()},
        returned=tuple(float(names[target]) for target in targets if target in names),
        arrived=dict(seen.gradients) if called else {},
        freed=frozenset(name for name, grad_fn in seen.walk(seen.tensors).items() if _is_freed(grad_fn)),
        saved_bytes=0,  # counted in a run of its own
    )


def _number(tensor: Tensor | None) -> float | None:
    return None if tensor is None else float(tensor)


def _is_freed(grad_fn: GradFn) -> bool:
    """A node that has let go of a saved tensor refuses to show it."""
    for name in dir(grad_fn):
        if name.startswith("_saved_"):
            try:
                getattr(grad_fn, name)
            except RuntimeError:
                return True
    return False


def _saved_after_each_line(program: Program, inputs: Mapping[str, float], dtype: torch.dtype) -> list[int]:
    saved = SavedTensors()
    sizes: list[int] = []

    def after(*_: object) -> None:
        sizes.append(saved.bytes())

    with saved.hooks():
        try:
            run(program, inputs, create_graph=False, dtype=dtype, watch=Watch(_blind, _blind, after))
        except RuntimeError as error:
            error.__traceback__ = None  # it would keep the graph alive
    return sizes


def _blind(*_: object) -> None:
    return None


def _reading(words: str, lines: tuple[Line, ...], entries: list[Entry]) -> str:
    """PyTorch's error in one sentence of ours, about this program."""
    line = lines[entries[-1].line - 1]
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
            f"{output} does not depend on every leaf it was asked about, and `grad` would rather stop than return a "
            "None that nobody expects; `backward()` leaves such a leaf's `.grad` alone."
        )
    return f"PyTorch refuses line {line.number}, and nothing after it has run."
