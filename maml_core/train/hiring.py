"""How a server comes by a worker: a fresh Python process at the other end of a socket pair.

Not multiprocessing's spawn, which would import the server's main module again in the child, and not fork, which
torch's threads and CUDA do not survive.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from maml_core.train.run import Run
from maml_core.train.wire import Message, send


@dataclass
class Worker:
    """One worker as its server sees it. It has at most one run."""

    connection: Connection
    end: Callable[[], str]  # make sure that the process is gone, and say how it went
    run: Run | None = None
    device: str = ""  # empty until it is ready

    @property
    def free(self) -> bool:
        return bool(self.device) and self.run is None

    def go(self, run: Run) -> None:
        """Advance the run."""
        run.status, run.after, run.device, self.run = "running", "paused", self.device, run
        run.version += 1
        self._tell({"kind": "go", "run": run.id, "until": run.until}, run.state)

    def park(self) -> None:
        """Send the state back after this step."""
        if self.run is not None:
            self._tell({"kind": "park", "run": self.run.id})

    def _tell(self, head: dict[str, str | int], state: bytes = b"") -> None:
        with suppress(OSError):  # it is gone; the crew hears of that, and gives its run to another
            send(self.connection, Message(head, state=state))


Hire = Callable[[int], Worker]  # from the MiB that it may use
_ROOT = Path(__file__).parents[2]
_PATIENCE = 0.2  # seconds in which a worker may leave by itself


def hire(mib: int) -> Worker:
    """Start a process; it says when it is ready, about a second later."""
    here, there = socket.socketpair()
    wait_end, lifeline = os.pipe()  # nobody writes: it ends when this process does, however that happens
    command = [sys.executable, "-m", "maml_core.train.worker", str(there.fileno()), str(wait_end), str(mib)]
    process = subprocess.Popen(
        command,
        pass_fds=[there.fileno(), wait_end],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(_ROOT)},
        start_new_session=True,  # Ctrl-C at a terminal is for the server
        stdin=subprocess.DEVNULL,
    )
    there.close()
    os.close(wait_end)
    connection = Connection(here.detach())
    return Worker(connection, partial(_end, connection, lifeline, process))


def _end(connection: Connection, lifeline: int, process: "subprocess.Popen[bytes]") -> str:
    """Let go of everything that ties the process to this one, and see it off."""
    connection.close()
    os.close(lifeline)
    try:
        code = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    return f"killed by signal {-code}" if code < 0 else f"exit status {code}"
