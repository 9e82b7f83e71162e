"""What every row of the table promises. Entering the table is being tested."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.models import mlp, mlp_loss
from maml_core.meta.tasks import sinusoids
from maml_core.meta.trees import add_scaled, dot

every_algorithm = pytest.mark.parametrize("row", ALGORITHMS.values(), ids=ALGORITHMS)


def run(row, loss, theta, tasks):
    return row.function(loss, theta, tasks, inner_lr=row.inner_lr, inner_steps=row.inner_steps)


@every_algorithm
def test_it_cites_its_equation_its_paper_and_its_cost(row):
    for sign in ("$$", "https://arxiv.org/abs/", "Cost: ", "Raises ValueError"):
        assert sign in " ".join(row.function.__doc__.split())


@every_algorithm
def test_it_changes_nothing_that_it_was_given(row, relu_loss, network, sines):
    before = {name: leaf.clone() for name, leaf in network.items()}
    points = [tensor.clone() for tensor in (*sines.support, *sines.query)]
    run(row, relu_loss, network, sines)
    assert all(torch.equal(network[name], leaf) for name, leaf in before.items())
    assert not any(leaf.requires_grad or leaf.grad is not None for leaf in network.values())
    assert all(torch.equal(*pair) for pair in zip((*sines.support, *sines.query), points, strict=True))


@every_algorithm
def test_it_gives_the_same_bits_twice(row, relu_loss, network, sines):
    first, second = (run(row, relu_loss, network, sines) for _ in range(2))
    assert all(torch.equal(first.grads[name], second.grads[name]) for name in network)


@every_algorithm
def test_it_returns_plain_numbers(row, relu_loss, network, sines):
    found = run(row, relu_loss, network, sines)
    tensors = [*found.grads.values(), found.query_loss, found.diverged, *found.info.values()]
    assert not any(tensor.requires_grad for tensor in tensors)


@every_algorithm
def test_its_gradient_points_uphill_at_a_small_inner_rate(row, relu_loss, network, sines):
    """A short step against it lowers the query loss that it reports. At a large rate FOMAML's need not."""
    careful = replace(row, inner_lr=row.inner_lr / 10)
    found = run(careful, relu_loss, network, sines)
    lower = run(careful, relu_loss, add_scaled(network, -1e-4, found.grads), sines)
    assert lower.query_loss.mean() < found.query_loss.mean()


def direction(theta, number):
    noise = torch.Generator().manual_seed(number)
    return {name: torch.randn(leaf.shape, generator=noise, dtype=leaf.dtype) for name, leaf in theta.items()}


def central_difference(at, theta, v):
    """The slope of `at`'s first result at θ along v."""
    ahead, behind = (at(add_scaled(theta, step, v))[0] for step in (1e-5, -1e-5))
    return (ahead - behind) / 2e-5


@pytest.mark.parametrize("name", ["maml", "anil", "boil", "meta-sgd"])
def test_its_slope_along_a_random_direction_is_that_of_the_meta_loss(name, smooth_loss, network, sines):
    def at(theta):
        found = ALGORITHMS[name].function(smooth_loss, theta, sines, inner_lr=0.05, inner_steps=3)
        return found.query_loss.mean(), found.grads

    for number in range(3):
        v = direction(network, number)
        slope = central_difference(at, network, v)
        assert_close(dot(at(network)[1], v), slope, rtol=1e-7, atol=1e-9)


def test_the_slope_of_imaml_is_that_of_the_meta_loss_at_the_proximal_point(smooth_loss, network, sines):
    def at(theta):
        rates = {"inner_lr": 0.03, "inner_steps": 1200, "pull": 3.0, "cg_steps": 60}
        found = ALGORITHMS["imaml"].function(smooth_loss, theta, sines, **rates)
        assert found.info["inner_residual"].max() < 1e-9
        return found.query_loss.mean(), found.grads

    v = direction(network, 0)
    slope = central_difference(at, network, v)
    assert_close(dot(at(network)[1], v), slope, rtol=1e-6, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(*[st.integers(1, 4)] * 4, st.lists(st.integers(1, 5), max_size=2), st.integers(0, 3))
def test_any_shape_of_network_and_tasks_is_served(meta_batch, shots, query_shots, seed, hidden, steps):
    theta = mlp((1, *hidden, 1), seed=seed, initialisation="he")
    tasks = sinusoids(meta_batch, shots, seed=seed, query_shots=query_shots)
    for row in ALGORITHMS.values():
        found = row.function(mlp_loss, theta, tasks, inner_lr=0.001, inner_steps=steps)
        assert {n: g.shape for n, g in found.grads.items()} == {n: p.shape for n, p in theta.items()}
        assert found.query_loss.shape == found.diverged.shape == (meta_batch,)
        assert all(value.shape == (meta_batch,) for value in found.info.values())
        assert all(g.isfinite().all() for g in found.grads.values())
