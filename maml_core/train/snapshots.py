"""What a reader may see of a run: plain data in which nothing changes any more."""

from dataclasses import dataclass

from maml_core.train.config import Config
from maml_core.train.curve import Curve
from maml_core.train.run import LIVE, Run, Status


@dataclass(frozen=True)
class Snapshot:
    """A run as it stands; nothing in it changes any more."""

    id: str  # another run under the same name has another one
    config: Config  # with the algorithm's own rates written out
    status: Status
    words: str  # the status as a sentence or two
    iteration: int  # steps done
    until: int  # where it pauses of itself
    first: int  # steps it had already done when it came: not 0 for an imported run
    curve: Curve
    loss: float  # smoothed, NaN before the first step
    rate: float  # steps per second while a worker has it; 0 before it is known
    elapsed: float  # seconds of training
    left: float | None  # seconds to `until` at this rate, other readers' turns included; None if not known
    sharing: int  # other readers with whom the workers are shared
    device: str
    state: bytes  # a checkpoint: see maml_core.train.checkpoint
    state_step: int  # the steps that this state has done; `iteration` may be a little ahead
    version: int  # grows with every change

    @property
    def live(self) -> bool:
        """Whether it moves, or will without being told to."""
        return self.status in LIVE


def snapshot(run: Run, *, ready: bool, ahead: int, sharing: int, share: float) -> Snapshot:
    """What a reader may see.

    `ready`: there is a worker by now; `ahead`: runs before it in the queue; `share`: of the time that it has one.
    """
    todo = run.until - run.iteration
    return Snapshot(
        id=run.id,
        config=run.config,
        status=run.status,
        words=_words(run, ready, ahead, sharing),
        iteration=run.iteration,
        until=run.until,
        first=run.first,
        curve=run.thinned.curve(),
        loss=run.thinned.smooth,
        rate=run.rate,
        elapsed=run.elapsed,
        left=todo / run.rate / share if run.live and run.rate else None,
        sharing=sharing,
        device=run.device,
        state=run.state,
        state_step=run.state_step,
        version=run.version,
    )


def _words(run: Run, ready: bool, ahead: int, sharing: int) -> str:
    """The status as a reader reads it."""
    others = f" Sharing with {sharing} other reader{'s' * (sharing > 1)}: you take turns." if sharing else ""
    idle = "Waiting for a worker." if ready else "Starting a worker process …"
    queue = f"Waiting for its turn, {ahead} before it." if ahead else idle
    kept = f"The state of step {run.state_step} is kept."
    text = {
        "waiting": queue + others,
        "running": "Training." + others,
        "stopping": ("Changing over." if run.after == "waiting" else "Pausing after this step.") + others,
        "paused": "Paused, because nobody was looking." if run.unseen else "Paused.",
        "stopped": f"Stopped. {kept}",
        "finished": f"Finished all {run.config.iterations} steps.",
        "failed": run.error if run.error.endswith("is kept.") else f"{run.error} {kept}",
        "crashed": "",
    }[run.status]
    return f"{text} {run.note}".strip()
