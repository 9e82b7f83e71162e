"""A race: several methods from the same first weights, on the same tasks, with the same budget, for several seeds.

A **leg** is one entrant with one seed. It is an ordinary training, cut into slices that end at **marks**; there its θ
adapts to unseen tasks, the same for all. Who advances a leg, and in how many slices, makes no difference to its end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.tasks import FAMILIES
from maml_core.meta.trees import Params
from maml_core.train.config import Config, resolved
from maml_core.train.cost import gradients
from maml_core.train.evaluate import Summary, adaptation, pretraining, unseen
from maml_core.train.starts import start, tuned
from maml_core.train.step import State

PRETRAINED, SCRATCH = "pretrained", "from scratch"
ENTRANTS = (*ALGORITHMS, PRETRAINED, SCRATCH)
BUDGETS = {"iterations": "outer steps", "gradients": "gradients per task", "seconds": "seconds of training"}
MOST_ENTRANTS, MOST_SEEDS, MOST_AMOUNT = 4, 5, 100_000
MARKS = 10
TASKS = 100  # unseen ones, on which every θ is measured
TUNING_TASKS = 50  # others, on which a network without an inner loop of its own looks for its rate
_FIRST_SLICE = 20  # steps of a race by the clock, until the pace is known


@dataclass(frozen=True)
class Race:
    """What is equal for all, and who runs. Raises ValueError with one sentence for a race that cannot be run."""

    entrants: tuple[str, ...] = ("maml", "fomaml", PRETRAINED, SCRATCH)
    budget: str = "iterations"
    amount: int = 900  # of the budget's unit, for each leg
    seeds: int = 3  # 0, 1, …: each decides first weights and training tasks
    family: str = "sinusoid"
    shots: int = 5
    meta_batch: int = 25
    outer_lr: float = 5e-3
    test_steps: int = 1  # inner steps after which errors are compared

    def __post_init__(self) -> None:
        if not 2 <= len(self.entrants) <= MOST_ENTRANTS or len(set(self.entrants)) < len(self.entrants):
            raise ValueError(f"A race needs from 2 to {MOST_ENTRANTS} different entrants, not {len(self.entrants)}.")
        if unknown := next((name for name in self.entrants if name not in ENTRANTS), None):
            raise ValueError(f"An entrant must be one of {', '.join(ENTRANTS)}, not {unknown!r:.40}.")
        if not set(self.entrants) - {SCRATCH}:
            raise ValueError("Somebody has to train.")
        if self.budget not in BUDGETS:
            raise ValueError(f"The budget must be one of {', '.join(BUDGETS)}, not {self.budget!r:.40}.")
        if self.family not in FAMILIES:
            raise ValueError(f"The family must be one of {', '.join(FAMILIES)}, not {self.family!r:.40}.")
        for name, most in {"amount": MOST_AMOUNT, "seeds": MOST_SEEDS, "test_steps": 100}.items():
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 1 to {most}, not {getattr(self, name)}.")
        for entrant in self.entrants:
            leg_config(self, Leg(entrant, 0))  # shots, meta_batch and outer_lr are checked by Config


class Leg(NamedTuple):
    entrant: str
    seed: int


class Mark(NamedTuple):
    """How far a leg has come, and what its θ does on the unseen tasks."""

    steps: int
    gradients: int  # per task
    seconds: float  # of training, not of waiting
    error: Summary  # after `test_steps` inner steps

    def spent(self, budget: str) -> float:
        return {"iterations": self.steps, "gradients": self.gradients, "seconds": self.seconds}[budget]


Marks = Mapping[Leg, Sequence[Mark]]


def legs(race: Race) -> tuple[Leg, ...]:
    """Those that train: one seed after the other, so that an early picture has all entrants in it."""
    trained = [name for name in race.entrants if name != SCRATCH]
    return tuple(Leg(name, seed) for seed in range(race.seeds) for name in trained)


def leg_config(race: Race, leg: Leg) -> Config:
    """The training of a leg: each algorithm's own inner loop, everything else alike.

    "pretrained" is MAML with no inner steps: one network for all tasks at once.
    """
    plain = leg.entrant in (PRETRAINED, SCRATCH)
    config = Config(
        "maml" if plain else leg.entrant,
        family=race.family,
        shots=race.shots,
        meta_batch=race.meta_batch,
        outer_lr=race.outer_lr,
        initialisation="he",
        seed=leg.seed,
    )
    config = resolved(pretraining(config) if plain else config)
    steps = {"iterations": race.amount, "gradients": race.amount // gradients(config), "seconds": MOST_AMOUNT}
    return replace(config, iterations=max(1, steps[race.budget]))


def next_target(race: Race, leg: Leg, marks: Sequence[Mark]) -> int | None:
    """The step at which the leg's next mark is; None once its budget is spent."""
    steps, seconds = (marks[-1].steps, marks[-1].seconds) if marks else (0, 0.0)
    if not marks:
        return 0  # the first mark is before the first step
    total = leg_config(race, leg).iterations
    if race.budget == "seconds":
        left = race.amount - seconds
        pace = steps / seconds if seconds else 0.0
        slice_seconds = min(race.amount / MARKS, left)
        return None if left <= 0 else min(total, steps + max(1, round(pace * slice_seconds) or _FIRST_SLICE))
    return next((at for k in range(1, MARKS + 1) if (at := math.ceil(k * total / MARKS)) > steps), None)


def measure(race: Race, leg: Leg, state: State, seconds: float) -> Mark:
    """The mark of a leg that is at `state`."""
    config, steps = leg_config(race, leg), int(state.step)
    tasks = unseen(config, tasks=TASKS, shots=race.shots, seed=0)
    errors = adaptation(judged(race, config, state.theta), state.theta, tasks, steps=race.test_steps)[-1]
    return Mark(steps, steps * gradients(config), seconds, Summary.of(errors))


def judged(race: Race, config: Config, theta: Params) -> Config:
    """How θ adapts to unseen tasks: as in training; one that was trained without an inner loop at its best rate."""
    if config.inner_steps:
        return config
    return tuned(config, theta, shots=race.shots, steps=race.test_steps, tasks=TUNING_TASKS)


@lru_cache(maxsize=64)
def from_scratch(race: Race) -> tuple[Summary, ...]:
    """What the same network without any training gets on the unseen tasks, at its best rate: one per seed."""
    found = []
    for seed in range(race.seeds):
        config, theta = start(
            "scratch", leg_config(race, Leg(SCRATCH, seed)), shots=race.shots, steps=race.test_steps
        )
        tasks = unseen(config, tasks=TASKS, shots=race.shots, seed=0)
        found.append(Summary.of(adaptation(config, theta, tasks, steps=race.test_steps)[-1]))
    return tuple(found)
