"""The glossary: every term once, every name in code real, every entry reachable by its link."""

import importlib

import pytest

from pages.ui.syllabus import LESSONS
from pages.ui.term_list import GOOD_FOR, SOURCES, matching
from pages.ui.terms import TERMS, born_in
from tests.pages.test_first_uses import LINK
from tests.pages.test_pages import open_page, text

EXPECTED = {  # some of what the prose of a lesson uses, whatever the controls say
    1: {"maml", "leaf"},
    3: {"create-graph", "first-order-maml"},
    5: {"stored-iterates", "hvp"},
    6: {"implicit-maml", "one-leap-estimator"},
    7: {"task"},
    9: {"functional-call"},
    12: {"maml"},
}


def test_every_term_stands_once():
    for field in ("name", "anchor"):
        values = [getattr(term, field) for term in TERMS]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("term", [term for term in TERMS if term.code], ids=lambda term: term.anchor)
def test_a_name_in_code_is_real(term):
    module, *rest = term.code.split(".")
    found = importlib.import_module(module)
    for name in rest:
        found = getattr(found, name, None) or importlib.import_module(f"{found.__name__}.{name}")
    assert found is not None


def test_a_search_finds_by_name_symbol_code_and_meaning():
    for wanted, name in {"hess": "Hessian", "I − αH": "inner Jacobian", "solvers": "conjugate gradient"}.items():
        assert name in [term.name for term in matching(wanted)]
    assert matching("no such term anywhere") == []


def test_the_page_lists_what_is_searched_and_says_what_each_source_is_good_for():
    app = open_page("pages/glossary.py", find="vector product")
    assert "HVP" in [heading.value for heading in app.subheader]
    assert set(GOOD_FOR) == set(SOURCES)
    assert open_page("pages/glossary.py", find="<b>`x`[a](b)").caption[0].value.startswith("0 of")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_links_every_word_it_introduces_and_a_first_use_in_its_prose_once(lesson):
    words = born_in(lesson.number)
    assert words
    app = open_page(f"pages/{lesson.name}.py")
    assert all(f"](glossary#{term.anchor})" in text(app) for term in words)
    uses = [anchor for _, anchor in LINK.findall("\n".join([text(app), *(box.value for box in app.success)]))]
    assert len(uses) == len(set(uses))
    assert set(uses) >= EXPECTED.get(lesson.number, set())
