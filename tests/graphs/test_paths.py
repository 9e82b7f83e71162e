"""The gradient is the sum over the paths of its graph."""

import pytest

from maml_core.graphs.comparing import compare
from maml_core.graphs.paths import MOST_PATHS, paths_to
from maml_core.graphs.recording import record
from tests.graphs.examples import BLOG, lesson


def test_the_sources_gradient_has_one_path_without_create_graph_and_two_with_it(blog):
    first, second = paths_to("x", blog.first_order), paths_to("x", blog.second_order)
    assert [path.product for path in first.listed] == [pytest.approx(-1108.8)]
    assert sorted(path.product for path in second.listed) == [pytest.approx(-47900.16), pytest.approx(-1108.8)]


def test_the_path_that_only_create_graph_adds_leads_through_every_second_order_node(blog):
    known = {path.nodes for path in paths_to("x", blog.first_order).listed}
    (extra,) = [path for path in paths_to("x", blog.second_order).listed if path.nodes not in known]
    assert {node.id for node in blog.second_order.nodes if node.parent} <= set(extra.nodes)


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_products_add_up_to_the_gradient(any_lesson, create_graph):
    inputs = {"x": 0.3, "c": 1, "alpha": 0.05}
    recording = record(any_lesson.program, inputs, create_graph=create_graph)
    found = paths_to("x", recording)
    total = sum(path.product for path in found.listed) + found.rest
    assert total == pytest.approx(recording.gradients["x"], rel=1e-4)
    assert len(found.listed) == min(found.number, MOST_PATHS)


def test_paths_beyond_sixty_four_are_counted_and_summed_but_not_listed():
    from maml_core.graphs.programs import InnerStep

    one = InnerStep.parse("x_prime * x_prime * x_prime * x_prime", "x_prime**2", inner_steps=3)
    recording = record(one.program, {"x": 0.5, "c": 1, "alpha": 0.05}, create_graph=True)
    found = paths_to("x", recording)
    assert found.number > len(found.listed) == MOST_PATHS
    total = sum(path.product for path in found.listed) + found.rest
    assert total == pytest.approx(recording.gradients["x"], rel=1e-4)


def test_each_path_is_a_chain_of_recorded_edges():
    recording = compare(lesson("wave", 2).program, BLOG).second_order
    locals_ = {(edge.target, edge.source): edge.local for edge in recording.edges if edge.used}
    for path in paths_to("x", recording).listed:
        assert path.nodes[-1] == "x"
        for target, source, factor in zip(path.nodes, path.nodes[1:], path.factors, strict=False):
            assert (target, source) in locals_
            assert factor is not None


def test_a_leaf_that_nothing_reaches_has_no_path(blog):
    assert paths_to("nowhere", blog.second_order).number == 0
