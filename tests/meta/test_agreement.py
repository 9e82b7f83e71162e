"""Vectors compared: distances and angles against values known beforehand."""

import math

import pytest
import torch

from maml_core.meta.agreement import agreement, angle, length_ratio, relative_difference


def vector(*entries):
    return torch.tensor(entries, dtype=torch.float64)


def test_equal_ways_agree():
    found = agreement({"a": vector(3.0, 4.0), "b": vector(3.0, 4.0 + 1e-12)})
    assert found.agrees
    assert 0 < found.difference < 1e-12


def test_ways_that_part_say_why():
    found = agreement({"a": vector(3.0, 4.0), "b": vector(3.0, 4.1)}, "A kink lies between them.")
    assert not found.agrees
    assert found.reason == "A kink lies between them."
    assert found.difference == pytest.approx(0.1 / math.hypot(3, 4.1))


def test_a_way_that_is_not_finite_is_named():
    found = agreement({"sound": vector(1.0), "overflowing": vector(math.inf)})
    assert found.reason == "Not finite: overflowing."
    assert math.isnan(found.difference)


def test_zero_vectors_do_not_divide_by_zero():
    assert relative_difference([(0.0, 0.0), (0.0, 0.0)]) == 0


@pytest.mark.parametrize("degrees", [0.0, 1e-9, 30.0, 90.0, 179.999999, 180.0])
def test_an_angle_is_exact_also_where_it_is_tiny(degrees):
    turned = vector(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    assert angle(vector(2.0, 0.0), 5 * turned) == pytest.approx(degrees, rel=1e-6, abs=1e-12)


def test_a_length_ratio_and_what_has_no_angle():
    assert length_ratio(vector(6.0, 8.0), vector(0.0, 2.0)) == 5
    assert math.isnan(angle(vector(0.0, 0.0), vector(1.0, 0.0)))
