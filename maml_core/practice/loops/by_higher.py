"""Inner loops with higher 0.2.1. Same arguments as in `plain`.

Shapes: support and query are Batch(x (N, 1), y (N, 1)).
"""

# pyright: reportArgumentType=false, reportCallIssue=false

import higher
import torch
from torch.nn.functional import mse_loss


def higher_maml(model, support, query, alpha, steps):
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_by_default(model, support, query, alpha, steps):
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_untracked(model, support, query, alpha, steps):
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    options = {"copy_initial_weights": False, "track_higher_grads": False}
    with higher.innerloop_ctx(model, inner, **options) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_with_callback(model, support, query, alpha, steps):
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            loss = mse_loss(fmodel(support.x), support.y)
            diffopt.step(loss, grad_callback=lambda grads: [g.detach() for g in grads])
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss


def higher_at_phi(model, support, query, alpha, steps):
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        grads = torch.autograd.grad(query_loss, list(fmodel.parameters()))
    for p, g in zip(model.parameters(), grads):
        p.grad = g
    return query_loss


def higher_at_theta(model, support, query, alpha, steps):
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        grads = torch.autograd.grad(query_loss, list(fmodel.parameters(time=0)))
    for p, g in zip(model.parameters(), grads):
        p.grad = g
    return query_loss


def higher_with_adam(model, support, query, alpha, steps):
    inner = torch.optim.Adam(model.parameters(), lr=alpha)
    with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
        for _ in range(steps):
            diffopt.step(mse_loss(fmodel(support.x), support.y))
        query_loss = mse_loss(fmodel(query.x), query.y)
        query_loss.backward()
    return query_loss
