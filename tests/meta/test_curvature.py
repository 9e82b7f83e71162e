"""Curvature on a network, against torch.func and differences, and on bowls, where it is known."""

import pytest
import torch
from torch.func import jacrev
from torch.testing import assert_close

from maml_core.meta import curvature
from maml_core.meta.algorithms import maml
from maml_core.meta.bowls import bowl_loss, bowls
from maml_core.meta.inner import adapt
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import detach, flatten, grad, leaves, tile, unflatten

ALPHA = 0.05


@pytest.fixture
def phi(network):
    """Four different points, one per task."""
    return {name: torch.stack([leaf + 0.1 * i for i in range(4)]) for name, leaf in network.items()}


def alone(batch, i):
    return Batch(*(tensor[i : i + 1] for tensor in batch))


def test_the_hessian_of_every_task_is_that_of_torch_func(smooth_loss, phi, sines):
    H = curvature.hessian(smooth_loss, phi, sines.support)
    for i in range(4):
        own = {name: leaf[i] for name, leaf in phi.items()}

        def flat_loss(vector, own=own, i=i):
            return smooth_loss(unflatten(vector, own), alone(sines.support, i)).sum()

        assert_close(H[i], jacrev(jacrev(flat_loss))(flatten(own)))


def test_a_hessian_vector_product_is_the_slope_of_the_gradient(smooth_loss, phi, sines):
    v = {name: torch.cos(3 * leaf) for name, leaf in phi.items()}

    def gradient(step):
        at = leaves({name: leaf + step * v[name] for name, leaf in phi.items()})
        return flatten(grad(smooth_loss(at, sines.support).sum(), at))

    actual = flatten(curvature.hvp(smooth_loss, phi, sines.support, v))
    assert_close(actual, (gradient(1e-5) - gradient(-1e-5)) / 2e-5, rtol=1e-6, atol=1e-8)


def test_the_matrix_and_the_products_agree(smooth_loss, phi, sines):
    v = torch.cos(torch.arange(4 * 97, dtype=torch.float64)).view(4, 97)
    H = curvature.hessian(smooth_loss, phi, sines.support)
    product = curvature.hvp_operator(smooth_loss, phi, sines.support)
    assert_close(product(v), torch.einsum("tij,tj->ti", H, v))
    assert_close(H, H.mT)


def test_the_inner_jacobian_is_the_derivative_of_one_step(smooth_loss, network, sines):
    """Column by column, against central differences of φ."""
    start = tile(network, 4)
    J = curvature.inner_jacobian(curvature.hessian(smooth_loss, start, sines.support), inner_lr=ALPHA)
    vector = flatten(network)

    def step_from(point):
        at = leaves(tile(unflatten(point, network), 4))
        return flatten(
            adapt(smooth_loss, at, sines.support, lr=ALPHA, steps=1, create_graph=False), batched=True
        ).detach()

    for column in (0, 20, 96):
        nudge = torch.zeros_like(vector)
        nudge[column] = 1e-5
        slope = (step_from(vector + nudge) - step_from(vector - nudge)) / 2e-5
        assert_close(J[:, :, column], slope, rtol=1e-6, atol=1e-8)


def test_the_product_in_the_right_order_gives_the_meta_gradient(smooth_loss, network, sines):
    """Statement 17: Jᵀ ∇L_q, with the first step's factor on the left."""
    start = tile(network, 4)
    rates = {"inner_lr": ALPHA, "inner_steps": 3}
    both = curvature.products(curvature.step_jacobians(smooth_loss, start, sines.support, **rates))
    phi = leaves(detach(adapt(smooth_loss, leaves(start), sines.support, lr=ALPHA, steps=3, create_graph=False)))
    gradient = flatten(grad(smooth_loss(phi, sines.query).sum(), phi), batched=True)
    right = torch.einsum("tij,tj->ti", both.transposed, gradient).mean(0)
    wrong = torch.einsum("tij,tj->ti", both.jacobian, gradient).mean(0)
    expected = flatten(maml(smooth_loss, network, sines, **rates).grads)
    assert_close(right, expected)
    assert torch.cosine_similarity(wrong, expected, dim=0) < 0.9999
    assert_close(both.transposed, both.jacobian.mT)


def test_one_step_has_the_same_product_in_both_orders(smooth_loss, network, sines):
    factors = curvature.step_jacobians(smooth_loss, tile(network, 4), sines.support, inner_lr=ALPHA, inner_steps=1)
    both = curvature.products(factors)
    assert torch.equal(both.jacobian, both.transposed)


def test_the_gains_of_a_bowl_are_one_minus_alpha_lambda():
    tasks = bowls(2, (30.0, 4.0, 1.0), seed=0)
    start = tile({"point": torch.ones(3, dtype=torch.float64)}, 2)
    J = curvature.inner_jacobian(curvature.hessian(bowl_loss, start, tasks.support), inner_lr=0.1)
    assert_close(torch.linalg.eigvalsh(J), torch.tensor([[-2.0, 0.6, 0.9]] * 2, dtype=torch.float64))


def test_the_spectrum_with_enough_steps_is_the_whole_one(smooth_loss, network, sines):
    start = tile(network, 4)
    found = curvature.spectrum(smooth_loss, start, sines.support, steps=200)
    assert_close(found, torch.linalg.eigvalsh(curvature.hessian(smooth_loss, start, sines.support)))


def test_thirty_steps_find_the_sharpest_direction(smooth_loss, network, sines):
    start = tile(network, 4)
    H = curvature.hessian(smooth_loss, start, sines.support)
    found = curvature.scaled_sharpness(smooth_loss, start, sines.support, inner_lr=ALPHA)
    assert_close(found, ALPHA * torch.linalg.eigvalsh(H)[:, -1])


def test_a_bowl_overshoots_exactly_above_two():
    tasks = bowls(1, (4.0, 1.0), seed=0)
    start = tile({"point": torch.tensor([3.0, -2.0], dtype=torch.float64)}, 1)
    for inner_lr, shrinks in ((0.49, True), (0.51, False)):
        far = adapt(bowl_loss, leaves(start), tasks.support, lr=inner_lr, steps=400, create_graph=False)
        sharpness = curvature.scaled_sharpness(bowl_loss, start, tasks.support, inner_lr=inner_lr)
        assert (sharpness.item() < 2) == shrinks
        assert (bowl_loss(far, tasks.support).item() < 0.01) == shrinks


def test_a_hessian_that_would_not_fit_is_refused():
    big = {"point": torch.zeros(1, curvature.MOST_WEIGHTS + 1)}
    with pytest.raises(ValueError, match=f"at most {curvature.MOST_WEIGHTS} weights"):
        curvature.hessian(bowl_loss, big, Batch(torch.zeros(1), torch.zeros(1)))


def test_no_steps_have_no_jacobians(smooth_loss, network, sines):
    with pytest.raises(ValueError, match="1 or more"):
        curvature.step_jacobians(smooth_loss, tile(network, 4), sines.support, inner_lr=ALPHA, inner_steps=0)
