"""What a training shows while it runs on the command line, and the clock that times it."""

import sys
import time
from typing import Any

from tqdm import tqdm

from maml_core.train.step import State

WARM_UP = 20  # steps before the clock of the rate starts
LINES = 20  # lines of progress where there is no terminal


class Progress:
    """A bar on a terminal, plain lines elsewhere, both on standard error."""

    def __init__(self, done: int, total: int) -> None:
        self.first, self.done, self.total = done, done, total
        self.warm_up = min(WARM_UP, (total - done) // 2)
        self.every = max(1, (total - done) // LINES)
        self.began = self.clock = time.perf_counter()
        self.bar = tqdm(total=total, initial=done, unit="step") if sys.stderr.isatty() else None

    def tick(self, state: State) -> None:
        """One more step is done. The loss is read, and so waited for, only when it is shown."""
        self.done += 1
        if self.done - self.first == self.warm_up:
            self.clock = time.perf_counter()
        shown = self.done == self.total or (self.done - self.first) % self.every == 0
        text = f"query loss {state.query_loss.mean().item():.4f}" if shown else ""
        if self.bar is None:
            if shown:
                print(f"{self.done}/{self.total} steps, {text}", file=sys.stderr, flush=True)
            return
        if shown:
            self.bar.set_postfix_str(text, refresh=False)
        self.bar.update()

    def close(self) -> dict[str, Any]:
        """Take the bar away; say how long it all took, the steps per second, and how they were measured."""
        now = time.perf_counter()
        if self.bar is not None:
            self.bar.close()
        start = self.first + self.warm_up
        rate = (self.done - start) / (now - self.clock) if self.done > start else None
        how = f"wall clock of steps {start + 1} to {self.done}, drawing of tasks included"
        return {
            "seconds": round(now - self.began, 3),
            "iterations_per_second": rate,
            "rate_measured": how if rate else "too few steps to measure",
        }
