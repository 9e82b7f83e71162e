"""All nine algorithms from one θ on the same tasks: how far each turns from MAML's meta-gradient, and how long it is.

Angles are between the meta-gradients of the mean over the tasks, all leaves of the network in one vector (n,).
Meta-SGD starts with every rate at α and is compared on the weights; its gradient of the rates has no counterpart.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

from maml_core.meta.agreement import angle, length_ratio
from maml_core.meta.algorithms import ALGORITHMS, MetaGradient
from maml_core.meta.curvature import spectrum
from maml_core.meta.inner import with_rates
from maml_core.meta.models import mlp_loss
from maml_core.meta.starts import Problem, problem
from maml_core.meta.trees import flatten, tile

EXACT = ("maml", "meta-sgd")  # at rates that are all α the two are one vector
SHORTCUTS = tuple(name for name in ALGORITHMS if name not in EXACT)
SAME = 1e-6  # degrees: two directions that rounding alone keeps apart


@dataclass(frozen=True)
class Setting:
    """What all nine share, and the knobs that some have."""

    start: str = "trained"  # θ, one of STARTS
    inner_lr: float = 0.005  # α, the inner rate
    inner_steps: int = 3  # k, of all but iMAML, whose inner loop looks for a minimum
    last: int = 1  # m, how many of the last steps `truncated` looks through
    leap: float = 1.0  # β of one-leap, in units of α
    pull: float = 10.0  # λ of iMAML
    proximal_steps: int = 16  # its inner steps, as many as its paper takes
    cg_steps: int = 5  # of iMAML's linear solve
    seed: int = 1  # of the tasks, and of a fresh θ


class Row(NamedTuple):
    """One algorithm's meta-gradient against MAML's. Numbers are NaN where either left the finite numbers."""

    name: str
    degrees: float  # 0 is MAML's direction, 90 tells nothing about it, more than 90 climbs
    ratio: float  # its length over MAML's
    query_loss: float  # mean over the tasks after its own inner loop
    overflowed: bool  # its own meta-gradient is not finite, whatever MAML's is

    @property
    def finite(self) -> bool:
        return math.isfinite(self.degrees)


class Axis(NamedTuple):
    """A knob that a sweep turns. `moves`: the algorithms that notice; empty for all."""

    label: str
    symbol: str
    field: str
    values: tuple[float, ...]
    moves: tuple[str, ...] = ()
    logarithmic: bool = False


def _geometric(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(low * (high / low) ** (i / (count - 1)) for i in range(count))


AXES: Mapping[str, Axis] = MappingProxyType(
    {
        "k": Axis("inner steps k", "k", "inner_steps", tuple(range(1, 21))),
        "alpha": Axis("inner rate α", "α", "inner_lr", _geometric(1e-4, 0.03, 25), logarithmic=True),
        "lambda": Axis("iMAML's pull λ", "λ", "pull", _geometric(0.5, 500.0, 25), ("imaml",), True),
        "cg": Axis("iMAML's CG steps", "CG steps", "cg_steps", tuple(range(1, 21)), ("imaml",)),
        "m": Axis(
            "truncated: the last m steps; 0 is FOMAML, k is MAML", "m", "last", tuple(range(0, 21)), ("truncated",)
        ),
        "beta": Axis(
            "one leap's β, in units of α; 0 is FOMAML",
            "β/α",
            "leap",
            tuple(i / 2 for i in range(0, 41)),
            ("one-leap",),
        ),
    }
)


def loop_of(setting: Setting) -> Setting:
    """The setting with each shortcut's own knobs as usual: what MAML and its inner loop depend on is left."""
    return Setting(setting.start, setting.inner_lr, setting.inner_steps, seed=setting.seed)


def options(name: str, setting: Setting) -> dict[str, Any]:
    """The keyword arguments with which the algorithm `name` is called."""
    common: dict[str, Any] = {"inner_lr": setting.inner_lr, "inner_steps": setting.inner_steps}
    return common | {
        "one-leap": {"leap_lr": setting.leap * setting.inner_lr},
        "imaml": {"inner_steps": setting.proximal_steps, "pull": setting.pull, "cg_steps": setting.cg_steps},
        "truncated": {"last": setting.last},
    }.get(name, {})


def meta_gradient(name: str, setting: Setting, where: Problem) -> MetaGradient:
    """The algorithm's meta-gradient at `where`; Meta-SGD's has the rates' leaves as well."""
    theta = with_rates(where.theta, setting.inner_lr) if name == "meta-sgd" else where.theta
    return ALGORITHMS[name].function(mlp_loss, theta, where.tasks, **options(name, setting))


def vector(found: MetaGradient, where: Problem) -> Tensor:
    """The weights' part of a meta-gradient as one vector (n,)."""
    return flatten({name: found.grads[name] for name in where.theta})


def compared(setting: Setting, names: Collection[str] = tuple(ALGORITHMS)) -> tuple[Row, ...]:
    """A row for each of `names`, in the order of the table of algorithms."""
    where = problem_of(setting)
    exact = _exact(setting.start, setting.seed, setting.inner_lr, setting.inner_steps)
    return tuple(_row(name, setting, where, exact) for name in ALGORITHMS if name in names)


def _row(name: str, setting: Setting, where: Problem, exact: Tensor) -> Row:
    found = meta_gradient(name, setting, where)
    other, loss = vector(found, where), float(found.query_loss.mean())
    overflowed = not other.isfinite().all()
    if overflowed or not exact.isfinite().all():
        return Row(name, math.nan, math.nan, loss, overflowed)
    degrees = angle(other, exact)
    return Row(name, 0.0 if degrees < SAME else degrees, length_ratio(other, exact), loss, overflowed)


def sweep_values(setting: Setting, axis: str) -> tuple[float, ...]:
    """Where the sweep stops. There are no more last steps than steps, and β beyond 2kα is far beyond the leap."""
    most = {"m": setting.inner_steps, "beta": max(2 * setting.inner_steps, 4)}.get(axis, math.inf)
    return tuple(value for value in AXES[axis].values if value <= most)


def sweep_point(setting: Setting, axis: str, value: float) -> tuple[Row, ...]:
    """The shortcuts' rows with one knob turned to `value`: only those that the knob moves, unless it moves all."""
    knob = AXES[axis]
    turned = replace(setting, **{knob.field: value})
    return compared(turned, knob.moves or SHORTCUTS)


def closest(rows: Collection[Row]) -> tuple[str, ...]:
    """The shortcuts with the smallest angle: one name, several that are equal, or none if nothing is finite."""
    finite = [row for row in rows if row.name in SHORTCUTS and row.finite]
    least = min((row.degrees for row in finite), default=0.0)
    return tuple(row.name for row in finite if row.degrees <= least + SAME)


@lru_cache(maxsize=32)
def sharpnesses(start: str, seed: int) -> tuple[float, ...]:
    """λ_max of each task's support Hessian at θ, ascending: past α = 2/λ_max its first inner step overshoots."""
    where = _drawn(start, seed)
    phi = tile(where.theta, len(where.tasks.support.x))
    return tuple(sorted(spectrum(mlp_loss, phi, where.tasks.support)[:, -1].tolist()))


def overshooting(setting: Setting) -> int:
    """The number of tasks with α·λ_max > 2 at θ, where a step overshoots along the sharpest direction and grows."""
    return sum(setting.inner_lr * sharpness > 2 for sharpness in sharpnesses(setting.start, setting.seed))


def problem_of(setting: Setting) -> Problem:
    """θ and the ten tasks; nobody may change them."""
    return _drawn(setting.start, setting.seed)


@lru_cache(maxsize=32)
def _drawn(start: str, seed: int) -> Problem:
    return problem(start, seed=seed)


@lru_cache(maxsize=64)
def _exact(start: str, seed: int, inner_lr: float, inner_steps: int) -> Tensor:
    """MAML's meta-gradient, which most knobs do not move."""
    setting = Setting(start=start, seed=seed, inner_lr=inner_lr, inner_steps=inner_steps)
    where = problem_of(setting)
    return vector(meta_gradient("maml", setting, where), where)
