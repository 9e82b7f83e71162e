"""Counted prices against those that the formulas have."""

from collections import Counter

import pytest

from maml_core.meta import costs as costs_module
from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.backward import unrolled
from maml_core.meta.costs import costs, counted, priced
from maml_core.meta.models import mlp_loss
from maml_core.meta.shortcuts import Setting, problem_of

SETTING = Setting(inner_steps=4, last=2, cg_steps=3, proximal_steps=7)
K, M, C, P = 4, 2, 3, 7
EXPECTED = {  # gradients, Hessian-vector products
    "maml": (K + 1, K),
    "fomaml": (K + 1, 0),
    "reptile": (K, 0),
    "anil": (K + 1, K),
    "boil": (K + 1, K),
    "meta-sgd": (K + 1, K),
    "one-leap": (K + 2, 1),
    "imaml": (P + 3, C + 1),  # the residual, the query gradient, and the gradient whose graph the products walk
    "truncated": (K + 1, M),
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_walks_are_those_of_the_formula(name):
    assert counted(name, SETTING, problem_of(SETTING))[:2] == EXPECTED[name]


def test_what_maml_keeps_is_what_backpropagation_through_the_loop_keeps():
    theta, tasks = where = problem_of(SETTING)
    through = unrolled(mlp_loss, theta, tasks, inner_lr=SETTING.inner_lr, inner_steps=K)
    assert counted("maml", SETTING, where).peak_bytes == through.cost.peak_bytes


def test_memory_grows_with_the_steps_that_are_looked_through():
    where = problem_of(SETTING)
    kept = [counted("truncated", Setting(inner_steps=4, last=m), where).peak_bytes for m in range(5)]
    assert kept == sorted(kept)
    assert kept[0] < kept[4]
    leaps = [counted("one-leap", Setting(inner_steps=k), where).peak_bytes for k in (2, 8)]
    assert leaps[0] == leaps[1]


def test_what_is_slow_only_at_first_is_not_timed(monkeypatch):
    """A fresh process takes ten times as long over its first MAML."""
    now, runs = [0.0], Counter()

    def run(name, *_):
        runs[name] += 1
        now[0] += 32.0 if runs[name] == 1 else 3.0

    monkeypatch.setattr(costs_module, "_run", run)
    monkeypatch.setattr(costs_module.time, "thread_time", lambda: now[0])
    assert {cost.seconds for cost in costs(SETTING, problem_of(SETTING), repeats=1)} == {3.0}


def test_prices_depend_on_how_often_something_is_done_and_on_nothing_else():
    asked = Setting("he", 0.03, inner_steps=4, last=9, leap=0.0, pull=0.5, cg_steps=3, seed=7)
    assert priced(asked) == Setting(inner_steps=4, last=4, cg_steps=3)
    for name in ALGORITHMS:
        assert counted(name, asked, problem_of(asked)) == counted(name, priced(asked), problem_of(priced(asked)))


def test_all_nine_have_a_price():
    found = costs(SETTING, problem_of(SETTING), repeats=1)
    assert [cost.name for cost in found] == list(ALGORITHMS)
    assert {cost.name: (cost.gradients, cost.hvps) for cost in found} == EXPECTED
    assert all(cost.seconds > 0 for cost in found)
