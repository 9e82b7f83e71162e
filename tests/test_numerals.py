"""Numbers as they are shown."""

import math

import pytest
import sympy

from maml_core.numerals import degrees, numeral, told_apart


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-49008.96484375, "−49008.96"),
        (92.4000015258789, "92.4"),
        (0.0, "0"),
        (1e20, "1·10²⁰"),
        (-2.5e-7, "−2.5·10⁻⁷"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "not a number"),
        (None, "None"),
        (sympy.Float("-1.25e405", 30), "−1.25·10⁴⁰⁵"),
        (sympy.oo, "∞"),
        (sympy.nan, "not a number"),
        (sympy.Integer(3), "3"),
    ],
)
def test_a_number_is_shown_as_a_reader_would_write_it(value, shown):
    assert numeral(value) == shown


def test_sixteen_digits_show_a_float32_exactly():
    assert numeral(-49008.96484375, 16) == "−49008.96484375"


@pytest.mark.parametrize(("value", "shown"), [(17.34, "17.3°"), (180.0, "180°"), (0.0426, "0.04°"), (1e-9, "0°")])
def test_an_angle_has_one_decimal_or_one_digit(value, shown):
    assert degrees(value) == shown


def test_unequal_numbers_get_digits_until_they_look_unequal():
    assert told_apart([17.31, 17.34, 90.0], degrees, 1) == ["17.31°", "17.34°", "90°"]
    assert told_apart([0.5, 0.5], numeral, 3) == ["0.5", "0.5"]
    assert told_apart([0.5, 0.5 + 1e-15], numeral, 3) == ["0.5", "0.5"]
