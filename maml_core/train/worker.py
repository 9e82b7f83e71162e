"""The process that advances runs: `python -m maml_core.train.worker SOCKET LIFELINE MIB`. It knows no web, no reader.

It holds one job at a time. A job comes as a checkpoint and leaves as one, so that between two messages the worker
has nothing that would be missed. Messages to it: `go` (run, until, state) and `park` (run). From it: `ready` once,
then for its job `snap` now and then, and at its end one of `parked`, `done` and `failed`.
"""

import os
import resource
import sys
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import torch
from torch import Tensor

from maml_core.train.checkpoint import dumps, loads
from maml_core.train.config import Config
from maml_core.train.step import Diverged, State, initial_state, meta_step
from maml_core.train.wire import Message, receive, send

REPORT_EVERY = 0.2  # seconds between two snapshots
MOST_COST = 0.05  # the share of the time that writing states may take
NICENESS = 10  # pages come first


@dataclass
class Job:
    """What is being advanced, and what its server has not yet heard of it."""

    run: str
    config: Config
    state: State
    until: int
    losses: list[Tensor] = field(default_factory=list)
    reported: float = field(default_factory=time.perf_counter)
    next_report: float = 0.0
    next_state: float = 0.0


def serve(connection: Connection, device: torch.device) -> None:
    """Obey until the other end is gone."""
    job: Job | None = None
    try:
        send(connection, Message({"kind": "ready", "device": device_name(device)}))
        while True:
            while job is None or connection.poll():
                job = _obey(connection, job, device)
            job = _advance(connection, job)
    except (EOFError, OSError):
        return


def device_name(device: torch.device) -> str:
    """What a reader is told about where the training runs."""
    return f"cuda, {torch.cuda.get_device_name(device)}" if device.type == "cuda" else "cpu, one thread"


def _obey(connection: Connection, job: Job | None, device: torch.device) -> Job | None:
    """Wait for a command and do it; one about a run that is not here any more comes too late and does nothing."""
    message = receive(connection)
    head = message.head
    if head["kind"] == "go":
        return _job(connection, message, device)
    if job is None or job.run != head["run"]:
        return job
    return _end(connection, job, "parked")


def _job(connection: Connection, message: Message, device: torch.device) -> Job | None:
    """The job that a message brings; None, and its server knows why, if its state cannot be used."""
    try:
        state, config = loads(message.state, device=device)
    except Exception as error:
        told = {"kind": "failed", "run": message.head["run"], "seconds": 0.0, "words": _sentence(error)}
        send(connection, Message(told))
        return None
    return Job(message.head["run"], config, state, message.head["until"])


def _advance(connection: Connection, job: Job) -> Job | None:
    """One outer step, and a report if it is time for one. None if the job has come to its end."""
    if int(job.state.step) >= job.until:
        return _end(connection, job, "done")
    try:
        state = meta_step(job.state, job.config)
        if not state.finite:
            raise Diverged(state)
        job.losses.append(state.query_loss.mean())
        job.state = state
    except Exception as error:  # whatever it is, the reader gets a sentence and the last good state
        return _end(connection, job, "failed", words=_sentence(error))
    if time.perf_counter() >= job.next_report:
        _report(connection, job, "snap", whole=time.perf_counter() >= job.next_state)
    return job


def _sentence(error: Exception) -> str:
    """The first line of what went wrong, short."""
    if "allocate memory" in str(error) or "out of memory" in str(error):
        return "One step of this configuration needs more memory than a worker may use."
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= 200 else text[:200] + " …"


def _end(connection: Connection, job: Job, kind: str, **more: str) -> None:
    """The last report of a job."""
    _report(connection, job, kind, whole=True, **more)


def _report(connection: Connection, job: Job, kind: str, *, whole: bool, **more: str) -> None:
    """What happened since the last report; `whole`: with the state, unless that would take too much of the time."""
    began = time.perf_counter()
    losses = array("f", torch.stack(job.losses).tolist()).tobytes() if job.losses else b""
    state = dumps(job.state, job.config) if whole else b""
    now = time.perf_counter()
    head = {"kind": kind, "run": job.run, "step": int(job.state.step), "seconds": now - job.reported, **more}
    send(connection, Message(head, losses, state))
    job.losses, job.reported, job.next_report = [], now, now + REPORT_EVERY
    if whole:
        job.next_state = now + max(REPORT_EVERY, (now - began) / MOST_COST)


def _warm_up(device: torch.device) -> None:
    """The first step of a process is many times slower than the second: nobody should wait for it."""
    config = Config(meta_batch=2, shots=2)
    state = loads(dumps(initial_state(config, device=device), config), device=device)[0]
    meta_step(meta_step(state, config), config)


def _die_with(lifeline: int, leave: Callable[[int], None] = os._exit) -> None:
    """Leave as soon as the server has, even out of the middle of a long step."""
    os.read(lifeline, 1)
    leave(1)


def main(socket: int, lifeline: int, mib: int) -> None:
    """Serve the server at the other end of `socket`."""
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
    os.nice(NICENESS)
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":  # CUDA maps far more than it uses
        resource.setrlimit(resource.RLIMIT_DATA, (mib * 2**20, mib * 2**20))
    _warm_up(device)
    serve(Connection(socket), device)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
