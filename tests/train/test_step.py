"""The reference step: pure, resumable to the last bit, traceable, and what PyTorch's own optimisers do."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing import assert_close

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.train.config import Config, resolved
from maml_core.train.step import Diverged, State, adam, initial_state, loss_of, meta_step, tasks_of, training

SMALL = Config(meta_batch=3, shots=4, hidden=(6,), initialisation="he", iterations=12)
every_algorithm = pytest.mark.parametrize("name", ALGORITHMS)


def run(config, state=None):
    states = training(state or initial_state(config), config)
    return list(states)[-1]


def same_bits(one: State, other: State) -> bool:
    pairs = zip(flat(one), flat(other), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def flat(state: State) -> list[torch.Tensor]:
    return [*(leaf for part in state[:3] for leaf in part.values()), *state[3:]]


@every_algorithm
@pytest.mark.parametrize("outer", ["adam", "sgd"])
def test_a_training_that_was_stopped_and_resumed_has_the_same_bits(name, outer):
    config = replace(SMALL, algorithm=name, outer=outer, outer_lr=1e-4)
    halfway = run(replace(config, iterations=5))
    assert int(halfway.step) == 5
    assert same_bits(run(config, halfway), run(config))


@every_algorithm
def test_a_step_changes_neither_its_state_nor_its_answer(name):
    config = replace(SMALL, algorithm=name)
    state = initial_state(config)
    before = [tensor.clone() for tensor in flat(state)[:-3]]
    first, second = meta_step(state, config), meta_step(state, config)
    assert same_bits(first, second)
    assert all(torch.equal(a, b) for a, b in zip(flat(state)[:-3], before, strict=True))
    assert not any(tensor.requires_grad for tensor in flat(first))


@every_algorithm
def test_a_step_can_be_traced_and_the_trace_serves_every_later_step(name):
    config = replace(SMALL, algorithm=name)
    state = run(replace(config, iterations=3))
    traced = make_fx(lambda s: meta_step(s, config))(state)
    later = run(replace(config, iterations=7))
    for a, b in zip(flat(State(*traced(later))), flat(meta_step(later, config)), strict=True):
        assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert int(traced(later).step) == 8


@pytest.mark.parametrize("outer", ["adam", "sgd"])
def test_the_outer_rule_is_that_of_torch_optim(outer):
    config = resolved(replace(SMALL, outer=outer, outer_lr=0.01))
    start = initial_state(config)
    theta = {name: leaf.clone().requires_grad_() for name, leaf in start.theta.items()}
    kind = torch.optim.Adam if outer == "adam" else torch.optim.SGD
    optimiser = kind(theta.values(), lr=0.01)
    state = start
    for step in range(12):
        found = config.row.function(loss_of(config), theta, tasks_of(config, step, "cpu"), **config.options)
        for name, leaf in theta.items():
            leaf.grad = found.grads[name]
        optimiser.step()
        state = meta_step(state, config)
    assert_close(state.theta, {name: leaf.detach() for name, leaf in theta.items()}, rtol=1e-4, atol=1e-6)


def test_the_first_step_of_adam_is_the_rate_along_the_sign():
    theta = {"w": torch.tensor([1.0, 2.0])}
    zeros = {"w": torch.zeros(2)}
    moved, _, _ = adam(theta, {"w": torch.tensor([3.0, -0.5])}, zeros, zeros, torch.tensor(1), 0.1)
    assert_close(moved["w"], torch.tensor([0.9, 2.1]))


@pytest.mark.parametrize("step", [0, 3])
def test_every_algorithm_sees_the_same_tasks(step):
    drawn = [tasks_of(resolved(replace(SMALL, algorithm=name)), step, "cpu") for name in ALGORITHMS]
    assert all(torch.equal(tasks.support.x, drawn[0].support.x) for tasks in drawn)


def test_a_gradient_that_is_not_finite_stops_with_the_last_good_state():
    config = replace(SMALL, inner_lr=10.0, inner_steps=60, iterations=50, outer="sgd", outer_lr=1e-8)
    with pytest.raises(Diverged, match=r"step \d+ is not finite; the state before it is kept") as caught:
        run(config)
    kept = caught.value.state
    assert not kept.finite
    assert all(leaf.isfinite().all() for leaf in kept.theta.values())
    good = initial_state(config) if int(kept.step) == 0 else run(replace(config, iterations=int(kept.step)))
    assert all(torch.equal(kept.theta[name], good.theta[name]) for name in good.theta)


def test_training_lowers_the_query_loss():
    config = replace(SMALL, hidden=(20, 20), shots=10, meta_batch=10, iterations=300, outer_lr=0.003)
    losses = [state.query_loss.mean().item() for state in training(initial_state(config), config)]
    assert sum(losses[-30:]) < 0.8 * sum(losses[:30])


def test_meta_sgd_learns_its_rates():
    config = replace(SMALL, algorithm="meta-sgd")
    state = run(config)
    rate = state.theta["lr.0.weight"]
    assert not (rate == ALGORITHMS["meta-sgd"].inner_lr).any()


def test_torch_optim_is_not_needed():
    """Its import costs more than a second: a process that trains must not pay for it."""
    code = (
        "import sys; from maml_core.train.step import *; from maml_core.train.config import Config\n"
        "c = Config(iterations=2); list(training(initial_state(c), c)); print('torch._dynamo' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
