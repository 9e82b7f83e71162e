"""What a claim under test is, for every room that tests some."""

from typing import Literal, NamedTuple

Verdict = Literal["true", "half", "false"]


class Claim(NamedTuple):
    """A sentence that can be wrong, what a run says about it, and what that run measured."""

    number: int
    sentence: str
    verdict: Verdict
    evidence: str
