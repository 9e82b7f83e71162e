"""MAML for any nn.Module in seven attempts, from a sketch to code that works, each run and shown as it stands here.

The first retells the generic code of "Some notes from implementing model agnostic meta learning" (blog notes, January
2025) in this project's words, with its mistakes; its author warned that it might not run. Every later one changes a
line or two of an earlier one. An attempt gives the query loss of one task; θ is what the network holds.
"""
# The first attempts are wrong on purpose, and the readers see these functions without remarks for the linter:
# ruff: noqa: F821, B905
# pyright: reportUndefinedVariable=false, reportArgumentType=false, reportOperatorIssue=false, reportCallIssue=false

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from maml_core.practice.networks import Task


def own_params(network: nn.Module) -> dict[str, Tensor]:
    """What the sketch calls clones: the network's parameters by name."""
    return dict(network.named_parameters())


def holding(network: nn.Module, params: dict[str, Tensor]) -> nn.Module:
    """A copy of the network, with the values of `params` written into it."""
    twin = copy.deepcopy(network)
    for own, value in zip(twin.parameters(), params.values()):
        own.data.copy_(value.data)
    return twin


def calling(network: nn.Module, params: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """The network as a function of its input, with the tensors of `params` in the place of its own."""
    return lambda x: functional_call(network, params, (x,))


def as_sketched(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = holding
    params = phi = own_params(model)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, params, create_graph=True)
        phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)


def with_a_network(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = holding
    params = phi = own_params(network)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, params, create_graph=True)
        phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)


def with_unused(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = holding
    params = phi = own_params(network)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, params, create_graph=True, allow_unused=True)
        phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)


def with_values(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = holding
    params = phi = own_params(network)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, params, create_graph=True, allow_unused=True).values()
        phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)


def of_the_copy(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = holding
    params = phi = own_params(network)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, net.parameters(), create_graph=True)
        phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)


def functional(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = calling
    params = phi = own_params(network)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, params.values(), create_graph=True)
        phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)


def chained(network: nn.Module, task: Task, inner_lr: float, inner_steps: int) -> Tensor:
    network_with = calling
    params = phi = own_params(network)
    for _ in range(inner_steps):
        net = network_with(network, params)
        loss = cross_entropy(net(task.x), task.y)
        grads = torch.autograd.grad(loss, params.values(), create_graph=True)
        params = phi = {name: leaf - inner_lr * g for (name, leaf), g in zip(phi.items(), grads)}
    return cross_entropy(network_with(network, phi)(task.query_x), task.query_y)
