"""Every page by AppTest: it runs, it refuses bad input in a sentence, and its numbers are the engine's."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.syllabus import LESSONS

APP = str(Path(__file__).parents[2] / "app.py")
LESSON = "pages/03_create_graph.py"


def open_page(page=None, **parameters):
    app = AppTest.from_file(APP, default_timeout=180).run()
    for name, value in parameters.items():
        app.query_params[name] = value
    if page:
        app.switch_page(page).run()
    assert not app.exception, app.exception
    return app


def views(app):
    """The data of the linked views."""
    return json.loads(app.get("bidi_component")[0].proto.json)


def text(app):
    return "\n".join(element.value for element in app.markdown)


def guess(app, label):
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("page", [None, *(f"pages/{lesson.name}.py" for lesson in LESSONS)])
def test_every_page_runs(page):
    app = open_page(page)
    assert app.title


def test_home_shows_a_computed_picture_and_the_syllabus():
    app = open_page()
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert figure["data"][0]["name"] == "x.grad, create_graph=False"
    assert len(figure["data"][1]["x"]) > 50
    assert app.button[0].label == "Start: see why they part"


def test_home_shows_the_four_views_of_one_program_and_keeps_what_lesson_3_asks():
    data = views(open_page())
    rows = {row["label"]: row["values"] for row in data["summary"]}
    assert rows["<code>x.grad</code>"] == {"false": "4.463727474212646", "true": None}
    assert data["layouts"]
    assert data["equations"]


def test_before_the_prediction_the_second_gradient_is_nowhere():
    app = open_page(LESSON)
    data = views(app)
    assert "−1108.8" in json.dumps(data, ensure_ascii=False)
    assert "49008" not in json.dumps(data, ensure_ascii=False)
    assert "49008" not in text(app)
    assert "19606" not in json.dumps(data, ensure_ascii=False)


def test_a_right_guess_reveals_and_counts():
    app = guess(open_page(LESSON), "larger, same sign")
    assert "and so it is" in text(app)
    assert "1 of 1 predictions right" in text(app)
    assert "−49008.96484375" in json.dumps(views(app), ensure_ascii=False)


def test_a_wrong_guess_gets_the_sentence_that_repairs_it():
    app = guess(open_page(LESSON), "the same")
    assert "with these controls it is **larger, same sign**" in text(app)
    assert "from 2 to 88.4" in text(app)
    assert "0 of 1 predictions right" in text(app)


def test_skipping_reveals_without_counting():
    app = guess(open_page(LESSON), "just show me")
    assert "The answer: **larger, same sign**" in text(app)
    assert "predictions right" not in text(app)


def test_the_right_answer_follows_the_controls():
    app = guess(open_page(LESSON, losses="bowl", c="1", alpha="0.5"), "zero or turned")
    assert "and so it is" in text(app)


def test_the_headline_numbers_are_the_engines():
    data = views(guess(open_page(LESSON), "just show me"))
    rows = {row["label"]: row["values"] for row in data["summary"]}
    assert rows["<code>x.grad</code>"] == {"false": "−1108.800048828125", "true": "−49008.96484375"}
    assert rows["<code>x_new</code>"] == {"false": "446.52001953125", "true": "19606.5859375"}
    assert rows["dx′/dx"] == {"false": "2", "true": "88.4"}
    assert rows["grad_fn nodes"] == {"false": "7", "true": "11"}
    assert rows["edges between them"] == {"false": "6", "true": "11"}


def test_the_revealed_words_follow_the_controls():
    app = guess(open_page(LESSON), "larger, same sign")
    app.slider(key="x").set_value(1.0).run()
    assert "and so it is" in text(app)
    assert "from 2 to 11.6" in text(app)
    app.slider(key="alpha").set_value(0.0).run()
    assert "with these controls it is **the same**" in text(app)
    assert "1 of 1 predictions right" in text(app)


def test_float32_overflow_is_explained_where_float64_is_fine():
    app = guess(open_page(LESSON, inner_steps="3"), "just show me")
    assert "float32, which ends at 3.4·10³⁸, or its domain; float64 gives −1.369742·10⁴¹" in text(app)
    assert "The views above count in float32" in text(app)


def test_own_losses_run_through_all_four_views():
    app = open_page(LESSON, losses="own", inner="sin(x_prime) * x_prime", outer="exp(-x_prime)", x="0.5")
    app = guess(app, "just show me")
    data = views(app)
    assert data["code"]["true"][4]["text"] == "    inner_loss = torch.sin(x_prime) * x_prime"
    assert data["layouts"]
    assert text(app).count("independent ways") == 2
    assert any(node["label"] == "∂ of all paths, added" for node in data["nodes"])


@pytest.mark.parametrize(
    ("typed", "sentence", "caret"),
    [
        ("2 * y", "There is no “y” here", 4),
        ("x_prime +", "Something is missing after “+”", 9),
        ("3 + 4", "Use x_prime in it", 0),
        ("__import__('os')", "There is no “__import__” here", 0),
        ("", "Type an expression", 0),
    ],
)
def test_what_cannot_be_read_stays_and_gets_one_sentence_and_a_caret(typed, sentence, caret):
    app = open_page(LESSON, losses="own", inner="cos(x_prime)")
    app.text_input(key="inner").set_value(typed).run()
    assert not app.exception
    assert sentence in text(app).replace("\\", "")
    assert app.text_input(key="inner").value == typed
    if typed:
        assert app.code[0].value.split("\n")[1] == " " * caret + "^"
    assert views(app)["code"]["true"][4]["text"] == "    inner_loss = torch.cos(x_prime)"  # the last good one


def test_derivatives_too_large_for_sympy_are_said_to_be_and_the_rest_stands():
    app = open_page(LESSON, losses="own", inner="tanh(" * 10 + "x_prime" + ")" * 10, outer="x_prime")
    app = guess(app, "just show me")
    assert "too large to show" in json.dumps(views(app)["equations"])
    assert "3 independent ways" in text(app)


def test_both_runs_are_in_the_agreement_line():
    app = guess(open_page(LESSON), "just show me")
    lines = [line for line in text(app).split("\n") if "independent ways" in line]
    assert len(lines) == 2
    assert "−1108.8" in lines[0]
    assert "−49008.96" in lines[1]


def test_every_drawn_node_has_data_and_every_second_order_node_a_parent():
    data = views(open_page(LESSON, inner_steps="3"))
    nodes = {node["id"]: node for node in data["nodes"]}
    assert set(data["layouts"]) == {"1", "2", "3", "all"}
    for node in nodes.values():
        assert f"<title>{node['id']}".replace("-", "&#45;") in data["layouts"]["all"]
        if node["kind"] == "second":
            assert nodes[node["parent"]]["parent"] is None


def test_a_result_beyond_float32_is_shown_and_explained():
    app = guess(open_page(LESSON, inner_steps="5"), "not finite")
    assert "and so it is" in text(app)
    assert "Not finite" in text(app)
    assert "·10³⁶¹" in text(app)


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("x", "99", "it must be a number from -5 to 5, so this is 3"),
        ("alpha", "abc", "it must be a number from 0 to 1, so this is 0.4"),
        ("alpha", "nan", "it must be a number from 0 to 1, so this is 0.4"),
        ("x", "inf", "it must be a number from -5 to 5, so this is 3"),
        ("inner_steps", "2.5", "it must be a whole number from 1 to 5, so this is 2"),
        ("inner_steps", "0", "it must be a whole number from 1 to 5, so this is 1"),
        ("c", "3", "it must be 1 or 2, so this is 2"),
        ("losses", "<script>", "it must be quartic or bowl or wave or own, so this is quartic"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    app = open_page(LESSON, **{parameter: value})
    assert sentence in text(app)
    assert "<" not in next(line for line in text(app).split("\n") if "The link asked" in line)
    rows = views(app)
    assert rows["code"]["true"][0]["text"] == "x = torch.tensor(3.0, requires_grad=True)"


def test_the_sentence_goes_when_the_control_is_moved():
    app = open_page(LESSON, x="99")
    assert "The link asked" in text(app)
    app.slider(key="x").set_value(1.0)
    app.query_params.clear()
    app.run()
    assert "The link asked" not in text(app)


def test_a_strange_view_in_the_link_means_the_default_view():
    data = views(open_page(LESSON, create_graph="perhaps", open="77", ghosts="no"))
    assert data["view"] == {"run": "false", "ghosts": True, "open": "1"}


def test_a_view_in_the_link_is_the_view():
    data = views(open_page(LESSON, create_graph="true", open="2", ghosts="false", inner_steps="2"))
    assert data["view"] == {"run": "true", "ghosts": False, "open": "2"}


def test_the_link_holds_every_control():
    app = open_page(LESSON, losses="wave", x="1.5", alpha="0.25", c="1", inner_steps="2")
    link = app.code[0].value
    for part in ("losses=wave", "x=1.5", "alpha=0.25", "c=1", "inner_steps=2", "create_graph=false", "open=1"):
        assert part in link


def test_without_dot_the_rest_of_the_lesson_stands(monkeypatch):
    real = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *rest: None if name == "dot" else real(name, *rest))
    from streamlit import cache_data

    cache_data.clear()
    data = views(open_page(LESSON, losses="bowl", x="2.2"))
    cache_data.clear()
    assert "apt-get install graphviz" in data["error"]
    assert data["equations"]
    assert data["nodes"]
    assert data["code"]


def test_a_judged_claim_shows_its_computed_verdict():
    app = guess(open_page(LESSON), "just show me")
    app.button(key="claim 7:false").click()
    app.run()
    assert "Right: you said *false*, and so says the run. In that example it never was" in text(app)
    assert "87.4" in text(app)
