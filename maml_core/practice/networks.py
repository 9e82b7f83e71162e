"""Four networks as people build them, and few-shot tasks for each. All weights and data come from given seeds.

Shapes: a task has N support and N' query examples, x (N, ...) as the network takes them and y (N,) class numbers.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

WAYS = 5  # classes in a task, as in 5-way Omniglot


class Task(NamedTuple):
    """One task: a support set to adapt on, and a query set to be judged on."""

    x: Tensor
    y: Tensor
    query_x: Tensor
    query_y: Tensor


class OmniglotCNN(nn.Module):
    """Four times convolution, BatchNorm, ReLU with 32 channels; the mean over the image; a linear layer."""

    def __init__(self, running: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (1, 32, 32, 32):
            norm = nn.BatchNorm2d(32, track_running_stats=running)
            layers += [nn.Conv2d(channels, 32, kernel_size=3, padding="same"), norm, nn.ReLU()]
        self.layers, self.linear = nn.Sequential(*layers), nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.layers(x).mean(dim=(2, 3)))


class Attention(nn.Module):
    """One head of self-attention over the tokens of an example, a residual path, the mean over the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm = nn.Linear(3, 8), nn.LayerNorm(8)
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.out = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.embed(x))
        weights = (self.query(h) @ self.key(h).mT / 8**0.5).softmax(-1)
        return self.out((h + weights @ self.value(h)).mean(dim=-2))


def perceptron() -> nn.Module:
    """Two layers with a ReLU between them."""
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 5))


def layer_norm_net() -> nn.Module:
    """The same with LayerNorm before the activation, which here is GELU."""
    return nn.Sequential(nn.Linear(6, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 5))


class Kind(NamedTuple):
    """A kind of network: how to build one, the shape of one example, and a sentence for the reader."""

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    what: str


NETWORKS = {
    "MLP": Kind(perceptron, (6,), "two linear layers with a ReLU between them"),
    "OmniglotCNN": Kind(
        OmniglotCNN,
        (1, 6, 6),
        "four times convolution, BatchNorm, ReLU with 32 channels, on images of 6 × 6 (the biases of its "
        "convolutions get a gradient of 0: BatchNorm takes every constant out again)",
    ),
    "LayerNorm": Kind(layer_norm_net, (6,), "linear, LayerNorm, GELU, linear"),
    "attention": Kind(Attention, (4, 3), "one attention head over 4 tokens, with a residual path and LayerNorm"),
}


def build(kind: Kind, *, seed: int) -> nn.Module:
    """A network of this kind in float64."""
    return fill(kind.build().double(), seed=seed)


def fill(network: nn.Module, *, seed: int) -> nn.Module:
    """Matrices from a normal distribution scaled by fan-in, biases from a narrow one; scales of normalisation stay 1.

    Not torch.manual_seed: its generator belongs to the whole process, and so to every reader of a server.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, leaf in network.named_parameters():
            if leaf.ndim > 1:
                leaf.normal_(0.0, 1 / math.sqrt(leaf[0].numel()), generator=generator)
            elif name.endswith("bias"):
                leaf.normal_(0.0, 0.1, generator=generator)  # not 0, or a dead ReLU could stand exactly on its kink
    return network


def draw_tasks(count: int, shape: tuple[int, ...], *, seed: int, shots: int = 1) -> list[Task]:
    """Classification: an example is its class's random prototype plus noise; every task has prototypes of its own."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(5).repeat(shots)
    tasks = []
    for _ in range(count):
        prototypes = torch.randn(5, *shape, generator=generator, dtype=torch.float64)
        noise = torch.randn(2, len(classes), *shape, generator=generator, dtype=torch.float64)
        x, query_x = prototypes[classes] + 0.5 * noise
        tasks.append(Task(x, classes, query_x, classes))
    return tasks
