"""∇(φ·sg(v)) = Jᵀv = ∇L_q(φ): three ways that share nothing but the two losses."""

import pytest
import torch

from maml_core.graphs.stopping import REST, TARGET, _query, _step, _support, identity

POINTS = [(3.0, 0.4), (-5.0, 1.0), (0.0, 0.0), (0.7, 0.05), (2.2, 0.9)]


@pytest.mark.parametrize(("x", "alpha"), POINTS)
def test_the_stopped_dot_product_has_the_meta_gradient(x, alpha):
    found = identity(x, alpha)
    assert found.difference < 1e-14
    assert len(found.ways) == 3
    for _, way in found.ways:
        assert way == pytest.approx(found.ways[0][1], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("x", "alpha"), POINTS)
def test_a_central_difference_of_the_query_loss_agrees(x, alpha):
    """Forward only: no autograd through the step."""

    def loss(theta):
        return float(_query(_step(theta.clone().requires_grad_(), alpha).detach()))

    theta, h = torch.tensor((x, *REST), dtype=torch.float64), 1e-5
    steps = torch.eye(3, dtype=torch.float64) * h
    slopes = [(loss(theta + step) - loss(theta - step)) / (2 * h) for step in steps]
    assert identity(x, alpha).ways[0][1] == pytest.approx(slopes, rel=1e-6, abs=1e-5)


def test_v_is_the_gradient_of_the_query_loss_by_hand():
    found = identity(3.0, 0.4)
    a, b, c = (p - t for p, t in zip(found.phi, TARGET, strict=True))
    assert found.v == pytest.approx((2 * a + b, 4 * b + a - c / 2, c - b / 2))


def test_phi_is_one_step_down_the_support_loss():
    x, alpha = 3.0, 0.4
    theta = torch.tensor((x, *REST), dtype=torch.float64)
    slopes = []
    for i in range(3):
        nudge = torch.zeros(3, dtype=torch.float64)
        nudge[i] = 1e-6
        slopes.append(float(_support(theta + nudge) - _support(theta - nudge)) / 2e-6)
    expected = [t - alpha * s for t, s in zip(theta.tolist(), slopes, strict=True)]
    assert identity(x, alpha).phi == pytest.approx(expected, rel=1e-7)


def test_without_the_stop_it_is_another_vector():
    found = identity(3.0, 0.4)
    assert found.without != pytest.approx(found.ways[0][1], rel=0.1)


def test_without_a_step_jacobian_is_the_identity():
    found = identity(1.3, 0.0)
    assert found.ways[1][1] == pytest.approx(found.v)
