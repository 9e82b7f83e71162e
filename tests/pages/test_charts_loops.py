"""Lesson 10's picture holds the angles and lengths that were measured, and hides what is to be guessed."""

import math

import pytest

from maml_core.practice.loops.bench import BENCH, examine
from maml_core.practice.loops.judging import marks
from pages.ui.charts_loops import NAMES, compass, in_words


def tips(figure):
    return {trace.name: (trace.x[-1], trace.y[-1]) for trace in figure.data}


def test_every_arrow_has_its_true_angle_and_length():
    drawn = tips(compass(marks()))
    assert set(drawn) == set(NAMES.values())
    for mark in marks():
        if mark.name in NAMES:
            x, y = drawn[NAMES[mark.name]]
            assert math.hypot(x, y) == pytest.approx(mark.length)
            assert abs(math.degrees(math.atan2(y, x))) == pytest.approx(mark.degrees, abs=1e-9)


@pytest.mark.parametrize("title", BENCH)
def test_a_loop_lies_on_the_arrow_that_it_is(title):
    finding = examine(title).finding
    drawn = tips(compass(marks(), finding))
    assert ("this loop" in drawn) == (finding.degrees is not None)
    if finding.known_as in NAMES:
        assert drawn["this loop"] == pytest.approx(drawn[NAMES[finding.known_as]], abs=1e-9)
        assert f"this loop {finding.degrees:.0f}°" in in_words(marks(), finding)


def test_every_tip_is_inside_the_picture():
    for title in BENCH:
        figure = compass(marks(), examine(title).finding)
        for x, y in tips(figure).values():
            assert figure.layout.xaxis.range[0] <= x <= figure.layout.xaxis.range[1]
            assert figure.layout.yaxis.range[0] <= y <= figure.layout.yaxis.range[1]


@pytest.mark.parametrize("title", BENCH)
def test_no_two_names_stand_at_one_tip(title):
    figure = compass(marks(), examine(title).finding)
    named = {
        trace.text[-1]: tip for trace, tip in zip(figure.data, tips(figure).values(), strict=True) if trace.text[-1]
    }
    places = list(named.values())
    assert all(math.dist(a, b) > 0.05 for i, a in enumerate(places) for b in places[:i])
    finding = examine(title).finding
    if finding.known_as in NAMES:
        assert f"{NAMES[finding.known_as].replace(' + ', '<br>+ ')}<br>this loop" in named
