"""SymPy's side: exact derivatives, and numbers where floats have ended."""

import gc
import math
from fractions import Fraction

import pytest
import sympy

from maml_core.graphs import algebra
from maml_core.graphs.algebra import V, differentiate, number, solve
from maml_core.graphs.expressions import parse
from maml_core.graphs.programs import InnerStep
from tests.graphs.examples import BLOG, lesson


def solution(losses="quartic", inputs=BLOG, steps=1):
    one = lesson(losses, steps)
    return solve(differentiate(one.inner, one.outer), inputs, inner_steps=steps)


def test_the_sources_chain_rule():
    solved = solution()
    assert number(solved.outer_slope) == -554.4
    assert [number(p) for p in solved.product] == [2, 88.4]
    assert [number(g) for g in solved.gradient] == [-1108.8, -49008.96]


def test_with_mamls_coefficient_the_factor_goes_from_one_to_87_4():
    assert [number(p) for p in solution(inputs={**BLOG, "c": 1}).product] == [1, 87.4]


def test_derivatives_are_those_one_takes_by_hand():
    one = lesson("quartic")
    found = differentiate(one.inner, one.outer)
    assert sympy.expand(found.slope + 8 * V**3) == 0
    assert sympy.expand(found.curvature + 24 * V**2) == 0
    assert sympy.expand(found.outer_slope + 6 * V) == 0


def test_inner_steps_chain_as_exact_fractions_do():
    """The bowl in rational arithmetic: x ← c·x − 2α(x − 1)."""
    x, c, alpha = Fraction(3), Fraction(2), Fraction(2, 5)
    product = Fraction(1)
    for _ in range(5):
        x, product = c * x - 2 * alpha * (x - 1), product * (c - 2 * alpha)
    solved = solution("bowl", steps=5)
    assert number(solved.points[-1]) == float(x)
    assert number(solved.gradient[True]) == float(2 * (x + 1) * product)


def test_sympy_goes_on_where_floats_have_ended():
    solved = solution(steps=5)
    assert number(solved.gradient[True]) == -math.inf
    assert solved.gradient[True].is_finite
    assert float(sympy.log(abs(solved.gradient[True]), 10)) == pytest.approx(361.52, abs=0.01)


def test_sympy_is_given_half_a_second():
    one = InnerStep.parse("tanh(" * 10 + "x_prime" + ")" * 10, "x_prime", inner_steps=1)
    assert differentiate(one.inner, one.outer) is None


def test_towers_of_exponentials_end_at_not_a_number_and_do_not_hang():
    one = InnerStep.parse("exp(exp(exp(exp(x_prime))))", "x_prime", inner_steps=1)
    solved = solve(differentiate(one.inner, one.outer), BLOG, inner_steps=1)
    assert math.isnan(number(solved.gradient[True]))


def test_what_has_no_real_value_is_nan():
    one = InnerStep.parse("log(x_prime)", "x_prime", inner_steps=1)
    solved = solve(differentiate(one.inner, one.outer), {"x": -1.0, "c": 1, "alpha": 0.1}, inner_steps=1)
    assert math.isnan(number(solved.losses[0]))


def test_the_watch_survives_the_garbage_collector(monkeypatch):
    """What is raised in a callback of the collector is swallowed, and Python then forgets the trace function."""

    def busy(phase, info):
        for _ in range(2000):
            nothing()

    def nothing():
        pass

    monkeypatch.setattr(algebra, "PATIENCE", 0.05)
    nested = parse("tanh(" * 10 + "x_prime" + ")" * 10, {"x_prime"})
    before = gc.get_threshold()
    gc.callbacks.append(busy)
    gc.set_threshold(50, 2, 2)
    try:
        assert differentiate(nested, nested) is None
    finally:
        gc.callbacks.remove(busy)
        gc.set_threshold(*before)
