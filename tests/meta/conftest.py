"""A small network and tasks for it, in float64, shared by the tests of Room 2."""

import pytest
import torch

from maml_core.meta.models import mlp, mlp_forward, mlp_loss, squared_error
from maml_core.meta.tasks import sinusoids


@pytest.fixture
def sines():
    return sinusoids(4, 6, seed=3, query_shots=5, dtype=torch.float64)


@pytest.fixture
def network():
    return mlp((1, 8, 8, 1), seed=5, initialisation="he", dtype=torch.float64)


@pytest.fixture
def relu_loss():
    return mlp_loss


@pytest.fixture
def smooth_loss():
    """No kinks, so that finite differences converge."""
    return squared_error(lambda params, x: mlp_forward(params, x, activation=torch.tanh))
