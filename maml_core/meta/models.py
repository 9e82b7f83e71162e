"""Models as functions of a flat dict of parameters, batched over tasks without a loop.

Shapes: T tasks, N examples; a leaf of θ is (...), a leaf of one φ per task (T, ...); every loss gives (T,).
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from maml_core.meta.sampling import LARGEST, normal
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params

Loss = Callable[[Params, Batch], Tensor]  # -> (T,), one mean loss per task
Activation = Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Activation] = {"relu": torch.relu, "tanh": torch.tanh}
_INITIAL_STEP = LARGEST  # no meta-batch has this number, so weights and tasks of one seed share no draw


def paper_scale(fan_in: int) -> float:
    """The standard deviation 0.01 of Finn, Abbeel & Levine (2017), whatever the width.

    https://arxiv.org/abs/1703.03400
    """
    return 0.01


def he_scale(fan_in: int) -> float:
    r"""$$\sqrt{2 / \text{fan-in}}$$, which keeps the size of signals through ReLU. https://arxiv.org/abs/1502.01852"""
    return math.sqrt(2 / fan_in)


INITIALISATIONS = {"paper": paper_scale, "he": he_scale}


def mlp_shapes(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The leaves of an MLP, named and shaped like those of nn.Sequential(Linear, activation, Linear, …)."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"An MLP needs at least two sizes, input and output, each at least 1, not {sizes}.")
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (width_in, width_out) in enumerate(pairwise(sizes)):
        shapes[f"{2 * layer}.weight"] = (width_out, width_in)
        shapes[f"{2 * layer}.bias"] = (width_out,)
    return shapes


def mlp(
    sizes: tuple[int, ...] = (1, 40, 40, 1),
    *,
    seed: int,
    initialisation: str = "paper",
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Params:
    r"""The initial θ of an MLP: normal weights, cut off at two standard deviations, and zero biases.

    $$W \sim \mathcal N(0, \sigma^2) \text{ given } |W| \le 2\sigma, \qquad b = 0$$

    σ is 0.01 for "paper" and √(2 / fan-in), before the cut, for "he". The leaves fit `load_state_dict` of the
    equivalent nn.Sequential. Raises ValueError for impossible sizes or an unknown initialisation.
    """
    if initialisation not in INITIALISATIONS:
        known = ", ".join(INITIALISATIONS)
        raise ValueError(f"The initialisation must be one of {known}, not {initialisation!r}.")
    theta: Params = {}
    drawn = 0
    for name, shape in mlp_shapes(sizes).items():
        if name.endswith("bias"):
            theta[name] = torch.zeros(shape, dtype=dtype, device=device)
            continue
        index = torch.arange(drawn, drawn + math.prod(shape))
        drawn += math.prod(shape)
        weight = INITIALISATIONS[initialisation](shape[1]) * normal(seed, _INITIAL_STEP, index, cut=2.0)
        theta[name] = weight.to(device, dtype).view(shape)
    return theta


def mlp_forward(params: Params, x: Tensor, *, activation: Activation = torch.relu) -> Tensor:
    r"""The network's outputs, (T, N, d_in) -> (T, N, d_out): linear maps with an activation σ between them.

    $$h_{l+1} = \sigma(h_l W_l^\top + b_l), \qquad f_\phi(x) = h_L W_L^\top + b_L$$

    Leaves may be θ's or one φ per task: the task axis broadcasts.
    """
    *hidden, last = _layers(params)
    for weight, bias in hidden:
        x = activation(_affine(x, weight, bias))
    return _affine(x, *last)


def _layers(params: Params) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of every layer, first to last, whatever the order of the dict."""
    numbers = sorted(int(name.removesuffix(".weight")) for name in params if name.endswith(".weight"))
    return [(params[f"{number}.weight"], params[f"{number}.bias"]) for number in numbers]


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """h Wᵀ + b, by the cheapest operation that the shapes allow."""
    bias = bias.unsqueeze(-2)
    if weight.shape[-1] == 1:  # a column times a row is no matrix product
        return x * weight.mT + bias
    if x.ndim == weight.ndim == 3 and len(x) == len(weight):  # one φ per task: product and sum in one
        return torch.baddbmm(bias, x, weight.mT)
    return x @ weight.mT + bias


def squared_error(forward: Callable[[Params, Tensor], Tensor]) -> Loss:
    r"""The loss of a forward function: each task's mean squared error, (T,), in the squared unit of y.

    $$\mathcal L_i(\phi) = \frac{1}{N d} \sum_{n,d} \big(f_\phi(x_{in}) - y_{in}\big)_d^2$$
    """

    def loss(params: Params, batch: Batch) -> Tensor:
        return (forward(params, batch.x) - batch.y).square().mean((-2, -1))

    return loss


mlp_loss: Loss = squared_error(mlp_forward)
