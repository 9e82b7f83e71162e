"""Solvers against dense linear algebra, row by row."""

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.bowls import bowls
from maml_core.meta.solvers import conjugate_gradient, lanczos, ritz_values

SPECTRUM = (5.0, 3.0, 2.0, 1.0, 0.5, 0.1)


def dense(spectrum, tasks=3):
    return bowls(tasks, spectrum, seed=1).support.x


def operator(matrices):
    return lambda v: torch.einsum("tij,tj->ti", matrices, v)


@pytest.fixture
def b():
    return torch.linspace(-1, 2, 18, dtype=torch.float64).view(3, 6)


def test_conjugate_gradient_is_exact_after_n_steps(b):
    A = dense(SPECTRUM)
    found = conjugate_gradient(operator(A), b, steps=6)
    assert_close(found.x, torch.linalg.solve(A, b))
    assert (found.residual < 1e-9).all()


def test_conjugate_gradient_needs_one_step_per_distinct_eigenvalue(b):
    A = dense((4.0, 4.0, 4.0, 1.0, 1.0, 1.0))
    assert (conjugate_gradient(operator(A), b, steps=1).residual > 1e-3).all()
    assert_close(conjugate_gradient(operator(A), b, steps=2).x, torch.linalg.solve(A, b))


def test_the_residual_is_that_of_the_answer(b):
    A = dense(SPECTRUM)
    found = conjugate_gradient(operator(A), b, steps=3)
    left = b - operator(A)(found.x)
    assert_close(found.residual, left.norm(dim=-1) / b.norm(dim=-1))
    assert (found.residual > 1e-3).all()


def test_more_steps_than_needed_change_nothing_and_make_no_nan(b):
    A = dense(SPECTRUM)
    assert_close(conjugate_gradient(operator(A), b, steps=40).x, torch.linalg.solve(A, b))


def test_a_row_of_zeros_is_solved_by_zeros(b):
    b = b.clone()
    b[1] = 0
    found = conjugate_gradient(operator(dense(SPECTRUM)), b, steps=4)
    assert (found.x[1] == 0).all()
    assert found.residual[1] == 0


def test_without_positive_curvature_the_residual_says_so(b):
    found = conjugate_gradient(operator(-dense(SPECTRUM)), b, steps=6)
    assert (found.x == 0).all()
    assert (found.residual == 1).all()


def test_lanczos_keeps_all_eigenvalues_when_it_may_take_n_steps(b):
    found = ritz_values(operator(dense(SPECTRUM)), b, steps=10)
    assert_close(found, torch.tensor(sorted(SPECTRUM), dtype=torch.float64).expand(3, -1))


def test_lanczos_finds_the_outermost_eigenvalues_first():
    spectrum = (-3.0, 20.0, *torch.linspace(0, 1, 38).tolist())
    found = ritz_values(operator(dense(spectrum)), torch.zeros(3, 40, dtype=torch.float64), steps=15)
    assert found.shape == (3, 15)
    assert_close(found[:, -1], torch.full((3,), 20.0, dtype=torch.float64))
    assert_close(found[:, 0], torch.full((3,), -3.0, dtype=torch.float64))


def test_lanczos_leaves_a_space_that_closes_early(b):
    spectrum = (4.0, 4.0, 4.0, 1.0, 1.0, 1.0)
    found = ritz_values(operator(dense(spectrum)), b, steps=6)
    assert_close(found, torch.tensor(sorted(spectrum), dtype=torch.float64).expand(3, -1))


def test_the_zero_matrix_has_the_eigenvalue_zero_only(b):
    assert (ritz_values(torch.zeros_like, b, steps=6) == 0).all()


def test_lanczos_is_a_change_of_basis(b):
    """Its matrix has the trace of A when it is as large as A."""
    A = dense(SPECTRUM)
    diagonal, off = lanczos(operator(A), b, steps=6)
    assert off.shape == (3, 5)
    assert_close(diagonal.sum(-1), A.diagonal(dim1=-2, dim2=-1).sum(-1))
    assert_close((diagonal**2).sum(-1) + 2 * (off**2).sum(-1), (A**2).sum((-2, -1)))


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_a_row_that_is_not_finite_shows_it_and_spoils_no_other(b, broken):
    A = dense(SPECTRUM)
    A[1] = broken
    found = conjugate_gradient(operator(A), b, steps=6)
    assert found.x[1].isnan().all()
    assert found.residual[1].isnan()
    assert (found.residual[[0, 2]] < 1e-9).all()
    values = ritz_values(operator(A), b, steps=6)
    assert values[1].isnan().all()
    assert values[[0, 2]].isfinite().all()


def test_steps_after_the_last_digit_change_nothing():
    """The residual of a solved row shrinks until its square is no number any more; that must not show."""
    spectrum = torch.linspace(1, 30, 40, dtype=torch.float64)
    b = torch.ones(2, 40, dtype=torch.float64) * torch.tensor([[1.0], [1e-140]], dtype=torch.float64)
    found = conjugate_gradient(lambda v: spectrum * v, b, steps=400)
    torch.testing.assert_close(found.x[0], b[0] / spectrum, rtol=1e-12, atol=0)
    assert found.x.isfinite().all()
    assert found.residual.isfinite().all()
