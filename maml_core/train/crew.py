"""The workers of a pool and the one thread that listens to them, hands out turns and looks at the clock."""

import threading
import time
from contextlib import suppress
from multiprocessing.connection import wait

from maml_core.train.hiring import Hire, Worker
from maml_core.train.limits import Limits
from maml_core.train.run import LIVE, Run, Status
from maml_core.train.turns import Reader, overdue, pairs, queue
from maml_core.train.wire import Message, receive

_TICK = 0.1  # seconds between two looks at the clock
_MOST_FAILED_HIRES = 3
_NO_WORKERS = "No worker process can be started on this server, so nothing can be trained."


class Crew:
    """The part of a pool that acts by itself. Whatever changes, `lock` is held, and notified afterwards."""

    def __init__(self, limits: Limits, hire: Hire) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.readers: dict[str, Reader] = {}
        self._limits, self._hire = limits, hire
        self._workers: list[Worker] = []
        self._thread: threading.Thread | None = None
        self._open = True
        self._turn = self._failed_hires = 0

    @property
    def device(self) -> str:
        return next((worker.device for worker in self._workers if worker.device), "")

    def warm(self) -> None:
        """Hire the workers, once."""
        with self.lock:
            if self._thread is None and self._open:
                for _ in range(self._limits.workers):
                    self._engage()
                self._thread = threading.Thread(target=self._listen, daemon=True, name="crew")
                self._thread.start()

    def _engage(self) -> None:
        """One more worker, if the machine has room for a process."""
        with suppress(OSError):
            self._workers.append(self._hire(self._limits.worker_mib))

    def close(self) -> None:
        self._open = False
        if self._thread is not None:
            self._thread.join()
        for worker in self._workers:
            worker.end()
        self._workers = []

    def leave(self, run: Run, status: Status) -> None:
        """Let the run become `status`, by way of its worker if it has one."""
        if run.leave(status):
            self._park(run)

    def go(self, run: Run, until: int) -> None:
        """Let the run go on to step `until`."""
        if run.go(until):
            self._park(run)

    def _park(self, run: Run) -> None:
        for worker in self._workers:
            if worker.run is run:
                worker.park()

    def look(self, reader: Reader, owner: str | None) -> None:
        """Somebody looks at this reader's runs: those that paused because nobody did go on."""
        reader.looked = time.monotonic()
        if owner == reader.owner:
            reader.detached = None
        for run in reader.runs.values():
            if run.unseen:
                run.go(run.until)

    def schedule(self) -> None:
        """Give free workers to those who come next, and end turns that have been long enough."""
        readers = list(self.readers.values())
        for worker in self._workers:
            waiting = queue(readers)
            if worker.free and waiting:
                self._grant(worker, *waiting[0])
        for run in list(overdue(readers, time.monotonic(), self._limits.slice)):
            self.leave(run, "waiting")

    def _grant(self, worker: Worker, reader: Reader, run: Run) -> None:
        self._turn += 1
        reader.granted = run.granted = self._turn
        run.since = time.monotonic()
        worker.go(run)

    def _listen(self) -> None:
        """The thread."""
        while self._open:
            heard = wait([worker.connection for worker in self._workers], _TICK)
            for worker in [worker for worker in self._workers if worker.connection in heard]:
                self._hear(worker)
            with self.lock:
                self._keep_house()
                self.schedule()
                self.lock.notify_all()
            if not self._workers:
                time.sleep(_TICK)

    def _hear(self, worker: Worker) -> None:
        """One message of a worker, or that there will be no more."""
        try:
            message = receive(worker.connection)
        except (EOFError, OSError):
            self._replace(worker)
            return
        with self.lock:
            self._heed(worker, message)
            self.lock.notify_all()

    def _heed(self, worker: Worker, message: Message) -> None:
        kind = message.head["kind"]
        if kind == "ready":
            worker.device, self._failed_hires = message.head["device"], 0
        elif worker.run is not None:
            worker.run.hear(message)
            if kind != "snap":
                worker.run = None

    def _replace(self, worker: Worker) -> None:
        """A worker is gone: its run goes on elsewhere, and a new one is hired unless they all fail."""
        how = worker.end()
        with self.lock:
            self._workers.remove(worker)
            if worker.run is not None:
                worker.run.lose(how)
            self._failed_hires += not worker.device
            if self._failed_hires < _MOST_FAILED_HIRES and self._open:
                self._engage()

    def _keep_house(self) -> None:
        """What only the clock brings about."""
        now = time.monotonic()
        for reader in list(self.readers.values()):
            if reader.detached is not None and now - reader.detached > self._limits.grace:
                del self.readers[reader.token]
            elif now - reader.looked <= self._limits.lease:
                continue
            for run in reader.live:
                self._sleep(run)
        if not self._workers:
            for _, run in pairs(list(self.readers.values()), *LIVE):
                run.status, run.error = "failed", _NO_WORKERS

    def _sleep(self, run: Run) -> None:
        """Pause a run at which nobody looks."""
        if not (run.status == "stopping" and run.after != "waiting"):
            self.leave(run, "paused")
            run.unseen = True
