"""Frozen leaves against the algorithms that freeze them."""

import math

import pytest

from maml_core.meta.algorithms import anil, boil
from maml_core.meta.freezing import COMPARED, frozen_leaves, label, moving_leaves
from maml_core.meta.inner import adapt
from maml_core.meta.models import mlp_loss
from maml_core.meta.shortcuts import Setting, problem_of
from maml_core.meta.trees import leaves, tile

SETTING = Setting(inner_steps=2)


@pytest.fixture(scope="module")
def found():
    return {(leaf.algorithm, leaf.name): leaf for leaf in frozen_leaves(SETTING, problem_of(SETTING))}


def test_every_leaf_is_there_three_times(found):
    assert len(found) == 18
    assert {algorithm for algorithm, _ in found} == set(COMPARED)
    assert sum(leaf.size for leaf in found.values() if leaf.algorithm == "anil") == 1761


def test_what_is_frozen_does_not_move_and_the_rest_does(found):
    for leaf in found.values():
        assert (leaf.moved == 0) == leaf.frozen
    frozen = {(leaf.algorithm, leaf.name) for leaf in found.values() if leaf.frozen}
    head = {"layer 3 weights", "layer 3 biases"}
    assert frozen == {("anil", name) for _, name in found if name not in head} | {("boil", name) for name in head}


@pytest.mark.parametrize(("algorithm", "name"), [(anil, "anil"), (boil, "boil")])
def test_its_meta_gradient_is_the_algorithms(found, algorithm, name):
    theta, tasks = problem_of(SETTING)
    grads = algorithm(mlp_loss, theta, tasks, inner_lr=SETTING.inner_lr, inner_steps=2).grads
    for leaf, gradient in grads.items():
        assert found[name, label(leaf)].gradient == pytest.approx(float(gradient.norm()), rel=1e-12)
        assert found[name, label(leaf)].gradient > 0  # frozen inside, taught outside


def test_mamls_leaves_move_as_its_inner_loop_does(found):
    theta, tasks = problem_of(SETTING)
    start = leaves(tile(theta, 10))
    phi = adapt(mlp_loss, start, tasks.support, lr=SETTING.inner_lr, steps=2, create_graph=False)
    far = (phi["2.weight"] - start["2.weight"]).detach().square().sum((1, 2)).sqrt().mean()
    assert found["maml", "layer 2 weights"].moved == pytest.approx(float(far), rel=1e-12)
    assert all(leaf.degrees == 0 for leaf in found.values() if leaf.algorithm == "maml")


def test_overflow_has_no_direction():
    setting = Setting(start="he", inner_steps=20, inner_lr=0.03)
    rows = frozen_leaves(setting, problem_of(setting))
    assert any(math.isnan(leaf.degrees) for leaf in rows)


def test_who_moves():
    theta = problem_of(SETTING).theta
    assert moving_leaves("maml", theta) == tuple(theta)
    assert set(moving_leaves("anil", theta)) | set(moving_leaves("boil", theta)) == set(theta)
