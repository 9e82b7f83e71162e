"""Three ways to the losses of a training step agree for every algorithm, and part when one is bent."""

from dataclasses import replace

import pytest

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.train import agreeing
from maml_core.train.agreeing import step_losses
from maml_core.train.config import Config
from maml_core.train.step import initial_state, meta_step

SMALL = Config(meta_batch=3, shots=4, hidden=(6, 5), initialisation="he")


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_ways_agree_for_every_algorithm(algorithm, activation):
    config = replace(SMALL, algorithm=algorithm, activation=activation)
    state = meta_step(meta_step(initial_state(config), config), config)
    check = step_losses(state, config)
    assert check.agrees, check.reason
    assert len(check.ways) == len(set(check.ways)) == 3
    assert len(check.ways[0].vector) == 3
    assert check.ways[0].vector == pytest.approx(meta_step(state, config).query_loss.tolist(), rel=1e-4)


def test_a_wrong_chain_rule_is_noticed(monkeypatch):
    right = agreeing._backpropagated
    monkeypatch.setattr(agreeing, "_backpropagated", lambda *a: {n: 1.001 * g for n, g in right(*a).items()})
    assert not step_losses(initial_state(SMALL), SMALL).agrees


def test_what_is_not_finite_is_said():
    wild = replace(SMALL, inner_lr=10.0, inner_steps=300)
    assert "Not finite" in step_losses(initial_state(wild), wild).reason
