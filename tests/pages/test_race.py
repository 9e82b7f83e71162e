"""Lesson 8 by AppTest: the bet on the recorded race, a race of one's own on workers that are threads, the table."""

import json
import time

import pytest
from streamlit.testing.v1 import AppTest

from maml_core.train import pool as pools
from maml_core.train.evaluate import Summary
from maml_core.train.limits import Limits
from maml_core.train.pool import Pool
from maml_core.train.race import Leg, Mark, Race, leg_config, legs, measure
from maml_core.train.racing import STOPPED, Progress
from maml_core.train.recorded_race import recorded
from maml_core.train.standings import bands, table, verdict
from maml_core.train.step import initial_state, training
from pages.ui import race_controls, race_feed
from tests.pages.test_pages import APP, guess, text
from tests.train import inline

LESSON = "pages/08_race.py"
SMALL = {"race_iterations": "100", "race_seeds": "1", "race_meta_batch": "1", "race_shots": "2"}


@pytest.fixture
def pool(monkeypatch):
    pool = Pool(Limits(workers=1), hire=inline.hire)
    monkeypatch.setattr(pools, "SHARED", pool)
    yield pool
    pool.close()


def opened(**parameters):
    app = AppTest.from_file(APP, default_timeout=60).run()
    for name, value in parameters.items():
        app.query_params[name] = value
    app.switch_page(LESSON).run()
    assert not app.exception, app.exception
    return app


def to_the_end(app):
    until = time.monotonic() + 60
    while not app.table:
        assert time.monotonic() < until
        time.sleep(0.05)
        app.run()
        assert not app.exception, app.exception
    return app


def figure(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def test_before_the_bet_only_the_beginning_of_the_recorded_race_is_there(pool):
    app = opened()
    race, marks = recorded()
    lines = [trace["x"] for trace in figure(app)["data"] if trace["name"] in ("maml", "fomaml", "pretrained")]
    assert len(lines) == 6
    assert max(map(max, lines)) == race.amount / 2
    assert not app.table
    last = next(band for band in bands(race, marks) if band.entrant == "maml").mean[-1]
    assert f"{last:.3g}" not in text(app)
    assert verdict(table(race, marks)).sentence not in text(app)


def test_the_right_bet_is_the_computed_winner(pool):
    race, marks = recorded()
    won = verdict(table(race, marks))
    app = guess(opened(), won.winner)
    assert "and so it is" in text(app)
    assert won.sentence in text(app)
    rows = table(race, marks)
    assert list(app.table[0].value[""]) == [row.entrant for row in rows]
    assert max(figure(app)["data"][1]["x"]) == race.amount


def test_a_race_of_one_s_own_ends_as_its_straight_run(pool):
    app = opened(entrants=["fomaml", "pretrained"], **SMALL)
    app.button(key="race start").click().run()
    assert not app.exception
    app = to_the_end(app)
    race = Race(("fomaml", "pretrained"), amount=100, seeds=1, meta_batch=1, shots=2)
    config = leg_config(race, Leg("fomaml", 0))
    *_, straight = training(initial_state(config), config)
    mean = measure(race, Leg("fomaml", 0), straight, 0.0).error.mean
    row = app.table[0].value.set_index("").loc["fomaml"]
    assert row["mean over tasks"].startswith(f"{mean:.3g}".rstrip("0").rstrip("."))
    assert row["gradients per task"] == "200"
    assert "trophy" in text(app)


def test_a_stopped_race_shows_what_there_is_and_the_recorded_one_can_come_back(pool):
    app = opened(entrants=["maml", "reptile"], **{**SMALL, "race_iterations": "10000"})
    app.button(key="race start").click().run()
    assert app.button(key="race start").disabled
    assert app.button(key="race start").label == "Start"
    app.button(key="race stop").click().run()
    assert not app.exception
    assert "trophy" not in text(app)
    app.button(key="race forget").click().run()
    assert "Predict" in text(app)


def stopped_after(marks):
    """The end of the page when the recorded race has been stopped there."""
    from maml_core.train.race import legs
    from maml_core.train.racing import STOPPED
    from maml_core.train.recorded_race import recorded
    from pages.ui import race_table

    race, known = recorded()
    shown = {leg: kept[: marks + 1] for leg, kept in known.items()}
    race_table.result(race, shown, dict.fromkeys(legs(race), STOPPED), recorded_race=False)


def test_a_race_that_did_not_end_has_a_table_without_a_ranking():
    app = AppTest.from_function(stopped_after, args=(5,)).run()
    assert "No ranking" in text(app)
    assert "maml 450 (3 of 3 seeds)" in text(app)
    assert list(app.table[0].value[""]) == [row.entrant for row in table(*at_half())]


def at_half():
    race, known = recorded()
    return race, {leg: kept[:6] for leg, kept in known.items()}


def test_before_a_first_mark_there_is_nothing_to_compare():
    app = AppTest.from_function(stopped_after, args=(0,)).run()
    assert "nothing to compare" in app.caption[0].value
    assert not app.table


def test_a_stopped_leg_is_not_at_its_end():
    race = Race(("maml", "reptile"), amount=100, seeds=2)
    kept = tuple(Mark(steps, steps, 1.0, Summary(1.0, 0.1, 1.0, 1.0, 0.0)) for steps in (0, 50))
    marks = dict.fromkeys(legs(race), kept)
    stopped = Progress(marks, dict.fromkeys(marks, STOPPED), stopped=True, words="", version=1)
    assert race_feed.done(race, stopped) == 0.5
    assert race_feed.numbers(race, stopped).startswith("0 of 4 legs at their end")
    over = stopped._replace(ended=dict(zip(marks, ("", "", "not finite", STOPPED), strict=True)))
    assert race_feed.done(race, over) == 3.5 / 4
    assert race_feed.numbers(race, over).startswith("2 of 4 legs at their end")
    assert "1 broke off" in race_feed.numbers(race, over)


def test_the_cost_of_a_step_is_counted_two_ways(pool):
    assert "maml **4**, fomaml **2**, pretrained **1**" in text(opened())
    assert "a third of a gradient" in text(opened(entrants=["maml", "reptile"]))


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"entrants": ["maml"]}, "from 2 to 4 different entrants, not 1"),
        ({"entrants": ["maml", "snail"]}, "it must be among maml, fomaml"),
        ({"race_iterations": "abc"}, "it must be a whole number from 100 to 10000"),
        ({"equal": "money"}, "it must be iterations or gradients or seconds"),
        ({"race_shots": "99"}, "something that race_shots cannot be: see"),
        ({"race_seeds": "0"}, "it must be a whole number from 1 to 5"),
    ],
)
def test_what_cannot_be_raced_gets_a_sentence(parameters, sentence, pool):
    app = opened(**parameters)
    assert sentence in text(app).replace("\\", "")
    assert app.get("plotly_chart")


def test_who_comes_back_to_a_race_finds_its_set_up_and_may_run_it_again(pool):
    app = opened(entrants=["maml", "reptile"], **{**SMALL, "race_iterations": "9000"})
    app.button(key="race start").click().run()
    app.button(key="race stop").click().run()
    assert app.button(key="race start").label == "Run it again"
    app.switch_page("pages/home.py").run()
    for key in ("entrants", "equal", "race_iterations", *race_controls.IN_POPOVER, "race_seeds"):
        del app.session_state[key]
    app.query_params.clear()
    app.switch_page(LESSON).run()
    assert not app.exception
    assert not app.warning
    assert app.slider(key="race_iterations").value == 9000
    assert app.slider(key="race_shots").value == 2
    assert app.button(key="race start").label == "Run it again"
    app.slider(key="race_iterations").set_value(8000).run()
    assert app.slider(key="race_iterations").value == 8000
    assert app.button(key="race start").label == "Start with the new set-up"
    captions = [caption.value for caption in app.caption]
    assert "From the race below to the controls: outer steps 9\u202f000 → 8\u202f000." in captions
    app.pills(key="entrants").set_value([]).run()
    assert app.button(key="race start").disabled
    assert not any("From the race below" in caption.value for caption in app.caption)
    app.pills(key="entrants").set_value(["maml", "anil"]).run()
    assert not app.button(key="race start").disabled


def test_a_difference_is_named_from_the_race_to_the_controls():
    has, asks = Race(seeds=2), Race(("maml", "anil"), budget="gradients", amount=3600)
    assert race_controls.differences(has, asks) == (
        "entrants maml, fomaml, pretrained, from scratch → maml, anil; equal iterations → gradients; "
        "outer steps 900 → –; seeds 2 → 3; gradients per task – → 3\u202f600"
    )


def test_the_link_holds_the_set_up(pool):
    app = opened(entrants=["anil", "boil"], equal="gradients", race_gradients="2000", race_outer_lr="0.01")
    link = next(code.value for code in app.code if "race_seeds" in code.value)
    for part in ("entrants=anil&entrants=boil", "equal=gradients", "race_gradients=2000", "race_outer_lr=0.01"):
        assert part in link
