"""Inner loops that copy the model, or adapt it in place. Same arguments as in `plain`.

Shapes: support and query are Batch(x (N, 1), y (N, 1)).
"""

import copy

import torch
from torch.func import functional_call
from torch.nn.functional import mse_loss


def clones_cut_off(model, support, query, alpha, steps):
    phi = {name: p.clone().detach().requires_grad_() for name, p in model.named_parameters()}
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def deepcopy_and_data(model, support, query, alpha, steps):
    fast = copy.deepcopy(model)
    for _ in range(steps):
        loss = mse_loss(fast(support.x), support.y)
        grads = torch.autograd.grad(loss, list(fast.parameters()), create_graph=True)
        for p, g in zip(fast.parameters(), grads):
            p.data.sub_(alpha * g.data)
    query_loss = mse_loss(fast(query.x), query.y)
    query_loss.backward()
    return query_loss


def sgd_on_a_copy(model, support, query, alpha, steps):
    fast = copy.deepcopy(model)
    inner = torch.optim.SGD(fast.parameters(), lr=alpha)
    for _ in range(steps):
        inner.zero_grad()
        mse_loss(fast(support.x), support.y).backward()
        inner.step()
    query_loss = mse_loss(fast(query.x), query.y)
    query_loss.backward()
    return query_loss


def sgd_without_zero_grad(model, support, query, alpha, steps):
    theta = copy.deepcopy(model.state_dict())
    inner = torch.optim.SGD(model.parameters(), lr=alpha)
    for _ in range(steps):
        inner.zero_grad()
        mse_loss(model(support.x), support.y).backward()
        inner.step()
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    model.load_state_dict(theta)
    return query_loss


def loaded_state(model, support, query, alpha, steps):
    theta = copy.deepcopy(model.state_dict())
    for _ in range(steps):
        loss = mse_loss(model(support.x), support.y)
        grads = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(model.named_parameters(), grads)}
        model.load_state_dict(phi)
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    model.load_state_dict(theta)
    return query_loss


def updated_in_place(model, support, query, alpha, steps):
    for _ in range(steps):
        loss = mse_loss(model(support.x), support.y)
        grads = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
        with torch.no_grad():
            for p, g in zip(model.parameters(), grads):
                p -= alpha * g
    query_loss = mse_loss(model(query.x), query.y)
    query_loss.backward()
    return query_loss


def backward_inside(model, support, query, alpha, steps):
    phi = {name: p.clone() for name, p in model.named_parameters()}
    for _ in range(steps):
        [p.retain_grad() for p in phi.values()]
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        loss.backward(retain_graph=True)
        phi = {name: p - alpha * p.grad for name, p in phi.items()}
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss


def eval_for_the_query(model, support, query, alpha, steps):
    phi = dict(model.named_parameters())
    for _ in range(steps):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
        phi = {n: p - alpha * g for (n, p), g in zip(phi.items(), grads)}
    model.eval()
    query_loss = mse_loss(functional_call(model, phi, query.x), query.y)
    query_loss.backward()
    return query_loss
