"""Lesson 9 by AppTest: every attempt's outcome comes from its run, and stays hidden until it is predicted."""

import json

import pytest

from maml_core.practice.modules_explained import explain_module
from maml_core.practice.networks import NETWORKS
from maml_core.practice.trying import ATTEMPTS, source
from tests.pages.test_pages import guess, open_page, text

LESSON = "pages/09_any_module.py"
RUN = ("5 ask the copy", "6 functional_call", "7 chained")


def chart(app, place=0):
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def names(app, place=0):
    return [trace["name"] for trace in chart(app, place)["data"]]


def captions(app):
    return "\n".join(caption.value for caption in app.caption)


def test_before_the_prediction_the_attempt_s_gradient_is_nowhere():
    app = open_page(LESSON, attempt="6 functional_call")
    assert names(app) == ["the meta-gradient"]
    assert len(app.get("plotly_chart")) == 1
    assert "away from the meta-gradient" not in text(app)
    assert "What no message says" not in [element.value for element in app.subheader]
    assert app.code[1].value == source(ATTEMPTS[5].code)


@pytest.mark.parametrize(
    ("attempt", "label", "words"),
    [
        ("1 sketch", "nothing: an error", "Line 3 stops it"),
        ("2 a network", "nothing: an error", "Line 7 stops it"),
        ("5 ask the copy", "None", "no path leads from the copy to θ"),
        ("6 functional_call", "another vector", "away from the meta-gradient"),
        ("7 chained", "the meta-gradient", "leaf by leaf"),
    ],
)
def test_each_outcome_can_be_guessed_and_comes_from_the_run(attempt, label, words):
    app = guess(open_page(LESSON, attempt=attempt), label)
    assert "and so it is" in text(app)
    assert words in text(app)


def test_an_error_is_a_result_in_python_s_words_and_in_ours():
    app = guess(open_page(LESSON, attempt="3 allow unused"), "None")
    assert "with these controls it is **nothing: an error**" in text(app)
    assert "TypeError: can't multiply sequence by non-int of type 'float'" in [code.value for code in app.code]
    assert "a parameter's *name*" in text(app)


def test_the_numbers_are_the_engine_s_and_follow_the_controls():
    app = guess(open_page(LESSON, network="attention", attempt="6 functional_call"), "just show me")
    app.slider(key="inner_steps").set_value(4).run()
    expected = explain_module("attention", 5, inner_lr=0.1, inner_steps=4)
    assert names(app) == ["this attempt", "the meta-gradient", "their difference"]
    assert tuple(chart(app)["data"][2]["y"]) == expected.outcome.apart
    assert tuple(chart(app)["data"][0]["x"]) == expected.leaves
    assert f"{expected.outcome.degrees:.3g}°" in text(app)
    assert "4 steps lead at a rate of 0.1 to a query loss of" in text(app)
    assert "every step was taken from θ again" in text(app)


def test_one_step_makes_the_unchained_attempt_right():
    app = guess(open_page(LESSON, attempt="6 functional_call", inner_steps="1"), "the meta-gradient")
    assert "and so it is" in text(app)
    assert "nothing to chain" in text(app)


def answer_those_that_run(**controls):
    """The page at attempt 7, with 5, 6 and 7 answered."""
    app = guess(open_page(LESSON, attempt=RUN[0], **controls), "just show me")
    for title in RUN[1:]:
        app.segmented_control(key="attempt").set_value(title).run()
        guess(app, "just show me")
    return app


def test_the_page_opens_at_the_first_attempt():
    app = open_page(LESSON)
    assert app.segmented_control(key="attempt").value == "1 sketch"
    assert names(app) == ["the meta-gradient"]


def test_every_attempt_is_asked_about_anew_and_its_answer_stays():
    app = guess(open_page(LESSON), "nothing: an error")
    assert "and so it is" in text(app)
    app.segmented_control(key="attempt").set_value("5 ask the copy").run()
    assert "You said" not in text(app)
    guess(app, "None")
    assert "2 of 2 predictions right" in text(app)
    app.segmented_control(key="attempt").set_value("1 sketch").run()
    assert "You said *nothing: an error*" in text(app)
    app.segmented_control(key="network").set_value("attention").run()
    assert "You said *nothing: an error*, and so it is" in text(app)


def test_nothing_gives_away_an_attempt_that_was_not_answered():
    app = guess(open_page(LESSON), "just show me")
    assert "Clones that clone nothing" in text(app)
    assert len(app.get("plotly_chart")) == 1
    assert "independent ways" not in text(app)
    app.segmented_control(key="attempt").set_value("6 functional_call").run()
    guess(app, "just show me")
    assert names(app, 1) == ["6 functional_call"]
    assert "independent ways" not in text(app)
    assert "once you have answered them: 5 ask the copy, 7 chained" in captions(app)


def test_theta_does_not_move_without_a_gradient():
    app = answer_those_that_run()
    losses = {trace["name"]: trace["y"] for trace in chart(app, 1)["data"]}
    assert names(app, 1) == list(RUN)
    assert "5 ask the copy: **0**" in captions(app)
    assert "once you have answered them" not in captions(app)
    assert len(set(losses["5 ask the copy"])) == 1 < len(set(losses["7 chained"]))


def test_an_attempt_that_explodes_does_not_hide_the_others():
    app = answer_those_that_run(alpha="1", inner_steps="5")
    assert chart(app, 1)["layout"]["yaxis"]["type"] == "log"
    app.slider(key="alpha").set_value(0.1).run()
    assert "type" not in chart(app, 1)["layout"]["yaxis"]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_repaired_version_agrees_with_a_nudge(network):
    app = guess(open_page(LESSON, network=network, attempt="7 chained"), "just show me")
    assert "3 independent ways give the same slopes of the meta-loss" in text(app)


def test_the_layers_are_shown_with_both_slopes():
    app = open_page(LESSON, topic="dropout")
    rows = app.table[-1].value
    assert list(rows.iloc[:, 3]) == [
        ":orange[:material/call_split: part]",
        ":green[:material/check: agree]",
        ":green[:material/check: agree]",
        ":red[:material/front_hand: error]",
    ]


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("network", "GPT", "it must be MLP or OmniglotCNN or LayerNorm or attention, so this is MLP"),
        ("attempt", "8", "so this is 1 sketch"),
        ("inner_steps", "99", "it must be a whole number from 1 to 5, so this is 3"),
        ("alpha", "nan", "it must be a number from 0 to 1, so this is 0.1"),
        ("topic", "<b>", "so this is BatchNorm"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    assert sentence in text(open_page(LESSON, **{parameter: value}))


def test_the_link_holds_every_control():
    app = open_page(LESSON, network="LayerNorm", attempt="7 chained", inner_steps="2", alpha="0.25", topic="in place")
    link = app.code[-1].value
    for part in ("network=LayerNorm", "attempt=7+chained", "inner_steps=2", "alpha=0.25", "topic=in+place"):
        assert part in link


@pytest.mark.parametrize("controls", [{"alpha": "0"}, {"alpha": "1", "inner_steps": "5", "network": "OmniglotCNN"}])
def test_the_ends_of_the_controls_are_no_trouble(controls):
    app = answer_those_that_run(**controls)
    assert "independent ways" in text(app) or "cannot be compared" in text(app) or "disagree." in text(app)
