"""Verdicts of the claims about one leap are what the runs say, and can turn out otherwise."""

import pytest

from maml_core.meta import leap_claims
from maml_core.meta.trees import add_scaled


def test_the_evidence_holds_the_measured_numbers():
    assert "180° from the way to φ and 1 times as far" in leap_claims.claim_41().evidence
    assert "first-order MAML (relative difference" in leap_claims.claim_42().evidence
    assert "relative difference 0 and 0" in leap_claims.claim_44().evidence


def test_the_right_sign_would_have_been_true(monkeypatch):
    monkeypatch.setattr(leap_claims, "claimed_gradient", lambda theta, phi: add_scaled(theta, -1.0, phi))
    assert leap_claims.claim_41().verdict == "true"
    monkeypatch.setattr(leap_claims, "claimed_gradient", lambda theta, phi: theta)
    assert leap_claims.claim_41().verdict == "false"


def test_a_hook_that_kept_a_derivative_would_have_worked(monkeypatch):
    monkeypatch.setattr(leap_claims, "fomaml", leap_claims.maml)  # then the hook's result is not first-order
    assert leap_claims.claim_42().verdict == "true"


def test_another_formula_is_not_the_leaps(monkeypatch):
    leapt = leap_claims._leapt
    monkeypatch.setattr(leap_claims, "_leapt", lambda start, support, v, beta: leapt(start, support, v, -beta))
    assert leap_claims.claim_43().verdict == "false"


def test_first_order_maml_would_fail_the_posters_check(monkeypatch):
    monkeypatch.setattr(leap_claims, "one_leap", leap_claims.fomaml)
    assert leap_claims.claim_44().verdict == "false"


@pytest.mark.parametrize(("first", "verdict"), [(2.0, "false"), (0.52, "half"), (-1.0, "true")])
def test_how_good_the_leap_is_depends_on_the_cosines(monkeypatch, first, verdict):
    monkeypatch.setattr(leap_claims, "MANY_STEPS", (2, 5))
    monkeypatch.setattr(leap_claims, "_cosines", lambda where, rate, k: (first, {2: 0.6, 5: 0.7}[k] - 10 * rate, 0.0))
    assert leap_claims.claim_45().verdict == verdict
