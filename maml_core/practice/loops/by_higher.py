"""Inner loops with higher 0.2.1. Same arguments as in `plain`.

Shapes: support and query are Batch(x (N, 1), y (N, 1)).
"""

# Written as people write it:
# ruff: noqa: B905
# pyright: reportArgumentType=false, reportCallIssue=false

import higher
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from maml_core.meta.tasks import Batch


def higher_maml(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_by_default(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_untracked(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    options = {"copy_initial_weights": False, "track_higher_grads": False}
    with higher.innerloop_ctx(model, inner, **options) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_with_callback(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            loss = mse_loss(fmodel(support.x), support.y)
            diffopt.step(loss, grad_callback=lambda grads: [g.detach() for g in grads])
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_at_phi(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        grads = torch.autograd.grad(query_loss, list(fmodel.parameters()))
    for p, g in zip(model.parameters(), grads):
        p.grad = g
    return query_loss


def higher_at_theta(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        grads = torch.autograd.grad(query_loss, list(fmodel.parameters(time=0)))
    for p, g in zip(model.parameters(), grads):
        p.grad = g
    return query_loss


def higher_with_adam(model: nn.Module, support: Batch, query: Batch, alpha: float, steps: int) -> Tensor:
    inner = torch.optim.Adam(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss
