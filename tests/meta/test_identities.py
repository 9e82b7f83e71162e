"""Theorems of the course: where two algorithms must agree on a real network, they agree to rounding."""

import pytest
from torch.testing import assert_close

from maml_core.meta.algorithms import (
    ALGORITHMS,
    anil,
    boil,
    fomaml,
    imaml,
    maml,
    meta_sgd,
    one_leap,
    reptile,
    truncated,
)
from maml_core.meta.inner import adapt, with_rates
from maml_core.meta.trees import detach, dot, grad, leaves, tile

ALPHA = 0.02


@pytest.fixture
def exact(relu_loss, network, sines):
    return lambda steps: maml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads


def plain_gradient(loss, theta, batch):
    theta = leaves(theta)
    return grad(loss(theta, batch).mean(), theta)


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - {"reptile", "one-leap", "imaml"}))
def test_without_inner_steps_it_is_the_plain_query_gradient(name, relu_loss, network, sines):
    actual = ALGORITHMS[name].function(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=0).grads
    assert_close(actual, plain_gradient(relu_loss, network, sines.query))


def test_reptile_with_one_step_is_the_support_gradient(relu_loss, network, sines):
    actual = reptile(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=1).grads
    assert_close(actual, plain_gradient(relu_loss, network, sines.support))


def test_reptile_without_inner_steps_stands_still(relu_loss, network, sines):
    actual = reptile(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=0).grads
    assert all((leaf == 0).all() for leaf in actual.values())


@pytest.mark.parametrize("steps", [1, 3])
def test_meta_sgd_with_constant_rates_is_maml_in_theta(exact, relu_loss, network, sines, steps):
    theta = with_rates(network, ALPHA)
    actual = meta_sgd(relu_loss, theta, sines, inner_lr=9.0, inner_steps=steps).grads
    assert_close({name: actual[name] for name in network}, exact(steps))


@pytest.mark.parametrize("steps", [1, 3])
def test_meta_sgd_without_rate_leaves_is_maml(exact, relu_loss, network, sines, steps):
    actual = meta_sgd(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads
    assert_close(actual, exact(steps))


@pytest.mark.parametrize("steps", [1, 3])
def test_anil_with_an_empty_body_is_maml(exact, relu_loss, network, sines, steps):
    actual = anil(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps, head=list(network)).grads
    assert_close(actual, exact(steps))


@pytest.mark.parametrize("steps", [1, 3])
def test_boil_with_an_empty_head_is_maml(exact, relu_loss, network, sines, steps):
    actual = boil(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps, head=[]).grads
    assert_close(actual, exact(steps))


def test_anil_with_an_empty_head_is_the_plain_gradient(relu_loss, network, sines):
    actual = anil(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=3, head=[]).grads
    assert_close(actual, plain_gradient(relu_loss, network, sines.query))


def test_imaml_with_an_infinite_pull_is_the_plain_gradient(relu_loss, network, sines):
    actual = imaml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=5, pull=1e10).grads
    assert_close(actual, plain_gradient(relu_loss, network, sines.query), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("steps", [1, 3])
def test_truncated_at_all_steps_is_maml(exact, relu_loss, network, sines, steps):
    actual = truncated(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps, last=steps).grads
    assert_close(actual, exact(steps))


@pytest.mark.parametrize("steps", [1, 3])
def test_truncated_at_none_is_fomaml(relu_loss, network, sines, steps):
    actual = truncated(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps, last=0).grads
    expected = fomaml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads
    assert_close(actual, expected)


def test_one_leap_of_one_step_at_the_inner_rate_is_maml(exact, relu_loss, network, sines):
    actual = one_leap(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=1, leap_lr=ALPHA).grads
    assert_close(actual, exact(1))


@pytest.mark.parametrize("steps", [1, 3])
def test_one_leap_of_length_zero_is_fomaml(relu_loss, network, sines, steps):
    actual = one_leap(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps, leap_lr=0.0).grads
    expected = fomaml(relu_loss, network, sines, inner_lr=ALPHA, inner_steps=steps).grads
    assert_close(actual, expected)


def test_maml_with_a_vanishing_rate_is_the_plain_gradient(relu_loss, network, sines):
    actual = maml(relu_loss, network, sines, inner_lr=0.0, inner_steps=4).grads
    assert_close(actual, plain_gradient(relu_loss, network, sines.query))


@pytest.mark.parametrize("row", ALGORITHMS.values(), ids=ALGORITHMS)
def test_tasks_do_not_interact(row, relu_loss, network, sines):
    """The batched meta-gradient is the mean of those of the tasks alone: a loop is its oracle."""
    rates = {"inner_lr": ALPHA, "inner_steps": 3}
    together = row.function(relu_loss, network, sines, **rates).grads
    alone = [row.function(relu_loss, network, one_task(sines, i), **rates).grads for i in range(4)]
    assert_close(together, {name: sum(g[name] for g in alone) / 4 for name in network})


def one_task(tasks, i):
    return tasks._replace(
        support=type(tasks.support)(*(t[i : i + 1] for t in tasks.support)),
        query=type(tasks.query)(*(t[i : i + 1] for t in tasks.query)),
    )


def test_stop_gradient_gives_the_same_gradient_from_a_dot_product(smooth_loss, network, sines):
    """∇_θ L_q(φ) = d/dθ ⟨φ, sg(∇L_q(φ))⟩, statement 19."""
    theta = leaves(network)
    phi = adapt(smooth_loss, tile(theta, 4), sines.support, lr=ALPHA, steps=3, create_graph=True)
    stopped = grad(smooth_loss(phi, sines.query).mean(), phi, retain_graph=True)
    expected = maml(smooth_loss, network, sines, inner_lr=ALPHA, inner_steps=3).grads
    assert_close(grad(dot(phi, detach(stopped)), theta), expected)
