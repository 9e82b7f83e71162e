"""A run is parked state, and a worker only a place to advance it.

    waiting ──worker free──► running ──budget used──► paused, or finished at the last step
    running ──pause, stop, end of its turn──► stopping ──parked──► paused, stopped, waiting
    paused, stopped, crashed, failed ──resume, step──► waiting
    running ──exception──► failed       running ──worker gone──► waiting (once), crashed (again at the same step)
    waiting, running ──nobody looks──► paused, and goes on with the next look

What a run does next depends on its state, its config and nothing else, so it makes no difference to the last bit how
often it was paused, handed over or resumed after a crash.
"""

import secrets
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from maml_core.train.config import Config
from maml_core.train.curve import Thinned
from maml_core.train.wire import Message, floats

Status = Literal["waiting", "running", "stopping", "paused", "stopped", "finished", "failed", "crashed"]
LIVE: tuple[Status, ...] = ("waiting", "running", "stopping")
_RECENT = 10  # reports over which the rate is measured: two seconds


@dataclass
class Run:
    """The server's side of a run. Only the pool touches it, under its lock."""

    config: Config
    state: bytes
    state_step: int
    until: int
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    status: Status = "waiting"
    after: Status = "paused"  # what it becomes when its worker has parked it
    losses: "array[float]" = field(default_factory=lambda: array("f"))
    elapsed: float = 0.0
    device: str = ""
    error: str = ""
    note: str = ""  # what happened to it since the reader last did something
    unseen: bool = False  # paused because nobody looked
    crashed_at: int | None = None
    granted: int = 0  # the number of its last turn
    since: float = 0.0  # when that turn began
    version: int = 0

    def __post_init__(self) -> None:
        self.first = self.state_step
        self.thinned = Thinned(self.first)
        self.recent: deque[tuple[int, float]] = deque(maxlen=_RECENT)

    @property
    def iteration(self) -> int:
        return self.first + len(self.losses)

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def size(self) -> int:
        """Bytes it takes, or will have taken at its end."""
        return len(self.state) + 4 * (self.config.iterations - self.first)

    @property
    def rate(self) -> float:
        seconds = sum(took for _, took in self.recent)
        return sum(steps for steps, _ in self.recent) / seconds if seconds else 0.0

    def go(self, until: int) -> bool:
        """Ask for a worker. True if one has to be told to park it first, because it would go elsewhere."""
        elsewhere = until != self.until
        self.until, self.unseen, self.note, self.error = until, False, "", ""
        if self.status in ("running", "stopping"):
            return elsewhere and self.leave("waiting")
        self.status = "waiting"
        self.version += 1
        return False

    def leave(self, status: Status) -> bool:
        """Become `status` as soon as may be. True if a worker has to be told to park it first."""
        self.version += 1
        if self.live and status != "waiting":
            self.note = ""
        if self.status == "running":
            self.status, self.after = "stopping", status
            return True
        if self.status == "stopping":
            self.after = status
        elif self.status == "waiting" or (self.status == "paused" and status == "stopped"):
            self.status = status
        return False

    def hear(self, message: Message) -> None:
        """What its worker says."""
        head, fresh = message.head, floats(message.losses)
        self.losses.extend(fresh)
        self.thinned.add(fresh)
        self.elapsed += head["seconds"]
        if fresh:
            self.recent.append((len(fresh), head["seconds"]))
        if message.state:
            self.state, self.state_step = message.state, head["step"]
        self._move(head)
        self.version += 1

    def _move(self, head: dict[str, str]) -> None:
        """The change of status that a message brings."""
        match head["kind"]:
            case "parked":
                self.status = self.after
            case "done" if self.iteration >= self.config.iterations:
                self.status = "finished"
            case "done":  # perhaps just when it was told to park, or to go on after that
                keep = self.after == "stopped" or self.iteration < self.until
                self.status = self.after if keep else "paused"
            case "failed":
                self.status, self.error = "failed", head["words"]

    def lose(self, how: str) -> None:
        """Its worker is gone: go on from the last state, but not twice from the same."""
        at = self.iteration
        self._rewind()
        again = self.crashed_at == self.state_step
        self.crashed_at = self.state_step
        what = f"Its worker process ended ({how}) near step {at}."
        wanted = self.after if self.status == "stopping" else "waiting"
        self.status = "crashed" if again and wanted == "waiting" else wanted
        if again:
            self.note = f"{what} That happened twice; the state of step {self.state_step} is kept."
        else:
            self.note = f"{what} It went back to step {self.state_step}, and stays the same to the bit."
        self.version += 1

    def _rewind(self) -> None:
        """Forget the losses of steps that the last state has not done."""
        del self.losses[self.state_step - self.first :]
        self.thinned = Thinned(self.first, self.losses)
