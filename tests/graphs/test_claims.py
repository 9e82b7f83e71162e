"""Verdicts are what the runs say, and they can turn out otherwise."""

from maml_core.catalogue import of_lesson
from maml_core.graphs import claims


def verdicts():
    return {claim.number: claim.verdict for claim in of_lesson(3)}


def test_the_verdicts_of_the_six_claims():
    assert verdicts() == {5: "true", 6: "true", 7: "false", 8: "false", 9: "half", 10: "true"}


def test_the_evidence_holds_the_measured_numbers():
    evidence = {claim.number: claim.evidence for claim in of_lesson(3)}
    assert "it is 2 with create_graph=False and 88.4 with True" in evidence[7]
    assert "it is 1 and becomes 87.4" in evidence[7]
    assert evidence[8].count("−216") == 2
    assert "7 grad_fn nodes become 11, 6 edges become 11" in evidence[10]


def test_another_example_gets_another_verdict(monkeypatch):
    """With c = 1 in the blog's example, its sentence would have been true."""
    monkeypatch.setattr(claims, "BLOG", claims.MAML)
    assert verdicts()[7] == "true"


def test_without_curvature_no_claim_about_second_order_survives(monkeypatch):
    monkeypatch.setattr(claims, "MAML", {**claims.MAML, "alpha": 0.0})
    assert verdicts()[9] == "true"  # the two gradients are equal, so there is nothing to halve
