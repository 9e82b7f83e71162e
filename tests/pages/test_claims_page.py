"""Lesson 12 by AppTest: filters, judging, running, and what the page says when a run disagrees."""

import csv
import io
from functools import partial

import pytest

from maml_core.catalogue import PROGRAMS
from maml_core.claims import TABLE, Claim
from pages.ui import claim_rows, claim_runs, claims
from tests.pages.test_first_uses import LINK
from tests.pages.test_pages import guess, open_page, text

PAGE = "pages/12_claims.py"


def sentences(app):
    """The claims whose lines are shown; an empty expander is no element, so AppTest lists them by their blocks."""
    labels = {line.label for line in app.expander}
    return [number for number, row in TABLE.items() if f"**{number}.** {row.sentence}" in labels]


def opened(number, **filters):
    """The page with one line open."""
    app = open_page(PAGE, **filters)
    app.session_state[f"open {number}"] = True
    return app.run()


def run_all(app):
    return next(button for button in app.button if button.label.startswith("Run all"))


def test_the_filters_choose_the_rows():
    assert sentences(open_page(PAGE)) == sorted(PROGRAMS)
    lesson_two = [number for number, row in TABLE.items() if row.lesson == 2 and number in PROGRAMS]
    assert sentences(open_page(PAGE, lesson="2")) == lesson_two
    assert sentences(open_page(PAGE, source="interactive-maml", lesson="2")) == [19]
    assert "No claim matches" in open_page(PAGE, verdict="true").info[0].value


def test_a_filter_that_does_not_exist_gets_a_sentence():
    assert "The link asked for source" in text(open_page(PAGE, source="gossip"))


def test_judging_runs_the_program_and_shows_its_verdict():
    app = opened(7, lesson="3")
    app.button(key="row 7:false").click().run()
    assert "Right: you said *false*, and so says the run." in text(app)
    assert "becomes 87.4" in text(app)
    assert app.session_state["guesses"]["claim 7"].right


def test_a_wrong_judgement_is_told_so_in_words():
    app = opened(7, lesson="3")
    app.button(key="row 7:true").click().run()
    assert "Not so: you said *true*, and the run says **false**." in text(app)


def test_a_lesson_s_card_says_in_words_whether_the_reader_was_right():
    app = guess(open_page("pages/03_create_graph.py"), "just show me")
    app.button(key="claim 7:false").click()
    app.button(key="claim 8:true").click().run()
    assert "Right: you said *false*, and so says the run." in text(app)
    assert "Not so: you said *true*, and the run says **false**." in text(app)


def test_a_run_without_a_guess_counts_no_guess_and_the_verdict_filter_finds_it():
    app = opened(7, lesson="3")
    app.button(key="row 7:run").click().run()
    assert "The run says **false**." in text(app)
    assert "guesses" not in app.session_state or "claim 7" not in app.session_state["guesses"]
    app.segmented_control(key="verdict").set_value("false").run()
    assert sentences(app) == [7]


def test_a_run_that_disagrees_with_earlier_ones_says_so(monkeypatch):
    monkeypatch.setitem(PROGRAMS, 7, lambda: Claim(7, "true", "It was measured otherwise."))
    app = opened(7, lesson="3")
    app.button(key="row 7:run").click().run()
    assert "It was measured otherwise." in text(app)
    assert "Our own earlier runs said false" in text(app)
    assert ":green[:material/check_circle:] :orange[:material/warning:]" in text(app)


def test_a_program_that_raises_is_a_sentence_and_the_rest_goes_on(monkeypatch):
    def broken():
        raise TimeoutError("no `word` after *10* s")

    only(monkeypatch, 3)
    monkeypatch.setitem(PROGRAMS, 2, broken)
    app = open_page(PAGE)
    app.session_state["open 2"] = True
    run_all(app).click().run()
    assert not app.exception
    assert "2 of 3 were run on this visit" in LINK.sub(r"\1", app.success[0].value)
    assert "TimeoutError\\: no \\`word\\` after \\*10\\* s" in text(app)
    app.button(key="row 2:true").click().run()
    assert "you said" not in text(app)
    monkeypatch.setitem(PROGRAMS, 2, lambda: Claim(2, "true", "This time it ran."))
    app.button(key="row 2:true").click().run()
    assert "Right: you said *true*, and so says the run. This time it ran." in text(app)


def test_a_lesson_stands_when_one_of_its_programs_raises(monkeypatch):
    def broken():
        raise RuntimeError("a library has changed")

    claims.st.cache_data.clear()
    monkeypatch.setitem(PROGRAMS, 7, broken)
    app = guess(open_page("pages/03_create_graph.py"), "just show me")
    assert "Its program stopped, here and now, so there is no verdict. RuntimeError" in text(app)
    monkeypatch.undo()
    assert "Its program stopped" not in text(app.run())


def only(monkeypatch, count):
    for number in sorted(PROGRAMS)[count:]:
        monkeypatch.delitem(PROGRAMS, number)


def test_all_of_them_run_one_after_the_other_and_again(monkeypatch):
    only(monkeypatch, 2)
    app = open_page(PAGE)
    for _ in range(2):
        run_all(app).click().run()
        assert not app.exception
        assert "2 of 2 were run on this visit: 2 true, 0 half true and 0 false." in app.success[0].value
    assert ":green[:material/check_circle:] 2 true" in text(app)


def test_what_waits_rests_while_another_page_is_open_and_goes_on_after(monkeypatch):
    only(monkeypatch, 3)
    ran = []
    for number, program in sorted(PROGRAMS.items()):
        monkeypatch.setitem(PROGRAMS, number, lambda number=number, program=program: ran.append(number) or program())
    app = open_page(PAGE)
    app.session_state["claims to run"] = [2, 3]
    app.switch_page("pages/home.py").run()
    assert ran == []
    app.switch_page(PAGE).run()
    assert ran == [2, 3]


class Ending(dict):
    """A session's state that a click has ended: its next touch raises, as Streamlit's does then."""

    clicked = False

    def _touched(self):
        if self.clicked:
            raise InterruptedError

    def get(self, *args):
        self._touched()
        return super().get(*args)

    def setdefault(self, *args):
        self._touched()
        return super().setdefault(*args)


def test_a_click_while_a_program_runs_loses_neither_its_verdict_nor_the_judgement(monkeypatch):
    state, program = Ending(), PROGRAMS[7]

    def interrupted():
        state.clicked = True
        return program()

    monkeypatch.setattr(claim_runs.st, "session_state", state)
    monkeypatch.setitem(PROGRAMS, 7, interrupted)
    claim_runs.ask(7, "False")
    claim_runs.ask(7, "True")
    with pytest.raises(InterruptedError):
        claim_runs.run_in_turn(lambda number: None, lambda number: None)
    state.clicked = False
    assert claim_runs.verdict(7) == "false"
    assert claim_runs.due() == []
    claim_runs.settle()
    assert state["guesses"]["claim 7"] == ("False", True, "")
    assert claim_runs.asked() == {}


def test_while_a_judged_claim_runs_its_line_says_so_and_others_can_be_judged(monkeypatch):
    seen = {}

    def look(number, program):
        seen[number] = (claim_runs.running(2), claim_runs.running(7))
        return program()

    for number in (2, 7):
        program = PROGRAMS[number]
        monkeypatch.setitem(PROGRAMS, number, partial(look, number, program))
    with monkeypatch.context() as patch:
        patch.setattr(claim_rows, "run_what_waits", lambda *places: None)  # as while the program takes its time
        app = opened(2)
        app.session_state["open 7"] = True
        app.run()
        app.button(key="row 2:true").click().run()
        assert "Running its program… You said *true*." in text(app)
        app.button(key="row 7:true").click().run()
    app.run()
    assert seen == {2: (True, True), 7: (False, True)}
    assert "Running its program" not in text(app)
    assert app.session_state["guesses"]["claim 2"].right
    assert not app.session_state["guesses"]["claim 7"].right


def test_stop_forgets_what_waits_and_a_second_press_adds_nothing(monkeypatch):
    monkeypatch.setattr(claim_runs.st, "session_state", {})
    claim_runs.ask_for_all()
    claim_runs.ask_for_all()
    assert claim_runs.waiting() == list(PROGRAMS)
    claim_runs.stop()
    assert claim_runs.waiting() == []


def test_running_all_leaves_a_filter_on_verdicts_true(monkeypatch):
    only(monkeypatch, 7)
    app = open_page(PAGE)
    run_all(app).click().run()
    app.segmented_control(key="verdict").set_value("false").run()
    assert sentences(app) == [7]


def test_a_filter_lasts_and_a_row_that_was_just_run_stays_in_sight():
    app = open_page(PAGE)
    app.segmented_control(key="lesson").set_value("2").run()
    app.segmented_control(key="verdict").set_value("not run").run()
    app.session_state["open 4"] = True
    app.run()
    app.button(key="row 4:run").click().run()
    assert app.segmented_control(key="lesson").value == "2"
    assert sentences(app) == [3, 4, 19]
    app.segmented_control(key="verdict").set_value("false").run()
    assert sentences(app) == []


def test_what_was_run_is_a_table(monkeypatch):
    monkeypatch.setattr(claim_runs.st, "session_state", {})
    claim_runs.run(7)
    (row,) = csv.DictReader(io.StringIO(claim_runs.as_csv()))
    assert (row["claim"], row["verdict"], row["sentence"]) == ("7", "false", TABLE[7].sentence)
