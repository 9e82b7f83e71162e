"""The warm, bounded set of workers that a server owns, and the runs of its readers.

A **reader** is one browser tab, known by an unguessable token; it may hold several **runs**, each under a name such
as "lab" or "race/maml". What a run may be told:

    token = pool.admit(owner)                       # or pool.attach(token, owner) for one who comes back
    pool.start(token, "lab", config)                # a new run in place of any old one; steps=1 for just one step
    pool.pause(token, "lab"); pool.resume(token, "lab"); pool.step(token, "lab", 10)
    pool.stop(token, "lab")                         # ends it where it is; the state is kept
    pool.reset(token, "lab")                        # forgets it
    pool.load(token, "lab", data)                   # a saved run, paused where it was
    run = pool.snapshot(token, "lab")               # immutable, or None; see maml_core.train.snapshots.Snapshot
    pool.losses(token, "lab")                       # every loss, where a snapshot has the thinned curve

All return quickly: `start`, `pause` and their like wait at most a sixth of a second for the first effect. They raise
`Refused`, a sentence for the reader, where a ceiling of `maml_core.train.limits` stands in the way. `owner` names the
session that shows the page: `detach` by it starts the grace period after which the reader's runs are forgotten, and
the last one to attach owns them. A snapshot counts as a look, and a run at which nobody looks pauses.

From a page: `pages.ui.live.desk()` has the pool, token and owner of this page's reader. `serve.py` makes the pool,
`SHARED`, before the first reader; without it (plain `streamlit run app.py`, AppTest) the first start makes one. A
test that wants no process gives the pool workers that are threads: `Pool(limits, hire=tests.train.inline.hire)`,
and sets it as `SHARED` before it runs the page.
"""

import secrets
import time
from collections.abc import Callable

from maml_core.train.checkpoint import dumps, loads
from maml_core.train.config import Config, resolved
from maml_core.train.crew import Crew
from maml_core.train.hiring import Hire, hire
from maml_core.train.limits import Limits, Refused, from_environment, require_room
from maml_core.train.run import LIVE, Run, Status
from maml_core.train.snapshots import Snapshot, snapshot
from maml_core.train.step import initial_state
from maml_core.train.turns import Reader, pairs, queue

SHARED: "Pool | None" = None  # the server's own, while it runs
_SETTLE = 0.15  # seconds that a command waits to see its effect


class Pool:
    """Runs of a server's readers. Every method may be called from any thread."""

    def __init__(self, limits: Limits | None = None, *, hire: Hire = hire) -> None:
        self.limits = limits or from_environment()
        self._crew = Crew(self.limits, hire)
        self._lock, self._readers = self._crew.lock, self._crew.readers

    # ---- readers ----

    def admit(self, owner: str) -> str:
        """A new reader's token."""
        with self._lock:
            token = secrets.token_urlsafe(16)
            self._readers[token] = Reader(token, owner, time.monotonic())
            return token

    def attach(self, token: str, owner: str) -> bool:
        """From now on `owner` holds this reader's runs. False if there is no such reader (any more)."""
        with self._lock:
            reader = self._readers.get(token)
            if reader is None:
                return False
            reader.owner, reader.detached = owner, None
            return True

    def knows(self, token: str) -> bool:
        """Whether there is such a reader (still)."""
        return token in self._readers

    def owns(self, token: str, owner: str) -> bool:
        """Whether `owner` was the last to attach."""
        reader = self._readers.get(token)
        return reader is not None and reader.owner == owner

    def detach(self, token: str, owner: str) -> None:
        """The page of `owner` is gone. Sets a mark, nothing else: this is called in the event loop."""
        reader = self._readers.get(token)
        if reader is not None and reader.owner == owner:
            reader.detached = time.monotonic()

    # ---- what a reader may tell a run ----

    def start(self, token: str, name: str, config: Config, *, steps: int | None = None) -> Snapshot:
        """A new run from the first weights, in place of any old one of that name. `steps`: pause after so many."""
        config = resolved(config)
        run = Run(config, dumps(initial_state(config), config), 0, _target(config, 0, steps))
        return self._begin(token, name, run)

    def load(self, token: str, name: str, data: bytes) -> Snapshot:
        """A saved run in place of any old one, paused or finished where it was. Raises CheckpointError for none."""
        if len(data) > self.limits.reader_mib * 2**20:
            raise Refused(f"The file is larger than the {self.limits.reader_mib} MiB that a reader's runs may take.")
        state, config = loads(data)
        step = int(state.step)
        status: Status = "paused" if step < config.iterations else "finished"
        return self._begin(token, name, Run(config, data, step, step, status=status))

    def resume(self, token: str, name: str) -> Snapshot:
        """Go on to the end."""
        return self._tell(token, name, lambda run: self._crew.go(run, run.config.iterations))

    def step(self, token: str, name: str, steps: int = 1) -> Snapshot:
        """Go on for so many steps, then pause."""
        return self._tell(token, name, lambda run: self._crew.go(run, _target(run.config, run.iteration, steps)))

    def pause(self, token: str, name: str) -> Snapshot:
        """Wait here."""
        return self._tell(token, name, lambda run: self._crew.leave(run, "paused"))

    def stop(self, token: str, name: str) -> Snapshot:
        """End here. The state is kept, and `resume` would go on after all."""
        return self._tell(token, name, lambda run: self._crew.leave(run, "stopped"))

    def reset(self, token: str, name: str) -> None:
        """Forget the run."""
        with self._lock:
            run = self._reader(token).runs.pop(name, None)
            if run is not None:
                self._crew.leave(run, "stopped")

    # ---- what a reader may see ----

    def snapshot(self, token: str, name: str, owner: str | None = None) -> Snapshot | None:
        """The run as it stands, or None. This is a look: it keeps the run from pausing; by its owner, also alive."""
        with self._lock:
            reader = self._readers.get(token)
            if reader is None:
                return None
            self._crew.look(reader, owner)
            run = reader.runs.get(name)
            return None if run is None else self._snapshot(reader, run)

    def losses(self, token: str, name: str) -> tuple[float, ...]:
        """The loss of every step after `Snapshot.first`."""
        with self._lock:
            return tuple(self._reader(token).runs[name].losses)

    def warm(self) -> None:
        """Hire the workers now rather than at the first start."""
        self._crew.warm()

    def close(self) -> None:
        """Dismiss every worker, and return when they are gone."""
        self._crew.close()

    def _reader(self, token: str) -> Reader:
        """Raises Refused for one whose grace is over."""
        if token not in self._readers:
            raise Refused("This page was away for too long, and its runs are gone; reload it.")
        return self._readers[token]

    def _begin(self, token: str, name: str, run: Run) -> Snapshot:
        """Put the run in its place, if there is room for it."""
        with self._lock:
            reader = self._reader(token)
            others = [other for other_name, other in reader.runs.items() if other_name != name]
            if not reader.runs and sum(bool(other.runs) for other in self._readers.values()) >= self.limits.readers:
                raise Refused(f"All {self.limits.readers} places for readers are taken; please try again later.")
            require_room(self.limits, run.config.iterations, [run.size, *(other.size for other in others)])
            self.reset(token, name)
            reader.runs[name] = run
            reader.looked = time.monotonic()
            self._crew.warm()
            return self._settled(reader, run)

    def _tell(self, token: str, name: str, what: Callable[[Run], object]) -> Snapshot:
        """Tell a run something and see what comes of it."""
        with self._lock:
            reader = self._reader(token)
            if name not in reader.runs:
                raise Refused("There is no such run any more; start one.")
            run = reader.runs[name]
            reader.looked = time.monotonic()
            what(run)
            return self._settled(reader, run)

    def _settled(self, reader: Reader, run: Run) -> Snapshot:
        """The run as it stands once the command has had its first effect, or soon will have."""
        self._crew.schedule()
        before = run.iteration
        self._lock.wait_for(lambda: run.status != "stopping" and (not run.live or run.iteration > before), _SETTLE)
        return self._snapshot(reader, run)

    def _snapshot(self, reader: Reader, run: Run) -> Snapshot:
        readers = list(self._readers.values())
        waiting = [other.id for _, other in queue(readers)]
        share = min(1.0, self.limits.workers / max(1, len(pairs(readers, *LIVE))))
        others = sum(bool(other.live) for other in readers if other is not reader) if share < 1 else 0
        ahead = waiting.index(run.id) if run.id in waiting else 0
        return snapshot(run, ready=bool(self._crew.device), ahead=ahead, sharing=others, share=share)


def _target(config: Config, at: int, steps: int | None) -> int:
    """The step at which to pause."""
    return config.iterations if steps is None else min(at + steps, config.iterations)
