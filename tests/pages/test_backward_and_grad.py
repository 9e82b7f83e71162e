"""Lesson 1 as a server runs it: the ledger, the prediction, the refusals, and what a link may ask for."""

import json

import pytest

from tests.pages.test_pages import guess, open_page, text, views

PAGE = "pages/01_backward_and_grad.py"


def opened(**parameters):
    return open_page(PAGE, **parameters)


def revealed(**parameters):
    return guess(opened(**parameters), "just show me")


def ledger(app):
    """{line: cells} of the moment that is looked at last."""
    data = views(app)
    lines = data["code"][data["runs"][-1]["id"]]
    return {line["n"]: line["cells"] for line in lines}


def test_the_ledger_fills_up_line_by_line():
    cells = ledger(revealed())
    assert cells[5] == ["None", "None", "None", "44 B"]
    assert cells[6] == ["7200", "5400", "4320", "28 B"]
    assert cells[7] == ["14400", "10800", "8640", "0 B"]


def test_grad_leaves_the_ledger_alone_and_shows_what_it_returned():
    app = revealed(first="autograd.grad")
    cells = ledger(app)
    assert cells[6][:3] == ["None", "None", "None"]
    assert cells[7][:3] == ["7200", "5400", "4320"]
    line = views(app)["code"]["second"][5]
    assert line["text"] == "g1, g2, g3 = grad(y1, (x1, x2, x3))"
    assert line["result"] == "7200, 5400, 4320"


def test_before_the_prediction_the_last_line_is_secret():
    app = opened()
    data = views(app)
    assert ledger(app)[7] == [None] * 4
    assert [run["id"] for run in data["runs"]] == ["graphs", "first"]
    assert data["view"]["run"] == "first"
    assert "14400" not in json.dumps(data)
    assert "14400" not in text(app)


def test_an_error_is_a_secret_too():
    app = opened(of="y1")
    assert "RuntimeError" not in json.dumps(views(app))
    assert not app.code or "RuntimeError" not in app.code[0].value


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ({}, "twice that"),
        ({"between": "zero"}, "once that"),
        ({"between": "None"}, "once that"),
        ({"second": "autograd.grad"}, "once that"),
        ({"first": "autograd.grad", "second": "autograd.grad"}, "None"),
        ({"between": "zero", "second": "autograd.grad"}, "0"),
        ({"of": "y1"}, "nothing: an error"),
        ({"of": "y1", "retain_graph": "True"}, "twice that"),
        ({"of": "y1", "expression": "sum"}, "twice that"),
        ({"expression": "no x3", "second": "autograd.grad"}, "nothing: an error"),
        ({"expression": "own", "y": "x1 / 0"}, "not finite"),
        ({"x1": "0"}, "0"),
        ({"x1": "0", "first": "autograd.grad", "second": "autograd.grad"}, "None"),
        ({"x1": "0", "of": "y1"}, "nothing: an error"),
        ({"expression": "kink", "between": "zero"}, "once that"),
    ],
)
def test_the_right_answer_comes_from_the_run(parameters, answer):
    app = guess(opened(**parameters), answer)
    assert f"You said *{answer}*, and so it is" in text(app)


def test_a_wrong_guess_gets_the_sentence_that_repairs_it():
    app = guess(opened(between="None"), "twice that")
    assert "with these controls it is **once that**. `x1.grad` ends as **7200**." in text(app)
    assert "Line 6 added to `.grad`; line 7 set every `.grad` to None; line 8 added to `.grad`." in text(app)


@pytest.mark.parametrize("parameters", [{"x1": "0"}, {"expression": "own", "y": "x1 / 0 + x2 / 0 - x3 / 0"}])
def test_where_once_and_twice_are_one_number_neither_is_an_answer(parameters):
    app = opened(**parameters)
    assert [b.label for b in app.button if b.key.startswith("guess:01")][:-1] == [
        "None",
        "0",
        "not finite",
        "nothing: an error",
    ]
    assert "and twice that is the same" in text(guess(app, "None"))


def test_an_old_guess_that_is_no_answer_any_more_still_gets_its_sentence():
    app = guess(opened(), "once that")
    app.slider(key="x1").set_value(0.0).run()
    assert "You said *once that*; with these controls it is **0**. `x1.grad` ends as **0**." in text(app)


def test_a_guess_that_was_right_is_not_called_wrong_when_the_controls_move():
    app = guess(opened(), "twice that")
    app.slider(key="x1").set_value(0.0).run()
    assert "You were right with *twice that*, at the first controls; with these controls it is **0**." in text(app)


def test_the_question_is_about_a_leaf_whose_derivative_tells():
    assert "∂y/∂x3 = **1**. At the end `x3.grad`" in text(opened(expression="kink"))  # ∂y/∂x1 is 0 on the kink
    assert "∂y/∂x1 = **4**" in text(opened(expression="kink", x1="3.5"))


def test_what_float32_loses_is_said():
    app = opened(expression="own", y="1e-40*x1*1e-30")
    assert "∂y/∂x1 = **1·10⁻⁷⁰**, which float32 makes 0." in text(app)
    line = next(line for line in text(guess(app, "0")).split("\n") if "independent ways" in line)
    assert "The views above count in float32" in line
    assert "there ∂y/∂x1 is 0." in line
    assert "float32, off by 0.)" in text(revealed())


def test_pytorchs_index_is_translated():
    assert "y1 does not depend on x3, which PyTorch calls “index 2”" in text(
        revealed(expression="no x3", first="autograd.grad")
    )


def test_the_error_of_a_freed_graph_is_shown_in_both_words():
    app = revealed(of="y1")
    assert "RuntimeError: Trying to backward through the graph a second time" in app.code[0].value
    assert "Line 6 freed what the graph of y1 had saved" in text(app)
    assert "did not stop cleanly" not in text(app)
    line = views(app)["code"]["second"][6]
    assert line["failed"]
    assert line["result"] == "RuntimeError"
    assert ledger(app)[7] == ["7200", "5400", "4320", "28 B"]


def test_a_half_finished_backward_is_said_to_be_one():
    assert "did not stop cleanly" in text(revealed(of="y1", expression="mixed"))


def test_what_comes_after_an_error_is_not_reached():
    app = revealed(expression="no x3", first="autograd.grad")
    assert [run["id"] for run in views(app)["runs"]] == ["graphs", "first"]
    last = views(app)["code"]["first"][6]
    assert last["result"] == "not reached"
    assert last["cells"] == [""] * 4


def test_the_picture_shows_which_graph_is_freed():
    nodes = views(revealed())["nodes"]
    freed = {moment: {n["kind"] for n in nodes if n["freed"][moment]} for moment in ("graphs", "first", "second")}
    assert freed == {"graphs": set(), "first": {"first"}, "second": {"first", "second-output"}}


def test_the_agreement_line_counts_the_ways():
    line = next(line for line in text(revealed()).split("\n") if "independent ways" in line)
    assert "4 independent ways give ∂y/∂x1 = **7200**, ∂y/∂x2 = **5400**, ∂y/∂x3 = **4320**" in line


def test_a_kink_turns_the_line_amber_and_says_why():
    assert "stands on the kink of relu" in text(revealed(expression="kink"))


def test_a_mistake_in_an_expression_gets_a_sentence_and_a_caret_and_the_last_program_stays():
    app = revealed(expression="own", y="x1 * x2")
    app.text_input(key="y").set_value("x1 * * x3").run()
    assert not app.exception
    assert "Something is missing before" in text(app)
    assert app.code[0].value == "x1 * * x3\n     ^"
    assert app.text_input(key="y").value == "x1 * * x3"
    assert views(app)["code"]["second"][3]["text"] == "y1 = x1 * x2"


def test_a_constant_has_nothing_to_send_back():
    app = opened(expression="own", y="3 + 4")
    assert "Use x1 or x2 or x3 in it" in text(app)


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("x1", "99", "it must be a number from -10 to 10, so this is 3"),
        ("x3", "nan", "it must be a number from -10 to 10, so this is 5"),
        ("first", "grad", "it must be backward() or autograd.grad, so this is backward()"),
        ("between", "none", "it must be nothing or zero or None, so this is nothing"),
        ("retain_graph", "1", "it must be False or True, so this is False"),
        ("of", "y3", "it must be y2 or y1, so this is y2"),
        ("expression", "<b>", "it must be product or sum or mixed or no x3 or kink or own, so this is product"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    app = opened(**{parameter: value})
    assert sentence in text(app)
    assert ledger(guess(app, "just show me"))[7][0] == "14400"


def test_a_strange_moment_in_the_link_means_the_first_call():
    assert views(opened(after="77"))["view"]["run"] == "first"
    assert views(opened(after="graphs"))["view"]["run"] == "graphs"


def test_the_view_moves_on_to_the_line_that_was_predicted():
    assert views(revealed())["view"]["run"] == "second"
    assert views(revealed(expression="no x3", first="autograd.grad"))["view"]["run"] == "first"


def test_a_moment_that_is_still_secret_is_kept_for_later_and_one_in_sight_stays():
    app = opened(after="second")
    assert views(app)["view"]["run"] == "first"
    assert views(guess(app, "just show me"))["view"]["run"] == "second"
    assert views(revealed(after="graphs", between="zero"))["view"]["run"] == "graphs"


def test_a_moment_keeps_its_name_when_a_line_comes_in_between():
    runs = {between: views(revealed(between=between))["runs"] for between in ("nothing", "zero")}
    assert [(run["id"], run["label"]) for run in runs["nothing"]][-1] == ("second", "line 7")
    assert [(run["id"], run["label"]) for run in runs["zero"]][-2:] == [("between", "line 7"), ("second", "line 8")]


def test_the_link_and_the_page_speak_of_no_control_that_is_not_there():
    app = opened(ghosts="maybe", open="9")
    assert "The link asked" not in text(app)
    assert "ghosts" not in app.code[-1].value
    assert "open=" not in app.code[-1].value


def test_the_link_holds_every_control():
    settings = {
        "expression": "own",
        "y": "x1 * sin(x2)",
        "x1": "1.5",
        "x3": "-2.0",
        "first": "autograd.grad",
        "between": "None",
        "retain_graph": "True",
        "of": "y1",
    }
    app = opened(**settings)
    link = app.code[-1].value
    for part in ("expression=own", "y=x1+%2A+sin%28x2%29", "x1=1.5", "x2=4.0", "x3=-2.0", "first=autograd.grad"):
        assert part in link
    for part in ("between=None", "retain_graph=True", "second=backward%28%29", "of=y1", "after=graphs"):
        assert part in link


def test_the_claims_are_judged_by_a_run():
    app = revealed()
    app.button(key="claim 1:true").click()
    app.run()
    assert "x1.grad is None, then 7200, then 14400" in text(app)
