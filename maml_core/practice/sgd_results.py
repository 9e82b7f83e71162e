"""What the timing experiment found: the source's factor, medians with their spread, the import by itself, the drift.

    python -m maml_core.practice.sgd_results --repetitions 40 --out assets/sgd-timing.json

measures everything here and writes the result that lesson 11 shows before a reader has measured.
"""

import argparse
import datetime
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import torch

from maml_core.meta.agreement import Agreement, agreement
from maml_core.practice.drifting import Drift
from maml_core.practice.sgd_desk import Job, Order
from maml_core.practice.sgd_timing import COMPILED, PARTS, USUAL_REPETITIONS, Event

ASSET = Path(__file__).parents[2] / "assets" / "sgd-timing.json"


BUSY = "The machine did other things meanwhile: a second of an import is no constant of nature. Measure again."
NO_IMPORT = "No repetition of the cold run imported anything, so there is no import in its totals to be found."


class Published(NamedTuple):
    """Seconds that the source document 002 prints."""

    repetitions: int
    sgd: float
    by_hand: float

    @property
    def factor(self) -> float:
        return self.sgd / self.by_hand


SOURCE = Published(100, 3.6533949375152588, 1.864612102508545)


class Spread(NamedTuple):
    """A median with the first and the third quartile, in seconds."""

    low: float
    median: float
    high: float


class Timing(NamedTuple):
    """One run of the experiment. Seconds of each repetition by part and loop, in the order they were measured."""

    date: str
    machine: str
    first: str
    seconds: dict[str, dict[str, tuple[float, ...]]]
    import_seconds: tuple[float, ...]  # torch._dynamo by itself, once in each part that imports it first
    import_modules: int
    imported_by: str  # the loop during which a process that had not imported it did so
    drifts: dict[str, tuple[Drift, ...]]  # by dtype
    compile_seconds: float | None = None  # of the ten steps that compile; None if nothing was compiled
    trouble: str = ""  # why not, if it was tried

    def factor(self, part: str) -> float:
        """SGD's total time over the loop's by hand, as the source compares them."""
        return sum(self.seconds[part]["SGD"]) / sum(self.seconds[part]["by hand"])

    @property
    def repetitions(self) -> int:
        return len(self.seconds["in order"]["SGD"])

    def spread(self, part: str, loop: str) -> Spread:
        return spread(self.seconds[part][loop])


def spread(seconds: Sequence[float]) -> Spread:
    """Quartiles; of a single value, that value."""
    low, middle, high = quantiles(seconds, method="inclusive") if len(seconds) > 1 else [*seconds] * 3
    return Spread(low, middle, high)


def turns_factor(timing: Timing, loop: str = "SGD", part: str = "taking turns") -> Spread:
    """How long `loop` takes over the loop by hand of the same round, taking turns: median and quartiles."""
    turns = timing.seconds[part]
    return spread([a / b for a, b in zip(turns[loop], turns["by hand"], strict=True)])


def expected_factor(timing: Timing, repetitions: int) -> float:
    r"""The factor if both loops took as long as the loop by hand, and SGD's total had the import in it.

    $$\frac{N\,m + t_\text{import}}{N\,m}$$ with $m$ the median of the loop by hand when they take turns.
    """
    each = timing.spread("taking turns", "by hand").median
    return 1 + median(timing.import_seconds) / (repetitions * each)


def import_agrees(timing: Timing) -> Agreement:
    """The seconds of the import, found three ways from three processes; they agree if within a quarter."""
    cold = timing.seconds["in order"]
    sgd, hand = cold["SGD"], cold["by hand"]
    ways = {
        "torch._dynamo imported by itself (median)": median(timing.import_seconds),
        "cold: the first SGD repetition less a usual one": max(sgd) - median(sgd),
        "cold: SGD's total less that of the loop by hand": sum(sgd) - sum(hand),
    }
    why = BUSY if timing.imported_by else NO_IMPORT
    return agreement({name: torch.tensor([value]) for name, value in ways.items()}, why, tolerance=0.25)


def summarised(events: Iterable[Event], date: str) -> Timing:
    """The events of a whole run, sorted."""
    rows = [dict(event) for event in events]
    seconds: dict[str, dict[str, tuple[float, ...]]] = {}
    for row in (row for row in rows if row["event"] == "time"):
        loops = seconds.setdefault(row["part"], {})
        loops[row["loop"]] = (*loops.get(row["loop"], ()), row["seconds"])
    imports = [row for row in rows if row["event"] == "import"]
    culprits = [row["loop"] for row in rows if row["event"] == "time" and row["imported"]]
    drifts: dict[str, tuple[Drift, ...]] = {}
    for row in (row for row in rows if row["event"] == "drift"):
        found = Drift(row["steps"], row["distance"], row["close"], row["sides"])
        drifts[row["dtype"]] = (*drifts.get(row["dtype"], ()), found)
    compiling = next((row for row in rows if row["event"] == "compile"), None)
    trouble = compiling["trouble"] if compiling else ""
    return Timing(
        date,
        _in_words(next(row for row in rows if row["event"] == "machine")),
        next(iter(seconds["in order"])),
        seconds,
        tuple(row["seconds"] for row in imports),
        imports[0]["modules"],
        culprits[0] if culprits else "",
        drifts,
        compiling["seconds"] if compiling and not trouble else None,
        trouble,
    )


def _in_words(machine: Event) -> str:
    threads = "one thread" if machine["threads"] == 1 else f"{machine['threads']} threads"
    return f"{machine['cpu']}, {machine['cores']} cores, {threads}, torch {machine['torch']}"


def today() -> str:
    return datetime.date.today().isoformat()


def precomputed(path: Path = ASSET) -> Timing:
    """The committed result."""
    kept = json.loads(path.read_text())
    return summarised(kept["events"], kept["date"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=USUAL_REPETITIONS)
    parser.add_argument("--out", type=Path, default=ASSET)
    options = parser.parse_args()
    job = Job(Order(repetitions=options.repetitions, parts=(*PARTS, COMPILED)))
    while (progress := job.look()).state == "running":
        time.sleep(0.2)
    if progress.state == "failed":
        raise SystemExit(progress.trouble)
    lines = ",\n".join(json.dumps(event) for event in progress.events)
    options.out.write_text(f'{{"date": "{today()}", "events": [\n{lines}\n]}}\n')
    print(f"{summarised(progress.events, today()).factor('in order'):.2f}")


if __name__ == "__main__":
    main()
