"""Four ways to one number, and the reasons why they may part."""

import math
from itertools import product

import pytest

from maml_core.graphs import agreement as module
from maml_core.graphs.agreement import agreement, central_difference, chain_rule, relative_difference
from maml_core.graphs.algebra import differentiate, solve
from maml_core.graphs.programs import PRESETS, InnerStep
from maml_core.graphs.recording import record
from tests.graphs.examples import BLOG, lesson


def check(one, inputs, create_graph):
    solution = solve(differentiate(one.inner, one.outer), inputs, inner_steps=one.inner_steps)
    return agreement(one.program, inputs, solution, create_graph=create_graph)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("losses", "steps", "c", "x"),
    list(product(PRESETS, (1, 3), (1, 2), (-0.7, 0.4, 1.9))),
    ids=lambda value: str(value),
)
def test_four_ways_agree(losses, steps, c, x, create_graph):
    result = check(lesson(losses, steps), {"x": x, "c": c, "alpha": 0.1}, create_graph)
    assert result.agrees, result
    assert result.difference < module.TOLERANCE
    assert len(result.ways) == 4


def test_the_ways_agree_on_the_sources_numbers():
    values = [way.value for flag in (False, True) for way in check(lesson(), BLOG, flag).ways]
    assert values == [pytest.approx(-1108.8, rel=1e-9)] * 4 + [pytest.approx(-49008.96, rel=1e-9)] * 4


def test_nudging_everything_measures_the_second_order_gradient():
    slope = central_difference(lesson().program, BLOG, frozen=None)
    assert slope.value == pytest.approx(-49008.96, rel=1e-8)


def test_holding_the_inner_gradient_fixed_measures_the_first_order_gradient():
    slope = central_difference(lesson().program, BLOG, frozen={0: -216.0})
    assert slope.value == pytest.approx(-1108.8, rel=1e-8)


def test_the_chain_rule_over_the_graph_is_a_sum_over_its_paths():
    """By enumeration: every path from the output to x, the product of its local derivatives."""
    recording = record(lesson("wave", 3).program, BLOG, create_graph=True)
    into = {}
    for edge in recording.edges:
        if edge.used:
            into.setdefault(edge.target, []).append(edge)

    def paths(node):
        return [1.0] if node == "x" else [e.local * p for e in into.get(node, []) for p in paths(e.source)]

    output = recording.nodes[-1].id
    assert sum(paths(output)) == pytest.approx(chain_rule(recording), rel=1e-6)
    assert chain_rule(recording) == pytest.approx(recording.gradients["x"], rel=1e-5)


def test_numbers_beyond_float64_are_reported_with_the_reason():
    result = check(lesson("quartic", 5), BLOG, True)
    assert not result.agrees
    assert math.isnan(result.difference)
    assert "·10³⁶¹" in result.reason


def test_a_kink_parts_the_central_difference_alone_and_is_named():
    one = InnerStep.parse("x_prime**2", "abs(x_prime)", inner_steps=1)
    result = check(one, {"x": 0.0, "c": 1, "alpha": 0.1}, True)
    ways = {way.name: way.value for way in result.ways}
    assert ways["autograd"] == ways["SymPy"] == 0
    assert result.agrees  # at the kink itself the central difference is 0 by symmetry
    beside = check(one, {"x": 1e-9, "c": 1, "alpha": 0.1}, True)
    assert "central difference" in beside.reason


def test_numbers_too_large_for_a_small_step_are_named_as_the_reason():
    result = check(lesson("quartic", 3), BLOG, False)
    assert "float64 cannot see x move" in result.reason


def test_sympy_is_not_called_infinite_where_it_is_not():
    result = check(lesson("quartic", 5), BLOG, True)
    assert result.reason.startswith("Not finite: autograd, chain rule over the recorded graph, central difference.")


def test_terms_that_cancel_to_rounding_still_agree():
    result = check(lesson("wave", 3), {"x": 2.4, "c": 1, "alpha": 0.25}, True)
    assert result.agrees, result


def test_a_wrong_way_is_noticed():
    """The check can fail: a solution for other inputs does not agree with the run."""
    one = lesson()
    solution = solve(differentiate(one.inner, one.outer), {**BLOG, "alpha": 0.41}, inner_steps=1)
    assert not agreement(one.program, BLOG, solution, create_graph=True).agrees


def test_the_relative_difference_is_of_the_farthest_two():
    assert relative_difference([1.0, 2.0, 1.5]) == 0.5
    assert relative_difference([0.0, 0.0]) == 0.0
    assert math.isnan(relative_difference([1.0, math.inf]))
