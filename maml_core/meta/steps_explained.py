"""The one question that lesson 5 asks: this inner loop, seen from its end."""

from typing import NamedTuple

from maml_core.meta.k_steps import Setting, walk
from maml_core.meta.looking_back import LookBack, Turned, look_back, turned
from maml_core.meta.stretching import Stretch, stretches


class StepsExplained(NamedTuple):
    """Plain data. `look` is None where the inner loop leaves float64 before it has made all its steps."""

    setting: Setting
    steps: int
    finite_steps: int
    look: LookBack | None
    turned: dict[str, tuple[Turned, ...]]  # for every k: "wrong order" and "first order"
    stretches: tuple[Stretch, ...]  # for every k

    @property
    def degrees(self) -> dict[str, float]:
        """How far the stand-ins for the meta-gradient point away from it, after the reader's steps."""
        return {name: rows[self.steps - 1].degrees for name, rows in self.turned.items()}


def explain_steps(setting: Setting, steps: int) -> StepsExplained:
    """Walk the inner loop and look back after `steps` of its steps."""
    path = walk(setting)
    finite = len(path.factors)
    look = look_back(path, steps) if steps <= finite else None
    return StepsExplained(setting, steps, finite, look, turned(path), stretches(path))
