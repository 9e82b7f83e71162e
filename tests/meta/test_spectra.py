"""The curvature of the real network: Lanczos against the full spectrum, and the share that overshoots."""

import pytest

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
