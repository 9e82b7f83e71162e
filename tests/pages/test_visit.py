"""The score card: lessons opened and first guesses, kept for the visit and exportable."""

import csv
import io

from pages.ui import guessing, visit
from tests.pages.test_pages import LESSON, guess, open_page, text


def test_home_has_no_card_before_the_first_lesson():
    assert "Your visit" not in [header.value for header in open_page().header]


def test_a_guess_counts_in_its_lesson_and_only_the_first_one():
    app = guess(open_page(LESSON), "larger, same sign")
    app.button(key="claim 7:true").click().run()
    app.switch_page("pages/home.py").run()
    assert "1 of 2 predictions right at the first try" in text(app)
    assert app.table[0].value["right at the first try"].tolist() == ["1 of 2"]


def test_just_show_me_is_no_guess():
    app = guess(open_page(LESSON), "just show me")
    app.switch_page("pages/home.py").run()
    assert app.table[0].value["right at the first try"].tolist() == ["nothing predicted"]


def test_the_card_exports_every_lesson(monkeypatch):
    monkeypatch.setattr(visit.st, "session_state", {"opened": {"03_create_graph"}})
    rows = list(csv.DictReader(io.StringIO(visit.as_csv(visit.score_card()))))
    assert [row["lesson"] for row in rows if row["opened"] == "True"] == ["3 · One argument: create_graph"]
    assert len(rows) == len(visit.LESSONS)


def test_a_claim_judged_on_the_page_of_all_claims_counts_there():
    app = open_page("pages/12_claims.py")
    app.session_state["open 7"] = True
    app.run()
    app.button(key="row 7:false").click().run()
    app.switch_page("pages/home.py").run()
    assert app.table[0].value["lesson"].tolist() == ["12 · Claims under test"]
    assert app.table[0].value["right at the first try"].tolist() == ["1 of 1"]


def test_a_second_click_before_the_answer_came_changes_nothing(monkeypatch):
    monkeypatch.setattr(visit.st, "session_state", {"open lesson": "03_create_graph"})
    first, second = guessing.Choice("yes", False, ""), guessing.Choice("no", True, "")
    for choice in (first, second, None):
        guessing.remember("a question", choice)
    card = {standing.lesson[0]: standing for standing in visit.score_card()}
    assert (card["3"].right, card["3"].made) == (0, 1)
