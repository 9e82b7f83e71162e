"""What one server allows: every ceiling of the live trainings, in one place, each set by an environment variable.

| variable | default | meaning |
|---|---|---|
| INNER_LOOP_WORKERS | cores − 1, at least 1 | worker processes, about 150 MB of memory each |
| INNER_LOOP_READERS | 200 | readers (browser tabs) that may hold runs at once |
| INNER_LOOP_RUNS_PER_READER | 12 | runs that one reader may hold |
| INNER_LOOP_ITERATIONS | 200000 | outer steps of one run |
| INNER_LOOP_READER_MIB | 64 | MiB for all runs of one reader: states and losses |
| INNER_LOOP_WORKER_MIB | 2048 | MiB of private memory in one worker; what asks for more fails in a sentence |
| INNER_LOOP_SLICE | 2 | seconds a run keeps its worker while other readers wait |
| INNER_LOOP_GRACE | 90 | seconds for which the runs of a closed tab, or of a lost connection, are kept |
| INNER_LOOP_LEASE | 60 | seconds without a look after which a run pauses |
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

_PREFIX = "INNER_LOOP_"


def _most_workers() -> int:
    return max(1, (os.cpu_count() or 1) - 1)


@dataclass(frozen=True)
class Limits:
    """The ceilings; the module's table says what each is."""

    workers: int = field(default_factory=_most_workers)
    readers: int = 200
    runs_per_reader: int = 12
    iterations: int = 200_000
    reader_mib: int = 64
    worker_mib: int = 2048
    slice: float = 2.0
    grace: float = 90.0
    lease: float = 60.0


def from_environment() -> Limits:
    """The limits with what the environment says. Raises ValueError for a value that is no positive number."""
    limits = Limits()
    for spec in fields(Limits):
        text = os.environ.get(_PREFIX + spec.name.upper())
        if text is not None:
            kind = type(getattr(limits, spec.name))
            limits = replace(limits, **{spec.name: _positive(_PREFIX + spec.name.upper(), text, kind)})
    return limits


def _positive(name: str, text: str, kind: type[int] | type[float]) -> float:
    """The number in `text`. Raises ValueError with the variable's name."""
    try:
        value = kind(text)
    except ValueError:
        value = kind(0)
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be a positive {'whole ' if kind is int else ''}number, not {text!r:.40}.")
    return value


class Refused(ValueError):
    """What a reader asks for cannot be had here; said in one sentence."""


def require_room(limits: Limits, iterations: int, sizes: Sequence[int]) -> None:
    """Raises Refused at the first ceiling that a run would go through. `sizes`: bytes of its reader's runs."""
    if iterations > limits.iterations:
        raise Refused(f"This server allows {limits.iterations} steps a run, not {iterations}.")
    if len(sizes) > limits.runs_per_reader:
        raise Refused(f"This server allows {limits.runs_per_reader} runs per reader; forget one first.")
    if sum(sizes) > limits.reader_mib * 2**20:
        raise Refused(f"This server keeps at most {limits.reader_mib} MiB of runs per reader; this would be more.")
