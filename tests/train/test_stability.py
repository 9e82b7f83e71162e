"""Why an inner loop blew up: measured against the full Hessian, and said in words that follow the numbers."""

from dataclasses import replace

import pytest
import torch

from maml_core.meta.curvature import hessian
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import tile
from maml_core.train.config import Config, resolved
from maml_core.train.stability import stability, why
from maml_core.train.step import Diverged, initial_state, loss_of, tasks_of, training

CONFIG = Config(
    hidden=(6,), activation="tanh", initialisation="he", meta_batch=4, shots=5, inner_lr=0.02, inner_steps=3
)
STATE = initial_state(CONFIG)


def dense(config, state):
    """Largest eigenvalue of each task's Hessian, in full."""
    support = Batch(*(part.double() for part in tasks_of(resolved(config), int(state.step), "cpu").support))
    theta = {name: leaf.double() for name, leaf in state.theta.items() if not name.startswith("lr.")}
    return torch.linalg.eigvalsh(hessian(loss_of(config), tile(theta, 4), support))[:, -1]


def test_sharpness_is_alpha_times_the_largest_eigenvalue_of_the_full_hessian():
    found = stability(STATE, CONFIG)
    expected = (0.02 * dense(CONFIG, STATE)).tolist()
    assert found.sharpness == pytest.approx(expected, rel=1e-6)
    assert found.largest == pytest.approx(max(expected), rel=1e-6)
    assert found.gain == pytest.approx(1 - max(expected), rel=1e-6)
    assert len(found.losses) == 4


def test_imaml_s_pull_counts_as_curvature():
    config = replace(CONFIG, algorithm="imaml", pull=3.0)
    expected = 0.02 / 1.06 * (dense(config, STATE) + 3.0)
    assert stability(STATE, config).sharpness == pytest.approx(expected.tolist(), rel=1e-6)


def test_anil_s_sharpness_is_that_of_the_head_alone():
    """The head is linear: its Hessian is 2/N times the Gram matrix of the features and a one."""
    found = stability(STATE, replace(CONFIG, algorithm="anil"))
    support = tasks_of(resolved(CONFIG), 0, "cpu").support
    theta = {name: leaf.double() for name, leaf in STATE.theta.items()}
    features = torch.tanh(support.x.double() @ theta["0.weight"].T + theta["0.bias"])
    features = torch.cat([features, torch.ones(4, 5, 1)], dim=-1)
    gram = 2 / 5 * features.mT @ features
    assert found.sharpness == pytest.approx((0.02 * torch.linalg.eigvalsh(gram)[:, -1]).tolist(), rel=1e-6)


def test_a_training_that_overshoots_is_explained_by_its_gain():
    config = replace(
        CONFIG, inner_lr=2.0, inner_steps=12, iterations=200, outer="sgd", outer_lr=1.0, activation="relu"
    )
    with pytest.raises(Diverged) as caught:
        list(training(initial_state(config), config))
    found = stability(caught.value.state, config)
    assert found.largest > 2
    assert found.gain < -1
    sentence = why(found, config)
    assert "|1 − αλ| > 1" in sentence
    assert f"{found.overshooting:.0%}" in sentence


def test_a_stable_inner_loop_is_not_blamed():
    sentence = why(stability(STATE, CONFIG), CONFIG)
    assert "the inner loop was stable at its start" in sentence
    assert "|1 − αλ| > 1" not in sentence


def test_weights_beyond_measure_are_said_to_be():
    broken = STATE._replace(theta={name: leaf * 1e38 for name, leaf in STATE.theta.items()})
    config = replace(CONFIG, activation="relu")
    assert "beyond float32 before any inner step" in why(stability(broken, config), config)
