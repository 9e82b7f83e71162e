"""Both loops from the same weights, step by step: how far do they drift apart, and why?"""

import copy
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from maml_core.practice.sgd_loops import by_hand, by_sgd, setting

MOST_STEPS = 100


class Drift(NamedTuple):
    """After `steps` steps: the distance over the length of θ; the source's comparison; and ReLUs that disagree."""

    steps: int
    distance: float
    close: bool  # torch.allclose with rtol 1e-3 for every tensor of the two state dicts, as the source compares
    sides: int  # ReLUs (times places in the image) that one network has on and the other off


def drift(
    seed: int = 1, *, size: int = 28, dtype: torch.dtype = torch.float32, steps: int = MOST_STEPS
) -> Iterator[Drift]:
    """One Drift after every step, 1 to `steps`."""
    model, image, target = setting(seed, size=size, dtype=dtype)
    twin = copy.deepcopy(model)
    for step in range(1, steps + 1):
        by_hand(model, image, target, 1)
        by_sgd(twin, image, target, 1)
        sides = sum(int((a != b).sum()) for a, b in zip(_on(model, image), _on(twin, image), strict=True))
        yield Drift(step, _distance(model, twin), _close(model, twin), sides)


def _distance(one: nn.Module, other: nn.Module) -> float:
    a, b = (nn.utils.parameters_to_vector(model.parameters()).detach() for model in (one, other))
    return float((a - b).norm() / a.norm())


def _close(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.allclose(a, b, rtol=1e-3) for a, b in pairs)


def _on(model: nn.Module, image: Tensor) -> list[Tensor]:
    """Which ReLUs let the image through. On a copy, since looking moves BatchNorm's averages."""
    seen: list[Tensor] = []
    model = copy.deepcopy(model)
    for part in model.modules():
        if isinstance(part, nn.ReLU):
            part.register_forward_hook(lambda _part, _inputs, output: seen.append(output > 0))
    with torch.no_grad():
        model(image.unsqueeze(0))
    return seen
