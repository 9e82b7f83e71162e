"""The syllabus: which lessons there are, in reading order, and what each asks."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

FOLDER = Path(__file__).parents[1]


class Lesson(NamedTuple):
    """One entry of the syllabus. `name` is the file in pages/ and the page's lasting URL."""

    name: str
    number: int
    title: str
    question: str


PARTS = {
    "Part I · What autograd writes down": (
        Lesson(
            "01_backward_and_grad",
            1,
            "Backward adds, grad returns",
            "One expression written twice, differentiated twice. Does .grad hold its gradient once or twice?",
        ),
        Lesson(
            "02_where_gradients_go",
            2,
            "Where did my gradient go?",
            "A gradient of 0, a gradient of None and an error are three ways of saying the same thing. Are they?",
        ),
        Lesson(
            "03_create_graph",
            3,
            "One argument: create_graph",
            "x′ and the outer loss come out the same with it and without it. So what does it change?",
        ),
    ),
    "Part II · The meta-gradient": (
        Lesson(
            "04_inner_jacobian",
            4,
            "The matrix between θ and φ",
            "One inner step carries θ to φ. If θ moves a little, does φ move the same way?",
        ),
        Lesson(
            "05_k_steps",
            5,
            "k steps: what it costs to look back",
            "To differentiate k inner steps, must you keep the graph of all k?",
        ),
        Lesson(
            "06_shortcuts",
            6,
            "Shortcuts, and what they lose",
            "Nine ways from one θ on the same tasks. Which of them still point where MAML points?",
        ),
    ),
    "Part III · Training": (
        Lesson(
            "07_sinusoid_lab",
            7,
            "The sinusoid lab",
            "Can a network learn to learn a sine from ten points, here, while you watch?",
        ),
        Lesson(
            "08_race",
            8,
            "The race",
            "Same tasks, same start, same budget. Does the exact meta-gradient win?",
        ),
    ),
    "Part IV · In practice": (
        Lesson(
            "09_any_module",
            9,
            "MAML for any nn.Module",
            "The loss falls, so the generic code works. Does it?",
        ),
        Lesson(
            "10_is_it_second_order",
            10,
            "Is it really second order?",
            "Thirty-four inner loops as people write them. Which compute the meta-gradient?",
        ),
        Lesson(
            "11_sgd_by_hand",
            11,
            "By hand or torch.optim.SGD?",
            "A hand-written loop was measured twice as fast as torch.optim.SGD. What was timed?",
        ),
        Lesson(
            "12_claims",
            12,
            "Claims under test",
            "Forty-five sentences from five sources, and a program behind each. Which survive a run?",
        ),
    ),
}
WRITTEN = {
    part: [lesson for lesson in lessons if (FOLDER / f"{lesson.name}.py").exists()] for part, lessons in PARTS.items()
}
PARTS = {part: lessons for part, lessons in WRITTEN.items() if lessons}
LESSONS = tuple(lesson for part in PARTS.values() for lesson in part)


def pages() -> dict[str, list[st.Page]]:
    """What st.navigation shows: home, the lessons by part, the glossary."""
    home = st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)
    parts = {part: [page(lesson) for lesson in lessons] for part, lessons in PARTS.items()}
    glossary = st.Page("pages/glossary.py", title="Glossary and sources", url_path="glossary")
    return {"": [home], **parts, "Glossary": [glossary]}


def page(lesson: Lesson) -> st.Page:
    return st.Page(f"pages/{lesson.name}.py", title=f"{lesson.number} · {lesson.title}", url_path=lesson.name)


def numbered(name: str) -> int:
    """The number of the lesson in pages/`name`.py."""
    return next(lesson.number for lesson in LESSONS if lesson.name == name)


def show() -> None:
    """The parts side by side, two by two; each lesson with its question."""
    parts = list(PARTS.items())
    for pair in zip(parts[::2], parts[1::2], strict=True):
        for column, (part, lessons) in zip(st.columns(2, gap="medium"), pair, strict=True):
            with column:
                st.subheader(part, anchor=False)
                for lesson in lessons:
                    st.page_link(f"pages/{lesson.name}.py", label=f"**{lesson.number} · {lesson.title}**")
                    st.caption(lesson.question)
