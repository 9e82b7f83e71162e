"""The three claims of lesson 2 are computed, and come out as the tests of the engine say."""

from maml_core.catalogue import of_lesson


def test_the_three_claims_are_true_and_say_what_was_measured():
    three, four, nineteen = of_lesson(2)
    assert [claim.number for claim in (three, four, nineteen)] == [3, 4, 19]
    assert {claim.verdict for claim in (three, four, nineteen)} == {"true"}
    assert "from 3 to 6.2, and x_copy is still 1" in three.evidence
    assert "It is −216 without it and −8 with it" in four.evidence
    assert "·10⁻¹⁶" in nineteen.evidence or "by 0 " in nineteen.evidence
