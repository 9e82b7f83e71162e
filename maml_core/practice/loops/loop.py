"""What the bench knows about one inner loop: the code that runs, its repair, and where people met it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from maml_core.practice.loops.trying import Run

SHOWN_AS = "meta_step"  # the name of every loop on the page, as its own could give the verdict away


@dataclass(frozen=True)
class Loop:
    """One inner loop as people write it. What it computes is not said here: that is measured.

    `normalised`: the network has a BatchNorm. `own_target`: it is exact if it is the gradient of its own query
    loss, because its inner rule or its network is not that of the published problem.
    """

    title: str
    library: str
    run: Run
    reason: str  # why it computes what it computes
    repair: str = ""  # in one sentence; empty for a loop that needs none
    repaired: Run | None = None
    threads: tuple[str, ...] = ()  # "owner/repository#number"
    helpers: tuple[Callable[..., object], ...] = ()
    normalised: bool = False
    own_target: bool = False

    @property
    def source(self) -> str:
        """The very lines that run, under a name that tells nothing."""
        return source(self.run, self.helpers)

    @property
    def repaired_source(self) -> str:
        return "" if self.repaired is None else source(self.repaired, self.helpers)

    @property
    def links(self) -> dict[str, str]:
        """Threads in public issue trackers, name to address."""
        return {thread: f"https://github.com/{thread.replace('#', '/issues/')}" for thread in self.threads}


def source(run: Run, helpers: tuple[Callable[..., object], ...]) -> str:
    """The loop first: what it calls may be read afterwards."""
    own = inspect.getsource(run).replace(f"def {run.__name__}(", f"def {SHOWN_AS}(", 1)
    return "\n\n".join([own, *(inspect.getsource(helper) for helper in helpers)])
