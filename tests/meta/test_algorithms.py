"""The oracle is a family of bowls, L_i(φ) = ½ (φ - c_i)ᵀ A_i (φ - c_i): the Hessian is A_i everywhere,
so every meta-gradient of the course has an exact formula. After k steps at the rates D = diag(d),
φ - c = (I - D A)^k (θ - c): d is α for MAML, 0 for what an algorithm freezes, and learned for Meta-SGD.
"""

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.algorithms import (
    ALGORITHMS,
    anil,
    boil,
    fomaml,
    head_of,
    imaml,
    maml,
    meta_sgd,
    one_leap,
    reptile,
    truncated,
)
from maml_core.meta.bowls import bowl_loss, bowls
from maml_core.meta.inner import with_rates

ALPHA, BETA, PULL, N, T = 0.1, 0.04, 1.5, 5, 4
STEPS = [0, 1, 2, 5]


@pytest.fixture
def tasks():
    return bowls(T, (4.0, 2.0, 1.0, 0.3, 0.05), seed=0, query_spectrum=(3.0, 2.0, 1.5, 1.0, 0.5), gap=0.4)


@pytest.fixture
def theta():
    return {"point": torch.linspace(-1, 2, N, dtype=torch.float64)}


def jacobian(tasks, rates, steps):
    """∂φ/∂θ = (I - D A)^k, one matrix per task: (T, N, N)."""
    factor = torch.eye(N, dtype=torch.float64) - rates[:, None] * tasks.support.x
    return torch.linalg.matrix_power(factor, steps)


def apply(matrices, vectors):
    return torch.einsum("tij,tj->ti", matrices, vectors)


def solve(tasks, point, rates, steps):
    """The exact φ_i after `steps` steps, its Jacobian, and the query gradient there."""
    c, J = tasks.support.y.squeeze(-1), jacobian(tasks, rates, steps)
    phi = c + apply(J, point - c)
    return phi, J, apply(tasks.query.x, phi - tasks.query.y.squeeze(-1))


def constant(rate):
    return torch.full((N,), rate, dtype=torch.float64)


@pytest.mark.parametrize("steps", STEPS)
def test_maml_is_the_product_of_inner_jacobians(tasks, theta, steps):
    _, J, gradient = solve(tasks, theta["point"], constant(ALPHA), steps)
    actual = maml(bowl_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps)
    assert_close(actual.grads["point"], apply(J.mT, gradient).mean(0))


@pytest.mark.parametrize("steps", STEPS)
def test_the_query_loss_is_each_task_s_own_after_adaptation(tasks, theta, steps):
    phi, _, _ = solve(tasks, theta["point"], constant(ALPHA), steps)
    actual = maml(bowl_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps)
    assert_close(actual.query_loss, bowl_loss({"point": phi}, tasks.query))


@pytest.mark.parametrize("steps", STEPS)
def test_fomaml_is_the_query_gradient_at_phi(tasks, theta, steps):
    _, _, gradient = solve(tasks, theta["point"], constant(ALPHA), steps)
    actual = fomaml(bowl_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps)
    assert_close(actual.grads["point"], gradient.mean(0))


@pytest.mark.parametrize("last", [0, 1, 3, 5])
def test_truncated_is_the_product_of_the_last_inner_jacobians(tasks, theta, last):
    _, _, gradient = solve(tasks, theta["point"], constant(ALPHA), 5)
    expected = apply(jacobian(tasks, constant(ALPHA), last).mT, gradient).mean(0)
    actual = truncated(bowl_loss, theta, tasks, inner_lr=ALPHA, inner_steps=5, last=last)
    assert_close(actual.grads["point"], expected)


@pytest.mark.parametrize("steps", STEPS)
def test_reptile_is_the_way_back_over_the_rate(tasks, theta, steps):
    phi, _, _ = solve(tasks, theta["point"], constant(ALPHA), steps)
    actual = reptile(bowl_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps)
    assert_close(actual.grads["point"], (theta["point"] - phi).mean(0) / ALPHA)


@pytest.mark.parametrize("steps", STEPS)
def test_one_leap_is_one_inner_jacobian_whatever_the_number_of_steps(tasks, theta, steps):
    _, _, gradient = solve(tasks, theta["point"], constant(ALPHA), steps)
    expected = apply(jacobian(tasks, constant(BETA), 1).mT, gradient).mean(0)
    actual = one_leap(bowl_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps, leap_lr=BETA)
    assert_close(actual.grads["point"], expected)


@pytest.mark.parametrize("steps", STEPS)
def test_meta_sgd_scales_every_direction_by_its_own_rate(tasks, theta, steps):
    rates = torch.linspace(0.02, 0.2, N, dtype=torch.float64)
    _, J, gradient = solve(tasks, theta["point"], rates, steps)
    actual = meta_sgd(bowl_loss, theta | {"lr.point": rates}, tasks, inner_lr=ALPHA, inner_steps=steps)
    assert_close(actual.grads["point"], apply(J.mT, gradient).mean(0))


def test_meta_sgd_learns_a_rate_from_the_agreement_of_support_and_query(tasks, theta):
    _, _, query_gradient = solve(tasks, theta["point"], constant(ALPHA), 1)
    support_gradient = apply(tasks.support.x, theta["point"] - tasks.support.y.squeeze(-1))
    actual = meta_sgd(bowl_loss, with_rates(theta, ALPHA), tasks, inner_lr=ALPHA, inner_steps=1)
    assert_close(actual.grads["lr.point"], -(support_gradient * query_gradient).mean(0))


def split_bowl_loss(params, batch):
    return bowl_loss({"point": torch.cat([params["body.a"], params["head.b"]], dim=-1)}, batch)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize(("algorithm", "moving"), [(anil, [0, 0, 0, 1, 1]), (boil, [1, 1, 1, 0, 0])])
def test_anil_and_boil_step_in_their_own_part_and_differentiate_both(tasks, theta, algorithm, moving, steps):
    rates = ALPHA * torch.tensor(moving, dtype=torch.float64)
    _, J, gradient = solve(tasks, theta["point"], rates, steps)
    split = {"body.a": theta["point"][:3], "head.b": theta["point"][3:]}
    actual = algorithm(split_bowl_loss, split, tasks, inner_lr=ALPHA, inner_steps=steps).grads
    expected = apply(J.mT, gradient).mean(0)
    assert_close(actual, {"body.a": expected[:3], "head.b": expected[3:]})


def test_imaml_solves_the_proximal_problem_and_differentiates_its_solution(tasks, theta):
    A, c, eye = tasks.support.x, tasks.support.y.squeeze(-1), torch.eye(N, dtype=torch.float64)
    phi = torch.linalg.solve(A + PULL * eye, apply(A, c) + PULL * theta["point"])
    gradient = apply(tasks.query.x, phi - tasks.query.y.squeeze(-1))
    expected = torch.linalg.solve(eye + A / PULL, gradient).mean(0)
    options = {"pull": PULL, "cg_steps": N}
    actual = imaml(bowl_loss, theta, tasks, inner_lr=0.3, inner_steps=120, **options)
    assert_close(actual.grads["point"], expected)
    assert (actual.info["inner_residual"] < 1e-10).all()
    assert (actual.info["solver_residual"] < 1e-10).all()


def test_imaml_reports_the_residuals_that_it_left(tasks, theta):
    few = {"inner_lr": 0.05, "inner_steps": 3, "pull": PULL}
    rough = imaml(bowl_loss, theta, tasks, cg_steps=1, **few).info
    phi, A, c = theta["point"], tasks.support.x, tasks.support.y.squeeze(-1)
    for _ in range(3):
        left = apply(A, phi - c) + PULL * (phi - theta["point"])
        phi = phi - 0.05 / (1 + 0.05 * PULL) * left
    left = apply(A, phi - c) + PULL * (phi - theta["point"])
    assert_close(rough["inner_residual"], left.norm(dim=-1))
    better = imaml(bowl_loss, theta, tasks, cg_steps=3, **few).info
    assert (better["solver_residual"] < rough["solver_residual"]).all()


@pytest.mark.parametrize("row", ALGORITHMS.values(), ids=ALGORITHMS)
def test_a_diverged_task_is_flagged_and_the_others_are_not(tasks, theta, row):
    support = tasks.support._replace(x=tasks.support.x * torch.tensor([1, 1e9, 1, 1])[:, None, None])
    split = {"body.a": theta["point"][:3], "head.b": theta["point"][3:]}
    broken = tasks._replace(support=support)
    found = row.function(split_bowl_loss, split, broken, inner_lr=ALPHA, inner_steps=60)
    assert found.diverged.tolist() == [False, True, False, False]


def test_the_head_is_the_last_layer():
    names = ("features.0.weight", "features.0.bias", "out.weight", "out.bias")
    assert head_of(dict.fromkeys(names, torch.zeros(1))) == ("out.weight", "out.bias")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda *a: maml(*a, inner_lr=ALPHA, inner_steps=-1), "inner_steps must be 0 or more, not -1"),
        (lambda *a: reptile(*a, inner_lr=0.0, inner_steps=1), "must be positive, not 0.0"),
        (lambda *a: imaml(*a, inner_lr=ALPHA, inner_steps=1, pull=0.0), "pull .* must be positive"),
        (lambda *a: truncated(*a, inner_lr=ALPHA, inner_steps=1, last=-1), "last must be 0 or more"),
        (
            lambda *a: anil(*a, inner_lr=ALPHA, inner_steps=1, head=["tail"]),
            "no leaf 'tail' in θ; it has point",
        ),
        (
            lambda *a: boil(*a, inner_lr=ALPHA, inner_steps=1, head=["tail"]),
            "no leaf 'tail' in θ; it has point",
        ),
    ],
)
def test_bad_options_get_one_sentence(tasks, theta, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(bowl_loss, theta, tasks)
