"""The losses of one training step in three independent ways: the engine, nn.Module task by task, and by hand.

Shapes: T tasks, N examples, one input and one output.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from maml_core.meta.agreement import Agreement, agreement
from maml_core.meta.inner import RATE
from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import Params
from maml_core.train.config import Config, resolved
from maml_core.train.evaluate import moving
from maml_core.train.step import State, loss_of, tasks_of

MOST_TASKS = 8  # one after another is slow
MODULES = {"relu": nn.ReLU, "tanh": nn.Tanh}


def step_losses(state: State, config: Config) -> Agreement:
    """Each task's query loss in the next step of this training, after adaptation, (T,), in float64."""
    config = replace(resolved(config), meta_batch=min(config.meta_batch, MOST_TASKS))
    theta = {name: leaf.detach().cpu().double() for name, leaf in state.theta.items()}
    drawn = tasks_of(config, int(state.step), "cpu")
    tasks = Tasks(_double(drawn.support), _double(drawn.query), drawn.info)
    engine = config.row.function(loss_of(config), theta, tasks, **config.options).query_loss
    ways = {
        "the engine in one batch by autograd": engine,
        "nn.Sequential task by task by autograd": _each(_by_module, theta, tasks, config),
        "backpropagation written out by hand": _each(_by_hand, theta, tasks, config),
    }
    return agreement(ways, "A loss stands on a kink of ReLU, or an inner loop amplified the rounding.")


def _double(batch: Batch) -> Batch:
    return Batch(batch.x.double(), batch.y.double())


Way = Callable[[Params, Batch, Batch, Config], Tensor]


def _each(way: Way, theta: Params, tasks: Tasks, config: Config) -> Tensor:
    """One way to the query losses, task by task."""
    sets = zip(zip(*tasks.support, strict=True), zip(*tasks.query, strict=True), strict=True)
    return torch.stack([way(theta, Batch(*support), Batch(*query), config) for support, query in sets])


def _rates(theta: Params, config: Config) -> dict[str, Tensor | float]:
    """What the gradient of each weight that moves is multiplied by."""
    weights = {name: leaf for name, leaf in theta.items() if not name.startswith(RATE)}
    own: float = config.options["inner_lr"]
    if config.algorithm == "imaml":
        own = own / (1 + own * config.pull)
    found: dict[str, Tensor | float] = dict.fromkeys(moving(config, weights), own)
    return found | {name: theta[RATE + name] for name in found if RATE + name in theta}


def _pull(config: Config) -> float:
    return config.pull if config.algorithm == "imaml" else 0.0


def _by_module(theta: Params, support: Batch, query: Batch, config: Config) -> Tensor:
    """A module that is changed in place, as one would write it without knowing of this project."""
    layers: list[nn.Module] = []
    for wide, narrow in zip(config.sizes, config.sizes[1:], strict=False):
        layers += [nn.Linear(wide, narrow, dtype=torch.float64), MODULES[config.activation]()]
    net, mean_squared = nn.Sequential(*layers[:-1]), nn.MSELoss()
    net.load_state_dict({name: leaf for name, leaf in theta.items() if not name.startswith(RATE)})
    rates = _rates(theta, config)
    for _ in range(config.options["inner_steps"]):
        net.zero_grad()
        mean_squared(net(support.x), support.y).backward()
        with torch.no_grad():
            for name, weight in net.named_parameters():
                assert weight.grad is not None
                if name in rates:
                    weight -= rates[name] * (weight.grad + _pull(config) * (weight - theta[name]))
    return mean_squared(net(query.x), query.y).detach()


def _by_hand(theta: Params, support: Batch, query: Batch, config: Config) -> Tensor:
    """The chain rule in matrix products: no autograd anywhere."""
    phi = {name: leaf.clone() for name, leaf in theta.items() if not name.startswith(RATE)}
    rates = _rates(theta, config)
    for _ in range(config.options["inner_steps"]):
        gradient = _backpropagated(phi, support, config.activation)
        for name, rate in rates.items():
            phi[name] = phi[name] - rate * (gradient[name] + _pull(config) * (phi[name] - theta[name]))
    return (_activations(phi, query.x, config.activation)[-1] - query.y).square().mean()


def _layers(phi: Params) -> list[str]:
    return [name.removesuffix(".weight") for name in phi if name.endswith(".weight")]


def _activations(phi: Params, x: Tensor, activation: str) -> list[Tensor]:
    """What goes into each layer, and what comes out of the last."""
    seen, names = [x], _layers(phi)
    for name in names:
        x = x @ phi[f"{name}.weight"].T + phi[f"{name}.bias"]
        if name != names[-1]:
            x = x.clamp(min=0) if activation == "relu" else x.tanh()
        seen.append(x)
    return seen


def _backpropagated(phi: Params, batch: Batch, activation: str) -> Params:
    """The gradient of the mean squared error."""
    seen = _activations(phi, batch.x, activation)
    error, gradient = 2 * (seen[-1] - batch.y) / batch.y.numel(), Params()
    for name, into in reversed(list(zip(_layers(phi), seen[:-1], strict=True))):
        gradient[f"{name}.weight"], gradient[f"{name}.bias"] = error.T @ into, error.sum(0)
        slope = (into > 0).double() if activation == "relu" else 1 - into**2
        error = (error @ phi[f"{name}.weight"]) * slope
    return gradient
