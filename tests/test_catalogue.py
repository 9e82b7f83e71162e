"""The catalogue of claims: every program runs, says what it measured, and agrees with the verdict we found before."""

import pytest

from maml_core.catalogue import PROGRAMS
from maml_core.claims import SOURCES, TABLE


def test_the_table_has_forty_five_claims_of_five_sources():
    assert list(TABLE) == list(range(1, 46))
    assert {row.source for row in TABLE.values()} == set(SOURCES)


@pytest.mark.parametrize("number", PROGRAMS)
def test_a_run_agrees_with_the_verdict_found_before(number):
    claim = PROGRAMS[number]()
    assert claim.number == number
    assert claim.verdict == TABLE[number].found, claim.evidence
    assert claim.evidence.endswith(".")
