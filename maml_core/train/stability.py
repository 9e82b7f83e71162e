"""Why an inner loop blew up, measured where it did: α·λ_max, the gain of one step, and the losses on the way.

Near a minimum one step of size α multiplies the distance along a direction of curvature λ by 1 − αλ. Beyond
αλ = 2 that factor is below −1: every step lands further away, on the other side.
"""

import math
from typing import NamedTuple

import torch

from maml_core.meta.curvature import spectrum
from maml_core.meta.inner import freeze, split_rates
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params, norm, tile
from maml_core.numerals import numeral
from maml_core.train.config import Config, resolved
from maml_core.train.evaluate import adapted, moving
from maml_core.train.step import State, loss_of, tasks_of

LIMIT = 2.0
OVERSHOOTING = (
    "λ_max is the largest curvature of a task’s support loss: along it one inner step multiplies the distance to the "
    f"valley’s floor by 1 − αλ, and beyond αλ = {LIMIT:g} that is |1 − αλ| > 1, so each step lands further away."
)
FLOAT32 = torch.finfo(torch.float32).max
LANCZOS = 20  # steps; the largest eigenvalue converges first


class Stability(NamedTuple):
    """The inner loop on the tasks of one training step, T of them, at the θ before it."""

    sharpness: tuple[float, ...]  # (T,): α·λ_max of each task's support loss; NaN where it is not finite
    median: float
    largest: float
    overshooting: float  # share of tasks above LIMIT, from 0 to 1
    gain: float  # of the sharpest task and direction: 1 − α·λ_max
    losses: tuple[float, ...]  # (inner_steps + 1): support loss of the sharpest task along its inner loop
    length: float  # ‖θ‖


def stability(state: State, config: Config) -> Stability:
    """Measure on the tasks that the next step of this training would draw, in float64.

    With Meta-SGD, α is the mean of the learned rates; with iMAML the pull λ counts as curvature too.
    """
    theta = {name: leaf.detach().cpu().double() for name, leaf in state.theta.items()}
    support = Batch(*(part.double() for part in tasks_of(config, int(state.step), "cpu").support))
    sharpness = _sharpness(config, theta, support)
    known = sharpness.nan_to_num(nan=math.inf)
    worst = int(known.argmax())
    loss = loss_of(config)
    alone = Batch(support.x[worst : worst + 1], support.y[worst : worst + 1])
    stops = adapted(config, theta, alone, steps=config.options["inner_steps"])
    return Stability(
        tuple(sharpness.tolist()),
        known.median().item(),
        known[worst].item(),
        (known > LIMIT).double().mean().item(),
        1 - known[worst].item(),
        tuple(loss(phi, alone).item() for phi in stops),
        norm(theta).item(),
    )


def _sharpness(config: Config, theta: Params, support: Batch) -> torch.Tensor:
    """α·λ_max of every task, (T,), over the leaves that the inner loop moves."""
    weights, rates = split_rates(theta, config.options["inner_lr"])
    part_loss, part, _ = freeze(loss_of(config), tile(weights, len(support.x)), moving(config, weights))
    highest = spectrum(part_loss, part, support, steps=LANCZOS)[:, -1]
    alpha = torch.stack([torch.as_tensor(rates[name]).double().mean() for name in part]).mean()  # type: ignore[index]
    if config.algorithm == "imaml":
        pull = config.options["pull"]
        return alpha / (1 + alpha * pull) * (highest + pull)
    return alpha * highest


def why(found: Stability, config: Config) -> str:
    """What the measurement says about a training that stopped, in two or three sentences."""
    steps = config.options["inner_steps"]
    beta = numeral(resolved(config).outer_lr, 3)
    if not (found.losses[0] <= FLOAT32 and math.isfinite(found.largest)):
        return (
            f"The weights had grown to ‖θ‖ = {numeral(found.length, 3)}, so that the support loss was beyond float32 "
            f"before any inner step ({numeral(found.losses[0], 3)}). The outer loop went astray first; its rate β is "
            f"{beta}."
        )
    sharpest = (
        f"On the tasks of that step α·λ_max, α times the largest curvature of the support loss, was up to "
        f"{numeral(found.largest, 3)} (median {numeral(found.median, 3)})"
    )
    if found.largest > LIMIT and steps:
        return f"{sharpest}{_overshot(found)}"
    started = f"below {LIMIT:g}: the inner loop was stable at its start" if steps else "but there is no inner loop"
    return (
        f"{sharpest}, {started}. ‖θ‖ had come to {numeral(found.length, 3)}; look at the outer loop, whose rate β is "
        f"{beta}."
    )


def _overshot(found: Stability) -> str:
    went = " → ".join(numeral(value, 3) for value in found.losses[:6]) + (" → …" if len(found.losses) > 6 else "")
    return (
        f", and {found.overshooting:.0%} of them lay above {LIMIT:g}. Along the sharpest direction one inner step "
        f"multiplies the distance to the valley's floor by 1 − αλ = {numeral(found.gain, 3)}. As |1 − αλ| > 1, it "
        f"lands further away, on the other side. The sharpest task's support loss went {went}."
    )
