"""Lesson 2 by AppTest: its numbers are the engine's, what is to be predicted stays hidden, errors are results."""

import html
import json
import re

import pytest

from maml_core.graphs.cutting import INSERTIONS, PLACES, POWER, SHIFT, Copying, Insertion
from maml_core.graphs.cutting_explained import explain_cut
from pages.ui.cut_views import HIDDEN, cut_views
from tests.pages.test_pages import guess, open_page, text, views

LESSON = "pages/02_where_gradients_go.py"


def summary(app):
    return {row["label"]: row["values"] for row in views(app)["summary"]}


def lines(app, run):
    return [line["text"] for line in views(app)["code"][run]]


def test_the_default_is_the_sources_clone_example():
    app = guess(open_page(LESSON), "just show me")
    rows = summary(app)
    assert rows["<code>x.grad</code>"] == {"written": "−8", "edited": "−8"}
    assert rows["<code>x_new</code>"]["edited"] == "6.199999809265137"
    assert rows["<code>x_copy</code>"]["edited"] == "1"
    assert "x_copy = x_copy.clone()" in lines(app, "edited")
    assert rows["grad_fn nodes"] == {"written": "5", "edited": "6"}
    path = views(app)["paths"]["edited"]["rows"]
    assert [(row["product"], row["extra"]) for row in path] == [("−8", "through the insertion")]


def test_before_the_prediction_the_outcome_is_nowhere():
    app = open_page(LESSON, op="add_(1)", line="shift")
    data = views(app)
    assert "−64" not in json.dumps(data, ensure_ascii=False)
    assert "−64" not in text(app)
    assert data["visits"]["edited"] == []
    assert not any("agree" in element.value or "independent ways" in element.value for element in app.markdown)
    assert "Every operation at every line" not in [element.value for element in app.subheader]


@pytest.mark.parametrize(
    ("operation", "place", "label", "shown"),
    [
        ("clone()", "copy", "a number", ":green[**−8**]"),
        ("stop_gradient()", "y", "0", ":blue[**0**]"),
        ("deepcopy()", "copy", "None", ":orange[**None**]"),
        ("detach()", "shift", "an error", ":red[**error**]"),
    ],
)
def test_each_outcome_can_be_guessed_and_comes_from_the_run(operation, place, label, shown):
    app = guess(open_page(LESSON, op=operation, line=place), label)
    assert "and so it is" in text(app)
    assert f"`x.grad` → {shown}" in text(app)


def test_what_is_not_a_number_is_not_called_one():
    app = guess(open_page(LESSON, x="0", shift="log(x_copy - 3)"), "just show me")
    assert "The answer: **not finite**. `x.grad` → :violet[**not a number**]" in text(app)
    assert "As written it is" not in text(app)  # the same there
    row = dict(zip(app.table[1].value.columns, app.table[1].value.iloc[0], strict=True))
    assert row["y"] == ":violet[not a number]"
    app.slider(key="x").set_value(3.0).run()
    assert "`x.grad` → :violet[**∞**]" in text(app)


@pytest.mark.parametrize(
    ("operation", "place"), [("deepcopy()", "y"), ("detach()", "shift"), ("clone()", "y"), ("add_(1)", "x")]
)
def test_before_the_prediction_no_number_tells_how_far_the_program_came(operation, place):
    data = views(open_page(LESSON, op=operation, line=place))
    assert {row["values"]["edited"] for row in data["summary"]} == {None}
    assert data["runs"][1]["caption"] == "? nodes · ? edges · x.grad ?"
    assert data["paths"]["edited"] == {"rows": [], "rest": "", "total": None}
    assert data["boxes"]["output"]["edited"] == "loss = ?"
    inserted = next(line["n"] for line in data["code"]["edited"] if line["state"] == "inserted")
    assert {line["result"] for line in data["code"]["edited"][inserted - 1 :]} == {None}
    assert all(int(value["key"][1 : value["key"].index("c")]) < inserted for value in data["values"]["edited"])
    assert {
        node["value"]["edited"] for node in data["nodes"] if "edited" in node["value"] and node["line"] >= inserted
    } <= {"?"}
    rows = {name: [row for row in data["equations"] if name in row] for name in ("written", "edited")}
    assert [row[name][0] for name in rows for row in rows[name]] == [row["written"][0] for row in rows["written"]] * 2
    assert all(row["edited"][1] == HIDDEN[0] for row in rows["edited"] if row["line"] >= inserted)


def test_a_wrong_guess_is_told_what_it_was():
    app = guess(open_page(LESSON, op="deepcopy()", line="copy"), "0")
    assert "with these controls it is **None**" in text(app)
    assert "Where it does arrive: x_copy of line 4: −8." in text(app)


def test_an_error_is_shown_in_pytorchs_words_and_in_ours_and_its_line_is_marked():
    app = guess(open_page(LESSON, op="add_(1)", line="y"), "an error")
    assert "Line 8 stops the program" in text(app)
    assert "modified by an inplace operation" in text(app)
    assert "it has been overwritten since" in text(app)
    states = [line["state"] for line in views(app)["code"]["edited"]]
    assert states == ["", "", "", "", "", "inserted", "", "failed", "never"]
    assert not app.exception


def test_a_cut_is_ghosted_in_one_graph_and_red_in_the_other():
    data = views(open_page(LESSON, op="detach()", line="shift", power="2 * x_copy**4 + w"))
    kinds = {node["op"]: (node["kind"], node["runs"]) for node in data["nodes"]}
    assert kinds["PowBackward0"] == ("cut", {"written": True, "edited": False})
    assert kinds["AddBackward0"] == ("common", {"written": True, "edited": True})


def test_an_added_node_takes_the_edge_over():
    data = views(open_page(LESSON))
    clone = next(node["id"] for node in data["nodes"] if node["kind"] == "kept")
    sub = next(node["id"] for node in data["nodes"] if node["op"] == "SubBackward0")
    assert f"x->{sub}" in data["edges"]["written"]
    assert f"x->{sub}" not in data["edges"]["edited"]
    assert {f"x->{clone}", f"{clone}->{sub}"} <= set(data["edges"]["edited"])


@pytest.mark.parametrize("operation", INSERTIONS)
@pytest.mark.parametrize("place", PLACES)
def test_every_insertion_is_drawn_from_data_that_fits_together(operation, place):
    copying = Copying.parse(SHIFT, POWER, Insertion(operation, place))
    data = cut_views(explain_cut(copying, {"x": 3.0, "lr": 0.4}), revealed=True)
    svg = data["layouts"]["1"]
    nodes = {node["id"]: node for node in data["nodes"]}
    drawn = [html.unescape(title) for title in re.findall("<title>(.*?)</title>", svg)]
    assert set(nodes) | set(data["boxes"]) <= set(drawn)
    assert data["anchors"].keys() <= data["boxes"].keys()
    assert set(data["anchors"].values()) <= nodes.keys()
    for run in ("written", "edited"):
        for edge in data["edges"][run]:
            assert edge in drawn
            assert all(nodes[end]["runs"][run] for end in edge.split("->") if end in nodes)
        assert set(data["visits"][run]) <= {name for name, node in nodes.items() if node["runs"][run]}
        numbers = [line["n"] for line in data["code"][run]]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(data["code"]["written"]) == len(data["code"]["edited"])


def test_both_programs_are_in_the_agreement_and_the_honest_sentence_follows_a_cut():
    app = guess(open_page(LESSON, op="stop_gradient()", line="y"), "0")
    assert "as written: 4 independent ways give dloss/dx = **−8**" in text(app)
    assert "with `stop_gradient()`: 4 independent ways give dloss/dx = **0**" in text(app)
    assert "loss moves by −8 per unit of x, not by 0" in text(app)


def test_where_no_gradient_arrives_there_is_nothing_to_agree_on():
    app = guess(open_page(LESSON, op="detach()", line="y"), "an error")
    assert "no gradient reaches `x`, so there is nothing to agree on" in text(app)
    assert "loss moves by −8 per unit of x. The dependence is there" in text(app)


def test_the_map_shows_every_operation_at_every_line_after_the_prediction():
    app = guess(open_page(LESSON), "just show me")
    cells = app.table[1].value
    assert len(cells) == len(INSERTIONS)
    assert list(cells.columns)[1:] == list(PLACES)
    row = dict(zip(cells.columns, cells.iloc[3], strict=True))
    assert row[""] == "`deepcopy()`"
    assert row["copy"] == ":orange[None]"
    assert row["x"] == ":green[−8]"
    assert row["shift"] == ":red[error, line 5]"


@pytest.mark.parametrize(
    ("power", "sentence"),
    [
        (
            "2 * x_copy**4",
            "Errors: 30. With `+ w` at the end of y, a second leaf, 12 of these turn into a silent None. "
            "With `+ x` at the end of y, a second path, 7 turn into a wrong number.",
        ),
        ("2 * x_copy**4 + w", None),
    ],
)
def test_the_caption_of_the_map_counts(power, sentence):
    app = guess(open_page(LESSON, power=power), "just show me")
    caption = next(c.value for c in app.caption if c.value.startswith("What x.grad is for this program"))
    assert sentence in caption if sentence else "`+ w`" not in caption


def test_the_identity_is_shown_with_its_difference():
    app = open_page(LESSON)
    assert "The first three differ by at most" in text(app)
    rows = app.table[0].value
    assert list(rows.iloc[0])[1:] == list(rows.iloc[1])[1:] == list(rows.iloc[2])[1:] != list(rows.iloc[3])[1:]


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("op", "delete()", "it must be one of the operations in the list, so this is clone()"),
        ("line", "17", "it must be x or copy or shift or y or loss, so this is copy"),
        ("x", "1e9", "it must be a number from -5 to 5, so this is 3"),
        ("lr", "nan", "it must be a number from 0 to 1, so this is 0.4"),
        ("run", "both", "it must be edited or written, so this is edited"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    app = open_page(LESSON, **{parameter: value})
    assert sentence in text(app)
    assert "x_copy = x_copy.clone()" in lines(app, "edited")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2 * x_kopy**4", "did you mean"),
        ("(x_copy", "never closed"),
        ("", "Type an expression"),
        ("7", "Use x or x\\_copy or w in it"),
        ("y", "There is no"),
        ("__import__('os')", "There is no"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence_and_the_last_good_program_stays(typed, sentence):
    app = open_page(LESSON, power=typed) if typed else open_page(LESSON)
    if not typed:
        app.text_input(key="power").set_value("").run()
    assert sentence in text(app)
    assert "y = 2 * x_copy**4" in lines(app, "edited")
    assert not app.exception


def test_two_mistakes_say_which_field_they_are_in():
    app = open_page(LESSON, shift="x_copy - z", power="y")
    assert ":red[**x\\_copy becomes**: There is no “z” here" in text(app)
    assert ":red[**y**: There is no “y” here" in text(app)


def test_an_empty_parameter_is_called_empty():
    assert "The link leaves op empty; it must be one of the operations" in text(open_page(LESSON, op=""))


def test_the_script_waits_on_the_server_for_the_click():
    """A file that is deferred is forgotten when a rerun begins, and a click in that moment does nothing."""
    button = open_page(LESSON).get("download_button")[0].proto
    assert button.label == "Script that reproduces it"
    assert not button.HasField("deferred_file_id")


def test_own_expressions_reach_every_view():
    app = guess(open_page(LESSON, shift="x_copy * x", power="exp(x_copy / 9) + w", op="detach()", line="copy"), "0")
    assert "x_copy = x_copy * x" in lines(app, "written")
    assert "y = torch.exp(x_copy / 9) + w" in lines(app, "written")
    assert "with `detach()`: 4 independent ways" in text(app)
    assert "w: −1" in json.dumps(summary(app), ensure_ascii=False)


def test_numbers_beyond_float32_are_shown_and_explained():
    app = guess(open_page(LESSON, power="exp(exp(exp(x_copy)))", x="5"), "just show me")
    assert "Not finite" in text(app)
    assert "Too large to show" in json.dumps(views(app))


def test_what_float32_loses_is_said():
    app = guess(open_page(LESSON, x="-5", shift="x_copy**16", power="x_copy**16"), "not finite")
    assert "and so it is" in text(app)
    lines = [line for line in text(app).split("\n") if "independent ways" in line]
    assert len(lines) == 2
    assert all("·10¹⁸⁰**" in line and "ends at 3.4·10³⁸: there it is ∞." in line for line in lines)


def test_the_link_holds_every_control():
    app = open_page(LESSON, op="detach()", line="y", x="1.5", lr="0.25", shift="x_copy", power="x_copy**2 + w")
    link = app.code[0].value
    for part in (
        "op=detach%28%29",
        "line=y",
        "x=1.5",
        "lr=0.25",
        "shift=x_copy",
        "power=x_copy%2A%2A2",
        "run=edited",
    ):
        assert part in link


def test_the_claims_are_judged_by_their_runs():
    app = open_page(LESSON)
    app.button(key="claim 4:true").click()
    app.run()
    assert "It is −216 without it and −8 with it" in text(app)
