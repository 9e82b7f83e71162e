"""Lesson 11 by AppTest: the committed result until the reader measures; nothing given away before the prediction."""

import json

import pytest

from maml_core.practice.drifting import Drift
from maml_core.practice.sgd_desk import Progress
from maml_core.practice.sgd_results import ASSET, precomputed, turns_factor
from pages.ui import sgd_bench, sgd_views
from tests.pages.test_pages import guess, open_page, text

LESSON = "pages/11_sgd_by_hand.py"


class FakeDesk:
    """Gives out what it was given."""

    def __init__(self, *progress):
        self.progress, self.asked, self.left = list(progress), [], 0

    def ask(self, who, order):
        self.asked.append(order)

    def look(self, who):
        return self.progress.pop(0) if self.asked and not self.left and self.progress else None

    def leave(self, who):
        self.left += 1


@pytest.fixture
def desk(monkeypatch):
    def seat(*progress):
        made = FakeDesk(*progress)
        monkeypatch.setattr(sgd_bench, "DESK", made)
        return made

    return seat


@pytest.fixture
def measured(monkeypatch):
    """A page on which the claims, which need a process of their own, are not run."""
    monkeypatch.setattr("pages.ui.claims.under_test", lambda name: None)


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def events():
    return tuple(json.loads(ASSET.read_text())["events"])


def test_before_the_first_run_the_committed_result_is_shown_and_said_to_be_one():
    app = open_page(LESSON)
    timing = precomputed()
    assert f"Measured before, not here and now: {timing.date}, {timing.machine}, 40 repetitions" in text(app)
    assert f"took **{timing.factor('in order'):.3g}** times as long" in text(app)


def test_before_the_prediction_only_the_cold_totals_are_there():
    app = open_page(LESSON)
    figures = [json.loads(figure.proto.spec) for figure in app.get("plotly_chart")]
    assert [trace["x"] for trace in figures[0]["data"]] == [["in order, cold"]] * 2
    assert len(figures) == 1
    assert "torch._dynamo" not in text(app)


def test_the_answer_is_the_measurement_s(measured):
    app = guess(open_page(LESSON), "just show me")
    timing = precomputed()
    assert f"Round by round the factor is **{turns_factor(timing).median:.3g}**" in text(app)
    assert f"it brings **{timing.import_modules} modules**" in text(app)
    assert "One repetition stands apart. The first repetition that makes a `torch.optim.SGD` took" in text(app)
    assert "During the *SGD* repetitions the process imported `torch._dynamo`" in text(app)
    assert "times as long as this one would do that" in text(app)
    assert "the comparison passes for all 100 steps" in text(app)
    assert len(app.get("plotly_chart")) == 5


def test_measuring_here_asks_the_desk_and_shows_what_it_found(desk):
    seat = desk(Progress("running", 0, "drift", 0.5), Progress("done", 0, "drift", 1.0, events()))
    app = open_page(LESSON, first="by hand", repetitions="30")
    press(app, "Measure here")
    assert (seat.asked[0].first, seat.asked[0].repetitions, seat.asked[0].parts[-1]) == ("by hand", 30, "drift")
    assert any(button.label == "Stop" for button in app.button)
    app.run()
    assert "Measured here just now" in text(app)
    assert any(button.label == "Measure here" for button in app.button)


def test_numbers_that_the_controls_no_longer_ask_for_say_so(desk):
    desk(Progress("done", 0, "drift", 1.0, events()))
    app = open_page(LESSON)
    assert not app.warning
    app.segmented_control(key="first").set_value("by hand").run()
    assert "are for **SGD first, 40 repetitions**" in app.warning[0].value
    assert "now say by hand first, 40 repetitions: measure here." in app.warning[0].value
    app.segmented_control(key="first").set_value("SGD").run()
    press(app, "Measure here").run()
    assert "Measured here just now" in text(app)
    assert not app.warning
    app.slider(key="repetitions").set_value(60).run()
    assert "now say SGD first, 60 repetitions: measure again." in app.warning[0].value


def test_asking_for_torch_compile_after_a_run_without_it_says_so_too(desk):
    without = tuple(row for row in events() if row.get("part") != "compiled")
    desk(Progress("done", 0, "drift", 1.0, without))
    app = press(open_page(LESSON), "Measure here").run()
    app.toggle(key="compiled").set_value(True).run()
    assert "40 repetitions, torch.compile too: measure again." in app.warning[0].value


def test_the_steps_at_which_the_comparison_fails_are_counted():
    rows = [Drift(step, 1e-5 * 10**step, step < 3, 2) for step in (1, 2, 3, 4)]
    said = sgd_views._drift("float32", rows)
    assert "passes up to step 2" in said
    assert "first fails at step 3" in said
    assert "It fails at 2 of the 4 steps." in said


def test_a_machine_on_which_nothing_stands_apart_is_not_said_to_have_an_import(desk, measured):
    flat = [row | {"seconds": 0.1, "imported": False} if row["event"] == "time" else row for row in events()]
    desk(Progress("running", 0, "drift", 0.5), Progress("done", 0, "drift", 1.0, tuple(flat)))
    app = guess(press(open_page(LESSON), "Measure here"), "just show me")
    app.run()
    assert "No repetition of SGD's stands apart here" in text(app)
    assert "Nothing in the cold run imported `torch._dynamo`" in text(app)
    assert "no import in its totals to be found" in text(app)
    assert "would do that" not in text(app)


def test_waiting_is_said_in_words(desk):
    desk(Progress("waiting", 2))
    app = press(open_page(LESSON), "Measure here")
    assert "Waiting for 2 readers" in app.get("progress")[0].proto.text


def test_stop_leaves_the_desk(desk):
    seat = desk(*[Progress("running", 0, "in order", 0.1)] * 3)
    app = press(press(open_page(LESSON), "Measure here"), "Stop")
    assert seat.left == 1
    assert "Measured before, not here and now" in text(app)


def test_a_run_that_fails_is_said_to_have_in_a_sentence(desk):
    desk(Progress("failed", 0, "drift", trouble="The measuring process ended with status 1."))
    app = press(open_page(LESSON), "Measure here")
    assert "The measuring process ended with status 1." in text(app)
    assert "Measured before, not here and now" in text(app)


def test_a_place_that_was_given_up_is_given_up_in_words(desk):
    desk()
    app = press(open_page(LESSON), "Measure here")
    assert "this page had been left or lost its connection" in text(app)
    assert any(button.label == "Measure here" for button in app.button)


def test_torch_compile_is_an_extra(desk):
    seat = desk(Progress("running", 0, "in order", 0.1))
    press(open_page(LESSON, compiled="true"), "Measure here")
    assert seat.asked[0].parts[-1] == "compiled"


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("first", "last", "it must be SGD or by hand, so this is SGD"),
        ("repetitions", "1000000", "it must be a whole number from 10 to 100, so this is 40"),
        ("compiled", "maybe", "it must be true or false, so this is false"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    assert sentence in text(open_page(LESSON, **{parameter: value}))


def test_the_link_holds_every_control():
    link = open_page(LESSON, first="by hand", repetitions="50", compiled="true").code[-1].value
    assert "first=by+hand&repetitions=50&compiled=true" in link
