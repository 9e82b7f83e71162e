"""What a reader can do to one tensor in the middle of a program, as code and as the same in PyTorch."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor


class StopGradient(torch.autograd.Function):
    """The identity forward, zero backward: `stop_gradient` as JAX defines it. PyTorch has none of its own.

    https://docs.jax.dev/en/latest/_autosummary/jax.lax.stop_gradient.html
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # noqa: ANN401
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        return torch.zeros_like(gradients[0])


def clone(tensor: Tensor) -> Tensor:
    return tensor.clone()


def detach(tensor: Tensor) -> Tensor:
    return tensor.detach()


def clone_detach(tensor: Tensor) -> Tensor:
    return tensor.clone().detach()


def deepcopy(tensor: Tensor) -> Tensor:
    return copy.deepcopy(tensor)


def data(tensor: Tensor) -> Tensor:
    return tensor.data


def add_(tensor: Tensor) -> Tensor:
    return tensor.add_(1)


def requires_grad_(tensor: Tensor) -> Tensor:
    return tensor.requires_grad_(False)


def stop_gradient(tensor: Tensor) -> Tensor:
    result = StopGradient.apply(tensor)
    assert isinstance(result, Tensor)
    return result


class Operation(NamedTuple):
    """`written`: the call, with {} for the tensor. `in_place`: it changes its tensor, and is a line of its own."""

    written: str
    apply: Callable[[Tensor], Tensor]
    in_place: bool = False

    def code(self, target: str) -> tuple[str, str]:
        """What stands left of the call, and the call."""
        return "" if self.in_place else f"{target} = ", self.written.format(target)


# By the name a reader knows them by.
OPERATIONS = {
    "clone()": Operation("{}.clone()", clone),
    "detach()": Operation("{}.detach()", detach),
    "clone().detach()": Operation("{}.clone().detach()", clone_detach),
    "deepcopy()": Operation("copy.deepcopy({})", deepcopy),
    ".data": Operation("{}.data", data),
    "add_(1)": Operation("{}.add_(1)", add_, in_place=True),
    "requires_grad_(False)": Operation("{}.requires_grad_(False)", requires_grad_, in_place=True),
    "stop_gradient()": Operation("stop_gradient({})", stop_gradient),
}
