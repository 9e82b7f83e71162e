"""The curves and errors that the lab shows are those of the engine's inner loop."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.models import mlp_forward
from maml_core.train.adapting import errors, histogram, unseen_curves
from maml_core.train.config import Config
from maml_core.train.evaluate import adaptation, evaluate, from_scratch, unseen
from maml_core.train.step import initial_state, loss_of, tasks_of

CONFIG = Config(hidden=(20,), initialisation="he", inner_lr=0.01, shots=6)
THETA = from_scratch(CONFIG, seed=3)


@pytest.fixture(scope="module")
def shown():
    return unseen_curves(CONFIG, THETA, steps=3)


def test_the_first_curve_is_the_network_before_it_adapts(shown):
    expected = mlp_forward(THETA, torch.tensor(shown.x).unsqueeze(-1)).flatten()
    for task in shown.tasks:
        assert_close(torch.tensor(task.predictions[0]), expected)


def test_each_curve_is_one_gradient_step_further_on_the_points_that_are_shown(shown):
    """Plain autograd, from the numbers that the page gets."""
    for task in shown.tasks[:2]:
        x, y = torch.tensor(task.support).T.unsqueeze(-1)
        phi = {name: leaf.clone().requires_grad_() for name, leaf in THETA.items()}
        for curve in task.predictions:
            drawn = mlp_forward(phi, torch.tensor(shown.x).unsqueeze(-1)).flatten()
            assert_close(torch.tensor(curve), drawn.detach(), rtol=1e-4, atol=1e-5)
            loss = (mlp_forward(phi, x) - y).square().mean()
            moved = zip(phi.items(), torch.autograd.grad(loss, list(phi.values())), strict=True)
            phi = {name: (leaf - 0.01 * g).detach().requires_grad_() for (name, leaf), g in moved}


def test_the_truth_is_the_sine_that_the_points_lie_on(shown):
    for task in shown.tasks:
        for x, y in task.support:
            assert y == pytest.approx(task.amplitude * math.sin(task.frequency * x - task.phase), abs=1e-5)
        middle = len(shown.x) // 2
        assert task.truth[middle] == pytest.approx(task.amplitude * math.sin(-task.phase), abs=1e-5)


def test_the_shown_tasks_are_the_first_of_those_that_are_measured(shown):
    measured = errors(CONFIG, THETA, steps=3, tasks=50)
    for i, task in enumerate(shown.tasks):
        assert task.errors == pytest.approx([row[i] for row in measured.each], rel=1e-5)


def test_the_shown_tasks_are_drawn_by_no_training_step(shown):
    config = replace(CONFIG, query_shots=6)
    seen = {round(a, 5) for step in range(200) for a in tasks_of(config, step, "cpu").info["amplitude"].tolist()}
    assert not {round(task.amplitude, 5) for task in shown.tasks} & seen


def test_the_errors_are_those_of_the_command_line():
    measured = errors(CONFIG, THETA, steps=5, tasks=600)
    report = evaluate(CONFIG, THETA, steps=(1, 5))["mse"]
    for step in (0, 1, 5):
        assert measured.summaries[step].mean == pytest.approx(report[str(step)]["mean"])
        assert measured.summaries[step].median == pytest.approx(report[str(step)]["median"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_adapts_as_it_does_in_training(algorithm):
    config = replace(CONFIG, algorithm=algorithm, hidden=(8, 8))
    theta = initial_state(config).theta
    shown = unseen_curves(config, theta, steps=2)
    tasks = unseen(config, tasks=4, shots=6, seed=0)
    expected = adaptation(config, theta, tasks, steps=2)
    assert_close(torch.tensor([task.errors for task in shown.tasks]).T, expected)
    before = loss_of(config)({name: leaf for name, leaf in theta.items() if not name.startswith("lr.")}, tasks.query)
    assert_close(expected[0], before)


def test_a_network_that_diverges_gives_curves_that_are_not_finite_and_says_so_in_its_share():
    wild = {name: 1e6 * leaf for name, leaf in THETA.items()}
    assert not math.isfinite(unseen_curves(CONFIG, wild, steps=4).tasks[0].predictions[4][0])
    assert errors(CONFIG, wild, steps=4, tasks=10).summaries[4].diverged == 1


def test_a_histogram_counts_every_error_once():
    found = histogram([[0.1, 1.0, 10.0, math.inf], [1.0, 1.0, math.nan]], bins=2)
    assert found.edges == pytest.approx((0.1, 1.0, 10.0))
    assert found.counts == ((1, 2), (0, 2))
    assert found.beyond == (1, 1)


def test_a_histogram_of_equal_or_missing_errors_still_has_bins():
    assert sum(histogram([[2.0, 2.0]]).counts[0]) == 2
    assert histogram([[math.inf]]).beyond == (1,)
