"""The comparison of lesson 6: identities between neighbours, and what the page says about them."""

import math
from dataclasses import replace

import pytest
import torch

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.freezing import frozen_leaves
from maml_core.meta.models import mlp_loss
from maml_core.meta.shortcut_checks import exact_ways, one_step_ways
from maml_core.meta.shortcuts import (
    AXES,
    SHORTCUTS,
    Setting,
    closest,
    compared,
    loop_of,
    overshooting,
    problem_of,
    sharpnesses,
    sweep_point,
    sweep_values,
)
from maml_core.meta.starts import STARTS, problem, theta_of
from maml_core.meta.truncation import truncations

DEFAULT = Setting()


def rows(setting, *names):
    return {row.name: row for row in compared(setting, names or tuple(ALGORITHMS))}


def test_all_nine_stand_in_the_table_and_the_exact_two_agree():
    found = rows(DEFAULT)
    assert tuple(found) == tuple(ALGORITHMS)
    assert found["maml"].degrees == found["meta-sgd"].degrees == 0
    assert found["meta-sgd"].ratio == pytest.approx(1, rel=1e-12)
    assert all(found[name].degrees > 1 for name in SHORTCUTS)


def test_an_angle_is_what_the_two_vectors_say():
    where = problem_of(DEFAULT)
    rates = {"inner_lr": DEFAULT.inner_lr, "inner_steps": DEFAULT.inner_steps}
    vectors = [
        torch.cat([leaf.flatten() for leaf in ALGORITHMS[name].function(mlp_loss, *where, **rates).grads.values()])
        for name in ("maml", "fomaml")
    ]
    cosine = float(torch.cosine_similarity(*vectors, dim=0))
    found = rows(DEFAULT, "fomaml")["fomaml"]
    assert math.cos(math.radians(found.degrees)) == pytest.approx(cosine, rel=1e-12)
    assert found.ratio == pytest.approx(float(vectors[1].norm() / vectors[0].norm()), rel=1e-12)


def test_one_leap_is_maml_after_one_step_and_fomaml_without_a_rate():
    assert rows(replace(DEFAULT, inner_steps=1), "one-leap")["one-leap"].degrees == 0
    still = rows(replace(DEFAULT, leap=0.0), "one-leap", "fomaml")
    assert still["one-leap"][1:] == pytest.approx(still["fomaml"][1:], rel=1e-12)


def test_truncation_leads_from_fomaml_to_maml():
    none = rows(replace(DEFAULT, last=0), "truncated", "fomaml")
    assert none["truncated"][1:] == pytest.approx(none["fomaml"][1:], rel=1e-12)
    assert rows(replace(DEFAULT, last=3), "truncated")["truncated"].degrees == 0


def test_where_there_is_hardly_any_curvature_they_nearly_agree():
    tiny = rows(Setting(start="tiny"), *SHORTCUTS)
    assert all(row.degrees < 3 for row in tiny.values())
    still = rows(replace(DEFAULT, inner_lr=1e-7), *SHORTCUTS)
    assert all(still[name].degrees < 0.01 for name in ("fomaml", "truncated", "one-leap", "anil", "boil"))
    assert still["reptile"].degrees > 10  # it looks at the support set


@pytest.mark.parametrize("axis", AXES)
def test_a_sweep_is_the_table_with_one_knob_turned(axis):
    value = sweep_values(DEFAULT, axis)[1]
    turned = replace(DEFAULT, **{AXES[axis].field: value})
    moved = {row.name for row in sweep_point(DEFAULT, axis, value)}
    assert sweep_point(DEFAULT, axis, value) == compared(turned, moved)
    if len(moved) == 1:  # and the others do not notice
        others = set(SHORTCUTS) - moved
        assert compared(turned, others) == compared(DEFAULT, others)


def test_the_knobs_end_where_the_steps_do():
    assert sweep_values(DEFAULT, "m") == (0, 1, 2, 3)
    assert max(sweep_values(replace(DEFAULT, inner_steps=5), "beta")) == 10
    assert sweep_values(DEFAULT, "k") == tuple(range(1, 21))


def test_the_closest_may_be_several_or_none():
    assert closest(compared(DEFAULT)) == ("one-leap",)
    assert set(closest(compared(replace(DEFAULT, inner_steps=1)))) == {"one-leap", "truncated"}
    overflowed = compared(Setting(start="he", inner_steps=20, inner_lr=0.03))
    assert closest(overflowed) == ()
    assert not any(row.finite for row in overflowed)


def test_overshooting_counts_tasks_beyond_two():
    sharp = sharpnesses("trained", 1)
    assert len(sharp) == 10
    assert list(sharp) == sorted(sharp)
    between = 2 / ((sharp[3] + sharp[4]) / 2)  # six tasks are sharper than that
    assert overshooting(replace(DEFAULT, inner_lr=between)) == 6
    assert overshooting(replace(DEFAULT, inner_lr=1.01 * 2 / sharp[0])) == 10


@pytest.mark.parametrize("start", STARTS)
def test_every_start_is_float32_numbers_in_float64(start):
    theta, tasks = problem(start, seed=3)
    numbers = [*theta.values(), *tasks.support, *tasks.query]
    assert all(torch.equal(leaf, leaf.float().double()) for leaf in numbers)
    assert sum(leaf.numel() for leaf in theta.values()) == 1761


def test_fresh_weights_are_as_linear_draws_them():
    theta = theta_of("fresh", seed=0)
    for name, fan_in in (("0.weight", 1), ("2.weight", 40), ("2.bias", 40), ("4.bias", 40)):
        assert theta[name].abs().max() <= fan_in**-0.5
    assert float(theta["2.weight"].std()) == pytest.approx(40**-0.5 / 3**0.5, rel=0.05)
    assert not torch.equal(theta["0.weight"].flatten(), theta["0.bias"])
    assert not torch.equal(theta["2.weight"], theta_of("fresh", seed=1)["2.weight"])


def test_another_start_is_refused():
    with pytest.raises(ValueError, match="must be one of trained, fresh, he, tiny, not 'warm'"):
        theta_of("warm")


def test_what_the_loop_does_is_left_alone_by_the_shortcuts_own_knobs():
    asked = Setting("fresh", 0.01, inner_steps=2, last=2, leap=3.0, pull=1.0, cg_steps=2, seed=4)
    assert loop_of(asked) == Setting("fresh", 0.01, inner_steps=2, seed=4)
    where = problem_of(asked)
    for seen in (exact_ways, one_step_ways, frozen_leaves):
        assert repr(seen(asked, where)) == repr(seen(loop_of(asked), where))
    assert repr(truncations(asked)) == repr(truncations(loop_of(asked)))
