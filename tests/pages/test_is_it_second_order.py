"""Lesson 10 as a server runs it: the guess, the verdict, the filter, the reader's own vector, and the link."""

import json

import pytest

from maml_core.meta.trees import unflatten
from maml_core.practice.loops.bench import BENCH, SYMPTOMS, examine
from maml_core.practice.loops.landmarks import landmarks
from maml_core.practice.loops.problem import published
from tests.pages.test_pages import guess, open_page, text

PAGE = "pages/10_is_it_second_order.py"


def arrows(app):
    return {trace["name"] for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"]}


def choose(app, title):
    app.selectbox(key="loop").set_value(title)
    app.run()
    assert not app.exception
    return app


def test_one_visit_guesses_reveals_browses_and_keeps_score():
    app = open_page(PAGE)
    assert "model.load_state_dict(phi)" in app.code[0].value
    assert "this loop" not in arrows(app)
    assert "50.4" not in text(app)
    assert "Why." not in text(app)

    app = guess(app, "the meta-gradient")
    assert "with these controls it is **the first-order gradient**" in text(app)
    assert "It is 50.4° from the meta-gradient and 1.62 times as long" in text(app)
    assert "changes by −0.6718 per unit, and `p.grad` promises −1.161" in text(app)
    assert "`p.grad` holds the meta-gradient, to" in text(app)
    assert "https://github.com/hoyeoplee/MeLU/issues/9" in text(app)
    assert "4 independent ways give the same meta-gradient of the published problem" in text(app)
    assert "this loop" in arrows(app)
    assert app.code[1].value.startswith(" def meta_step(model, support, query, alpha, steps):\n-    theta = copy")

    app = choose(app, "higher, defaults")
    assert "this loop" not in arrows(app)
    app = guess(app, "None")
    assert "and so it is" in text(app)
    assert "1 of 2 predictions right" in text(app)
    assert "It depends on θ, and no gradient says so." in text(app)
    assert "adapting lowers the loss, but θ never moves" in text(app)
    rows = app.table[-1].value
    assert list(rows.iloc[:, 0]) == ["load_state_dict", "higher, defaults"]
    assert list(rows["you said"]) == ["the meta-gradient", "None"]

    app = guess(choose(app, "torch.func, detach"), "just show me")
    assert list(app.table[-1].value["you said"])[-1] == "nothing: just looked"
    assert any(f"3 of {len(BENCH)}, 2 of them judged." in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("title", "answer", "sentence"),
    [
        ("torch.func, jacfwd", "nothing: an error", "It raises an error"),
        ("torch.func, detach", "zeros", "Every number in `p.grad` is 0"),
        ("by hand, Hessian-vector products", "another vector", "in the wrong order. It is 5.76°"),
        ("model() in every step", "another vector", "a true gradient, of another loss than MAML's"),
        ("higher, Adam", "the meta-gradient", "another problem: the target here is the gradient of this loop's own"),
    ],
)
def test_every_kind_of_verdict_can_be_guessed_and_comes_from_the_run(title, answer, sentence):
    app = guess(open_page(PAGE, loop=title), answer)
    assert "and so it is" in text(app)
    assert sentence in text(app)
    assert any(examine(title).error == code.value for code in app.code) == bool(examine(title).error)


def test_the_pattern_that_does_not_install_is_called_one():
    app = open_page(PAGE, loop="learn2learn's pattern")
    assert "does not build on Python 3.11, so clone_module and adapt are ours" in app.caption[0].value
    assert "def clone_module" in app.code[0].value


def test_a_symptom_lists_the_loops_that_show_it_and_a_loop_without_it_gives_way():
    app = open_page(PAGE)
    app.selectbox(key="symptom").set_value(SYMPTOMS["None"]).run()
    assert not app.exception
    none = [title for title in BENCH if examine(title).finding.verdict == "None"]
    assert app.selectbox(key="loop").options == none
    assert app.selectbox(key="loop").value == none[0]
    app.selectbox(key="symptom").set_value(SYMPTOMS["zero"]).run()
    assert app.selectbox(key="loop").options == ["torch.func, detach"]
    assert "detach()" in app.code[0].value
    assert "The link asked" not in text(app)


def test_who_comes_with_a_symptom_is_asked_nothing_and_told_at_once():
    app = open_page(PAGE, symptom=SYMPTOMS["None"], loop="higher, defaults")
    assert not any(button.key.startswith("guess:") for button in app.button)
    assert "The answer: **None**." in text(app)
    assert "predictions right" not in text(app)
    app.selectbox(key="symptom").set_value("any").run()
    assert app.selectbox(key="loop").value == "higher, defaults"
    assert "The answer: **None**." in text(app)  # and so it stays: nobody guesses what has been shown
    assert any(button.key.startswith("guess:") for button in choose(app, "load_state_dict").button)


def test_a_link_to_a_loop_that_does_not_show_its_symptom_is_not_called_a_wrong_name():
    app = open_page(PAGE, symptom=SYMPTOMS["None"], loop="load_state_dict")
    assert app.selectbox(key="loop").value == "phi detached, requires_grad_()"
    assert "The link asked" not in text(app)


def paste(app, typed):
    app.text_area(key="own_gradient").set_value(typed).run()
    assert not app.exception
    return text(app)


def test_a_reader_brings_a_vector_and_hears_what_it_is():
    app = open_page(PAGE)

    def by_leaf(name, factor=1.0):
        return unflatten(factor * landmarks()[name], published().theta)

    def as_text(name, factor=1.0):
        return json.dumps({leaf: value.tolist() for leaf, value in by_leaf(name, factor).items()})

    assert "**Exact**: this is the meta-gradient, to float64's rounding" in paste(app, as_text("exact"))
    assert "**First order**: this is ∇L_q(φ)" in paste(app, as_text("first order"))
    said = paste(app, as_text("leak"))
    assert "it is the first-order gradient plus (θ − φ)/α" in said
    assert "38°, 2.319 times as long" in said
    said = paste(app, as_text("exact", 4))
    assert "it is 4 times the meta-gradient, to float64's rounding. Against the exact one: 0°, 4 times" in said
    assert "A sum where a mean belongs" in said
    assert "That factor is α" in paste(app, as_text("first order", 0.1))
    assert "a gradient points uphill" in paste(app, as_text("exact", -1))
    assert "it is the meta-gradient of k − 1 steps" in paste(app, as_text("one step fewer"))
    assert "it is the meta-gradient of losses that are sums over the points" in paste(app, as_text("summed"))
    half = {leaf: value.half().tolist() for leaf, value in by_leaf("exact").items()}
    assert "% off the meta-gradient: fewer digits than float32 has" in paste(app, json.dumps(half))
    assert "**None**: no gradient at all" in paste(app, json.dumps(dict.fromkeys(published().theta)))
    assert "none that has a name here" in paste(app, as_text("exact").replace("-0.0", "-0.5"))
    refused = paste(app, '{"<img src=x>": [1], "0.weight": 2}')
    assert ":red[:material/block: 0.bias is missing" in refused.replace("\\", "")
    assert app.text_area(key="own_gradient").value == '{"<img src=x>": [1], "0.weight": 2}'


@pytest.mark.parametrize(
    ("parameter", "value", "kept"), [("loop", "rm -rf", "load_state_dict"), ("symptom", "<b>", "any")]
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, kept):
    app = open_page(PAGE, **{parameter: value})
    assert f"it must be one of those in the list, so this is {kept}" in text(app)
    assert app.selectbox(key=parameter).value == kept


def test_the_link_holds_every_control():
    app = open_page(PAGE, loop="g.detach() in the update", symptom="silently first-order")
    link = next(code.value for code in app.code if code.value.startswith(("http", "?")))
    assert "loop=g.detach%28%29+in+the+update" in link
    assert "symptom=silently+first-order" in link


def test_the_claims_of_both_documents_are_judged_by_their_runs():
    app = open_page(PAGE)
    app.button(key="claim 28:true").click().run()
    assert "It is the first-order gradient plus (θ − φ)/α" in text(app)
    assert {f"claim {number}:half" for number in range(26, 41) if number != 28} <= {b.key for b in app.button}


@pytest.mark.parametrize("title", ["higher, Adam", "eval() for the query"])
def test_a_loop_with_another_rule_or_network_is_held_to_its_own_loss(title):
    app = guess(open_page(PAGE, loop=title), "just show me")
    assert arrows(app) == {"meta-gradient", "this loop"}
    assert "the gradient of its own query loss" in text(app)
    assert "a target of its own: central differences of its own loss" in text(app)
