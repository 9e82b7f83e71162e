"""The glossary: every term once, every name in code real, every entry reachable by its link."""

import importlib

import pytest

from pages.ui.term_list import GOOD_FOR, SOURCES, matching
from pages.ui.terms import TERMS
from tests.pages.test_pages import open_page


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
