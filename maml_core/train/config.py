"""What a training is, as one frozen value: a sentence and a unit per field, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from maml_core.meta.algorithms import ALGORITHMS, Algorithm
from maml_core.meta.models import ACTIVATIONS, INITIALISATIONS
from maml_core.meta.sampling import LARGEST
from maml_core.meta.tasks import FAMILIES, MOST_NUMBERS

MOST_UNITS, MOST_LAYERS = 1024, 8
MOST_ITERATIONS = 2**31 - 1  # steps from 2³¹ on are kept for the tasks of evaluation
OUTER_RULES = ("adam", "sgd")
Allowed = tuple[str, ...] | tuple[float, float]  # the words, or the two ends


def _field(default: object, help: str, unit: str = "", *, allowed: Allowed) -> Any:  # noqa: ANN401
    """A field that explains itself."""
    return field(default=default, metadata={"help": help, "unit": unit, "allowed": allowed})


@dataclass(frozen=True)
class Config:
    """Everything that decides a training. None stands for the algorithm's own value: see `resolved`."""

    algorithm: str = _field("maml", "Which meta-gradient the outer loop follows.", allowed=tuple(ALGORITHMS))
    family: str = _field("sinusoid", "Which family the tasks are drawn from.", allowed=tuple(FAMILIES))
    meta_batch: int = _field(
        25, "Tasks whose gradients are averaged in one outer step.", "tasks", allowed=(1, 10_000)
    )
    shots: int = _field(10, "Support examples per task: what adaptation sees.", "examples", allowed=(1, MOST_NUMBERS))
    query_shots: int | None = _field(
        None, "Query examples per task; None is as many as support.", "examples", allowed=(1, MOST_NUMBERS)
    )
    inner_lr: float | None = _field(None, "The inner rate α.", "per unit of gradient", allowed=(1e-8, 10.0))
    inner_steps: int | None = _field(None, "Gradient steps of the inner loop.", "steps", allowed=(0, 1000))
    outer_lr: float | None = _field(None, "The outer rate β.", "per unit of gradient", allowed=(1e-8, 10.0))
    outer: str = _field("adam", "The rule of the outer loop.", allowed=OUTER_RULES)
    iterations: int = _field(15_000, "Outer steps in all.", "steps", allowed=(1, MOST_ITERATIONS))
    seed: int = _field(0, "Decides the first weights and every task.", allowed=(0, LARGEST))
    hidden: tuple[int, ...] = _field((40, 40), "Widths of the hidden layers.", "units", allowed=(1, MOST_UNITS))
    activation: str = _field("relu", "What bends the line between two layers.", allowed=tuple(ACTIVATIONS))
    initialisation: str = _field("paper", "How the first weights are drawn.", allowed=tuple(INITIALISATIONS))
    pull: float = _field(2.0, "iMAML only: λ, how strongly φ is held at θ.", allowed=(1e-6, 1e6))
    cg_steps: int = _field(5, "iMAML only: steps of its linear solver.", "steps", allowed=(1, 1000))
    leap_lr: float | None = _field(None, "One-leap only: β of the leap; None is α.", allowed=(0.0, 100.0))
    last: int = _field(1, "Truncated only: the last m steps are differentiated.", "steps", allowed=(0, 1000))

    def __post_init__(self) -> None:
        """Refuse, in one sentence, the first field whose value is not allowed."""
        for spec in fields(self):
            value, allowed = getattr(self, spec.name), spec.metadata["allowed"]
            if spec.name == "hidden":
                _require_hidden(value)
            elif not (value is None and spec.default is None):
                _require(spec.name, value, allowed, whole="int" in str(spec.type))

    @property
    def row(self) -> Algorithm:
        """This algorithm's row in the table."""
        return ALGORITHMS[self.algorithm]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The network's widths from input to output."""
        return (1, *self.hidden, 1)

    @property
    def options(self) -> dict[str, Any]:
        """What the algorithm is called with: its rates, and the extras that are its own."""
        full = resolved(self)
        names = ("inner_lr", "inner_steps", *self.row.options)
        return {name: getattr(full, name) for name in names}


def _require(name: str, value: object, allowed: tuple[Any, Any], *, whole: bool) -> None:
    """One sentence for a value that is not one of the words, or not a number between the two ends."""
    if isinstance(allowed[0], str):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r:.60}.")
        return
    kind = "a whole number" if whole else "a number"
    right_type = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not right_type or not allowed[0] <= value <= allowed[1]:  # type: ignore[operator]
        raise ValueError(f"{name} must be {kind} from {allowed[0]} to {allowed[1]}, not {value!r:.60}.")


def _require_hidden(widths: object) -> None:
    """Hidden layers: a short tuple of whole numbers."""
    good = isinstance(widths, tuple) and len(widths) <= MOST_LAYERS
    if not good or not all(type(width) is int and 1 <= width <= MOST_UNITS for width in widths):  # type: ignore[union-attr]
        limits = f"at most {MOST_LAYERS} whole numbers from 1 to {MOST_UNITS}"
        given = ", ".join(map(str, widths)) if isinstance(widths, tuple) else repr(widths)
        raise ValueError(f"The widths of the hidden layers must be {limits}, not {given:.60}.")


@lru_cache  # every step asks
def resolved(config: Config) -> Config:
    """The same training with the algorithm's own rates written out, independent of the table."""
    row = config.row
    own = {"inner_lr": row.inner_lr, "inner_steps": row.inner_steps, "outer_lr": row.outer_lr}
    own["query_shots"] = config.shots
    return replace(config, **{name: value for name, value in own.items() if getattr(config, name) is None})


PRESETS: dict[str, Config] = {
    # Finn, Abbeel & Levine 2017, arXiv 1703.03400
    "paper": Config(shots=5, iterations=70_000, inner_lr=0.01, inner_steps=1, outer_lr=1e-3),
    "fomaml": Config("fomaml", shots=5, iterations=70_000, inner_lr=0.01, inner_steps=1, outer_lr=1e-3),
    # Nichol, Achiam & Schulman 2018, arXiv 1803.02999: the network and family of its demonstration, our rates
    "reptile": Config("reptile", "phase", hidden=(64, 64), activation="tanh", initialisation="he", iterations=30_000),
    # Li et al. 2017, arXiv 1707.09835
    "meta-sgd": Config("meta-sgd", "frequency", meta_batch=4, iterations=60_000),
    # one parameter less: every curve has the same amplitude range but any phase
    "phase-only": Config(family="phase", iterations=15_000),
    # enough to see that it works, in about half a minute: a smooth network, larger weights and steps, fewer tasks
    "tour": Config(
        activation="tanh", initialisation="he", iterations=6_000, meta_batch=10, inner_lr=0.02, outer_lr=3e-3
    ),
}
