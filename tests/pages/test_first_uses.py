"""First uses: which words of a text become links to the glossary, and which never do."""

import re

import pytest

from pages.ui import first_uses
from pages.ui.terms import TERMS
from tests.pages.test_pages import open_page, text

LINK = re.compile(r'\[([^\]]*)\]\(glossary#(\S+) "[^"]*"\)')


def uses(prose, lesson=12):
    """The words that are links, each with the anchor it leads to."""
    return LINK.findall(first_uses.linked(prose, lesson))


def test_only_the_first_use_is_a_link_and_the_text_stays_as_it_was():
    prose = "MAML goes\nthrough the inner loop. The inner loop of MAML."
    assert uses(prose) == [("MAML", "maml"), ("inner loop", "inner-loop")]
    assert LINK.sub(r"\1", first_uses.linked(prose, 12)) == prose


@pytest.mark.parametrize(
    "kept",
    [
        "`the Hessian`",
        "```\nHessian\n```",
        r"$\text{Hessian}$",
        "$$\n\\text{Hessian}\n$$",
        "[the Hessian](https://example.org)",
        "![Hessian](https://example.org/x.png)",
        ":violet[Hessian]",
        "# The Hessian",
        "<b title='Hessian'>",
        "Hessianlike, a_Hessian, meta-Hessian-free",
    ],
)
def test_code_formulas_links_and_headings_stay_as_they_are(kept):
    assert first_uses.linked(kept, 12) == kept
    assert uses(f"{kept}\nThen a Hessian.") == [("Hessian", "hessian")]


def test_plurals_sentence_beginnings_and_other_names_lead_to_the_same_entry():
    assert uses("Hessians") == [("Hessians", "hessian")]
    assert uses("Tasks differ.") == [("Tasks", "task")]
    assert uses("an inner\nstep") == [("inner\nstep", "inner-loop")]
    assert uses("FOMAML is first-order MAML") == [("FOMAML", "first-order-maml")]
    assert uses("*ANIL's* head") == [("ANIL", "anil")]


def test_the_longest_name_wins():
    assert uses("a Hessian-vector product and truncated backpropagation") == [
        ("Hessian-vector product", "hvp"),
        ("truncated backpropagation", "truncated-backpropagation"),
    ]


def test_a_name_of_code_is_found_as_a_span_of_code():
    assert uses("`create_graph=True` and `functional_call`") == [
        ("`create_graph=True`", "create-graph"),
        ("`functional_call`", "functional-call"),
    ]


def test_an_ordinary_word_is_a_term_from_its_own_lesson_on():
    assert uses("a pull back to θ", lesson=5) == []
    assert uses("a pull back to θ", lesson=6) == [("pull", "pull")]
    assert uses("the loss pulls at φ") == []


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.anchor)
def test_every_term_can_be_linked_and_every_tooltip_is_plain(term):
    found = first_uses.linked(f"{term.name} here", 12)
    (tooltip,) = re.findall(rf'^\[{re.escape(term.name)}\]\(glossary#{term.anchor} "([^"`\n]+)"\) here$', found)
    assert len(tooltip) > 20


def test_no_word_names_two_terms():
    forms = [form for term in TERMS for form in term.forms]
    assert len(forms) == len(set(forms))


def test_a_page_links_a_term_once_and_begins_anew_on_the_next_run(monkeypatch):
    monkeypatch.setattr(first_uses.st, "session_state", {})
    first_uses.start(3)
    one, two = "MAML first.", "MAML again."
    assert LINK.search(first_uses.on_page(one))
    assert not LINK.search(first_uses.on_page(two))
    assert LINK.search(first_uses.on_page(one))  # a fragment that runs again
    first_uses.start(4)
    assert LINK.search(first_uses.on_page(two))


def test_the_prose_of_a_lesson_is_linked():
    assert '[MAML](glossary#maml "Model-agnostic' in text(open_page("pages/12_claims.py"))
