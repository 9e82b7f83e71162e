"""The first use of a term in a lesson's prose, as a quiet link to its entry in the glossary."""

import re
from collections.abc import Callable

import streamlit as st

from pages.ui.terms import TERMS, Term

# What stays as it is: code, formulas, links and pictures, coloured words, icons, HTML, headings.
KEPT = r"""
    ```.*?``` | (?P<code>`[^`]*`) | \$\$.*?\$\$ | (?<!\\)\$[^$]*\$
  | !?\[[^\]]*\]\([^)]*\) | :[a-z-]+\[[^\]]*\] | :[a-z_/]+: | <[^>]+> | ^\#[^\n]*
"""


def start(lesson: int) -> None:
    """Begin a page: nothing has been used on it yet."""
    st.session_state["first uses"] = lesson, {}


def prose(text: str) -> None:
    """Text of a lesson, in Markdown; the first use of each term on the page is a link."""
    st.markdown(on_page(text))


def on_page(text: str) -> str:
    """`text` with the uses linked that are the first ones on the page. The same text again gets the same links."""
    lesson, first = st.session_state["first uses"]
    return linked(text, lesson, lambda term: first.setdefault(term, text) == text)


def linked(text: str, lesson: int, wanted: Callable[[Term], bool] = lambda _: True) -> str:
    """`text`, in which the first use of each term that is wanted is a link, with the term's meaning as a tooltip.

    A term that is a name of code is also found as a span of code of its own, with or without a value: `name=True`.
    """
    words = {form: term for term in TERMS if lesson >= term.linked_from for form in term.forms}
    longest_first = "|".join(_pattern(word) for word in sorted(words, key=len, reverse=True))
    uses = re.compile(rf"{KEPT} | (?<![\w-])(?P<words>{longest_first})(?![\w-])", re.X | re.S | re.M)
    met: set[Term] = set()

    def use(match: re.Match[str]) -> str:
        word = " ".join((match["words"] or (match["code"] or "").strip("`").partition("=")[0]).split())
        term = words.get(word) or words.get(word[:1].lower() + word[1:])
        if term is None or term in met or not wanted(term):
            return match[0]
        met.add(term)
        return _link(match[0], term)

    return uses.sub(use, text)


def _pattern(word: str) -> str:
    """A lower-case word may begin a sentence, and a line may end within a term."""
    first = f"[{word[0]}{word[0].upper()}]" if word[0].islower() else re.escape(word[0])
    return first + r"\s".join(re.escape(part) for part in word[1:].split(" "))


def _link(text: str, term: Term) -> str:
    meaning = " ".join(term.meaning.replace("`", "").replace('"', "”").split())
    return f'[{text}](glossary#{term.anchor} "{meaning}")'
