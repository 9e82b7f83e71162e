"""Who may measure: one run at a time on a server, others wait in line, and nobody measures for somebody who has left.

A run is a few fresh interpreters, one after the other (`sgd_timing`). Nothing here needs a thread: whoever looks
(`Desk.look`) reads what has come, starts the next part, and is thereby known to be still there.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Literal, NamedTuple

from maml_core.practice.sgd_timing import NOBODY, PARTS, USUAL_REPETITIONS, Event

ROOT = Path(__file__).parents[2]  # where `-m maml_core…` works, wherever the server was started
ABSENT = 20  # seconds without a look after which somebody has left
State = Literal["waiting", "running", "done", "failed"]


class Order(NamedTuple):
    """What is to be measured."""

    first: str = "SGD"  # which loop comes first in the parts that go in order
    repetitions: int = USUAL_REPETITIONS
    parts: tuple[str, ...] = PARTS


class Progress(NamedTuple):
    """What a look finds. `ahead`: how many are before the one who looks; `share`: of the run that is done."""

    state: State
    ahead: int = 0
    part: str = ""
    share: float = 0.0
    events: tuple[Event, ...] = ()
    trouble: str = ""


class Job:
    """One reader's run: the interpreter that works now, and what all of them have said."""

    def __init__(self, order: Order) -> None:
        self.order, self.place, self.events = order, 0, list[Event]()
        self.rest = b""  # of a line that has not ended yet
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "maml_core.practice.sgd_timing", "--watched"]
        command += ["--part", self.order.parts[self.place], "--first", self.order.first]
        command += ["--repetitions", str(self.order.repetitions)]
        pipe = subprocess.PIPE
        # One thread, as on the server; a session of its own, so that Stop ends all of it.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def look(self) -> Progress:
        """Read what has come, tell the worker that somebody looks, start the next part if this one has ended."""
        ended = self.process.poll()
        self._read()
        if ended is None:
            self._greet()
        elif ended:
            return self._progress("failed", _trouble(ended))
        elif self.place + 1 == len(self.order.parts):
            self.stop()
            return self._progress("done")
        else:
            self.stop()
            self.place += 1
            self.process = self._start()
        return self._progress("running")

    def stop(self) -> None:
        """End the worker and all it may have started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _greet(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has just ended; the next look will see that
            os.write(self.process.stdin.fileno(), b".")

    def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.process.stdout.fileno(), 65536):
                self.rest += chunk
        *lines, self.rest = self.rest.split(b"\n")
        self.events += [json.loads(line) for line in lines]

    def _progress(self, state: State, trouble: str = "") -> Progress:
        part = self.order.parts[self.place]
        here = sum(event["part"] == part and event["event"] in ("time", "drift") for event in self.events)
        share = (self.place + min(here / _expected(part, self.order), 1.0)) / len(self.order.parts)
        return Progress(state, 0, part, 1.0 if state == "done" else share, tuple(self.events), trouble)


def _expected(part: str, order: Order) -> int:
    """How many measurements a part makes."""
    return {"taking turns": 4 * order.repetitions, "drift": 200}.get(part, 2 * order.repetitions)


def no_process(error: OSError) -> str:
    return f"The system would not start a process: {error.strerror}."


def _trouble(code: int) -> str:
    if code == -signal.SIGALRM:
        return "It took longer than it may; the machine is too busy to measure anything now."
    if code == NOBODY:
        return "It was stopped: this page had been left."
    return f"The measuring process ended with status {code}."


class Desk:
    """The line of those who want to measure, first come, first served."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: dict[str, float] = {}  # who stands in line, in order, and when they last looked
        self.orders: dict[str, Order] = {}
        self.job: Job | None = None  # of the first in line

    def ask(self, who: str, order: Order) -> None:
        """Stand in line; somebody who already does starts over."""
        self.leave(who)
        with self.lock:
            self.seen[who], self.orders[who] = time.monotonic(), order

    def look(self, who: str) -> Progress | None:
        """How it stands with `who`; None for somebody who is not in line."""
        with self.lock:
            if who in self.seen:
                self.seen[who] = time.monotonic()
            self._forget_the_absent()
            if who not in self.seen:
                return None
            ahead = list(self.seen).index(who)
            if ahead:
                return Progress("waiting", ahead)
            try:
                self.job = self.job or Job(self.orders[who])
                progress = self.job.look()
            except OSError as error:
                progress = Progress("failed", trouble=no_process(error))
            if progress.state in ("done", "failed"):
                self._remove(who)
            return progress

    def leave(self, who: str) -> None:
        """Give the place up; what runs for `who` is stopped at once."""
        with self.lock:
            self._remove(who)

    def _forget_the_absent(self) -> None:
        for who in [who for who, seen in self.seen.items() if time.monotonic() - seen > ABSENT]:
            self._remove(who)

    def _remove(self, who: str) -> None:
        if self.job is not None and next(iter(self.seen), None) == who:
            self.job.stop()
            self.job = None
        self.seen.pop(who, None)
        self.orders.pop(who, None)


DESK = Desk()  # the server's
