"""One outer step as a pure function of a state and a config: the reference that every faster path must equal.

Shapes: T tasks; a leaf of θ is (...).
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.inner import with_rates
from maml_core.meta.models import ACTIVATIONS, Loss, mlp, mlp_forward, squared_error
from maml_core.meta.tasks import FAMILIES, Tasks, sinusoids
from maml_core.meta.trees import Params, add_scaled, norm
from maml_core.train.config import Config, resolved

DECAY = (0.9, 0.999)  # Adam's memory of the gradient and of its square
EPSILON = 1e-8


class State(NamedTuple):
    """All there is to a training between two steps; its tasks follow from the seed and `step`."""

    theta: Params
    first: Params  # Adam's running mean of the gradient; empty for SGD
    second: Params  # and of its square
    step: Tensor  # int64, 0-dim: outer steps done
    query_loss: Tensor  # (T,): of the last step, after adaptation
    gradient_norm: Tensor  # 0-dim: of the last meta-gradient
    finite: Tensor  # bool, 0-dim: False once a meta-gradient was not; then nothing above moves any more


class Diverged(ArithmeticError):
    """The meta-gradient of a step was not finite. `state` is the last good one."""

    def __init__(self, state: State) -> None:
        self.state = state
        step = int(state.step) + 1
        super().__init__(f"The meta-gradient of step {step} is not finite; the state before it is kept.")


def loss_of(config: Config) -> Loss:
    """The mean squared error of the configured network."""
    activation = ACTIVATIONS[config.activation]
    return squared_error(lambda params, x: mlp_forward(params, x, activation=activation))


def tasks_of(config: Config, step: int | Tensor, device: torch.device | str) -> Tasks:
    """The meta-batch of one step."""
    ranges = FAMILIES[config.family]._asdict()
    counts = {"query_shots": config.query_shots, "seed": config.seed, "step": step, "device": device}
    return sinusoids(config.meta_batch, config.shots, **counts, **ranges)


def initial_state(config: Config, *, device: torch.device | str = "cpu") -> State:
    """The state before the first step. Meta-SGD's θ has its rates beside the weights."""
    config = resolved(config)
    theta = mlp(config.sizes, seed=config.seed, initialisation=config.initialisation, device=device)
    if config.algorithm == "meta-sgd":
        theta = with_rates(theta, config.options["inner_lr"])
    zeros = {name: torch.zeros_like(leaf) for name, leaf in theta.items()} if config.outer == "adam" else {}
    nothing_yet = torch.full((config.meta_batch,), torch.nan, device=device)
    return State(
        theta=theta,
        first=zeros,
        second={name: leaf.clone() for name, leaf in zeros.items()},
        step=torch.zeros((), dtype=torch.int64, device=device),
        query_loss=nothing_yet,
        gradient_norm=torch.tensor(torch.nan, device=device),
        finite=torch.tensor(True, device=device),
    )


def adam(
    theta: Params, grads: Params, first: Params, second: Params, count: Tensor, lr: float
) -> tuple[Params, Params, Params]:
    r"""Adam without hidden state: the new θ and its two memories, after `count` = t steps, this one included.

    $$m \leftarrow b_1 m + (1 - b_1) g, \quad v \leftarrow b_2 v + (1 - b_2) g^2, \quad
      \theta \leftarrow \theta - \beta\, \frac{m / (1 - b_1^t)}{\sqrt{v / (1 - b_2^t)} + \epsilon}$$

    Kingma & Ba (2015). https://arxiv.org/abs/1412.6980
    """
    b1, b2 = DECAY
    first = {name: b1 * m + (1 - b1) * grads[name] for name, m in first.items()}
    second = {name: b2 * v + (1 - b2) * grads[name] ** 2 for name, v in second.items()}
    t = count.double()  # 1 − 0.999ᵗ loses half its digits in float32
    size, root = lr / (1 - b1**t), (1 - b2**t).sqrt()
    theta = {name: leaf - size * first[name] / (second[name].sqrt() / root + EPSILON) for name, leaf in theta.items()}
    return theta, first, second


def meta_step(state: State, config: Config) -> State:
    """One outer step: draw the tasks of this step, take the meta-gradient, move θ.

    Pure: the same state and config give the same bits. If the meta-gradient is not finite, θ, Adam's memories
    and `step` stay as they were and `finite` is False. Nothing branches on a tensor's value, so the step
    can be traced by `make_fx`.
    """
    config = resolved(config)
    assert config.outer_lr is not None  # resolved sees to it
    tasks = tasks_of(config, state.step, state.step.device)
    found = config.row.function(loss_of(config), state.theta, tasks, **config.options)
    if config.outer == "adam":
        moved = adam(state.theta, found.grads, state.first, state.second, state.step + 1, config.outer_lr)
    else:
        moved = (add_scaled(state.theta, -config.outer_lr, found.grads), {}, {})
    length = norm(found.grads)
    good = length.isfinite()
    theta, first, second = (_choose(good, new, old) for new, old in zip(moved, state[:3], strict=True))
    return State(theta, first, second, state.step + good, found.query_loss, length, good)


def _choose(good: Tensor, new: Params, old: Params) -> Params:
    """All new leaves, or all old ones."""
    return {name: torch.where(good, leaf, old[name]) for name, leaf in new.items()}


def training(state: State, config: Config) -> Iterator[State]:
    """The states after each further step, up to `config.iterations` steps in all.

    Raises Diverged, which carries the last good state, at the first meta-gradient that is not finite.
    """
    for _ in range(int(state.step), config.iterations):
        state = meta_step(state, config)
        if not state.finite:
            raise Diverged(state)
        yield state
