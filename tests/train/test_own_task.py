"""The reader's own points: what is refused, and that every learner does plain gradient descent on them."""

import math

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.inner import with_rates
from maml_core.meta.models import mlp_forward
from maml_core.train.config import Config
from maml_core.train.evaluate import from_scratch
from maml_core.train.own_task import adapt_to, own_points
from maml_core.train.starts import Start

CONFIG = Config(hidden=(20,), initialisation="he", inner_lr=0.01)
THETA = from_scratch(CONFIG, seed=3)
POINTS = [(-3.0, 1.0), (0.5, 2.0), (0.5, -1.0), (4.0, 0.0)]


def test_the_learner_descends_on_the_points_step_by_step():
    found = adapt_to(POINTS, {"mine": Start(CONFIG, THETA)}, steps=4)
    x, y = torch.tensor(POINTS).T.unsqueeze(-1)
    phi = {name: leaf.clone().requires_grad_() for name, leaf in THETA.items()}
    for curve, error in zip(found.learners["mine"].predictions, found.learners["mine"].errors, strict=True):
        loss = (mlp_forward(phi, x) - y).square().mean()
        assert error == pytest.approx(loss.item(), rel=1e-4)
        drawn = mlp_forward(phi, torch.tensor(found.x).unsqueeze(-1)).flatten().detach()
        assert_close(torch.tensor(curve), drawn, rtol=1e-4, atol=1e-5)
        moved = zip(phi.items(), torch.autograd.grad(loss, list(phi.values())), strict=True)
        phi = {name: (leaf - 0.01 * g).detach().requires_grad_() for (name, leaf), g in moved}
    assert found.points == tuple(POINTS)


def test_several_learners_see_the_same_points_at_their_own_rates():
    sgd = Start(Config("meta-sgd", hidden=(20,), inner_lr=0.01), with_rates(THETA, 0.01))
    slow = Start(Config(hidden=(20,), inner_lr=0.001), THETA)
    found = adapt_to(POINTS, {"plain": Start(CONFIG, THETA), "rates": sgd, "slow": slow}, steps=3).learners
    assert [found[name].inner_lr for name in found] == [0.01, None, 0.001]
    assert found["plain"].errors == pytest.approx(found["rates"].errors)
    assert found["plain"].errors[0] == found["slow"].errors[0]
    assert found["plain"].errors[3] < found["slow"].errors[3]


def test_the_curves_reach_as_far_as_the_points_and_at_least_across_the_family_s_range():
    near, far = (adapt_to([(x, 1.0)], {"mine": Start(CONFIG, THETA)}, steps=1) for x in (2.0, -8.0))
    assert (near.x[0], near.x[-1]) == (-5.0, 5.0)
    assert (far.x[0], far.x[-1]) == pytest.approx((-8.4, 8.4))
    assert len(far.learners["mine"].predictions[0]) == len(far.x)


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([], "A task needs from 1 to 50 points, not 0."),
        ([(k / 10, 0.0) for k in range(51)], "from 1 to 50 points, not 51"),
        ([(0.0, 0.0), (1.0, None)], "Point 2 needs a number for y."),
        ([(math.nan, 0.0)], "Point 1 needs a number for x."),
        ([(0.0, math.inf)], "Point 1 needs a number for y."),
        ([(11.0, 0.0)], "Point 1 has x = 11; it must lie from -10 to 10."),
        ([(0.0, -1e30)], "Point 1 has y = -1e"),
        ([(1.0, 2.0), (0.0, 0.0), (1.0, 2.0)], r"The point \(1, 2\) is there twice"),
    ],
)
def test_points_that_cannot_be_a_task_get_one_sentence(points, sentence):
    with pytest.raises(ValueError, match=sentence):
        own_points(points)


def test_one_point_and_fifty_points_are_tasks():
    assert own_points([(0.0, 1.0)]).x.shape == (1, 1, 1)
    assert own_points([(k / 10, 0.0) for k in range(50)]).y.shape == (1, 50, 1)
