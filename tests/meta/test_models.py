"""The batched MLP is the network that PyTorch would build, and starts as the papers say."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from maml_core.meta.models import ACTIVATIONS, mlp, mlp_forward, mlp_loss, mlp_shapes
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import tile

LAYERS = {"relu": nn.ReLU, "tanh": nn.Tanh}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.sampled_from(sorted(ACTIVATIONS)))
def test_it_is_the_sequential_module_with_the_same_weights(sizes, activation):
    theta = mlp(tuple(sizes), seed=1, initialisation="he", dtype=torch.float64)
    layers = []
    for width_in, width_out in pairwise(sizes):
        layers += [nn.Linear(width_in, width_out), LAYERS[activation]()]
    module = nn.Sequential(*layers[:-1]).double()
    module.load_state_dict(theta)
    x = torch.linspace(-2, 2, 3 * 4 * sizes[0], dtype=torch.float64).view(3, 4, sizes[0])
    assert_close(mlp_forward(theta, x, activation=ACTIVATIONS[activation]), module(x))


def test_one_copy_of_theta_per_task_changes_nothing(relu_loss, network, sines):
    assert_close(relu_loss(network, sines.query), relu_loss(tile(network, 4), sines.query))


def test_every_task_is_served_by_its_own_phi(relu_loss, network, sines):
    phi = {name: torch.stack([leaf * (i + 1) for i in range(4)]) for name, leaf in network.items()}
    together = relu_loss(phi, sines.query)
    for i in range(4):
        alone = relu_loss({name: leaf[i] for name, leaf in phi.items()}, Batch(*(t[i : i + 1] for t in sines.query)))
        assert_close(together[i : i + 1], alone)


def test_layers_are_taken_in_order_whatever_the_order_of_the_dict(network, sines):
    deep = mlp((1, 2, 2, 2, 2, 2, 2, 1), seed=0, initialisation="he", dtype=torch.float64)
    shuffled = {name: deep[name] for name in sorted(deep)}
    assert list(shuffled) != list(deep)
    assert torch.equal(mlp_forward(deep, sines.query.x), mlp_forward(shuffled, sines.query.x))


def test_the_loss_is_the_mean_squared_error_of_each_task(network, sines):
    prediction = mlp_forward(network, sines.query.x)
    expected = torch.stack([nn.functional.mse_loss(prediction[i], sines.query.y[i]) for i in range(4)])
    assert_close(mlp_loss(network, sines.query), expected)


@pytest.mark.parametrize(("name", "scale"), [("paper", 0.01), ("he", math.sqrt(2 / 200))])
def test_weights_start_normal_and_cut_at_two_standard_deviations(name, scale):
    theta = mlp((1, 200, 200, 1), seed=2, initialisation=name, dtype=torch.float64)
    weight = theta["2.weight"] / scale
    assert weight.abs().max() <= 2
    assert weight.abs().max() > 1.99
    # a normal variable cut at ± 2 has variance 1 − 4φ(2) / (2Φ(2) − 1) = 0.7737
    assert weight.var().item() == pytest.approx(0.7737, abs=0.02)
    assert abs(weight.mean().item()) < 0.02


def test_biases_start_at_zero_and_the_paper_s_network_has_1761_weights():
    theta = mlp(seed=0)
    assert sum(leaf.numel() for leaf in theta.values()) == 1761
    assert all((leaf == 0).all() for name, leaf in theta.items() if name.endswith("bias"))


def test_another_seed_is_another_network_and_the_same_seed_the_same():
    first, again, other = mlp(seed=0), mlp(seed=0), mlp(seed=1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not (first["2.weight"] == other["2.weight"]).any()


def test_no_two_layers_share_their_draws():
    theta = mlp((40, 40, 40), seed=0)
    assert not (theta["0.weight"] == theta["2.weight"]).any()


@pytest.mark.parametrize("sizes", [(), (1,), (1, 0, 1)])
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(ValueError, match="at least two sizes"):
        mlp_shapes(sizes)


def test_an_unknown_initialisation_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="one of paper, he, not 'xavier'"):
        mlp(seed=0, initialisation="xavier")


def test_many_phi_may_share_one_set_of_examples(relu_loss, network, sines):
    """As a picture of the loss wants it: a grid of φ on one task."""
    grid = {name: torch.stack([leaf * scale for scale in (0.5, 1, 2)]) for name, leaf in network.items()}
    one = Batch(sines.query.x[:1], sines.query.y[:1])
    expected = [relu_loss({name: leaf[i] for name, leaf in grid.items()}, one) for i in range(3)]
    assert_close(relu_loss(grid, one), torch.cat(expected))
