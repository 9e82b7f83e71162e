"""Every term of the course, read from assets/glossary.toml."""

import tomllib
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[2] / "assets" / "glossary.toml"


class Term(NamedTuple):
    """Its name, the lesson where it is born, what it means; its symbol and its name in code, where it has them."""

    name: str
    lesson: int
    meaning: str
    symbol: str = ""
    code: str = ""

    @property
    def anchor(self) -> str:
        """The term's place on the glossary page, as in `glossary#hvp`."""
        kept = "".join(c if c.isascii() and c.isalnum() else " " for c in self.name.lower())
        return "-".join(kept.split())


TERMS = tuple(Term(**entry) for entry in tomllib.loads(FILE.read_text())["term"])
