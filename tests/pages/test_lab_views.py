"""What the lab shows beside the run, on a page of its own: the engine's numbers, and sentences for bad points."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from maml_core.numerals import numeral
from maml_core.train.adapting import errors, unseen_curves
from maml_core.train.checkpoint import dumps, load
from maml_core.train.config import Config
from maml_core.train.step import initial_state
from pages.ui import own_task_views

CHECKPOINT = Path(__file__).parents[2] / "assets" / "maml-5-shot.safetensors"


def all_views(run):
    import streamlit as st

    from pages.ui import lab_views, own_task_views, step_graph_view

    st.title("Beside the run")
    steps = lab_views.steps_control(1)
    lab_views.unseen_tasks(run, steps)
    lab_views.errors_after_steps(run, at_rest=False)
    lab_views.error_table(run, at_rest=False)
    lab_views.spread(run, steps, at_rest=False)
    lab_views.paper_beside(run, "this run")
    lab_views.sharpness(run)
    own_task_views.own_task(run, steps)
    step_graph_view.step_graph(run)


def opened(run=None, **parameters):
    app = AppTest.from_function(all_views, kwargs={"run": run or CHECKPOINT.read_bytes()}, default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def figure(app, place):
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def text(app):
    return "\n".join(element.value for element in app.markdown)


@pytest.fixture(scope="module")
def app():
    return opened()


def test_the_curves_are_the_engine_s(app):
    state, config = load(CHECKPOINT)
    shown = unseen_curves(config, state.theta, steps=10)
    drawn = [trace for trace in figure(app, 0)["data"] if trace["name"] == "after 1 step"]
    assert len(drawn) == 4
    assert drawn[2]["y"] == pytest.approx(shown.tasks[2].predictions[1])


def test_the_errors_are_the_engine_s(app):
    state, config = load(CHECKPOINT)
    found = errors(config, state.theta, steps=10)
    yours, pretrained, scratch = figure(app, 1)["data"][:3]
    assert yours["y"] == pytest.approx([summary.median for summary in found.summaries])
    assert [trace["name"] for trace in (yours, pretrained, scratch)] == ["your θ", "pretrained", "from scratch"]
    assert yours["y"][1] < pretrained["y"][1] < scratch["y"][1]


def test_the_paper_stands_beside_what_this_run_has(app):
    table = app.table[1].value
    assert list(table["the paper reports"]) == ["0.67", "0.38", "0.35"]
    state, config = load(CHECKPOINT)
    found = errors(config, state.theta, steps=10, tasks=600).summaries
    assert list(table["this run: trimmed mean"]) == [numeral(found[k].trimmed_mean, 3) for k in (1, 5, 10)]
    assert list(table["diverged"]) == [f"{round(600 * found[k].diverged)} of 600" for k in (1, 5, 10)]
    assert table["mean"][0].startswith(numeral(found[1].mean, 3))
    assert "this run has done 70\u202f000" in "\n".join(caption.value for caption in app.caption)


def test_more_inner_steps_move_the_curve():
    app = opened(lab_steps="5")
    assert any(trace["name"] == "after 5 steps" for trace in figure(app, 0)["data"])


def test_the_reader_s_points_are_those_of_the_link():
    app = opened(points="0 1; 2 -1")
    assert "your 2 points" in text(app)
    drawn = next(trace for trace in figure(app, 3)["data"] if trace.get("name") == "your points")
    assert (drawn["x"], drawn["y"]) == ([0, 2], [1, -1])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1 2 3", "Each point is two numbers"),
        ("1 x", "Point 1 needs a number for y"),
        ("1 99", "it must lie from -10 to 10"),
        ("1 nan", "Point 1 needs a number for y"),
        ("", "from 1 to 50 points, not 0"),
        ("1 2; 1 2", "is there twice"),
        ("<b>1</b> 2", "Point 1 needs a number for x"),
    ],
)
def test_what_is_no_point_stays_and_gets_a_sentence(typed, sentence):
    app = opened(points="0 1; 2 -1")
    app.text_input(key="points").set_value(typed).run()
    assert not app.exception
    assert sentence in text(app).replace("\\", "")
    assert app.text_input(key="points").value == typed
    assert "your 2 points" in text(app)


def test_the_graph_s_step_is_one_that_the_run_has_not_taken(app):
    words = "\n".join(caption.value for caption in app.caption)
    assert "Step 70\u202f001, the one that would come next, run on the side" in words


def test_the_graph_opens_by_task_and_stage(app):
    assert "task 6" in app.get("graphviz_chart")[0].proto.spec
    app.selectbox(key="lab_graph_task").set_value("task 2").run()
    assert app.get("graphviz_chart")[0].proto.spec.count("cluster") == 0
    app.selectbox(key="lab_graph_stage").set_value("update 1").run()
    assert "ThresholdBackwardBackward0" in app.get("graphviz_chart")[0].proto.spec


def test_an_algorithm_without_a_graph_or_a_paper_says_so():
    config = Config("reptile", hidden=(6,), meta_batch=3)
    app = opened(dumps(initial_state(config), config))
    assert "reptile leaves no graph" in text(app)
    assert "No published number to compare with" in text(app)


def test_a_run_that_diverged_is_explained():
    def page(run):
        from pages.ui import lab_views

        lab_views.what_went_wrong(run)

    config = Config(hidden=(6,), initialisation="he", inner_lr=5.0, meta_batch=3)
    app = AppTest.from_function(page, kwargs={"run": dumps(initial_state(config), config)}).run()
    assert "|1 − αλ| > 1" in text(app)


@pytest.mark.parametrize(
    ("change", "points"),
    [
        ({"edited_rows": {1: {"y": 4.0}}, "added_rows": [], "deleted_rows": []}, "0 1; 2 4"),
        ({"edited_rows": {}, "added_rows": [{"x": 3, "y": -0.25}], "deleted_rows": [0]}, "2 -1; 3 -0.25"),
        ({"edited_rows": {}, "added_rows": [{"x": 3}], "deleted_rows": []}, "as it was"),
        ({"edited_rows": {}, "added_rows": [], "deleted_rows": [0, 1]}, "as it was"),
    ],
)
def test_whole_rows_of_the_table_become_the_points(change, points, monkeypatch):
    session = {"table": change, "points": "as it was"}
    monkeypatch.setattr(own_task_views.st, "session_state", session)
    own_task_views._edited("table", ((0.0, 1.0), (2.0, -1.0)))
    assert session["points"] == points


@pytest.mark.parametrize(
    ("clicked", "points"), [((3.0, 0.5), "0 1; 2 -1; 3 0.5"), ((2.05, -0.9), "0 1"), (None, "0 1; 2 -1")]
)
def test_a_click_adds_a_point_or_takes_it_away(clicked, points, monkeypatch):
    hit = [{"x": clicked[0], "y": clicked[1]}] if clicked else []
    session = {"lab_own_task": SimpleNamespace(selection=SimpleNamespace(points=hit))}
    monkeypatch.setattr(own_task_views.st, "session_state", session)
    own_task_views._click(((0.0, 1.0), (2.0, -1.0)))
    assert session["points"] == points
