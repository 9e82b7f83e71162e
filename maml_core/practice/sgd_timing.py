"""The worker of lesson 11: one part of the timing experiment in a fresh interpreter, as lines of JSON.

    python -m maml_core.practice.sgd_timing --part "in order" --first SGD --repetitions 100

Every line is an event with the part it belongs to. Seconds are CPU seconds of the process, so waiting for others who
use the machine does not count; only compiling, in which other processes take part, goes by the wall clock.

With `--watched` the worker ends by itself when nothing has come on its standard input for a while, or when that is
closed: nobody is looking any more. It always ends after `CEILING`.
"""

import argparse
import importlib
import json
import os
import platform
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from maml_core.practice.drifting import drift
from maml_core.practice.sgd_loops import LOOPS, LR, setting

PARTS = ("in order", "imported first", "taking turns", "drift")
COMPILED = "compiled"  # a part that needs a C++ compiler, and time for it
CEILING = 120  # seconds that one part may take
PATIENCE = 30  # seconds without a sign of life from whoever watches
NOBODY = 3  # the exit status then
STEPS = 10  # of one repetition, as in the source
MOST_REPETITIONS = 100  # the source's number
USUAL_REPETITIONS = 40  # together they take about as long here as the source's hundred did there, some two seconds
Event = dict[str, Any]  # a line of JSON


def compiler_stack() -> bool:
    """Whether this process has imported torch._dynamo yet."""
    return "torch._dynamo" in sys.modules


def timed(loop: str, place: tuple[torch.nn.Module, torch.Tensor, torch.Tensor]) -> Event:
    """One repetition: ten steps of one loop."""
    before = compiler_stack()
    start = time.process_time()
    LOOPS[loop](*place, STEPS)
    seconds = time.process_time() - start
    return {"event": "time", "loop": loop, "seconds": seconds, "imported": compiler_stack() and not before}


def imported() -> Event:
    """What the first SGD(...) of a process does besides making an optimizer, done and timed by itself."""
    modules, start = len(sys.modules), time.process_time()
    importlib.import_module("torch._dynamo")
    return {"event": "import", "seconds": time.process_time() - start, "modules": len(sys.modules) - modules}


def in_order(first: str, repetitions: int) -> Iterator[Event]:
    """All repetitions of one loop, then all of the other, as the source runs them."""
    second = "by hand" if first == "SGD" else "SGD"
    for loop in (first, second):
        place = setting()
        for _ in range(repetitions):
            yield timed(loop, place)


def taking_turns(repetitions: int) -> Iterator[Event]:
    """Every loop once per round, each round starting with another; two rounds to warm up are not reported."""
    places, names = {loop: setting() for loop in LOOPS}, list(LOOPS)
    for round_ in range(repetitions + 2):
        shift = round_ % len(names)
        events = [timed(loop, places[loop]) for loop in names[shift:] + names[:shift]]
        if round_ >= 2:
            yield from events


def compiled(repetitions: int) -> Iterator[Event]:
    """One optimizer whose step is compiled, against the loop by hand, taking turns; how long compiling took."""
    model, image, target = setting()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    place, step = setting(), torch.compile(optimizer.step)

    def ten_steps(clock: Callable[[], float] = time.process_time) -> float:
        start = clock()
        for _ in range(STEPS):
            optimizer.zero_grad()
            cross_entropy(model(image.unsqueeze(0)), target.unsqueeze(0)).backward()
            step()
        return clock() - start

    try:
        yield {"event": "compile", "seconds": ten_steps(time.perf_counter), "trouble": ""}  # g++ works elsewhere
    except Exception as error:  # whatever a machine without a working compiler comes up with
        yield {"event": "compile", "seconds": 0.0, "trouble": f"{type(error).__name__}: {error}"[:200]}
        return
    for _ in range(repetitions):
        yield {"event": "time", "loop": "SGD compiled", "seconds": ten_steps(), "imported": False}
        yield timed("by hand", place)


def drifting() -> Iterator[Event]:
    """Both loops from the same weights, in float32 and in float64."""
    for dtype in (torch.float32, torch.float64):
        for found in drift(dtype=dtype):
            yield {"event": "drift", "dtype": str(dtype).removeprefix("torch."), **found._asdict()}


def events(part: str, first: str, repetitions: int) -> Iterator[Event]:
    """Everything that one part has to say."""
    yield {"event": "machine", **machine()}
    if part in ("imported first", "taking turns"):
        yield imported()
    if part == "drift":
        yield from drifting()
    elif part == "taking turns":
        yield from taking_turns(repetitions)
    elif part == COMPILED:
        yield from compiled(repetitions)
    else:
        yield from in_order(first, repetitions)


def machine() -> Event:
    """Where this runs, in words and numbers."""
    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    return {
        "cpu": _cpu(),
        "cores": cores,
        "threads": threads,
        "torch": torch.__version__,
        "imported": compiler_stack(),
    }


def _cpu() -> str:
    """The processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


class Watcher:
    """Somebody who sends a byte now and then on standard input for as long as they look."""

    def __init__(self) -> None:
        self.seen = time.monotonic()

    def gone(self) -> bool:
        while select.select([sys.stdin.buffer], [], [], 0)[0]:
            if not os.read(sys.stdin.fileno(), 4096):
                return True
            self.seen = time.monotonic()
        return time.monotonic() - self.seen > PATIENCE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=(*PARTS, COMPILED), required=True)
    parser.add_argument("--first", choices=("SGD", "by hand"), default="SGD")
    parser.add_argument("--repetitions", type=int, default=MOST_REPETITIONS)
    parser.add_argument("--watched", action="store_true")
    options = parser.parse_args()
    if not 1 <= options.repetitions <= MOST_REPETITIONS:
        parser.error(f"--repetitions must be from 1 to {MOST_REPETITIONS}.")
    signal.alarm(CEILING)
    watcher = Watcher() if options.watched else None
    for event in events(options.part, options.first, options.repetitions):
        print(json.dumps({"part": options.part, **event}), flush=True)
        if watcher and watcher.gone():
            raise SystemExit(NOBODY)


if __name__ == "__main__":
    main()
