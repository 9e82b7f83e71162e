"""Claims 16, 23 and 24: the verdicts are what the runs say, and they can turn out otherwise."""

import torch

from maml_core.meta import jacobian_claims
from maml_core.meta.curvature import inner_jacobian


def test_the_verdicts():
    found = [jacobian_claims.claim_16(), jacobian_claims.claim_23(), jacobian_claims.claim_24()]
    assert {claim.number: claim.verdict for claim in found} == {16: "true", 23: "false", 24: "half"}
    assert "25² entries" in found[0].evidence
    assert "25 entries and is its gradient" in found[1].evidence
    assert found[2].evidence.endswith("the distance is 0.")


def test_with_another_formula_claim_16_is_false(monkeypatch):
    monkeypatch.setattr(
        jacobian_claims, "inner_jacobian", lambda h, *, inner_lr: inner_jacobian(h, inner_lr=-inner_lr)
    )
    assert jacobian_claims.claim_16().verdict == "false"


def test_were_the_loss_its_own_gradient_claim_23_would_be_true(monkeypatch):
    """exp is its own derivative: with one weight, and no inner step to speak of, E[∇L] = E[L]."""
    monkeypatch.setattr(jacobian_claims, "network", lambda: {"w": torch.tensor([0.3], dtype=torch.float64)})
    monkeypatch.setattr(jacobian_claims, "mlp_loss", lambda phi, batch: phi["w"].exp().sum(-1).expand(len(batch.x)))
    monkeypatch.setattr(jacobian_claims, "ALPHA", 0.0)
    assert jacobian_claims.claim_23().verdict == "true"


def test_were_the_gradient_wrong_claim_23_would_be_half(monkeypatch):
    real = jacobian_claims.maml
    monkeypatch.setattr(jacobian_claims, "maml", lambda *given, **rates: real(*given, **{**rates, "inner_steps": 0}))
    assert jacobian_claims.claim_23().verdict == "half"


def test_without_a_step_claim_24_is_true(monkeypatch):
    monkeypatch.setattr(jacobian_claims, "ALPHA", 0.0)
    assert jacobian_claims.claim_24().verdict == "true"
