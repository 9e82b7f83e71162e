"""How well a θ adapts to tasks it has never seen, beside what could be had without it.

Shapes: T tasks, N query examples; errors are (steps + 1, T), mean squared errors in the squared unit of y.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from maml_core.meta.algorithms import head_of
from maml_core.meta.inner import freeze, iterates, split_rates
from maml_core.meta.models import mlp
from maml_core.meta.tasks import FAMILIES, Batch, Family, Range, Tasks
from maml_core.meta.trees import Params, detach, leaves, tile
from maml_core.train.config import MOST_ITERATIONS, Config
from maml_core.train.step import loss_of, tasks_of

UNSEEN_STEP = MOST_ITERATIONS + 1  # the number of a meta-batch that no training reaches
QUERY_SHOTS = 100  # examples that measure the error of one task
MOST_TASKS, MOST_STEPS = 10_000, 1000
TRIM = 0.1  # the share of tasks that the trimmed mean leaves out, at each end
FAR = 10.0  # a task has diverged if its error is not finite or above FAR × the mean error before adaptation


@dataclass(frozen=True)
class Summary:
    """Errors of many tasks in five numbers. Tails are heavy after many steps: do not read the mean alone."""

    mean: float
    sem: float  # standard error of the mean
    median: float
    trimmed_mean: float  # without the best and the worst tenth
    diverged: float  # share of tasks, from 0 to 1

    @staticmethod
    def of(errors: Tensor, *, far: float = math.inf) -> "Summary":
        """Summarise (T,) errors; those above `far`, or not finite, count as diverged."""
        ordered = errors.double().nan_to_num(nan=math.inf, posinf=math.inf).sort().values
        cut = int(TRIM * len(ordered))
        return Summary(
            mean=ordered.mean().item(),
            sem=ordered.std().item() / math.sqrt(len(ordered)) if len(ordered) > 1 else math.nan,
            median=ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1].mean().item(),  # of infinities too
            trimmed_mean=ordered[cut : len(ordered) - cut].mean().item(),
            diverged=((ordered > far) | ordered.isinf()).double().mean().item(),
        )


def unseen(config: Config, *, tasks: int, shots: int, seed: int, device: torch.device | str = "cpu") -> Tasks:
    """Tasks of the config's family that no training step draws. Raises ValueError for bad counts."""
    if not 2 <= tasks <= MOST_TASKS:
        raise ValueError(f"tasks must be from 2 to {MOST_TASKS}, not {tasks}.")
    changed = replace(config, meta_batch=tasks, shots=shots, query_shots=QUERY_SHOTS, seed=seed)
    return tasks_of(changed, UNSEEN_STEP, device)


def adaptation(config: Config, theta: Params, tasks: Tasks, *, steps: int) -> Tensor:
    """Every task's query error after 0, 1, … `steps` steps of its own inner loop: (steps + 1, T).

    ANIL moves the head alone, BOIL the body alone, Meta-SGD at its learned rates; all others, Reptile and
    iMAML too, take plain gradient steps of `inner_lr`. Raises ValueError for a number of steps that is
    not allowed.
    """
    loss = loss_of(config)
    stops = adapted(config, theta, tasks.support, steps=steps)
    return torch.stack([loss(phi, tasks.query) for phi in stops])


def adapted(config: Config, theta: Params, support: Batch, *, steps: int) -> Iterator[Params]:
    """One φ per task, leaves (T, ...), after 0, 1, … `steps` steps, as in `adaptation`."""
    if not 0 <= steps <= MOST_STEPS:
        raise ValueError(f"steps must be from 0 to {MOST_STEPS}, not {steps}.")
    weights, rates = split_rates(theta, config.options["inner_lr"])
    phi = leaves(tile(weights, len(support.x)))
    part_loss, part, still = freeze(loss_of(config), phi, moving(config, weights))
    for stop in iterates(part_loss, part, support, lr=rates, steps=steps, create_graph=False):
        yield detach(still | stop)


def moving(config: Config, weights: Params) -> set[str]:
    """The leaves that this algorithm's inner loop moves."""
    head = set(head_of(weights))
    return {"all": set(weights), "head": head, "body": set(weights) - head}[config.row.adapts]


def from_scratch(config: Config, *, seed: int, device: torch.device | str = "cpu") -> Params:
    """The baseline that knows nothing: the same network with fresh weights, scaled after He."""
    return mlp(config.sizes, seed=seed, initialisation="he", device=device)


def pretraining(config: Config) -> Config:
    """The baseline that knows the average: the same training without an inner loop, on all tasks as one."""
    return replace(config, algorithm="maml", inner_steps=0, inner_lr=config.options["inner_lr"])


def task_agnostic(family: Family, x: Tensor) -> Tensor:
    r"""The best function that ignores which task it is in, shaped like x: the mean of the family's curves.

    $$f^*(x) = \mathbb E[A]\; \mathbb E_{\omega, b}[\sin(\omega x - b)]$$

    For the paper's family it is −1.623 cos x, and no θ can have a smaller error before it adapts. The
    mean over b is exact; that over ω is a midpoint rule.
    """
    low, high = family.frequency
    count = 200 if high > low else 1
    middles = (torch.arange(count, dtype=torch.float64, device=x.device) + 0.5) / count
    omega = low + (high - low) * middles
    angle = omega * x.double().unsqueeze(-1)
    start, end = family.phase
    wave = (angle - end).cos() - (angle - start).cos() if end > start else (angle - start).sin()
    return _middle(family.amplitude) * (wave / (end - start or 1.0)).mean(-1)


def _middle(ends: Range) -> float:
    """The mean of a uniform distribution."""
    return (ends[0] + ends[1]) / 2


def oracle(tasks: Tasks) -> Tensor:
    r"""The query predictions (T, N, 1) of one who knows that tasks are sines, and their frequencies.

    Two numbers are then missing, and least squares finds them in the support set:
    $$\hat y = p \sin \omega x + q \cos \omega x$$
    """
    omega = tasks.info["frequency"].double()[:, None, None]

    def features(x: Tensor) -> Tensor:
        return torch.cat([(omega * x).sin(), (omega * x).cos()], dim=-1)

    solution = torch.linalg.pinv(features(tasks.support.x)) @ tasks.support.y.double()
    return features(tasks.query.x) @ solution


def baselines(config: Config, tasks: Tasks, *, steps: tuple[int, ...], seed: int) -> dict[str, dict[str, Summary]]:
    """What the same tasks cost without meta-learning, by number of steps, as in `evaluate`.

    "task-agnostic" and "oracle" take no steps. A pretrained network is a run of its own: `pretraining`.
    """
    fresh = from_scratch(config, seed=seed, device=tasks.query.x.device)
    plain = replace(config, algorithm="maml", inner_lr=config.options["inner_lr"])
    fixed = {"task-agnostic": task_agnostic(FAMILIES[config.family], tasks.query.x), "oracle": oracle(tasks)}
    errors = {name: (guess - tasks.query.y).square().mean((-2, -1)) for name, guess in fixed.items()}
    table = {name: {"0": Summary.of(error)} for name, error in errors.items()}
    return {"scratch": summarise(adaptation(plain, fresh, tasks, steps=max(steps)), steps), **table}


def summarise(errors: Tensor, steps: tuple[int, ...]) -> dict[str, Summary]:
    """One summary before adaptation and one after each number of `steps`, keyed by that number as text."""
    far = FAR * errors[0].mean().item()
    return {str(step): Summary.of(errors[step], far=far) for step in sorted({0, *steps})}


def evaluate(
    config: Config,
    theta: Params,
    *,
    tasks: int = 600,
    shots: int | None = None,
    steps: tuple[int, ...] = (1, 5, 10),
) -> dict[str, Any]:
    """The report of `python -m maml_core evaluate`: plain numbers; those that are not finite become None.

    Raises ValueError for counts that are not allowed.
    """
    if not steps:
        raise ValueError("steps must name at least one number of steps.")
    shots = config.shots if shots is None else shots
    drawn = unseen(config, tasks=tasks, shots=shots, seed=0, device=next(iter(theta.values())).device)
    errors = adaptation(config, theta, drawn, steps=max(steps))
    table = {"mse": summarise(errors, steps)} | baselines(config, drawn, steps=steps, seed=0)
    plain = {name: {step: _finite(s) for step, s in row.items()} for name, row in table.items()}
    return {"tasks": tasks, "shots": shots, "mse": plain.pop("mse"), "baselines": plain}


def _finite(summary: Summary) -> dict[str, float | None]:
    """JSON has no infinity and no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in asdict(summary).items()}
