"""The honest iMAML lab against a dense solve, a finite difference of the minimum itself, and its own promises."""

import math

import pytest
import torch

from maml_core.meta.curvature import hessian
from maml_core.meta.implicit import (
    CG_STEPS,
    SIZES,
    STOPS,
    TASKS,
    descent,
    implicit,
    lab,
    newton,
    residual,
    smooth_loss,
)
from maml_core.meta.models import mlp
from maml_core.meta.starts import problem
from maml_core.meta.trees import add_scaled, flatten, grad, leaves, tile, unflatten

PULL, SEED = 10.0, 1


@pytest.fixture(scope="module")
def setting():
    """θ, tasks, φ's start, and the proximal minimum."""
    theta = mlp(SIZES, seed=SEED, initialisation="he", dtype=torch.float64)
    tasks = problem("he", seed=SEED, tasks=TASKS).tasks
    start = tile(theta, TASKS)
    return theta, tasks, start, minimum(start, tasks)


def minimum(start, tasks):
    return newton(smooth_loss, descent(smooth_loss, start, tasks.support, PULL)[-1], start, tasks.support, PULL)


def test_the_minimum_is_one(setting):
    _, tasks, start, phi = setting
    assert residual(smooth_loss, phi, start, tasks.support, PULL) < 1e-12
    assert residual(smooth_loss, start, start, tasks.support, PULL) == pytest.approx(1)


def test_the_exact_gradient_is_the_dense_solution(setting):
    _, tasks, _, phi = setting
    h = hessian(smooth_loss, phi, tasks.support)
    at = leaves(phi)
    b = flatten(grad(smooth_loss(at, tasks.query).sum(), at), batched=True)
    dense = torch.linalg.solve(torch.eye(h.shape[-1], dtype=torch.float64) + h / PULL, b).mean(0)
    found = implicit(smooth_loss, phi, tasks, PULL, (80,))[0]
    torch.testing.assert_close(found.vector, dense, rtol=1e-10, atol=1e-12)
    assert found.residual < 1e-12


def test_it_is_the_derivative_of_the_query_loss_at_the_minimum(setting):
    theta, tasks, _, phi = setting
    exact = implicit(smooth_loss, phi, tasks, PULL, (80,))[0].vector
    direction, step = exact / exact.norm(), 1e-4

    def height(side):
        start = tile(add_scaled(theta, side * step, unflatten(direction, theta)), TASKS)
        end = newton(smooth_loss, phi, start, tasks.support, PULL)
        return float(smooth_loss(end, tasks.query).mean())

    slope = (height(1) - height(-1)) / (2 * step)
    assert slope == pytest.approx(float(exact.norm()), rel=1e-6)


def test_both_efforts_bring_it_closer_and_neither_alone_does():
    found = lab(PULL, seed=SEED)
    assert found.solved
    assert tuple(stop.steps for stop in found.stops) == STOPS
    last = found.stops[-1]
    assert last.degrees[-1] < 1e-3 < 1 < last.degrees[0]  # few CG steps: the solve is to blame
    assert found.stops[0].degrees[-1] > 10  # few inner steps: the point is
    assert [stop.residual for stop in found.stops] == sorted((stop.residual for stop in found.stops), reverse=True)
    assert last.residual_relu > 100 * last.residual  # kinks
    assert list(last.solver_residuals) == sorted(last.solver_residuals, reverse=True)
    assert len(last.degrees) == len(CG_STEPS)
    assert last.to_maml > 10


def test_without_a_minimum_there_is_no_angle():
    found = lab(2.0, seed=2)
    assert not found.solved
    assert all(math.isnan(angle) for stop in found.stops for angle in stop.degrees)


def test_a_pull_that_does_not_pull_is_refused():
    with pytest.raises(ValueError, match="pull"):
        lab(0.0, seed=1)
