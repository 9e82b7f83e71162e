"""Lesson 1's question: what is in `.grad` in the end."""

from maml_core.graphs.explaining_calls import CallsExplained
from maml_core.graphs.ledger import Outcome
from maml_core.numerals import numeral
from pages.ui import guessing

ANSWERS: dict[Outcome, str] = {
    "None": "None",
    "zero": "0",
    "once": "once that",
    "twice": "twice that",
    "not finite": "not finite",
    "error": "nothing: an error",
}


def predict(name: str, explained: CallsExplained) -> bool:
    """Ask for the outcome. Where once and twice are one number, 0 or ∞ or none at all, they are no answers."""
    decisive, outcome, story = explained.decisive, explained.outcome, explained.story
    value, single = numeral(decisive.value), numeral(explained.in_float32[decisive.leaf])
    broken = f", which float32 makes {single}" if value != single and not explained.tells else ""
    return guessing.predict(
        name,
        f"∂y/∂{decisive.leaf} = **{value}**{broken}. At the end `{decisive.leaf}.grad` will be …",
        [
            guessing.Choice(label, outcome == kind, story)
            for kind, label in ANSWERS.items()
            if explained.tells or kind not in ("once", "twice")
        ],
    )
