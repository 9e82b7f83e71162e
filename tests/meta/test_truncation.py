"""Truncation: its ends are FOMAML and MAML, and between them it is lesson 5's ledger cut off after m + 1 bars."""

import pytest
from torch.testing import assert_close

from maml_core.meta.algorithms import truncated
from maml_core.meta.k_steps import Setting as Loop
from maml_core.meta.k_steps import problem, walk
from maml_core.meta.looking_back import back
from maml_core.meta.shortcuts import Setting, compared
from maml_core.meta.trees import flatten
from maml_core.meta.truncation import chosen, truncations


@pytest.mark.parametrize("last", range(6))
def test_the_truncated_gradient_is_the_walk_back_stopped_after_m_factors(last):
    loop = Loop("tanh", inner_lr=0.1, width=3, seed=2)
    loss, theta, tasks = problem(loop)
    found = truncated(loss, theta, tasks, inner_lr=0.1, inner_steps=5, last=last).grads
    assert_close(flatten(found), back(walk(loop), 5)[last])


def test_its_ends_are_first_order_maml_and_maml():
    first, *_, last = truncations(Setting())
    (fomaml,) = compared(Setting(), ("fomaml",))
    assert (first.last, first.row.degrees, first.row.ratio) == (0, pytest.approx(fomaml.degrees), fomaml.ratio)
    assert (last.last, last.row.degrees, last.row.ratio) == (3, 0.0, pytest.approx(1.0))


def test_each_step_more_keeps_more():
    kept = [one.peak_bytes for one in truncations(Setting(inner_steps=5))]
    assert kept == sorted(set(kept))


@pytest.mark.parametrize(("steps", "expected"), [(1, [0, 1]), (3, [0, 1, 2, 3]), (20, [0, 1, 10, 19, 20])])
def test_a_handful_of_m_is_shown(steps, expected):
    assert chosen(steps) == expected
