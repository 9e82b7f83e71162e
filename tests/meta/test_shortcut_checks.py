"""The agreement lines of lesson 6, where they agree and where they cannot."""

import pytest

from maml_core.meta.shortcut_checks import exact_ways, one_step_ways
from maml_core.meta.shortcuts import Setting, problem_of


@pytest.mark.parametrize("start", ["trained", "fresh", "he", "tiny"])
def test_three_ways_to_the_exact_gradient_agree(start):
    setting = Setting(start=start)
    found = exact_ways(setting, problem_of(setting))
    assert [way.name for way in found.ways] == [
        "autograd through the loop",
        "product of Jacobians",
        "central difference",
    ]
    assert found.agrees, found.difference
    autograd, product, _ = (way.vector for way in found.ways)
    assert autograd == pytest.approx(product, rel=1e-9)
    assert len(autograd) == 6
    assert all(slope > 0 for slope in autograd)  # along its own gradient


def test_one_leap_after_one_step_agrees_in_every_entry():
    found = one_step_ways(Setting(inner_steps=7, leap=3.0), problem_of(Setting()))
    assert found.difference < 1e-14
    assert len(found.ways[0].vector) == 1761


def test_overflow_is_said():
    setting = Setting(start="he", inner_steps=20, inner_lr=0.03)
    found = exact_ways(setting, problem_of(setting))
    assert not found.agrees
    assert found.reason.startswith("Not finite")
