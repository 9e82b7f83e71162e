"""The glossary's furniture: terms that can be searched and linked to, and what each source is good for."""

import streamlit as st

from pages.ui.claims import SOURCES
from pages.ui.syllabus import LESSONS
from pages.ui.terms import TERMS, Term

BORN_IN = {lesson.number: lesson for lesson in LESSONS}
FIND = "Words of its name, symbol, code or meaning."
GOOD_FOR = {
    "blog notes": "The smallest example in which create_graph=True changes a number, torchviz pictures of it, and an "
    "honest report of what was tried. Lessons 1, 2, 3, 9 and 11 start from it.",
    "interactive-maml": "The best pictures of the meta-gradient on the web, and a tour of MAML's relatives. Read it "
    "beside lessons 4 to 6. [interactive-maml.github.io](https://interactive-maml.github.io)",
    "detaching Q&A": "What one tries first with `higher`. Lesson 10 runs each of its three examples.",
    "official Q&A": "A whole training loop with `higher` in forty lines. Lesson 10 mends it.",
    "forum": "A precise question with a check of its own: at one inner step the answer must equal MAML's. Lesson 6 "
    "answers it.",
}
PAPERS = {
    "Finn, Abbeel & Levine (2017), MAML and its first-order version": "1703.03400",
    "Li, Zhou, Chen & Li (2017), Meta-SGD": "1707.09835",
    "Nichol, Achiam & Schulman (2018), Reptile": "1803.02999",
    "Shaban, Cheng, Hatch & Boots (2019), truncated back-propagation": "1810.10667",
    "Rajeswaran, Finn, Kakade & Levine (2019), implicit MAML": "1909.04630",
    "Raghu, Raghu, Bengio & Vinyals (2020), ANIL": "1909.09157",
    "Oh, Yoo, Kim & Yun (2021), BOIL": "2008.08882",
    "Maclaurin, Duvenaud & Adams (2015), gradients through a whole training": "1502.03492",
}


def matching(wanted: str) -> list[Term]:
    """The terms in whose name, symbol, code or meaning the words stand, in the order of the alphabet."""
    words = wanted.lower().split()
    # Every second name in code begins with the engine's own, which is not what "maml" is looking for.
    code = {term: term.code.removeprefix("maml_core.") for term in TERMS}
    texts = {term: f"{term.name} {term.symbol} {code[term]} {term.meaning}".lower() for term in TERMS}
    found = [term for term, text in texts.items() if all(word in text for word in words)]
    return sorted(found, key=lambda term: term.name.lower())


def search() -> str:
    """What the reader looks for."""
    return st.text_input(
        "find a term",
        key="find",
        bind="query-params",
        max_chars=60,
        help="Words of its name, symbol, code or meaning.",
    )


def terms(wanted: str) -> None:
    """One entry per term, each with an anchor of its own."""
    found = matching(wanted)
    st.caption(
        f"{len(found)} of {len(TERMS)} terms." + ("" if found else " Try a shorter word, or a symbol such as θ.")
    )
    for term in found:
        _entry(term)


def _entry(term: Term) -> None:
    st.subheader(term.name, anchor=term.anchor)
    st.markdown(term.meaning)
    written = [f"written {term.symbol}"] if term.symbol else []
    in_code = [f"in code `{term.code}`"] if term.code else []
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if written or in_code:
            st.markdown(", ".join(written + in_code), width="content")
        if term.lesson in BORN_IN:
            born = BORN_IN[term.lesson]
            st.page_link(f"pages/{born.name}.py", label=f"born in lesson {born.number}, {born.title}")


def sources() -> None:
    """The five documents and the papers."""
    for key, title in SOURCES.items():
        st.markdown(f"**{title}.** {GOOD_FOR[key]}")
    st.markdown(
        "\n".join(f"- {title}: [arXiv {number}](https://arxiv.org/abs/{number})" for title, number in PAPERS.items())
    )
