"""Crossings against straight lines whose crossings are known."""

import math

import pytest

from maml_core.meta.crossings import crossings, interpolated, lead_changes

XS = (0.0, 1.0, 2.0, 3.0)


def test_two_lines_cross_where_algebra_says():
    (found,) = crossings(XS, {"down": [7 - 2 * x for x in XS], "up": [x + 1 for x in XS]})
    assert (found.x, found.y) == pytest.approx((2.0, 3.0))
    assert (found.rising, found.falling) == ("up", "down")


@pytest.mark.parametrize("shift", [0.25, 0.5, 0.9])
def test_between_two_points_it_is_interpolated(shift):
    (found,) = crossings(XS, {"flat": [1 + shift] * 4, "up": [float(x) for x in XS]})
    assert (found.x, found.y) == pytest.approx((1 + shift, 1 + shift))


def test_touching_is_no_crossing_and_parting_on_the_other_side_is():
    flat = [1.0] * 4
    assert crossings(XS, {"flat": flat, "touches": [2.0, 1.0, 1.5, 2.0]}) == ()
    (found,) = crossings(XS, {"flat": flat, "through": [2.0, 1.0, 1.0, 0.0]})
    assert (found.rising, found.falling, found.x) == ("flat", "through", 2.0)


def test_nobody_crosses_in_a_gap():
    assert crossings(XS, {"flat": [1.0] * 4, "broken": [0.0, math.nan, 2.0, 3.0]}) == ()


def test_only_crossings_at_the_bottom_change_the_lead():
    curves = {"low": [0.0, 1.0, 2.0, 3.0], "flat": [1.5] * 4, "high": [9.0, 6.0, 3.0, 0.0]}
    everything, leads = crossings(XS, curves), lead_changes(XS, curves)
    assert len(everything) == 3
    assert [(lead.rising, lead.falling) for lead in leads] == [("low", "flat"), ("flat", "high")]
    assert set(leads) < set(everything)


def test_interpolation_knows_its_ends():
    assert interpolated(XS, [0.0, 2.0, 2.0, 0.0], 0.25) == 0.5
    assert math.isnan(interpolated(XS, [0.0, 2.0, 2.0, 0.0], 3.5))
