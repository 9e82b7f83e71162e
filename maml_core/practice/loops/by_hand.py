"""Inner loops with Hessian-vector products by hand, and with learn2learn's pattern re-created.

learn2learn 0.2.0 does not build on Python 3.11, so `clone_module` and `adapt` say again, in our words, what its MAML
class does. Same arguments as in `plain`. Shapes: support and query are Batch(x (N, 1), y (N, 1)).
"""

import copy

import torch
from torch.func import functional_call
from torch.nn.functional import mse_loss


def gradient(model, phi, batch, create_graph=False):
    loss = mse_loss(functional_call(model, phi, batch.x), batch.y)
    return torch.autograd.grad(loss, list(phi.values()), create_graph=create_graph)


def products_forwards(model, support, query, alpha, steps):
    phi, stops = dict(model.named_parameters()), []
    for _ in range(steps):
        stops.append(phi)
        grads = gradient(model, phi, support)
        phi = {n: (p - alpha * g).detach().requires_grad_() for (n, p), g in zip(phi.items(), grads)}
    v = gradient(model, phi, query)
    for stop in stops:
        grads = gradient(model, stop, support, create_graph=True)
        hv = torch.autograd.grad(grads, list(stop.values()), grad_outputs=v)
        v = [one - alpha * other for one, other in zip(v, hv)]
    for p, g in zip(model.parameters(), v):
        p.grad = g
    return mse_loss(functional_call(model, phi, query.x), query.y)


def products_backwards(model, support, query, alpha, steps):
    phi, stops = dict(model.named_parameters()), []
    for _ in range(steps):
        stops.append(phi)
        grads = gradient(model, phi, support)
        phi = {n: (p - alpha * g).detach().requires_grad_() for (n, p), g in zip(phi.items(), grads)}
    v = gradient(model, phi, query)
    for stop in reversed(stops):
        grads = gradient(model, stop, support, create_graph=True)
        hv = torch.autograd.grad(grads, list(stop.values()), grad_outputs=v)
        v = [one - alpha * other for one, other in zip(v, hv)]
    for p, g in zip(model.parameters(), v):
        p.grad = g
    return mse_loss(functional_call(model, phi, query.x), query.y)


def clone_module(module):
    twin = copy.copy(module)
    twin._parameters = {name: p.clone() for name, p in module._parameters.items()}
    twin._modules = {name: clone_module(part) for name, part in module._modules.items()}
    return twin


def adapt(learner, loss, lr, first_order=False):
    parameters = list(learner.parameters())
    second_order = not first_order
    grads = iter(torch.autograd.grad(loss, parameters, retain_graph=second_order, create_graph=second_order))
    for part in learner.modules():
        part._parameters = {name: p - lr * next(grads) for name, p in part._parameters.items()}


def learn2learn_maml(model, support, query, alpha, steps):
    learner = clone_module(model)
    for _ in range(steps):
        adapt(learner, mse_loss(learner(support.x), support.y), lr=alpha)
    query_loss = mse_loss(learner(query.x), query.y)
    query_loss.backward()
    return query_loss


def learn2learn_first_order(model, support, query, alpha, steps):
    learner = clone_module(model)
    for _ in range(steps):
        adapt(learner, mse_loss(learner(support.x), support.y), lr=alpha, first_order=True)
    query_loss = mse_loss(learner(query.x), query.y)
    query_loss.backward()
    return query_loss


def learn2learn_model_asked(model, support, query, alpha, steps):
    learner = clone_module(model)
    for _ in range(steps):
        adapt(learner, mse_loss(learner(support.x), support.y), lr=alpha)
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    return query_loss
