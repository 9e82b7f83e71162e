"""Two ways to descend, as the source times them: a loop by hand, and torch.optim.SGD in its variants.

Shapes: one image (1, 28, 28), one target distribution over the classes (5,), as in the source document 002.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from maml_core.practice.networks import OmniglotCNN, fill

LR = 0.4  # the source's
Loop = Callable[[nn.Module, Tensor, Tensor, int], None]


def by_hand(model: nn.Module, image: Tensor, target: Tensor, steps: int) -> None:
    """Gradient descent written out."""
    for _ in range(steps):
        loss = cross_entropy(model(image.unsqueeze(0)), target.unsqueeze(0))
        gradients = torch.autograd.grad(loss, tuple(model.parameters()))
        with torch.no_grad():
            for leaf, gradient in zip(model.parameters(), gradients, strict=True):
                leaf -= LR * gradient


def by_sgd(model: nn.Module, image: Tensor, target: Tensor, steps: int, **variant: bool) -> None:
    """The same with torch.optim.SGD, which is made anew every time, as an inner loop would."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, **variant)
    for _ in range(steps):
        optimizer.zero_grad()
        cross_entropy(model(image.unsqueeze(0)), target.unsqueeze(0)).backward()
        optimizer.step()


def by_foreach(model: nn.Module, image: Tensor, target: Tensor, steps: int) -> None:
    """One call for all parameters instead of one for each."""
    by_sgd(model, image, target, steps, foreach=True)


def by_fused(model: nn.Module, image: Tensor, target: Tensor, steps: int) -> None:
    """One kernel for all parameters."""
    by_sgd(model, image, target, steps, fused=True)


LOOPS: dict[str, Loop] = {"SGD": by_sgd, "by hand": by_hand, "SGD foreach": by_foreach, "SGD fused": by_fused}


def setting(seed: int = 1, *, size: int = 28, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, Tensor, Tensor]:
    """The OmniglotCNN, one image of noise, and the target: class 0."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, size, size, generator=generator)
    model = fill(OmniglotCNN(), seed=seed).to(dtype)
    return model, image.to(dtype), torch.eye(5, dtype=dtype)[0]
