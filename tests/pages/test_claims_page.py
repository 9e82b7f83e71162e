"""Lesson 12 by AppTest: filters, judging, running, and what the page says when a run disagrees."""

import csv
import io

from maml_core.catalogue import PROGRAMS
from maml_core.claims import TABLE, Claim
from pages.ui import claim_rows
from tests.pages.test_pages import open_page, text

PAGE = "pages/12_claims.py"


def sentences(app):
    return [number for number, row in TABLE.items() if f"**{number}.** {row.sentence}" in text(app)]


def test_the_filters_choose_the_rows():
    assert sentences(open_page(PAGE)) == sorted(PROGRAMS)
    lesson_two = [number for number, row in TABLE.items() if row.lesson == 2 and number in PROGRAMS]
    assert sentences(open_page(PAGE, lesson="2")) == lesson_two
    assert sentences(open_page(PAGE, source="interactive-maml", lesson="2")) == [19]
    assert "No claim matches" in open_page(PAGE, verdict="true").info[0].value


def test_a_filter_that_does_not_exist_gets_a_sentence():
    assert "The link asked for source" in text(open_page(PAGE, source="gossip"))


def test_judging_runs_the_program_and_shows_its_verdict():
    app = open_page(PAGE, lesson="3")
    app.button(key="row 7:false").click().run()
    assert "You said *false*" in text(app)
    assert "becomes 87.4" in text(app)
    assert app.session_state["guesses"]["claim 7"].right


def test_a_run_without_a_guess_counts_no_guess_and_the_verdict_filter_finds_it():
    app = open_page(PAGE, lesson="3")
    app.button(key="row 7:run").click().run()
    assert "guesses" not in app.session_state or "claim 7" not in app.session_state["guesses"]
    app.segmented_control(key="verdict").set_value("false").run()
    assert sentences(app) == [7]


def test_a_run_that_disagrees_with_earlier_ones_says_so(monkeypatch):
    monkeypatch.setitem(PROGRAMS, 7, lambda: Claim(7, "true", "It was measured otherwise."))
    app = open_page(PAGE, lesson="3")
    app.button(key="row 7:run").click().run()
    assert "It was measured otherwise." in text(app)
    assert "Our own earlier runs said false" in text(app)


def test_all_of_them_run_one_after_the_other(monkeypatch):
    for number in list(PROGRAMS)[2:]:
        monkeypatch.delitem(PROGRAMS, number)
    app = open_page(PAGE)
    next(button for button in app.button if button.label.startswith("Run all")).click().run()
    assert "run on this visit, 2 true, 0 half true and 0 false." in app.success[0].value
    next(button for button in app.button if button.label.startswith("Run all")).click().run()
    assert not app.exception


def test_a_filter_lasts_and_a_row_that_was_just_run_stays_in_sight():
    app = open_page(PAGE)
    app.segmented_control(key="lesson").set_value("2").run()
    app.segmented_control(key="verdict").set_value("not run").run()
    app.button(key="row 4:run").click().run()
    assert app.segmented_control(key="lesson").value == "2"
    assert sentences(app) == [3, 4, 19]


def test_what_was_run_is_a_table(monkeypatch):
    monkeypatch.setattr(claim_rows.st, "session_state", {})
    claim_rows.run(7)
    (row,) = csv.DictReader(io.StringIO(claim_rows.as_csv()))
    assert (row["claim"], row["verdict"], row["sentence"]) == ("7", "false", TABLE[7].sentence)
