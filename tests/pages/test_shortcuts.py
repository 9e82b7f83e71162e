"""Lesson 6 by AppTest: nothing shows before the prediction, its numbers are the engine's, trouble is told."""

import json
import math
from dataclasses import replace

import pytest

from maml_core.meta.crossings import lead_changes
from maml_core.meta.freezing import frozen_leaves
from maml_core.meta.implicit import lab
from maml_core.meta.shortcuts import AXES, Setting, compared, problem_of
from maml_core.numerals import numeral
from maml_core.plane import problems
from maml_core.plane.answers import Rates, answer
from pages.ui import shortcut_labs, shortcut_sweep_words, shortcut_sweeps, shortcut_views
from pages.ui.charts_axes import logarithmic
from tests.pages.test_pages import guess, open_page, text

LESSON = "pages/06_shortcuts.py"
QUICK = {"sweep": "m"}  # four points
OVERFLOWING = Setting("he", 0.03, inner_steps=20, last=20, leap=20.0, pull=0.5, cg_steps=20, seed=99)


def chart(app, place):
    """The figures of the page, from top to bottom."""
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def table(app):
    """The cells of the cost table, by row name."""
    return next(t.value for t in app.table if "leaves out" in t.value)


def truncated(app):
    """The table of truncations, by row."""
    return next(t.value for t in app.table if t.value.iloc[0, 0] == "m = 0, FOMAML").set_index("")


@pytest.fixture(scope="module")
def revealed():
    return guess(open_page(LESSON, **QUICK), "one leap")


def test_before_the_prediction_no_angle_of_the_network_is_anywhere():
    app = open_page(LESSON, **QUICK)
    row = next(row for row in compared(Setting(), ("one-leap",)))
    shown = text(app) + "".join(element.proto.spec for element in app.get("plotly_chart"))
    assert f"{row.degrees:.1f}" not in shown
    cells = table(app)
    assert [angle for angle in cells["angle"] if angle != "?"] == ["0°", "0°"]  # MAML and Meta-SGD, which are exact
    assert "4" in set(cells["gradients"])  # what it costs is no secret
    assert "wait for your answer" in "\n".join(caption.value for caption in app.caption)


def test_truncation_is_shown_from_first_order_to_maml(revealed):
    hidden, shown = truncated(open_page(LESSON, **QUICK)), truncated(revealed)
    assert list(hidden.index) == ["m = 0, FOMAML", "m = 1", "m = 2", "m = 3, MAML"]
    assert list(hidden["angle"]) == ["?", "?", "?", "0°"]
    rows = [compared(Setting(last=m), ("truncated",))[0] for m in range(4)]
    assert list(shown["angle"]) == [f"{numeral(row.degrees, 3)}°" for row in rows]
    assert shown.loc["m = 1", "kept for backward"] == table(revealed)["kept for backward"].iloc[-1]
    assert shown.loc["m = 3, MAML", "kept for backward"] == table(revealed)["kept for backward"].iloc[0]


def test_the_map_is_sent_every_arrow_of_pytorch():
    data = json.loads(open_page(LESSON, **QUICK).get("bidi_component")[0].proto.json)
    valley = problems.rosenbrock()
    exact = answer(valley, valley.start, Rates(0.45, 3, 1, 0.45, 10.0), tuple(data["arrows"]))
    assert data["exact"]["arrows"] == {name: list(arrow) for name, arrow in exact.arrows.items()}
    assert len(data["arrows"]) == 8


def test_the_right_guess_is_computed_and_the_numbers_are_the_engines(revealed):
    assert "You said *one leap*, and so it is. One leap is 17.3° from MAML; next is truncated with 22.8°" in text(
        revealed
    )
    cells = table(revealed)
    for row, angle, length in zip(compared(Setting()), cells["angle"], cells["length"], strict=True):
        assert angle == f"{numeral(row.degrees, 3)}°"
        assert length == f"× {numeral(row.ratio, 3)}"
    assert list(cells["Hv products"]) == ["3", "0", "0", "3", "3", "3", "1", "6", "1"]


def test_lengths_have_ticks_however_close_they_are(revealed):
    axis = chart(revealed, 0)["layout"]["xaxis2"]
    low, high = axis["range"]
    assert sum(low <= math.log10(tick) <= high for tick in axis["tickvals"]) >= 3
    assert high > 0.3 + max(math.log10(row.ratio) for row in compared(Setting()) if row.finite) - 0.3
    wide = logarithmic([1e-40, 1e30])
    assert 3 <= sum(wide["range"][0] <= math.log10(tick) <= wide["range"][1] for tick in wide["tickvals"]) <= 9


def test_both_agreement_lines_are_there(revealed):
    lines = [line for line in text(revealed).split("\n") if "independent ways" in line]
    assert len(lines) == 2
    assert "3 independent ways give the same slopes of MAML's exact meta-gradient" in lines[0]
    assert "2 independent ways give the same vector at k = 1" in lines[1]


def test_a_sweep_draws_the_engines_angles_and_names_where_the_lead_changes(revealed):
    figure = chart(revealed, 1)
    truncated = next(trace for trace in figure["data"] if trace["name"] == "truncated")
    angles = [compared(Setting(last=m), ("truncated",))[0].degrees for m in range(4)]
    assert truncated["y"] == pytest.approx(angles)
    leap = compared(Setting(), ("one-leap",))[0].degrees
    assert angles[1] > leap > angles[2]
    assert f"Closest in angle: first **one leap**, then at m = 2 **truncated** ({angles[2]:.1f}°)." in text(revealed)
    assert len(next(trace for trace in figure["data"] if trace["name"] == "lead changes")["x"]) == 1


def test_a_tie_at_the_first_point_is_told():
    curves = {"one-leap": [0.0, 1.0, 2.0], "truncated": [0.0, 2.0, 3.0]}
    told = shortcut_sweep_words.in_words(shortcut_sweep_words.Swept(AXES["k"], (1, 2, 3), curves), (), "angle")
    assert "**one leap** (level with truncated at k = 1) from end to end: no other curve goes below it." in told


def test_the_frozen_leaves_are_the_engines(revealed):
    bars = next(
        json.loads(element.proto.spec)
        for element in revealed.get("plotly_chart")
        if "layer 1 weights" in element.proto.spec
    )
    anil = next(trace for trace in bars["data"] if trace["name"] == "ANIL" and "frozen" in trace["text"])
    expected = [leaf.moved for leaf in frozen_leaves(Setting(), problem_of(Setting())) if leaf.algorithm == "anil"]
    assert anil["x"] == pytest.approx(expected[::-1])
    assert anil["text"].count("frozen") == 4
    assert "ANIL holds 1720 of 1761 weights still" in text(revealed)


def test_the_imaml_lab_says_what_it_measured(revealed):
    assert "After 16 inner steps and 5 CG steps the gradient is **2.2°** from the exact implicit one" in text(
        revealed
    )
    assert "the ReLU network with the same weights 0.053" in text(revealed)


def test_a_tie_is_an_answer_and_a_wrong_guess_gets_the_measured_one():
    app = guess(open_page(LESSON, inner_steps="1", **QUICK), "iMAML")
    assert "with these controls it is **several, exactly**. One leap and truncated agree to 0°" in text(app)


def test_how_far_the_curvatures_reach_is_told_with_the_shots_that_were_measured(revealed):
    assert problem_of(Setting()).tasks.support.x.shape == (10, 10, 1)
    assert "over the ten tasks of 10 shots. None exceeds 2" in text(revealed)


def test_overflow_and_overshooting_are_told_in_words():
    app = guess(
        open_page(LESSON, start="he", alpha="0.03", inner_steps="18", pull="2", seed="2", sweep="cg"), "just show me"
    )
    assert "MAML's own gradient is not finite, so there is no MAML to compare with. Finite are " in text(app)
    assert "10 of 10 tasks exceed 2" in text(app)
    rows = {row.name: row for row in compared(replace(OVERFLOWING, inner_steps=18, pull=2.0, cg_steps=5, seed=2))}
    told = {True: "not finite", False: "no MAML to compare with"}
    assert list(table(app)["angle"]) == [told[row.overflowed] for row in rows.values()]
    assert rows["maml"].overflowed
    assert not rows["anil"].overflowed
    assert "meta-gradient (one per leaf of θ) cannot be compared. Not finite" in text(app)
    assert "With λ = 2 no minimum was found" in text(app)
    assert "MAML's own gradient is not finite at any point" in text(app)
    assert not any("degrees to MAML" in element.proto.spec for element in app.get("plotly_chart"))  # no empty chart


def test_without_maml_the_answer_is_none_and_nothing_is_compared():
    words = shortcut_views.standing(compared(OVERFLOWING))
    asked = shortcut_views.choices(compared(OVERFLOWING))
    assert [choice.text for choice in asked if choice.right] == [shortcut_views.NONE]
    assert "Finite " in words
    assert "ANIL" in words
    told = shortcut_labs._frozen_words(frozen_leaves(OVERFLOWING, problem_of(OVERFLOWING)), OVERFLOWING)
    assert "MAML's own inner loop overflows here" in told
    assert "not a number" not in told


def test_a_comparison_that_ends_early_is_told_as_far_as_it_goes():
    curves = {"truncated": [1.0, 2.0, math.nan], "anil": [3.0, 4.0, math.nan], "imaml": [math.nan] * 3}
    told = shortcut_sweep_words.in_words(shortcut_sweep_words.Swept(AXES["k"], (1, 2, 3), curves), (), "angle")
    assert "**truncated** from k = 1 to 2: no other curve goes below it." in told
    assert "MAML's own gradient is not finite at k = 3: no MAML to compare with." in told
    assert "Not finite, so not drawn: iMAML at k = 1 to 2." in told


def test_of_a_knob_of_whole_numbers_no_fraction_is_told():
    curves = {"fomaml": [1.0, 2.0, 4.0], "boil": [5.0, 3.0, 3.5]}
    leads = lead_changes((1, 2, 3), curves)
    swept = shortcut_sweep_words.Swept(AXES["k"], (1, 2, 3), curves)
    assert "first **FOMAML**, then at k = 3 **BOIL** (3.5°)." in shortcut_sweep_words.in_words(swept, leads, "angle")
    assert shortcut_sweep_words.crossing_in_words(leads[0], AXES["k"]).startswith(
        "between k = 2 and 3, near 3.3°: BOIL"
    )


def test_two_changes_of_the_lead_never_stand_at_one_number():
    xs, curves = (0.01, 0.02), {"truncated": [1.0, 9.0], "fomaml": [1.4, 1.4], "one-leap": [1.452, 0.452]}
    swept, leads = shortcut_sweep_words.Swept(AXES["alpha"], xs, curves), lead_changes(xs, curves)
    told = shortcut_sweep_words.in_words(swept, leads, "angle")
    assert "from α = 0.0105 on **FOMAML** (at 1.4°), from α = 0.01052 on **one leap** (at 1.4°)." in told


def test_one_more_change_is_told_in_the_singular():
    xs, up = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), [1.0, 3.0, 1.0, 3.0, 1.0, 3.0]
    curves = {"fomaml": up, "boil": [2.0] * 6}
    told = shortcut_sweep_words.in_words(
        shortcut_sweep_words.Swept(AXES["alpha"], xs, curves), lead_changes(xs, curves), "angle"
    )
    assert told.count("from α = ") == 4
    assert "; and 1 more change, ringed." in told


def test_the_closest_and_the_next_have_digits_enough_to_differ():
    row = compared(Setting(), ("one-leap",))[0]
    near = row._replace(degrees=0.0421), row._replace(name="truncated", degrees=0.0424)
    assert "One leap is 0.0421° from MAML; next is truncated with 0.0424°." in shortcut_views.standing(near)
    far = row._replace(degrees=17.3104), row._replace(name="truncated", degrees=17.3406)
    assert "One leap is 17.31° from MAML; next is truncated with 17.34°." in shortcut_views.standing(far)


def test_the_words_on_kinks_side_with_the_numbers():
    ends = lab(10.0, seed=1)
    smooth = ends._replace(stops=(ends.stops[-1]._replace(residual=0.067, residual_relu=0.036),))
    assert "Here the kinks cost nothing" in shortcut_labs._relu_words(smooth)
    assert "Here the kinks cost nothing" not in shortcut_labs._relu_words(ends)


def test_a_stopped_sweep_keeps_its_points_and_goes_on(monkeypatch):
    app = open_page(LESSON, **QUICK)
    knob = Setting(last=0), "m"
    app.session_state["sweeps"] = {knob: [compared(Setting(last=0), ("truncated",))]}
    app.session_state["sweep stopped"] = knob
    app = guess(app, "just show me")
    assert "Stopped after 1 of 4 points" in text(app)
    calls = []
    real = shortcut_sweeps.sweep_point
    monkeypatch.setattr(shortcut_sweeps, "sweep_point", lambda *where: calls.append(where) or real(*where))
    guess(app, "Go on")
    assert [value for _, _, value in calls] == [1, 2, 3]  # the first is not computed again
    assert "Stopped" not in text(app)


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("alpha", "0.004", "it must be one of 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01"),
        ("pull", "nan", "so this is 10"),
        ("start", "warm", "it must be trained or fresh or he or tiny, so this is trained"),
        ("sweep", "gamma", "it must be k or alpha or lambda or cg or m or beta, so this is k"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    app = open_page(LESSON, **{parameter: value})
    assert sentence in text(app)


def test_the_link_holds_every_control():
    asked = {
        "plane": "bowl",
        "inner_steps": "2",
        "m": "2",
        "beta": "1.5",
        "pull": "20",
        "start": "fresh",
        "alpha": "0.01",
    }
    asked |= {"cg": "3", "seed": "7", "sweep": "cg", "measure": "length", "theta": "0.5,-1"}
    link = open_page(LESSON, **asked).code[-1].value
    for name, value in asked.items():
        assert f"{name}={value.replace(',', '%2C')}" in link
    assert "sharpness=3.2" in link
