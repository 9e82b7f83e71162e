"""The bench: every loop by its title, what it turns out to compute, and the symptoms it shows.

Nothing here is written down beforehand: a verdict is a run compared with the exact meta-gradient, and a symptom is
read off the same run.
"""

from functools import cache
from typing import NamedTuple

from torch import Tensor

from maml_core.meta.trees import Params, flatten
from maml_core.practice.loops import with_libraries, with_torch
from maml_core.practice.loops.judging import DOUBLE, Finding, judge
from maml_core.practice.loops.loop import Loop
from maml_core.practice.loops.problem import published
from maml_core.practice.loops.trying import Run, Trial, attempt, direction, own_gradient, own_slope

BENCH = {loop.title: loop for loop in (*with_torch.LOOPS, *with_libraries.LOOPS)}
OWN = 1e-6  # relative: what a difference quotient, as a target, may be off by
ALL = "any"
SYMPTOMS = {
    "None": "my gradient is None",
    "still": "adapting lowers the loss, but θ never moves",
    "zero": "my gradient is zero",
    "raises": "it raises an error",
    "first order": "silently first-order",
    "elsewhere": "a gradient, no error, and the wrong one",
    "unadapted": "the query loss is the same as before adapting",
    "moved": "θ itself has changed afterwards",
    "exact": "nothing is wrong with it",
}


class Examined(NamedTuple):
    """What one run of a loop showed; plain data."""

    finding: Finding
    query_loss: float | None  # None where it raised
    before: float | None  # the same with no inner steps
    slope: float | None  # of the loop's own query loss along the direction v, by central differences
    promised: float | None  # what the gradient says that slope is; None without a gradient
    error: str
    moved: bool

    @property
    def fell(self) -> bool:
        """Did the inner loop lower the query loss?"""
        return self.query_loss is not None and self.before is not None and self.query_loss < self.before

    @property
    def symptoms(self) -> tuple[str, ...]:
        """Keys of SYMPTOMS."""
        verdict, loss = self.finding.verdict, self.query_loss
        shown = {
            verdict: verdict != "wrong",
            "elsewhere": verdict == "wrong",
            "still": verdict in ("None", "zero") and self.fell,
            "unadapted": loss is not None and loss == self.before,
            "moved": self.moved,
        }
        return tuple(name for name in SYMPTOMS if shown.get(name))


@cache
def examine(title: str) -> Examined:
    """Run the loop of that title and judge it. KeyError for a title that is not in BENCH."""
    loop = BENCH[title]
    return _examine(loop, loop.run)


@cache
def examine_repaired(title: str) -> Examined:
    """The same for its repair. ValueError if it has none."""
    loop = BENCH[title]
    if loop.repaired is None:
        raise ValueError(f"“{title}” needs no repair.")
    return _examine(loop, loop.repaired)


def warm_up() -> None:
    """Examine every loop, so that no reader waits: a process's first SGD and first jacfwd take a second each."""
    for title in BENCH:
        examine(title)


def _examine(loop: Loop, run: Run) -> Examined:
    theta = published().theta
    trial = attempt(run, theta, normalised=loop.normalised)
    slope = own_slope(run, direction(), normalised=loop.normalised) if not trial.error else None
    before = attempt(run, theta, normalised=loop.normalised, steps=0).query_loss
    finding = _finding(trial, loop, run)
    return Examined(finding, trial.query_loss, before, slope, _promised(trial), trial.error, trial.moved)


def _finding(trial: Trial, loop: Loop, run: Run) -> Finding:
    if trial.error:
        return Finding("raises", "", 1.0, None, None, None)
    target = own_gradient(run, normalised=loop.normalised) if loop.own_target else None
    return judge(trial.gradient, exact=target, tolerance=OWN if loop.own_target else DOUBLE)


def _promised(trial: Trial) -> float | None:
    """⟨g, v⟩: how fast the query loss should change along v, if the gradient is right."""
    if trial.error or not trial.gradient:
        return None
    return float(_flat(trial.gradient) @ direction())


def _flat(gradient: Params) -> Tensor:
    return flatten({name: gradient[name] for name in published().theta})
