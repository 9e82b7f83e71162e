"""The picture of a race: where its lines end, and that the names there can be read."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from maml_core.train.race import ENTRANTS, Race
from maml_core.train.recorded_race import recorded
from maml_core.train.standings import Band, bands
from pages.ui.charts import FIRST_ORDER, SECOND_ORDER, TRUTH, WARNING, WRONG
from pages.ui.charts_race import NOTHING, apart, race, traces


def band(name, *ends):
    spent, error = zip((0.0, 50.0), *ends, strict=True)
    return Band(name, spent, error, error, error, 1)


def test_names_that_have_room_stay_and_others_part_around_their_middle():
    assert apart([1.0, 2.0, 4.0], 1.5) == pytest.approx([1.0, 2.0, 4.0])
    assert apart([2.0, 2.0], 4.0) == pytest.approx([1.0, 4.0])
    assert apart([2.0, 2.1, 9.0], 1.5)[2] == pytest.approx(9.0)
    moved = apart([1.0, 1.1, 1.2, 1.3], 1.2)
    assert [b / a for a, b in pairwise(moved)] == pytest.approx([1.2] * 3)
    assert math.prod(moved) == pytest.approx(1.0 * 1.1 * 1.2 * 1.3)


def test_every_line_has_its_name_at_its_end_in_its_colour():
    found = bands(*recorded())
    setup = recorded()[0]
    figure = race(setup, found)
    names = figure.data[-1]
    assert sorted(text.strip() for text in names.text) == sorted(setup.entrants)
    for line in figure.data[1:-1:2]:
        place = [text.strip() for text in names.text].index(line.name)
        assert names.x[place] == line.x[-1]
        assert names.y[place] == pytest.approx(line.y[-1], rel=0.2)
        assert names.textfont.color[place] == line.line.color


def test_a_method_looks_the_same_in_every_race_and_like_no_other():
    def looks(*entrants):
        lines = race(Race(entrants)).data[1:-1:2]
        return {line.name: (line.line.color, line.line.dash, line.marker.symbol) for line in lines}

    found = {name: looks(name, "maml" if name != "maml" else "anil")[name] for name in ENTRANTS}
    assert looks("anil", "reptile", "imaml", "maml").items() <= found.items()
    assert len({ink for ink, _, _ in found.values()}) == len({symbol for *_, symbol in found.values()}) == len(found)


def test_the_live_chart_knows_every_ink_of_the_theme():
    script = (Path(__file__).parents[2] / "assets" / "live.js").read_text()
    for ink in (FIRST_ORDER, SECOND_ORDER, WARNING, TRUTH, WRONG):
        assert f"'{ink}': '--st-" in script


def test_names_far_from_each_other_are_not_moved():
    setup = Race(("maml", "fomaml"), amount=1000)
    near = traces(setup, [band("maml", (500.0, 2.0), (600.0, 1.0)), band("fomaml", (500.0, 2.0), (600.0, 1.0))])[-1]
    far = traces(setup, [band("maml", (500.0, 2.0)), band("fomaml", (500.0, 2.0), (800.0, 1.0))])[-1]
    assert near["y"][1] > near["y"][0]
    assert (far["x"], far["y"]) == ([500.0, 800.0], pytest.approx([2.0, 1.0]))


def test_where_there_is_nothing_yet_there_is_an_axis():
    setup = replace(Race(), entrants=("maml", "fomaml"))
    empty = [Band(name, (0.0,), (50.0,), (50.0,), (50.0,), 1) for name in setup.entrants]
    assert traces(setup, empty)[-1] == NOTHING
    assert tuple(race(setup).data[-1].y) == (1, 10)
    assert len(race(setup).data) == len(race(setup, empty).data) == 5
