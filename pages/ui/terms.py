"""Every term of the course, read from assets/glossary.toml."""

import tomllib
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[2] / "assets" / "glossary.toml"


class Term(NamedTuple):
    """Its name, the lesson where it is born, what it means; its symbol and its name in code, where it has them.

    `also`: other words for it in prose. `ordinary`: a word of everyday English before its lesson makes it a term.
    """

    name: str
    lesson: int
    meaning: str
    symbol: str = ""
    code: str = ""
    also: tuple[str, ...] = ()
    ordinary: bool = False

    @property
    def anchor(self) -> str:
        """The term's place on the glossary page, as in `glossary#hvp`."""
        kept = "".join(c if c.isascii() and c.isalnum() else " " for c in self.name.lower())
        return "-".join(kept.split())

    @property
    def forms(self) -> tuple[str, ...]:
        """The words by which prose may call it; of an ordinary word only those that are listed."""
        return tuple(
            form for word in (self.name, *self.also) for form in ((word,) if self.ordinary else (word, f"{word}s"))
        )

    @property
    def linked_from(self) -> int:
        """The first lesson whose prose may link it."""
        return self.lesson if self.ordinary else 0


ENTRIES = tomllib.loads(FILE.read_text())["term"]
TERMS = tuple(Term(**entry | {"also": tuple(entry.get("also", ()))}) for entry in ENTRIES)


def born_in(number: int) -> tuple[Term, ...]:
    """The terms that a lesson introduces."""
    return tuple(term for term in TERMS if term.lesson == number)
