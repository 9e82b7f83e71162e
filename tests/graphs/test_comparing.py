"""False's graph lies inside True's, and the counts are the lesson's."""

import dataclasses
import itertools

import pytest

from maml_core.graphs.comparing import compare, counts, growth
from tests.graphs.examples import BLOG, lesson


def test_the_sources_graph_grows_from_seven_to_eleven_nodes(blog):
    assert counts(blog.first_order)[:4] == (7, 6, 9, 8)
    assert counts(blog.second_order)[:4] == (11, 11, 13, 13)


def test_the_extra_nodes_are_one_pow_and_three_muls(blog):
    extra = blog.second_order.used_nodes - blog.first_order.used_nodes
    ops = sorted(node.op.rstrip("01") for node in blog.second_order.nodes if node.id in extra)
    assert ops == ["MulBackward", "MulBackward", "MulBackward", "PowBackward"]


def test_the_first_order_graph_lies_inside_the_second_order_graph(any_lesson):
    both = compare(any_lesson.program, BLOG)
    assert both.first_order.used_nodes < both.second_order.used_nodes
    assert both.first_order.used_edges < both.second_order.used_edges


def test_kinds_tell_apart_what_both_have_what_is_kept_and_what_the_engine_made(blog):
    by_kind = {}
    for node in blog.second_order.nodes:
        by_kind.setdefault(blog.kinds[node.id], []).append(node)
    assert {node.id for node in by_kind["common"]} == blog.first_order.used_nodes
    assert [node.value for node in by_kind["kept"]] == [pytest.approx(-86.4)]
    assert len(by_kind["second"]) == 3
    assert all(node.parent for node in by_kind["second"])
    assert len(by_kind["aside"]) == 3  # pow, mul, rsub of the inner loss


@pytest.mark.parametrize(
    ("losses", "inputs", "change"),
    [
        ("quartic", BLOG, "longer"),
        ("quartic", {**BLOG, "alpha": 0.0}, "same"),
        ("bowl", BLOG, "shorter"),
        ("bowl", {"x": 3.0, "c": 1, "alpha": 0.5}, "zero or turned"),  # 1 − αL″ = 0
        ("bowl", {"x": 3.0, "c": 1, "alpha": 0.9}, "zero or turned"),
    ],
)
def test_what_create_graph_does_to_the_gradient_depends_on_the_curvature(losses, inputs, change):
    assert compare(lesson(losses).program, inputs).change == change


def test_a_gradient_beyond_float32_is_called_not_finite():
    assert compare(lesson("quartic", 5).program, BLOG).change == "not finite"


def test_growth_is_what_recording_each_number_of_steps_gives():
    one = lesson("wave")
    rows = growth(one, up_to=4)
    assert [row.inner_steps for row in rows] == [1, 2, 3, 4]
    three = compare(dataclasses.replace(one, inner_steps=3).program, BLOG)
    assert (rows[2].first_order, rows[2].second_order) == (counts(three.first_order), counts(three.second_order))
    # Every further step adds the same amount to each graph.
    sizes = [row.second_order.nodes for row in rows]
    assert len({b - a for a, b in itertools.pairwise(sizes)}) == 1
