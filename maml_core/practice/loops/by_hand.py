"""Inner loops with Hessian-vector products by hand, and with learn2learn's pattern re-created.

learn2learn 0.2.0 does not build on Python 3.11, so `clone_module` and `adapt` say again, in our words, what its MAML
class does. Same arguments as in `plain`. Shapes: support and query are Batch(x (N, 1), y (N, 1)).
"""

# Written as people write it:
# ruff: noqa: B905
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false, reportOptionalOperand=false

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import mse_loss

from maml_core.meta.tasks import Batch


def gradient(
    model: nn.Module, phi: dict[str, Tensor], batch: Batch, create_graph: bool = False
) -> tuple[Tensor, ...]:
    loss = mse_loss(functional_call(model, phi, batch.x), batch.y)
    return torch.autograd.grad(loss, list(phi.values()), create_graph=create_graph)


def products_forwards(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    phi, stops = dict(model.named_parameters()), []
    for _ in range(steps):
        stops.append(phi)
        grads = gradient(model, phi, support)
        phi = {name: (p - alpha * g).detach().requires_grad_() for (name, p), g in zip(phi.items(), grads)}
    v = gradient(model, phi, query)
    for stop in stops:
        grads = gradient(model, stop, support, create_graph=True)
        hv = torch.autograd.grad(grads, list(stop.values()), grad_outputs=v)
        v = [one - alpha * other for one, other in zip(v, hv)]
    for p, g in zip(model.parameters(), v):
        p.grad = g
    return mse_loss(functional_call(model, phi, query.x), query.y)


def products_backwards(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    phi, stops = dict(model.named_parameters()), []
    for _ in range(steps):
        stops.append(phi)
        grads = gradient(model, phi, support)
        phi = {name: (p - alpha * g).detach().requires_grad_() for (name, p), g in zip(phi.items(), grads)}
    v = gradient(model, phi, query)
    for stop in reversed(stops):
        grads = gradient(model, stop, support, create_graph=True)
        hv = torch.autograd.grad(grads, list(stop.values()), grad_outputs=v)
        v = [one - alpha * other for one, other in zip(v, hv)]
    for p, g in zip(model.parameters(), v):
        p.grad = g
    return mse_loss(functional_call(model, phi, query.x), query.y)


def clone_module(module: nn.Module) -> nn.Module:
    twin = copy.copy(module)
    twin._parameters = {name: p.clone() for name, p in module._parameters.items()}
    twin._modules = {name: clone_module(part) for name, part in module._modules.items()}
    return twin


def adapt(learner: nn.Module, loss: Tensor, lr: float, first_order: bool = False) -> None:
    parameters = list(learner.parameters())
    second_order = not first_order
    grads = iter(torch.autograd.grad(loss, parameters, retain_graph=second_order, create_graph=second_order))
    for part in learner.modules():
        part._parameters = {name: p - lr * next(grads) for name, p in part._parameters.items()}


def learn2learn_maml(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    learner = clone_module(model)
    for _ in range(steps):
        adapt(learner, mse_loss(learner(support.x), support.y), lr=alpha)
    query_loss = mse_loss(learner(query.x), query.y)
    query_loss.backward()
    return query_loss


def learn2learn_first_order(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    learner = clone_module(model)
    for _ in range(steps):
        adapt(learner, mse_loss(learner(support.x), support.y), lr=alpha, first_order=True)
    query_loss = mse_loss(learner(query.x), query.y)
    query_loss.backward()
    return query_loss


def learn2learn_model_asked(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    learner = clone_module(model)
    for _ in range(steps):
        adapt(learner, mse_loss(learner(support.x), support.y), lr=alpha)
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    return query_loss
