"""What a live chart shows at this moment, as JSON data: asked by a page when it runs, by serve.py's route in between.

A feed takes the pool, the reader's token and page, and what the page asks for beside; it gives None where there is no
run yet, else what `summary` has and `traces`: for each panel the parts of its traces that have changed. `of` names
what they belong to, where a panel's `of` does (`charts_live.Panel`).
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maml_core.numerals import numeral
from maml_core.train.adapting import floor, unseen_curves
from maml_core.train.checkpoint import loads
from maml_core.train.config import Config
from maml_core.train.curve import Curve
from maml_core.train.pool import Pool
from maml_core.train.snapshots import Snapshot
from maml_core.train.stability import LIMIT, OVERSHOOTING, stability

Feed = Callable[[Pool, str, str, Mapping[str, str]], dict[str, Any] | None]
_DIGITS = 5


def summary(run: Snapshot) -> dict[str, Any]:
    """What is said about a run, whatever is drawn of it."""
    return {
        "id": run.id,
        "version": run.version,
        "live": run.live,
        "iteration": run.iteration,
        "done": run.iteration / max(1, run.config.iterations),
        "words": run.words,
        "numbers": numbers(run),
    }


def numbers(run: Snapshot) -> str:
    """Steps, rate, time and loss in one line."""
    parts = [f"step {spaced(run.iteration)} of {spaced(run.config.iterations)}"]
    if run.rate:
        parts.append(f"{spaced(round(run.rate)) if run.rate >= 10 else numeral(run.rate, 2)} steps/s")
    parts.append(f"{clock(run.elapsed)} of training")
    if run.left is not None:
        parts.append(f"{clock(run.left)} left")
    if not math.isnan(run.loss):
        parts.append(f"query loss {numeral(run.loss, 3)} (smoothed)")
    return " · ".join([*parts, run.device] if run.device else parts)


def spaced(count: int) -> str:
    """A whole number in groups of three."""
    return f"{count:,}".replace(",", "\u202f")


def clock(seconds: float) -> str:
    """Minutes and seconds; short times to a tenth."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def curve_traces(curve: Curve) -> list[dict[str, list[Any]]]:
    """The two traces of `charts_live.loss`."""
    at = list(curve.at)
    return [{"x": at, "y": short(curve.raw)}, {"x": at, "y": short(curve.smooth)}]


def short(values: Sequence[float]) -> list[float | None]:
    """Few digits, and null for what JSON cannot say."""
    return [float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values]


MOST_STEPS = 10
MOST_WRITTEN_OUT = 1e6  # larger factors are given as powers of ten
FAR = 100.0  # losses as many times that of the best function that ignores the task are no training
MEASURE_AFTER = 5.0  # seconds of training after which a diverged run's curvature is measured again
AGAIN_AFTER = 0.8  # seconds of training after which the network's curves are drawn again


def lab(pool: Pool, token: str, owner: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    """The run of lesson 7."""
    run = pool.snapshot(token, "lab", owner)
    if run is None:
        return None
    asked = query.get("steps", "1")
    steps = min(int(asked), MOST_STEPS) if asked.isdecimal() else 1
    moment = int(run.elapsed / AGAIN_AFTER) if run.live else run.state_step
    curves = _CURVES.get((run.id, run.live, moment, steps), lambda: adaptation_traces(run.state, steps))
    traces = {"loss": curve_traces(run.curve), "adaptation": curves}
    said = summary(run)
    return {
        **said,
        "words": said["words"] + _astray(run),
        "traces": traces,
        "of": {"adaptation": tasks_name(run.config, steps)},
    }


def _astray(run: Snapshot) -> str:
    """What is said as long as the loss is far above that of a function which never looks at a task; else nothing."""
    guess = _FLOORS.get((run.config.family, run.config.shots), lambda: floor(run.config).mean)
    if run.status == "failed" or math.isnan(run.loss) or run.loss < FAR * guess:
        return ""
    moment = int(run.elapsed / MEASURE_AFTER) if run.live else run.state_step
    at, found = _SHARPNESS.get((run.id, run.live, moment), lambda: (run.state_step, stability(*loads(run.state))))
    return (
        f" It has diverged: whether or not its curve falls, the query loss is {_times(run.loss / guess)} times that "
        f"of the best function that never looks at the task. At step {spaced(at)}, α·λ_max lies above {LIMIT:g} on "
        f"{found.overshooting:.0%} of the tasks. {OVERSHOOTING}"
    )


def _times(factor: float) -> str:
    return spaced(round(factor)) if factor < MOST_WRITTEN_OUT else numeral(factor, 2)


def tasks_name(config: Config, steps: int) -> str:
    """What the picture of four unseen tasks depends on, apart from the network."""
    return f"{config.family}, {config.shots} points, {steps} steps"


def adaptation_traces(state: bytes, steps: int) -> list[dict[str, list[Any]]]:
    """The traces of `charts_lab.adaptation`, task by task: the sine and the points stay, the network moves."""
    found, config = loads(state)
    shown = unseen_curves(config, found.theta, steps=steps)
    return [
        part
        for task in shown.tasks
        for part in ({}, {"y": short(task.predictions[0])}, {"y": short(task.predictions[steps])}, {})
    ]


class Recent:
    """The last few answers, so that looking four times a second does not compute four times a second."""

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, OrderedDict[Any, Any]()
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What was made for the key, or is made now."""
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


_CURVES, _FLOORS, _SHARPNESS = Recent(256), Recent(256), Recent(256)


FEEDS: dict[str, Feed] = {"lab": lab}
