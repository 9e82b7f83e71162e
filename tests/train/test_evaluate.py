"""Adaptation is what the algorithm does, and the numbers beside it are what they are called."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.inner import with_rates
from maml_core.meta.models import mlp
from maml_core.meta.tasks import FAMILIES
from maml_core.train.config import Config, resolved
from maml_core.train.evaluate import (
    Summary,
    adaptation,
    evaluate,
    from_scratch,
    oracle,
    pretraining,
    task_agnostic,
    unseen,
)
from maml_core.train.step import initial_state, loss_of, tasks_of, training

CONFIG = Config(hidden=(20,), initialisation="he", inner_lr=0.01)


@pytest.fixture(scope="module")
def tasks():
    return unseen(CONFIG, tasks=50, shots=10, seed=0)


@pytest.fixture
def theta():
    return from_scratch(CONFIG, seed=3)


def test_the_first_row_is_the_error_before_adaptation(theta, tasks):
    errors = adaptation(CONFIG, theta, tasks, steps=3)
    assert errors.shape == (4, 50)
    assert_close(errors[0], loss_of(CONFIG)(theta, tasks.query))


def test_each_row_is_one_gradient_step_further(theta, tasks):
    """Task by task with plain autograd."""
    errors = adaptation(CONFIG, theta, tasks, steps=3)
    loss = loss_of(CONFIG)
    for i in (0, 17):
        support, query = (type(batch)(batch.x[i : i + 1], batch.y[i : i + 1]) for batch in tasks[:2])
        phi = {name: leaf.clone().requires_grad_() for name, leaf in theta.items()}
        for step in range(4):
            assert_close(errors[step, i], loss(phi, query).squeeze().detach(), rtol=1e-4, atol=1e-5)
            gradient = torch.autograd.grad(loss(phi, support).sum(), list(phi.values()))
            moved = zip(phi.items(), gradient, strict=True)
            phi = {name: (leaf - 0.01 * g).detach().requires_grad_() for (name, leaf), g in moved}


@pytest.mark.parametrize(("algorithm", "moving"), [("anil", "2."), ("boil", "0.")])
def test_anil_and_boil_adapt_one_layer_as_if_the_other_s_rates_were_zero(algorithm, moving, theta, tasks):
    rates = {f"lr.{n}": torch.full_like(leaf, 0.01 * n.startswith(moving)) for n, leaf in theta.items()}
    expected = adaptation(replace(CONFIG, algorithm="meta-sgd"), theta | rates, tasks, steps=3)
    actual = adaptation(replace(CONFIG, algorithm=algorithm), theta, tasks, steps=3)
    assert_close(actual, expected)
    assert not torch.allclose(actual, adaptation(CONFIG, theta, tasks, steps=3))


def test_meta_sgd_adapts_at_its_learned_rates(theta, tasks):
    config = replace(CONFIG, algorithm="meta-sgd")
    learned = adaptation(config, with_rates(theta, 0.003), tasks, steps=2)
    assert_close(learned, adaptation(replace(CONFIG, inner_lr=0.003), theta, tasks, steps=2))


def test_unseen_tasks_are_those_of_no_training_step():
    config = replace(resolved(CONFIG), meta_batch=20)
    unseen_amplitudes = unseen(config, tasks=20, shots=10, seed=0).info["amplitude"]
    for step in range(200):
        assert not torch.equal(tasks_of(config, step, "cpu").info["amplitude"], unseen_amplitudes)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_task_agnostic_function_is_the_mean_of_many_curves(name):
    family = FAMILIES[name]
    x = torch.linspace(*family.x_range, 9)
    drawn = unseen(replace(CONFIG, family=name), tasks=10_000, shots=1, seed=1).info
    a, b, omega = (drawn[key].double()[:, None] for key in ("amplitude", "phase", "frequency"))
    curves = a * torch.sin(omega * x.double() - b)
    z = (task_agnostic(family, x) - curves.mean(0)) / (curves.std(0) / 100 + 1e-9)
    assert z.abs().max() < 4


def test_no_initialisation_beats_the_floor_of_the_paper_s_family():
    """The best function that ignores the task is −1.623 cos x, with error 3.0057."""
    family = FAMILIES["sinusoid"]
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    assert_close(task_agnostic(family, x), -2 * 2.55 / math.pi * x.cos())
    drawn = unseen(CONFIG, tasks=10_000, shots=1, seed=0)
    error = (task_agnostic(family, drawn.query.x) - drawn.query.y).square().mean().item()
    assert error == pytest.approx(3.0057, abs=0.09)  # 3 standard errors


def test_a_trained_network_stays_above_the_floor_before_it_adapts():
    config = replace(CONFIG, iterations=150, outer_lr=0.01, shots=5)
    *_, last = training(initial_state(config), config)
    drawn = unseen(config, tasks=2000, shots=5, seed=0)
    floor = (task_agnostic(FAMILIES["sinusoid"], drawn.query.x) - drawn.query.y).square().mean()
    assert floor < adaptation(config, last.theta, drawn, steps=0).mean() < 5


def test_the_oracle_needs_two_points():
    two, one = (unseen(CONFIG, tasks=40, shots=shots, seed=0) for shots in (2, 1))
    errors = [(oracle(drawn) - drawn.query.y).square().mean((-2, -1)).median() for drawn in (two, one)]
    assert errors[0] < 1e-9
    assert errors[1] > 0.01


def test_a_summary_is_what_its_names_say():
    errors = torch.arange(1.0, 21.0)
    found = Summary.of(errors, far=18.5)
    assert found.mean == pytest.approx(10.5)
    assert found.median == pytest.approx(10.5)
    assert found.sem == pytest.approx(errors.std().item() / math.sqrt(20))
    assert found.trimmed_mean == pytest.approx(errors[2:-2].mean().item())
    assert found.diverged == pytest.approx(0.1)


def test_one_task_gone_to_infinity_spoils_the_mean_and_not_the_median():
    errors = torch.ones(20)
    errors[3], errors[7] = torch.inf, torch.nan
    found = Summary.of(errors)
    assert found.mean == math.inf
    assert (found.median, found.trimmed_mean) == (1, 1)
    assert found.diverged == pytest.approx(0.1)


def test_the_report_holds_numbers_that_json_knows(theta):
    import json

    wild = {name: 1e6 * leaf for name, leaf in theta.items()}
    report = evaluate(CONFIG, wild, tasks=20, shots=5, steps=(1, 4))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report["mse"]) == {"0", "1", "4"}
    assert report["mse"]["4"]["mean"] is None
    assert report["mse"]["4"]["diverged"] == 1
    assert set(report["baselines"]) == {"scratch", "task-agnostic", "oracle"}


def test_pretraining_is_the_same_training_without_an_inner_loop():
    config = pretraining(Config("reptile", shots=7))
    assert config.options == {"inner_lr": 0.005, "inner_steps": 0}
    assert (config.algorithm, config.shots) == ("maml", 7)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tasks": 1}, "tasks must be from 2"),
        ({"tasks": 10**6}, "tasks must be from 2 to 10000"),
        ({"shots": 0}, "shots must be"),
        ({"steps": (-1,)}, "steps must be from 0"),
        ({"steps": (2000,)}, "steps must be from 0 to 1000"),
        ({"steps": ()}, "at least one"),
    ],
)
def test_counts_that_are_not_allowed_get_one_sentence(theta, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(CONFIG, theta, **{"tasks": 10, **options})


def test_the_fresh_network_of_the_baseline_is_he_s():
    expected = mlp((1, 20, 1), seed=1, initialisation="he")
    assert torch.equal(from_scratch(CONFIG, seed=1)["0.weight"], expected["0.weight"])
