"""Other people's machinery, on the same weights and data, arrives at the same vectors."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, vmap
from torch.func import grad as func_grad
from torch.testing import assert_close

from maml_core.meta.algorithms import fomaml, maml, meta_sgd, reptile
from maml_core.meta.inner import with_rates
from maml_core.meta.modules import module_loss
from maml_core.meta.trees import Params

ALPHA, STEPS = 0.02, [1, 3]


@pytest.fixture
def module(network):
    net = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)).double()
    net.load_state_dict(network)
    return net


@pytest.fixture
def func_loss(module):
    """One task's mean squared error, as torch.func likes it."""
    return lambda params, x, y: nn.functional.mse_loss(functional_call(module, params, (x,)), y)


def assert_equal_gradients(actual: Params, expected: Params):
    assert_close(actual, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("steps", STEPS)
def test_maml_is_what_higher_computes(relu_loss, network, module, sines, steps):
    import higher

    optimiser = torch.optim.SGD(module.parameters(), lr=ALPHA)
    for i in range(4):
        options = {"copy_initial_weights": False, "track_higher_grads": True}
        with higher.innerloop_ctx(module, optimiser, **options) as (fast, inner):
            for _ in range(steps):
                inner.step(nn.functional.mse_loss(fast(sines.support.x[i]), sines.support.y[i]))
            (nn.functional.mse_loss(fast(sines.query.x[i]), sines.query.y[i]) / 4).backward()
    expected = {name: leaf.grad for name, leaf in module.named_parameters()}
    assert_equal_gradients(maml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads, expected)


def func_adapt(func_loss, params, x, y, rates, steps):
    for _ in range(steps):
        gradient = func_grad(func_loss)(params, x, y)
        params = {name: leaf - rates[name] * gradient[name] for name, leaf in params.items()}
    return params


@pytest.mark.parametrize("steps", STEPS)
def test_maml_is_what_torch_func_computes(relu_loss, func_loss, network, sines, steps):
    rates = dict.fromkeys(network, ALPHA)

    def meta_loss(theta):
        def query_loss(xs, ys, xq, yq):
            return func_loss(func_adapt(func_loss, theta, xs, ys, rates, steps), xq, yq)

        return vmap(query_loss)(*sines.support, *sines.query).mean()

    actual = maml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads
    assert_equal_gradients(actual, func_grad(meta_loss)(network))


@pytest.mark.parametrize("steps", STEPS)
def test_the_rates_of_meta_sgd_get_what_torch_func_computes(relu_loss, func_loss, network, sines, steps):
    def meta_loss(both):
        theta, rates = both

        def query_loss(xs, ys, xq, yq):
            return func_loss(func_adapt(func_loss, theta, xs, ys, rates, steps), xq, yq)

        return vmap(query_loss)(*sines.support, *sines.query).mean()

    theta = with_rates(network, ALPHA)
    weights, rates = func_grad(meta_loss)((network, {name: theta["lr." + name] for name in network}))
    actual = meta_sgd(relu_loss, theta, sines, inner_lr=0.0, inner_steps=steps).grads
    assert_equal_gradients(actual, weights | {"lr." + name: rates[name] for name in network})


@pytest.mark.parametrize("steps", STEPS)
def test_fomaml_and_reptile_are_what_a_loop_over_tasks_computes(relu_loss, func_loss, network, sines, steps):
    rates = dict.fromkeys(network, ALPHA)
    first_order, way_back = [], []
    for xs, ys, xq, yq in zip(*sines.support, *sines.query, strict=True):
        phi = func_adapt(func_loss, network, xs, ys, rates, steps)
        first_order.append(func_grad(func_loss)(phi, xq, yq))
        way_back.append({name: (leaf - phi[name]) / ALPHA for name, leaf in network.items()})
    for algorithm, expected in ((fomaml, first_order), (reptile, way_back)):
        actual = algorithm(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads
        assert_equal_gradients(actual, {n: sum(g[n] for g in expected) / 4 for n in network})


@pytest.mark.parametrize("steps", STEPS)
def test_a_module_gets_the_meta_gradient_of_the_same_mlp(relu_loss, network, module, sines, steps):
    loss = module_loss(module, nn.functional.mse_loss)
    actual = maml(loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads
    assert_equal_gradients(actual, maml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads)
