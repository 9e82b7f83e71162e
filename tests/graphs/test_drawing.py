"""The picture: every node and edge that torchviz draws, under our ids, in every state of folding."""

import re
import shutil
import xml.etree.ElementTree as ET

import pytest

from maml_core.graphs import drawing
from maml_core.graphs.comparing import compare, counts
from maml_core.graphs.drawing import draw
from tests.graphs.examples import BLOG, lesson

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg, kind):
    groups = ET.fromstring(svg).iter(f"{SVG}g")
    return [group.find(f"{SVG}title").text for group in groups if group.get("class") == kind]


def test_the_drawn_nodes_and_arrows_are_the_counted_ones_and_the_inner_loss():
    both = compare(lesson().program, BLOG)
    size = counts(both.second_order)
    svg = draw(lesson().program).layouts["1"]
    aside = [name for name, kind in both.kinds.items() if kind == "aside"]
    assert len(titles(svg, "node")) == size.drawn_nodes + len(aside) + 1  # and the box "inner_loss"
    assert len(titles(svg, "edge")) == size.drawn_edges + len(aside) + 1


def test_every_drawn_node_has_a_record_or_is_a_tensor(any_lesson):
    both = compare(any_lesson.program, BLOG)
    layouts = draw(any_lesson.program).layouts
    known = {node.id for node in both.second_order.nodes}
    tensors = {"x.leaf", "output"} | {f"inner_loss.{k}" for k in range(any_lesson.inner_steps)}
    for state, svg in layouts.items():
        drawn = set(titles(svg, "node"))
        folded = {name for name in drawn if name.startswith("step-")}
        assert drawn - folded <= known | tensors
        if state == "all" or any_lesson.inner_steps == 1:
            assert known <= drawn
            assert not folded
        else:
            assert len(folded) == any_lesson.inner_steps - 1


def test_edges_join_the_recorded_ends(any_lesson):
    both = compare(any_lesson.program, BLOG)
    state = "all" if any_lesson.inner_steps > 1 else "1"
    drawn = {tuple(title.split("->")) for title in titles(draw(any_lesson.program).layouts[state], "edge")}
    assert {(edge.source, edge.target) for edge in both.second_order.edges} <= drawn


@pytest.mark.parametrize("inputs", [BLOG, {"x": 0.0, "c": 1, "alpha": 0.0}, {"x": -5.0, "c": 1, "alpha": 1.0}])
def test_a_layout_does_not_depend_on_the_numbers(any_lesson, inputs):
    """So it is computed once for all readers."""
    recording = compare(any_lesson.program, inputs).second_order
    state = "all" if any_lesson.inner_steps > 1 else "1"
    svg = draw(any_lesson.program).layouts[state]
    assert {node.id for node in recording.nodes} <= set(titles(svg, "node"))
    assert {f"{edge.source}->{edge.target}" for edge in recording.edges} <= set(titles(svg, "edge"))


def test_the_svg_carries_no_size_script_or_reference():
    svg = draw(lesson().program).layouts["1"]
    assert svg.startswith("<svg")
    assert "viewBox" in svg
    assert not re.search(r"<script|href=|<!--|pt\"", svg)


def test_without_dot_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    missing = draw(lesson("bowl").program)
    assert missing.layouts == {}
    assert missing.error == drawing.NO_DOT
    assert "apt-get install graphviz" in missing.error


def test_a_dot_that_fails_is_a_sentence_and_not_a_crash(monkeypatch, tmp_path):
    (tmp_path / "dot").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    drawing._draw.cache_clear()
    assert "`dot -V`" in draw(lesson("wave", 2).program).error
    monkeypatch.undo()
    assert draw(lesson("wave", 2).program).error is None


@pytest.mark.parametrize("steps", [2, 4])
def test_one_state_for_each_open_step_and_one_for_all(steps):
    assert list(draw(lesson("bowl", steps).program).layouts) == [*map(str, range(1, steps + 1)), "all"]
