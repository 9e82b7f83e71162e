"""The curvature of the real network: Lanczos against the full spectrum, and the share that overshoots."""

import pytest
import torch

from maml_core.meta import spectra
from maml_core.meta.models import mlp


@pytest.fixture(scope="module")
def theta():
    return mlp((1, 12, 12, 1), seed=3, initialisation="he")  # float32, as a trained θ is


def test_lanczos_finds_the_largest_of_all_eigenvalues(theta):
    everything = spectra.whole_spectrum(theta, shots=5)
    assert len(everything) == sum(leaf.numel() for leaf in theta.values())
    assert list(everything) == sorted(everything)


def test_the_sharpest_of_a_task_is_the_top_of_its_spectrum(theta, monkeypatch):
    everything = spectra.whole_spectrum(theta, shots=5)
    assert spectra.sharpness(theta, shots=5, step=0)[0] == pytest.approx(everything[-1], rel=1e-6)
    monkeypatch.setattr(spectra, "LANCZOS", 2)
    assert spectra.sharpness(theta, shots=5, step=0)[0] != pytest.approx(everything[-1], rel=1e-6)


def test_batches_hold_different_tasks(theta, monkeypatch):
    monkeypatch.setattr(spectra, "BATCH", 3)
    first, second = (spectra.sharpness(theta, shots=10, step=step) for step in (0, 1))
    assert len(first) == len(second) == 3
    assert not set(first) & set(second)


def test_the_share_counts_what_is_strictly_above_two():
    assert spectra.share_above((100.0, 200.0, 201.0, 400.0), 0.01) == 0.5


def test_five_steps_of_calculus_are_those_of_the_derivation():
    """assets/derivations/inner_jacobian.md, numerically: steps 2 and 3 are exact to the square of the nudge."""
    w = torch.tensor([0.7, -0.4], dtype=torch.float64)
    nudge = torch.tensor([0.3, 0.8], dtype=torch.float64)

    def slope(at):
        at = at.detach().requires_grad_()
        return torch.autograd.grad((at[0] ** 3 * at[1] + at.square().square().sum()), at)[0]

    H = torch.autograd.functional.hessian(lambda at: at[0] ** 3 * at[1] + at.square().square().sum(), w)
    errors = [(slope(w + h * nudge) - slope(w) - h * H @ nudge).norm() / h**2 for h in (1e-2, 1e-3)]
    assert float(errors[0]) == pytest.approx(float(errors[1]), rel=0.05)
    values, axes = torch.linalg.eigh(torch.eye(2, dtype=torch.float64) - 0.1 * H)
    torch.testing.assert_close(values, 1 - 0.1 * torch.linalg.eigvalsh(H).flip(0))
    torch.testing.assert_close(axes @ axes.T, torch.eye(2, dtype=torch.float64))
