"""Inner loops with torch alone. Each gets a fresh model, leaves what it found in p.grad, and returns the query loss.

Shapes: support and query are Batch(x (N, 1), y (N, 1)); alpha is the inner rate, steps the number of inner steps.
The first is MAML. Every other one differs from it by a line or two, and was seen in somebody's repository.
"""

import torch
from torch.func import functional_call
from torch.nn.functional import mse_loss


def plain_maml(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def no_create_graph(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()))
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def retain_graph(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), retain_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def detached_gradients(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: p - alpha * g.detach() for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def detaching_hook(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        hooks = [p.register_hook(lambda g: g.detach().clamp(-10, 10)) for p in phi.values()]
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        [hook.remove() for hook in hooks]
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def detached_phi(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: (p - alpha * g).detach() for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def new_leaves(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: (p - alpha * g).detach().requires_grad_() for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def no_grad_update(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        with torch.no_grad():
            phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def starts_again(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(model(support.x), support.y)
        grads = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(model.named_parameters(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def support_as_query(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, support.x), support.y)
    query_loss.backward()
    return query_loss


def predicted_too_early(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    prediction = functional_call(model, phi, query.x)
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(prediction, query.y)
    query_loss.backward()
    return query_loss
