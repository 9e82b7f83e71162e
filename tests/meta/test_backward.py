"""Three ways, one vector; and their prices grow as the lesson says."""

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.algorithms import maml
from maml_core.meta.backward import WAYS, accumulated_jacobians, stored_iterates, unrolled
from maml_core.meta.models import mlp, mlp_loss
from maml_core.meta.tasks import sinusoids

ALPHA = 0.02
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@every_way
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_every_way_arrives_at_the_same_vector(way, steps, smooth_loss, network, sines):
    found = way(smooth_loss, network, sines, inner_lr=ALPHA, inner_steps=steps)
    expected = maml(smooth_loss, network, sines, inner_lr=ALPHA, inner_steps=steps)
    assert_close(found.grads, expected.grads, rtol=1e-12, atol=1e-14)
    assert_close(found.query_loss, expected.query_loss)


@every_way
def test_every_way_leaves_theta_alone_and_returns_plain_numbers(way, smooth_loss, network, sines):
    before = {name: leaf.clone() for name, leaf in network.items()}
    found = way(smooth_loss, network, sines, inner_lr=ALPHA, inner_steps=2)
    assert all(torch.equal(network[name], leaf) for name, leaf in before.items())
    assert not any(tensor.requires_grad for tensor in (*found.grads.values(), found.query_loss))
    assert found.cost.seconds > 0


@every_way
def test_a_negative_number_of_steps_is_refused(way, smooth_loss, network, sines):
    with pytest.raises(ValueError, match="inner_steps must be 0 or more, not -1"):
        way(smooth_loss, network, sines, inner_lr=ALPHA, inner_steps=-1)


@pytest.fixture(scope="module")
def prices():
    """Costs on the course's own network, one task of 10 points: per way, for 2, 4 and 6 steps."""
    theta, tasks = mlp(seed=0, initialisation="he"), sinusoids(1, 10, seed=0)

    def costs(way):
        return [way(mlp_loss, theta, tasks, inner_lr=ALPHA, inner_steps=k).cost for k in (2, 4, 6)]

    return {"unrolled": costs(unrolled), "iterates": costs(stored_iterates)}


def growth(costs, field):
    first, second, third = (getattr(cost, field) for cost in costs)
    assert second - first == third - second  # by a fixed amount per step
    return (second - first) / 2


def test_the_unrolled_graph_grows_by_the_same_nodes_and_bytes_each_step(prices):
    assert growth(prices["unrolled"], "nodes") > 0
    # a copy of the 40 x 40 matrix, and three activations of 10 points in 40 units
    assert growth(prices["unrolled"], "peak_bytes") > (1600 + 3 * 400) * 4


def test_stored_iterates_grow_by_one_copy_of_the_weights_each_step_and_by_no_node(prices):
    assert growth(prices["iterates"], "nodes") == 0
    assert growth(prices["iterates"], "peak_bytes") == 1761 * 4


def test_jacobians_do_not_grow_with_the_steps_but_with_the_square_of_the_weights():
    tasks = sinusoids(2, 5, seed=0)

    def cost(width, steps):
        theta = mlp((1, width, 1), seed=0, initialisation="he")
        return accumulated_jacobians(mlp_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps).cost

    assert cost(8, 2).peak_bytes == cost(8, 5).peak_bytes
    assert cost(8, 2).nodes == cost(8, 5).nodes
    n = 3 * 32 + 1
    assert cost(32, 2).peak_bytes >= 2 * 2 * n * n * 4  # the factor and the product, for two tasks


def test_nothing_is_held_when_all_is_over(smooth_loss, network, sines):
    """The peak of a second run equals that of the first: the meter starts empty and nothing leaks into it."""
    first, second = (unrolled(smooth_loss, network, sines, inner_lr=ALPHA, inner_steps=3).cost for _ in range(2))
    assert first[1:] == second[1:]
