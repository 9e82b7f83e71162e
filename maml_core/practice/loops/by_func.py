"""Inner loops with torchopt and torch.func.

Same arguments as in `plain`. Shapes: support and query are Batch(x (N, 1), y (N, 1)).
"""

import torch
import torchopt
from torch.func import functional_call
from torch.nn.functional import mse_loss


def torchopt_maml(model, support, query, alpha, steps):
    inner = torchopt.MetaSGD(model, lr=alpha)
    for _ in range(steps):
        inner.step(mse_loss(model(support.x), support.y))
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    return query_loss


def torchopt_stopped(model, support, query, alpha, steps):
    inner = torchopt.MetaSGD(model, lr=alpha)
    for _ in range(steps):
        inner.step(mse_loss(model(support.x), support.y))
        torchopt.stop_gradient(model)
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    return query_loss


def func_maml(model, support, query, alpha, steps):
    def loss(params, batch):
        return mse_loss(functional_call(model, params, batch.x), batch.y)

    def meta_loss(phi):
        for _ in range(steps):
            grads = torch.func.grad(loss)(phi, support)
            phi = {name: p - alpha * grads[name] for name, p in phi.items()}
        return loss(phi, query)

    theta = {name: p.detach() for name, p in model.named_parameters()}
    meta_gradient, query_loss = torch.func.grad_and_value(meta_loss)(theta)
    for name, p in model.named_parameters():
        p.grad = meta_gradient[name]
    return query_loss


def func_detached(model, support, query, alpha, steps):
    def loss(params, batch):
        return mse_loss(functional_call(model, params, batch.x), batch.y)

    def meta_loss(phi):
        for _ in range(steps):
            grads = torch.func.grad(loss)(phi, support)
            phi = {name: (p - alpha * grads[name]).detach() for name, p in phi.items()}
        return loss(phi, query)

    theta = {name: p.detach() for name, p in model.named_parameters()}
    meta_gradient, query_loss = torch.func.grad_and_value(meta_loss)(theta)
    for name, p in model.named_parameters():
        p.grad = meta_gradient[name]
    return query_loss


def func_forward_mode(model, support, query, alpha, steps):
    def loss(params, batch):
        return mse_loss(functional_call(model, params, batch.x), batch.y)

    def meta_loss(phi):
        for _ in range(steps):
            grads = torch.func.grad(loss)(phi, support)
            phi = {name: p - alpha * grads[name] for name, p in phi.items()}
        return loss(phi, query)

    theta = {name: p.detach() for name, p in model.named_parameters()}
    meta_gradient = torch.func.jacfwd(meta_loss)(theta)  # vmap of jvp
    for name, p in model.named_parameters():
        p.grad = meta_gradient[name]
    return meta_loss(theta)


def func_forward_mode_written_out(model, support, query, alpha, steps):
    def loss(params, batch):
        return (functional_call(model, params, batch.x) - batch.y).square().mean()

    def meta_loss(phi):
        for _ in range(steps):
            grads = torch.func.grad(loss)(phi, support)
            phi = {name: p - alpha * grads[name] for name, p in phi.items()}
        return loss(phi, query)

    theta = {name: p.detach() for name, p in model.named_parameters()}
    meta_gradient = torch.func.jacfwd(meta_loss)(theta)  # vmap of jvp
    for name, p in model.named_parameters():
        p.grad = meta_gradient[name]
    return meta_loss(theta)
