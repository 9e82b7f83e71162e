"""Arithmetic on dicts of tensors is arithmetic on one long vector."""

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.trees import add_scaled, cosine, dot, flatten, grad, leaves, norm, tile, unflatten


@pytest.fixture
def x():
    return {"matrix": torch.arange(6.0).view(2, 3), "number": torch.tensor(7.0), "vector": torch.ones(4)}


@pytest.fixture
def y(x):
    return {name: torch.sin(leaf + 1) for name, leaf in x.items()}


def test_operations_are_those_of_the_flat_vectors(x, y):
    a, b = flatten(x), flatten(y)
    assert_close(flatten(add_scaled(x, -2.0, y)), a - 2 * b)
    assert_close(dot(x, y), a @ b)
    assert_close(norm(x), a.norm())
    assert_close(cosine(x, y), torch.cosine_similarity(a, b, dim=0))


def test_flattening_is_undone_by_unflattening(x):
    assert all(torch.equal(leaf, x[name]) for name, leaf in unflatten(flatten(x), x).items())


def test_a_task_axis_survives_both_ways(x):
    phi = {name: leaf + torch.arange(3).view(3, *[1] * (leaf.ndim - 1)) for name, leaf in tile(x, 3).items()}
    flat = flatten(phi, batched=True)
    assert flat.shape == (3, 11)
    assert torch.equal(flat[2], flatten({name: leaf[2] for name, leaf in phi.items()}))
    assert all(torch.equal(leaf, phi[name]) for name, leaf in unflatten(flat, phi).items())


def test_the_gradient_of_what_is_not_used_is_zero(x):
    theta = leaves(x)
    found = grad((theta["vector"] ** 2).sum(), theta)
    assert_close(found["vector"], 2 * x["vector"])
    assert (found["matrix"] == 0).all()
    assert found["number"] == 0


def test_the_gradient_of_a_constant_is_zero(x):
    assert flatten(grad(torch.tensor(3.0), leaves(x))).abs().sum() == 0


def test_a_gradient_of_all_copies_sums_into_theta(x):
    theta = leaves(x)
    phi = tile(theta, 5)
    total = sum(leaf.sum() for leaf in phi.values())
    assert all((g == 5).all() for g in grad(total, theta).values())


def test_leaves_share_no_history_with_the_caller(x):
    theta = leaves(x)
    assert all(leaf.is_leaf and leaf.requires_grad for leaf in theta.values())
    assert not any(leaf.requires_grad for leaf in x.values())
