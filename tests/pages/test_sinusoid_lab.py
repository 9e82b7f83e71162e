"""Lesson 7 by AppTest, with workers that are threads: what a click does, and that the numbers are the engine's."""

import csv
import json
import math
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from streamlit.testing.v1 import AppTest

from maml_core.__main__ import main
from maml_core.numerals import numeral
from maml_core.train import pool as pools
from maml_core.train.adapting import floor
from maml_core.train.checkpoint import dumps, loads
from maml_core.train.config import PRESETS, resolved
from maml_core.train.evaluate import adaptation, unseen
from maml_core.train.limits import Limits
from maml_core.train.stability import stability
from maml_core.train.step import initial_state, meta_step
from pages.ui import feeds, lab_buttons, lab_sections, own_task_views
from pages.ui.live import Desk
from tests.pages.test_pages import guess, open_page, text
from tests.train import inline

PAGE = "pages/07_sinusoid_lab.py"


@pytest.fixture
def pool(monkeypatch):
    pool = pools.Pool(Limits(workers=1), hire=inline.hire)
    monkeypatch.setattr(pools, "SHARED", pool)
    yield pool
    pool.close()


def data(app):
    """What the live chart gets."""
    return json.loads(app.get("bidi_component")[0].proto.json)


def captions(app):
    return "\n".join(caption.value for caption in app.caption)


def plain(app):
    """Its sentences, without what keeps Markdown from acting on them."""
    return text(app).replace("\\", "")


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def run_of(app, pool):
    return pool.snapshot(data(app)["token"], "lab")


def rested(app, pool):
    end = time.monotonic() + 60
    while run_of(app, pool).live:
        assert time.monotonic() < end
        time.sleep(0.01)
    app.run()
    return app


SMALL = {"lab_iterations": "8", "lab_meta_batch": "2", "lab_shots": "3", "lab_hidden": "4"}
RELU = {"lab_activation": "relu"}  # bends without end, so that it can blow up
CONFIG = resolved(replace(PRESETS["tour"], iterations=8, meta_batch=2, shots=3, hidden=(4,)))


def losses(config, steps):
    state, found = initial_state(config), []
    for _ in range(steps):
        state = meta_step(state, config)
        found.append(state.query_loss.mean().item())
    return found


def test_before_any_run_the_precomputed_network_stands_in_the_tasks(pool):
    app = open_page(PAGE)
    shown = data(app)
    assert shown["now"] is None
    assert shown["ask"]
    assert "trained beforehand, 70\u202f000 steps" in shown["empty"]
    assert "(precomputed)" in shown["panels"]["adaptation"]["title"]
    state, config = loads(lab_sections.PRECOMPUTED)
    error = adaptation(config, state.theta, unseen(config, tasks=4, shots=5, seed=0), steps=1)[1, 0].item()
    assert f"{error:.3g} after" in shown["panels"]["adaptation"]["alt"]
    assert "Measured on" not in captions(app)


def test_the_precomputed_curves_are_whole_in_their_frames(pool):
    figure = data(open_page(PAGE))["panels"]["adaptation"]["figure"]
    for trace in figure["data"]:
        low, high = figure["layout"]["yaxis" + trace["yaxis"][1:]]["range"]
        assert all(low < y < high for y in trace["y"])


def test_a_run_from_start_to_end_is_the_engine_s(pool):
    app = rested(press(open_page(PAGE, **SMALL), "Start"), pool)
    now = data(app)["now"]
    assert now["words"] == "Finished all 8 steps."
    assert now["traces"]["loss"][0]["y"] == pytest.approx(losses(CONFIG, 8), rel=1e-4)
    assert run_of(app, pool).config == CONFIG
    assert "(your run, now)" in data(app)["panels"]["adaptation"]["title"]
    curves = now["traces"]["adaptation"]
    assert len(curves) == 16
    assert curves[1]["y"] != curves[2]["y"]


def two_presses():
    import streamlit as st

    from maml_core.train.config import Config
    from pages.ui import lab_buttons, live

    for _ in range(2):
        lab_buttons._advance(1, Config(meta_batch=2, shots=2, hidden=(4,)))
        st.text(live.desk().run("lab").id)


def test_a_second_press_before_the_page_has_come_does_not_begin_anew(pool):
    """Both presses then give the command of the page as it was drawn before the first."""
    first, second = (text.value for text in AppTest.from_function(two_presses).run().text)
    assert first == second


def test_a_run_that_ends_while_the_page_is_drawn_is_told_of(pool, monkeypatch):
    """Between the buttons and the chart a run may end: the chart has to know what the buttons were drawn for."""
    look = feeds.FEEDS["lab"]

    def late(pool, token, owner, query):
        pool.stop(token, "lab")
        while pool.snapshot(token, "lab").live:
            time.sleep(0.01)
        return look(pool, token, owner, query)

    monkeypatch.setitem(feeds.FEEDS, "lab", late)
    app = press(open_page(PAGE, **(SMALL | {"lab_iterations": "100000"})), "Start")
    assert "Pause" in [button.label for button in app.button]
    assert data(app)["moving"]
    assert not data(app)["now"]["live"]
    app.run()
    assert not data(app)["moving"]
    assert "Resume" in [button.label for button in app.button]


def test_one_step_then_several_then_pause_and_reset(pool):
    app = rested(press(open_page(PAGE, **(SMALL | {"lab_iterations": "500"})), "1 step"), pool)
    assert data(app)["now"]["iteration"] == 1
    app = rested(press(app, "1 step"), pool)
    assert data(app)["now"]["iteration"] == 2
    app = rested(press(app, "100 steps"), pool)
    assert (data(app)["now"]["iteration"], data(app)["now"]["words"]) == (102, "Paused.")
    app = press(app, "Reset")
    assert data(app)["now"] is None
    assert "Start" in [button.label for button in app.button]


def test_changed_controls_leave_the_run_alone_and_offer_to_start_again(pool):
    app = rested(press(open_page(PAGE, **SMALL), "Start"), pool)
    before = run_of(app, pool)
    app.number_input(key="lab_inner_lr").set_value(0.03).run()
    assert run_of(app, pool) == before
    assert "inner_lr 0.02 → 0.03" in "\n".join(caption.value for caption in app.caption)
    labels = [button.label for button in app.button]
    assert labels.count("Start again with these") == 1
    assert "Start again" not in labels
    app = rested(press(app, "Start again with these"), pool)
    assert run_of(app, pool).config == replace(CONFIG, inner_lr=0.03)
    assert "Start again with these" not in [button.label for button in app.button]


def test_a_run_that_can_go_on_offers_both_to_go_on_and_to_start_again_with_changed_controls(pool):
    app = rested(press(open_page(PAGE, **SMALL), "1 step"), pool)
    app.number_input(key="lab_inner_lr").set_value(0.03).run()
    labels = [button.label for button in app.button]
    assert [labels.count(label) for label in ("Resume", "Start again with these")] == [1, 1]


def test_an_algorithm_brings_its_own_rates_and_a_preset_all_of_its_own(pool):
    app = open_page(PAGE)
    app.selectbox(key="lab_algorithm").set_value("reptile").run()
    assert (app.number_input(key="lab_inner_lr").value, app.number_input(key="lab_inner_steps").value) == (0.005, 5)
    app.selectbox(key="lab_preset").set_value("meta-sgd").run()
    assert app.selectbox(key="lab_algorithm").value == "meta-sgd"
    assert app.selectbox(key="lab_family").value == "frequency"
    assert app.number_input(key="lab_meta_batch").value == 4
    assert not app.exception


def test_a_link_s_algorithm_brings_its_rates_too(pool):
    app = open_page(PAGE, lab_algorithm="imaml")
    assert (app.number_input(key="lab_inner_steps").value, app.number_input(key="lab_pull").value) == (16, 2.0)


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("lab_inner_lr", "99", "it must be a number from 1e-08 to 10, so this is 0.02"),
        ("lab_inner_steps", "2.5", "it must be a whole number from 0 to 100, so this is 2"),
        ("lab_algorithm", "magic", "so this is maml"),
        ("lab_preset", "<b>", "so this is tour"),
        ("lab_hidden", "40, many", "must be whole numbers with commas between them. Until then it is 40, 40"),
        ("lab_hidden", "40, 99999", "hidden layers must be at most 8 whole numbers from 1 to 1024, not 40, 99999."),
    ],
)
def test_a_link_that_asks_for_the_impossible(pool, parameter, value, sentence):
    app = open_page(PAGE, **{parameter: value})
    assert sentence in text(app).replace("\\", "")


def test_what_a_link_asks_in_vain_of_a_hidden_control_is_said_in_sight(pool):
    app = open_page(PAGE, lab_meta_batch="0", lab_query_shots="-3", lab_hidden="4_0")
    in_sight = "\n".join(part.value for part in app.main.children.values() if part.type == "markdown")
    assert "lab_meta_batch = “0”; it must be a whole number from 1 to 10000, so this is 10." in in_sight
    assert "lab_query_shots = “-3”" in in_sight
    assert "Until then it is 40, 40." in in_sight


def test_the_network_is_shown_after_as_many_steps_as_it_was_trained_with(pool):
    app = rested(press(open_page(PAGE, **SMALL, lab_algorithm="reptile"), "1 step"), pool)
    assert "after 5 steps on their points (your run" in data(app)["panels"]["adaptation"]["title"]
    app.slider(key="lab_steps").set_value(3).run()
    app = press(app, "Reset")
    assert "after 3 steps on their points (precomputed)" in data(app)["panels"]["adaptation"]["title"]


def test_a_diverging_run_is_explained_and_its_last_good_state_kept(pool):
    app = rested(press(open_page(PAGE, **SMALL, **RELU, lab_inner_lr="10", lab_inner_steps="30"), "Start"), pool)
    run = run_of(app, pool)
    assert run.status == "failed"
    assert "is not finite" in data(app)["now"]["words"]
    assert "It diverged." in text(app)
    assert int(loads(run.state)[0].step) == run.iteration
    assert "no loss to draw" in data(app)["panels"]["loss"]["hint"]
    assert list(app.table[0].value["median"])[2:] == ["∞", "∞"]


def test_a_ceiling_is_a_sentence_beside_the_buttons(monkeypatch):
    pool = pools.Pool(Limits(workers=1, reader_mib=1), hire=inline.hire)
    monkeypatch.setattr(pools, "SHARED", pool)
    app = press(open_page(PAGE, **(SMALL | {"lab_hidden": "400, 400"})), "Start")
    assert "at most 1 MiB of runs per reader" in text(app)
    pool.close()


def test_the_prediction_is_measured_and_opens_what_answers_it(pool):
    app = guess(open_page(PAGE), "lower")
    assert "and so it is" in text(app)
    state, config = loads(lab_sections.PRECOMPUTED)
    errors = adaptation(config, state.theta, unseen(config, tasks=600, shots=5, seed=0), steps=10)
    medians = [errors[k].double().sort().values[299:301].mean().item() for k in (1, 10)]
    assert f"goes from {medians[0]:.3g} to {medians[1]:.3g}" in text(app)
    assert "This is the precomputed 5-shot θ, whatever the controls ask for" in text(app)
    assert "3 independent ways" in text(app)
    assert any("Measured on the precomputed run" in caption.value for caption in app.caption)


@pytest.mark.parametrize("look", lab_sections.ANSWERS)
def test_only_what_answers_the_question_waits_for_it_and_says_so(pool, look):
    app = open_page(PAGE, lab_look=look)
    assert "this would answer the question above" in text(app)
    assert "“your task” and “graph” are open now" in text(app)
    assert not app.get("plotly_chart")
    assert "Measured on" not in captions(app)
    app = rested(press(open_page(PAGE, **SMALL, lab_look=look), "Start"), pool)
    assert "Measured on your run at step 8." in captions(app)
    assert "this would answer" not in text(app)
    assert "Predict." in text(app)


def test_the_answer_and_the_paper_s_table_say_one_thing_of_the_precomputed_run(pool):
    app = guess(open_page(PAGE, lab_look="paper"), "just show me")
    table = app.table[0].value
    diverged, mean = table["diverged"].iloc[-1], table["mean"].iloc[-1]
    assert (diverged.endswith(" of 600"), mean) == (True, "∞")
    assert f"{diverged} tasks diverged, which alone makes the plain mean {mean}." in text(app)
    assert f"to {table['the precomputed run: trimmed mean'].iloc[-1]}." in text(app)


@pytest.mark.parametrize("look", [{}, {"lab_look": "your task"}])
def test_a_link_s_own_task_is_there_at_once_with_a_sentence_for_points_that_are_none(pool, look):
    app = open_page(PAGE, points="1 2; 3 -1", **look)
    assert app.text_input(key="points").value == "1 2; 3 -1"
    assert "on your 2 points" in text(app)
    assert "Each point is two numbers" in text(open_page(PAGE, points="abc", **look))


def test_a_link_that_looks_at_what_is_not_there_is_told_so(pool):
    assert "lab_look = “hack”; it must be errors or your task" in plain(open_page(PAGE, lab_look="hack"))


def test_who_looks_away_from_the_points_of_a_link_stays_away(pool):
    app = open_page(PAGE, points="1 2; 3 -1")
    app.segmented_control(key="lab_look").set_value("graph").run()
    assert not app.exception
    assert app.get("graphviz_chart")
    app.segmented_control(key="lab_look").set_value("errors").run()
    assert "this would answer" in text(app)


@pytest.mark.parametrize("look", lab_sections.SECTIONS)
def test_every_section_stands_on_the_precomputed_run(pool, look):
    app = guess(open_page(PAGE, lab_look=look), "just show me")
    assert not app.exception


def test_the_csv_has_every_loss(pool):
    app = rested(press(open_page(PAGE, **SMALL), "Start"), pool)
    desk = Desk(pool, data(app)["token"], data(app)["owner"], False)
    rows = list(csv.DictReader(lab_buttons.curve_csv(desk, run_of(app, pool)).splitlines()))
    assert [float(row["query_loss"]) for row in rows] == losses(CONFIG, 8)
    assert [row["step"] for row in rows] == [str(n) for n in range(1, 9)]
    earlier = replace(run_of(app, pool), state_step=5)  # as it was when the file was offered
    assert lab_buttons.curve_csv(desk, earlier).count("\n") == 6


def trained(config, steps):
    state = initial_state(config)
    for _ in range(steps):
        state = meta_step(state, config)
    return state


def upload(app, content, name="run.safetensors"):
    app.file_uploader(key="lab_upload").upload(name, content, "application/octet-stream").run()
    assert not app.exception
    return app


def test_an_imported_run_goes_on_to_the_last_bit_and_sets_the_controls(pool):
    config = replace(CONFIG, algorithm="fomaml", iterations=12)
    app = upload(open_page(PAGE), dumps(trained(config, 5), config))
    assert data(app)["now"]["words"] == "Paused."
    assert app.selectbox(key="lab_algorithm").value == "fomaml"
    assert app.number_input(key="lab_shots").value == 3
    app = rested(press(app, "Resume"), pool)
    found, expected = loads(run_of(app, pool).state)[0], trained(config, 12)
    assert all(torch.equal(leaf, expected.theta[name]) for name, leaf in found.theta.items())


@pytest.mark.parametrize(("done", "words"), [(5, "Paused."), (8, "Finished all 8 steps.")])
def test_an_imported_run_says_that_it_has_no_curve_in_place_of_an_empty_grid(pool, done, words):
    app = upload(open_page(PAGE), dumps(trained(CONFIG, done), CONFIG))
    assert data(app)["now"]["words"] == words
    assert "not its losses" in data(app)["panels"]["loss"]["hint"]
    assert data(app)["now"]["traces"]["loss"][0]["x"] == []


def test_what_is_no_run_is_refused_in_a_sentence(pool):
    app = upload(open_page(PAGE), b"\x80\x04\x95 a pickle, say")
    assert "not in safetensors format" in text(app)
    assert data(app)["now"] is None


def test_another_tab_takes_the_run_over_and_this_one_says_so(pool):
    app = rested(press(open_page(PAGE, **SMALL), "Start"), pool)
    pool.attach(data(app)["token"], "another page")
    app.run()
    assert "moved to another tab" in app.warning[0].value
    assert data(app)["now"] is None
    app = press(app, "Bring it here")
    assert data(app)["now"]["iteration"] == 8


@pytest.mark.parametrize("command", ["Start again", "Reset", "import"])
def test_a_tab_that_has_lost_its_runs_commands_nothing(pool, command):
    app = rested(press(open_page(PAGE, **SMALL), "Start"), pool)
    before = run_of(app, pool)
    pool.attach(data(app)["token"], "another page")
    if command == "import":
        config = replace(CONFIG, algorithm="fomaml")
        app = upload(app, dumps(trained(config, 1), config))
        assert app.selectbox(key="lab_algorithm").value == "maml"
        assert app.file_uploader(key="lab_upload").disabled
        app = opened(app)
        assert any("The run is in another tab" in caption.value for caption in app.caption)
    else:
        app = press(app, command)
    assert pool.snapshot(before_token(app), "lab") == before
    assert app.warning[0].value == "This run moved to another tab of yours."
    assert data(app)["empty"] == "Its curves are in that tab now."
    assert "Press Start" not in json.dumps(data(app)["panels"])
    assert press(app, "Bring it here")
    assert data(app)["now"]["id"] == before.id


def test_a_run_that_trains_far_above_the_best_guess_is_called_diverged(pool):
    app = rested(
        press(open_page(PAGE, **(SMALL | RELU | {"lab_inner_lr": "1", "lab_hidden": "40, 40"})), "Start"), pool
    )
    run = run_of(app, pool)
    assert run.status == "finished"
    times = run.loss / floor(run.config).mean
    share = stability(*loads(run.state)).overshooting
    assert times > 100
    said = data(app)["now"]["words"]
    assert f"the query loss is {numeral(times, 2)} times that of the best function" in said
    assert said.startswith("Finished all 8 steps. It has diverged: whether or not its curve falls, ")
    assert f"At step 8, α·λ_max lies above 2 on {share:.0%} of the tasks. λ_max is the largest curvature" in said
    assert "|1 − αλ| > 1" in said
    calm = rested(press(open_page(PAGE, **SMALL), "Start"), pool)
    assert data(calm)["now"]["words"] == "Finished all 8 steps."


@pytest.mark.parametrize(
    ("factor", "words"), [(130.4, "130"), (23_456.7, "23\u202f457"), (1.125e8, "1.1·10⁸"), (math.inf, "∞")]
)
def test_a_factor_that_can_be_read_is_written_out(factor, words):
    assert feeds._times(factor) == words


def test_what_an_empty_field_means_is_said(pool):
    app = open_page(PAGE)
    rate = app.number_input(key="lab_inner_lr")
    assert (rate.placeholder, rate.help.split(". ")[-1]) == ("0.02", "An empty field is 0.02.")
    assert "an empty field is as many as support" in app.number_input(key="lab_query_shots").help
    hidden = app.text_input(key="lab_hidden")
    assert (hidden.placeholder, hidden.help.split(". ")[-1]) == (
        "no hidden layer",
        "An empty field means no hidden layer.",
    )


def test_no_command_line_asks_for_no_step(pool):
    app = opened(upload(open_page(PAGE), dumps(initial_state(CONFIG), CONFIG)))
    commands = [code.value for code in app.code if "maml_core train" in code.value]
    assert commands
    assert all("--iterations 8 " in command for command in commands)
    assert any("kept no step yet" in caption.value for caption in app.caption)


def test_a_finished_run_is_told_how_to_go_on(pool, tmp_path):
    app = opened(rested(press(open_page(PAGE, **SMALL), "Start"), pool))
    command = "python -m maml_core train --resume maml-8.safetensors --iterations 16"
    assert f"`{command}`" in captions(app)
    (tmp_path / "maml-8.safetensors").write_bytes(run_of(app, pool).state)
    _, _, _, *arguments = command.replace("maml-8", str(tmp_path / "maml-8")).split()
    assert main(arguments) == 0
    app = upload(app, (tmp_path / "maml-8.safetensors").read_bytes())
    found, expected = loads(run_of(app, pool).state)[0], trained(replace(CONFIG, iterations=16), 16)
    assert all(torch.equal(leaf, expected.theta[name]) for name, leaf in found.theta.items())


def opened(app):
    """With its popover of exports open."""
    app.session_state["lab files"] = True
    return app.run()


def before_token(app):
    """The token of a page that shows it no longer."""
    return app.session_state["reader"]


def test_the_largest_file_that_a_reader_may_keep_may_be_uploaded():
    server = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["server"]
    assert server["maxUploadSize"] >= Limits().reader_mib
    wide = replace(CONFIG, hidden=(512, 512))
    assert len(dumps(initial_state(wide), wide)) > 3 * 2**20


def test_without_a_server_of_its_own_the_charts_are_plain(pool, monkeypatch):
    from pages.ui import live

    monkeypatch.setattr(pools, "SHARED", None)
    monkeypatch.setattr(live, "_own_pool", lambda: pool)
    app = open_page(PAGE, **SMALL)
    assert "Press Start" in app.get("plotly_chart")[0].proto.spec
    app = press(app, "1 step")
    while pool.snapshot(before_token(app), "lab").live:
        time.sleep(0.01)
    figure = json.loads(app.run().get("plotly_chart")[0].proto.spec)
    assert "annotations" not in figure["layout"]
    assert figure["data"][0]["y"] == pytest.approx(losses(CONFIG, 1), rel=1e-4)


def test_the_link_holds_what_is_looked_at(pool):
    app = open_page(PAGE, lab_look="your task", lab_steps="3", points="1 2; 3 -1")
    shown = next(code.value for code in app.code if "lab_algorithm=" in code.value)
    parts = parse_qs(urlsplit(shown).query)
    assert [parts[name] for name in ("lab_look", "lab_steps", "points")] == [["your task"], ["3"], ["1 2; 3 -1"]]


def test_an_imported_run_of_many_inner_steps_sets_no_control_beyond_its_range(pool):
    config = replace(CONFIG, inner_steps=150)
    app = upload(open_page(PAGE), dumps(initial_state(config), config))
    assert app.number_input(key="lab_inner_steps").value == 100
    assert "The link asked for" not in text(app)
    assert any("inner_steps 150 → 100" in caption.value for caption in app.caption)


def test_only_plain_numbers_are_points_and_zero_has_no_sign():
    assert own_task_views.parse_points("1_0 2; −1 -0") == ((None, 2.0), (-1.0, 0.0))
    assert own_task_views.format_points(own_task_views.parse_points("-0 1")) == "0 1"


def test_points_outside_the_usual_plot_are_in_it_and_a_blow_up_is_said(pool):
    app = open_page(PAGE, lab_look="your task", lab_steps="10", points="-10 9; 10 -9")
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    plot, errors = (spec["layout"] for spec in specs[:2])
    assert plot["xaxis"]["range"][0] < -10
    assert plot["yaxis"]["range"][1] > 9
    curve = next(trace for trace in specs[0]["data"] if trace.get("name") == "your θ")
    assert [curve["x"][0], curve["x"][-1]] == plot["xaxis"]["range"]
    assert "Click into the plot to add a point" in captions(app)
    rows = [[math.inf if y is None else y for y in trace["y"]] for trace in specs[1]["data"]]
    blown = any(not error <= 100 * max(row[0] for row in rows) for row in rows for error in row)
    assert (errors["yaxis"].get("type") == "log") == blown
    worse = any(not row[10] <= row[0] for row in rows)
    assert worse
    assert "further away than it began" in text(app)
    one = open_page(PAGE, lab_look="your task", points="1 2")
    assert "on your one point," in text(one)
