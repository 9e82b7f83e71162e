"""Layers with a memory, layers that throw dice, writes in place, and clones: small inner loops that are run to see.

Every case takes a network (θ and buffers) and one task, and gives the query loss after adaptation. `layers_tried`
runs it; the page shows its lines.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.autograd import grad
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy

from maml_core.practice.networks import Task

Params = Mapping[str, Tensor]


def loss_at(network: nn.Module, params: Params, x: Tensor, y: Tensor) -> Tensor:
    """The loss of the network with `params` in the place of its own."""
    return cross_entropy(functional_call(network, dict(params), (x,)), y)


def adapt(network: nn.Module, params: Params, task: Task) -> Params:
    """Two inner steps."""
    for _ in range(2):
        grads = grad(loss_at(network, params, task.x, task.y), tuple(params.values()), create_graph=True)
        params = {name: leaf - 0.1 * g for (name, leaf), g in zip(params.items(), grads, strict=True)}
    return params


def after(network: nn.Module, params: Params, task: Task) -> Tensor:
    """The query loss after adaptation."""
    return loss_at(network, adapt(network, params, task), task.query_x, task.query_y)


def in_training(network: nn.Module, task: Task) -> Tensor:
    network.train()
    return after(network, dict(network.named_parameters()), task)


def in_evaluation(network: nn.Module, task: Task) -> Tensor:
    network.eval()
    return after(network, dict(network.named_parameters()), task)


def train_then_evaluate(network: nn.Module, task: Task) -> Tensor:
    phi = adapt(network.train(), dict(network.named_parameters()), task)
    return loss_at(network.eval(), phi, task.query_x, task.query_y)


def under_vmap(network: nn.Module, task: Task) -> Tensor:
    network.train()
    x, y, query_x, query_y = (torch.stack([part, part]) for part in task)  # two tasks side by side
    phi = {name: leaf.expand(2, *leaf.shape) for name, leaf in network.named_parameters()}
    losses = vmap(partial(loss_at, network))
    for _ in range(2):
        grads = grad(losses(phi, x, y).sum(), tuple(phi.values()), create_graph=True)
        phi = {name: leaf - 0.1 * g for (name, leaf), g in zip(phi.items(), grads, strict=True)}
    return losses(phi, query_x, query_y).mean()


def without_statistics(network: nn.Sequential, task: Task) -> Tensor:
    network[1] = nn.BatchNorm1d(16, affine=False, track_running_stats=False)
    return under_vmap(network, task)


def with_a_seed(network: nn.Module, task: Task) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return in_training(network, task)


def nothing_copied(network: nn.Module, task: Task) -> Tensor:
    return after(network, dict(network.named_parameters()), task)


def cloned(network: nn.Module, task: Task) -> Tensor:
    return after(network, {name: leaf.clone() for name, leaf in network.named_parameters()}, task)


def detached(network: nn.Module, task: Task) -> Tensor:
    copies = {name: leaf.detach().clone().requires_grad_() for name, leaf in network.named_parameters()}
    return after(network, copies, task)


def leaf_in_place(network: nn.Module, task: Task) -> Tensor:
    phi = dict(network.named_parameters())
    grads = grad(loss_at(network, phi, task.x, task.y), tuple(phi.values()), create_graph=True)
    for leaf, g in zip(phi.values(), grads, strict=True):
        leaf.sub_(0.1 * g)
    return loss_at(network, phi, task.query_x, task.query_y)


def leaf_without_grad(network: nn.Module, task: Task) -> Tensor:
    phi = dict(network.named_parameters())
    grads = grad(loss_at(network, phi, task.x, task.y), tuple(phi.values()), create_graph=True)
    with torch.no_grad():
        for leaf, g in zip(phi.values(), grads, strict=True):
            leaf.sub_(0.1 * g)
    return loss_at(network, phi, task.query_x, task.query_y)


def clone_in_place(network: nn.Module, task: Task) -> Tensor:
    phi = {name: leaf.clone() for name, leaf in network.named_parameters()}
    grads = grad(loss_at(network, phi, task.x, task.y), tuple(phi.values()), create_graph=True)
    for leaf, g in zip(phi.values(), grads, strict=True):
        leaf.sub_(0.1 * g)
    return loss_at(network, phi, task.query_x, task.query_y)


def clone_data_in_place(network: nn.Module, task: Task) -> Tensor:
    phi = {name: leaf.clone() for name, leaf in network.named_parameters()}
    grads = grad(loss_at(network, phi, task.x, task.y), tuple(phi.values()), create_graph=True)
    for leaf, g in zip(phi.values(), grads, strict=True):
        leaf.data.sub_(0.1 * g)
    return loss_at(network, phi, task.query_x, task.query_y)


def activation_in_place(network: nn.Sequential, task: Task) -> Tensor:
    network[1] = nn.ReLU(inplace=True)
    return after(network, dict(network.named_parameters()), task)


def input_in_place(network: nn.Module, task: Task) -> Tensor:
    task.x.add_(1.0)
    return after(network, dict(network.named_parameters()), task)
