"""Lesson 5 by AppTest: its numbers are the engine's, what is to be predicted stays hidden, measuring is sliced."""

import base64
import json
import math
import re
import struct

import pytest

from maml_core.meta.k_steps import Setting
from maml_core.meta.prices import plan
from maml_core.meta.steps_explained import explain_steps
from maml_core.numerals import numeral
from pages.ui import k_steps_prices
from pages.ui.charts_axes import logarithmic
from pages.ui.k_steps_prices import readable
from tests.pages.test_pages import guess, open_page, text

LESSON = "pages/05_k_steps.py"
DEFAULT = Setting("tanh", inner_lr=0.1, width=4, seed=0)


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def titles(figure):
    return [note["text"] for note in figure["layout"].get("annotations", [])]


def reveal_order(app):
    next(button for button in app.button if button.label == "just show me").click()
    app.run()
    assert not app.exception
    return app


def test_the_page_opens_with_the_product_and_the_ledger_of_the_engine():
    app = open_page(LESSON)
    product, ledger = figures(app)[:2]
    assert titles(product) == ["g =", "F₀", "F₁", "F₂", "F₃", "F₄", "∇L_q"]
    look = explain_steps(DEFAULT, 5).look
    assert ledger["data"][0]["y"] == ["∇L_q(φ)", "step 4", "step 3", "step 2", "step 1", "step 0", "‖g‖"]
    bars = ledger["data"][0]
    assert bars["x"] == pytest.approx([*(term.share for term in look.terms), look.length])
    ends = [base + x for base, x in zip(bars["base"], bars["x"], strict=True)]
    assert ends[-1] == pytest.approx(ends[-2])  # the last term ends where the meta-gradient does
    matrix = product["data"][1]["z"]
    assert matrix["shape"] == "33, 33"
    sent = struct.unpack("<1089f", base64.b64decode(matrix["bdata"]))
    assert sent == pytest.approx([entry for row in look.factors[0] for entry in row], rel=1e-6, abs=1e-9)


def test_before_the_prediction_the_angle_is_nowhere():
    app = open_page(LESSON)
    degrees = explain_steps(DEFAULT, 5).degrees["wrong order"]
    sent = json.dumps(figures(app), ensure_ascii=False) + text(app)
    assert numeral(degrees, 3) not in sent
    assert "wrong =" not in sent
    assert "independent ways" not in sent
    assert len(figures(app)) == 2


def test_a_right_guess_reveals_the_angle_the_other_order_and_the_agreement():
    app = guess(open_page(LESSON), "by 10° to 45°")
    degrees = explain_steps(DEFAULT, 5).degrees["wrong order"]
    assert "and so it is" in text(app)
    assert f"in the other order, the factors give a vector **{numeral(degrees, 3)}°** off the meta-gr" in text(app)
    assert titles(figures(app)[0])[7:] == ["wrong =", "F₄", "F₃", "F₂", "F₁", "F₀", "∇L_q"]
    assert "4 independent ways give the same meta-gradient" in text(app)
    turns = figures(app)[2]
    assert turns["data"][0]["y"][4] == pytest.approx(degrees)
    assert turns["data"][0]["y"][0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("parameters", "because"),
    [
        ({"k_task": "bowl"}, "one set of axes"),
        ({"k_steps": "1"}, "One factor has no order"),
        ({"k_alpha": "0"}, "every factor is the identity"),
    ],
)
def test_where_the_order_does_not_matter_the_page_says_why(parameters, because):
    app = guess(open_page(LESSON, **parameters), "not at all")
    assert "and so it is" in text(app)
    assert because in text(app)


def test_where_the_order_does_not_matter_nothing_is_called_wrong():
    app = reveal_order(open_page(LESSON, k_steps="1"))
    assert "also g =" in titles(figures(app)[0])
    assert "wrong =" not in titles(figures(app)[0])
    assert "After 1 step the most" in text(app)


def test_the_ends_are_told_once_and_exactly():
    app = reveal_order(open_page(LESSON, k_task="bowl", k_steps="20", k_alpha="0.2", k_width="6"))
    assert text(app).count("fter 20 steps") == 1
    assert "the least sensitive **1.05·10⁻³⁴ times**." in text(app)
    still = reveal_order(open_page(LESSON, k_alpha="0", k_steps="20"))
    captions = "\n".join(note.value for note in still.caption)
    assert "Violet is positive, blue negative, αH is 0 here." in captions
    assert figures(still)[1]["data"][0]["y"] == ["∇L_q(φ)", "‖g‖"]
    assert "With α = 0 every step’s term −αHv is 0" in captions
    assert "With α = 0 every nudge of θ arrives as long as it was." in text(still)


def test_the_numbers_of_the_ledger_stand_in_a_column_of_their_own():
    figure = figures(open_page(LESSON, k_steps="20"))[1]
    notes = figure["layout"]["annotations"]
    assert {(note["x"], note["xref"], note["xanchor"]) for note in notes} == {(1, "paper", "left")}
    assert notes[-1]["text"] == "along g, of length"
    assert notes[0]["text"].count(" of ") == 1
    assert figure["layout"]["margin"]["r"] > 6 * max(len(note["text"]) for note in notes)


def test_a_kink_is_named_where_the_central_difference_parts():
    app = reveal_order(open_page(LESSON, k_task="ReLU", k_width="2", k_seed="1", k_alpha="0.05"))
    assert "The ways to the meta-gradient disagree. Three exact ways agree" in text(app)
    assert "kink of ReLU" in text(app)


def test_many_steps_show_the_first_and_the_last_factors():
    app = open_page(LESSON, k_steps="20", k_width="6")
    assert titles(figures(app)[0]) == ["g =", "F₀", "F₁", "F₂", "F₁₇", "F₁₈", "F₁₉", "∇L_q"]
    assert "The first and last of 20 factors are drawn." in "\n".join(note.value for note in app.caption)
    assert len(figures(app)[1]["data"][0]["x"]) == 22


def test_what_grows_is_predicted_and_then_measured_in_slices(monkeypatch):
    monkeypatch.setattr(k_steps_prices, "SLICE", 0.0)  # one sample per run
    app = guess(open_page(LESSON, k_units="4", k_shots="10"), "the unrolled loop and the stored iterates")
    samples = plan(4, 10)
    assert "and so it is" in text(app)
    assert "adds 0 bytes to the Jacobians" in text(app)
    assert app.get("progress")[0].proto.text == f"Measuring on this server: 1 of {len(samples)} runs."
    app.button(key="k_stop").click().run()
    assert not app.exception
    assert any(f"Stopped after 1 of {len(samples)} runs" in note.value for note in app.caption)
    assert not any("a million weights" in element.value for element in app.markdown)
    assert not any("orange dashes" in note.value for note in app.caption)  # nothing is fitted yet
    monkeypatch.setattr(k_steps_prices, "SLICE", 60.0)  # all of the rest
    app.button(key="k_resume").click().run()
    assert not app.exception
    table = {row[""]: row for _, row in app.table[-1].value.iterrows()}
    assert table["peak at k = 5, a million weights"]["full Jacobians"] == "8 TB"
    assert table["each more step, 33 weights"]["stored iterates"] == "132 bytes"
    assert table["each more step, a million weights"]["stored iterates"] == "4 MB"
    assert "in float32 is 4 TB" in text(app)
    monkeypatch.setattr(k_steps_prices, "SLICE", 0.0)
    app.button(key="k_resume").click().run()  # again, from the start
    assert app.get("progress")[0].proto.text == f"Measuring on this server: 1 of {len(samples)} runs."


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (132, "132 bytes"), (11468.0, "11.5 kB"), (8e12, "8 TB")]
)
def test_bytes_are_said_in_the_unit_that_suits_them(count, said):
    assert readable(count) == said


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("k_task", "saddle", "it must be tanh or ReLU or bowl, so this is tanh"),
        ("k_steps", "21", "it must be a whole number from 1 to 20, so this is 5"),
        ("k_alpha", "nan", "it must be a number from 0 to 0.2, so this is 0.1"),
        ("k_width", "3.5", "it must be a whole number from 2 to 6, so this is"),
        ("k_units", "4000", "it must be a whole number from 4 to 40, so this is 16"),
    ],
)
def test_a_link_that_asks_for_the_impossible_gets_the_default_and_a_sentence(parameter, value, sentence):
    assert sentence in text(open_page(LESSON, **{parameter: value}))


def test_the_folded_graph_follows_the_steps_and_is_the_product_of_its_factors():
    app = open_page(LESSON, k_steps="3")
    data = json.loads(app.get("bidi_component")[0].proto.json)
    assert set(data["layouts"]) == {"1", "2", "3", "all"}
    assert "dx₃/dx = **" in text(app)
    assert "on a screen: 3 steps of size" in text(app)
    assert "on a screen: 5 steps, not 20, of size" in text(open_page(LESSON, k_steps="20"))
    assert "on a screen: one step of size 0.3 from x = 1. Its factor" in text(open_page(LESSON, k_steps="1"))
    x, product = 1.0, 1.0
    for _ in range(3):
        product *= 1 + 0.3 * 4 * math.sin(2 * x)  # 1 − αL″ of L = sin 2x
        x -= 0.3 * 2 * math.cos(2 * x)
    said = re.search(r"dx₃/dx = \*\*(.+?)\*\*", text(app)).group(1)
    assert float(said.replace("−", "-")) == pytest.approx(product, rel=1e-5)


def test_the_link_holds_every_control():
    app = open_page(LESSON, k_task="ReLU", k_steps="7", k_alpha="0.05", k_width="3", k_seed="9", k_shots="100")
    for part in ("k_task=ReLU", "k_steps=7", "k_alpha=0.05", "k_width=3", "k_seed=9", "k_units=16", "k_shots=100"):
        assert part in app.code[0].value


def test_a_judged_claim_shows_its_computed_verdict():
    app = reveal_order(open_page(LESSON))
    app.button(key="claim 21:false").click()
    app.run()
    assert "Right: you said *false*, and so says the run. Keep the stops" in text(app)


def test_a_slider_of_three_decimals_shows_them():
    slider = open_page(LESSON, k_alpha="0.005").slider(key="k_alpha")
    assert slider.value == 0.005
    assert slider.proto.format == "%0.3f"


@pytest.mark.parametrize("ends", [(0.97, 1.01), (1e-45, 4.0), (0.3, 70.0), (2.0, 1e12)])
def test_a_logarithmic_axis_has_a_handful_of_ticks(ends):
    axis = logarithmic(ends)
    low, high = axis["range"]
    assert low < min(map(math.log10, ends))
    assert high > max(map(math.log10, ends))
    assert 3 <= sum(low <= math.log10(tick) <= high for tick in axis["tickvals"]) <= 9
    assert "1" in axis["ticktext"]
