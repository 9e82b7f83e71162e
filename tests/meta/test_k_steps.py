"""Lesson 5's engine: the path and its factors against the engine's own, closed forms and identities."""

import math
import subprocess
import sys

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta import steps_claims, stretching
from maml_core.meta.algorithms import maml
from maml_core.meta.curvature import hessian, products, step_jacobians
from maml_core.meta.k_steps import (
    FAMILIES,
    FLATTEST,
    MOST_STEPS,
    SHARPEST,
    Setting,
    hessians,
    problem,
    products_so_far,
    walk,
)
from maml_core.meta.looking_back import back, central_difference, four_ways, ledger, look_back, turned
from maml_core.meta.steps_explained import explain_steps
from maml_core.meta.steps_script import steps_script
from maml_core.meta.stretching import HIGHEST_RATE, RATES, rate_sweep, stretches
from maml_core.meta.trees import flatten, tile

TANH = Setting("tanh", inner_lr=0.1, width=3, seed=2)
BOWL = Setting("bowl", inner_lr=0.1, width=4, seed=1)
every_family = pytest.mark.parametrize("family", FAMILIES)


def setting(family, **changes):
    return Setting(family, 0.05, 4, 2)._replace(**changes)


@every_family
def test_the_stacked_hessians_are_the_engines(family):
    loss, theta, tasks = problem(setting(family))
    stops = walk(setting(family)).stops[:3]
    found = hessians(loss, stops, theta, tasks.support)
    for stop, matrix in zip(stops, found, strict=True):
        sizes = [leaf.numel() for leaf in theta.values()]
        at = {
            name: piece.view(1, *leaf.shape)
            for (name, leaf), piece in zip(theta.items(), stop.split(sizes), strict=True)
        }
        assert_close(matrix, hessian(loss, at, tasks.support)[0])


@every_family
def test_the_factors_are_those_of_every_step(family):
    loss, theta, tasks = problem(setting(family))
    expected = step_jacobians(loss, tile(theta, 1), tasks.support, inner_lr=0.05, inner_steps=4)[:, 0]
    assert_close(walk(setting(family)).factors[:4], expected)


@every_family
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_meta_gradient_is_mamls(family, steps):
    loss, theta, tasks = problem(setting(family))
    path = walk(setting(family))
    found = look_back(path, steps)
    expected = flatten(maml(loss, theta, tasks, inner_lr=0.05, inner_steps=steps).grads)
    assert_close(torch.tensor(found.meta_gradient, dtype=torch.float64), expected)
    assert found.length == pytest.approx(float(expected.norm()))
    ways = four_ways(setting(family), path, steps)
    assert ways.agrees, ways.reason
    assert len(ways.ways) == 4


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_on_a_bowl_everything_has_a_closed_form(steps):
    _, theta, tasks = problem(BOWL)
    path = walk(BOWL)
    factor = torch.eye(4) - 0.1 * tasks.support.x[0]
    power = torch.linalg.matrix_power(factor, steps)
    centre, other = tasks.support.y[0, :, 0], tasks.query.y[0, :, 0]
    phi = centre + power @ (theta["point"] - centre)
    assert_close(path.stops[steps], phi)
    assert_close(products_so_far(path.factors)[steps - 1], power)
    slope = tasks.query.x[0] @ (phi - other)
    assert_close(back(path, steps)[-1], power @ slope)
    assert turned(path)["wrong order"][steps - 1].degrees < 1e-9
    row = stretches(path)[steps - 1]
    gains = [abs(1 - 0.1 * sharpness) ** steps for sharpness in (FLATTEST, SHARPEST)]
    assert row.largest == pytest.approx(max(gains))
    assert row.bound == pytest.approx(row.largest)


def test_a_vanishing_end_is_exact_far_below_rounding():
    """On the bowl |1 − αλ|^k; the formed product would stop at 1e-14."""
    steep = Setting("bowl", inner_lr=0.2, width=6, seed=0)
    row, swept = stretches(walk(steep))[19], rate_sweep(steep, 20)[-1]
    gains = sorted(abs(1 - 0.2 * (0.5 + 2.3 * i)) ** 20 for i in range(6))
    assert gains[0] < 1e-33
    assert row[1:4] == pytest.approx((gains[-1], gains[2], gains[0]), rel=1e-5)
    assert swept == pytest.approx((0.2, gains[-1], gains[0]), rel=1e-9)


def test_a_vanishing_end_of_a_network_is_that_of_many_digits():
    setting, mp = Setting("tanh", inner_lr=0.15, width=2, seed=3), pytest.importorskip("mpmath").mp.clone()
    path, mp.dps = walk(setting), 80
    whole = mp.eye(path.stops.shape[1])
    for factor in path.factors:
        whole = mp.matrix(factor.tolist()) * whole
    expected = float(1 / mp.sqrt(max(mp.eigsy((whole * whole.T) ** -1, eigvals_only=True))))
    assert stretches(path)[-1].smallest == pytest.approx(expected, rel=1e-6)
    assert rate_sweep(setting, 20)[18][1:] == pytest.approx((stretches(path)[-1].largest, expected), rel=1e-6)


def test_a_step_that_forgets_a_direction_leaves_nothing_of_it():
    forgetful = Setting("bowl", inner_lr=0.16, width=3, seed=0)  # 1 − 0.16 · 6.25 = 0
    assert all(row.smallest == 0 for row in stretches(walk(forgetful)))


@every_family
@pytest.mark.parametrize("steps", [1, 5])
def test_the_ledger_adds_up_to_the_meta_gradient(family, steps):
    path = walk(setting(family))
    walked = back(path, steps)
    terms = ledger(walked)
    assert [term.step for term in terms] == [None, *reversed(range(steps))]
    assert math.fsum(term.share for term in terms) == pytest.approx(float(walked[-1].norm()), rel=1e-12)
    assert terms[0].length == pytest.approx(float(path.slopes[steps].norm()))
    # the last step's term, from its own Hessian
    last = (torch.eye(len(walked[0])) - path.factors[steps - 1]) @ walked[0]
    assert terms[1].length == pytest.approx(float(last.norm()))
    assert all(abs(term.share) <= term.length * (1 + 1e-12) for term in terms)


def test_the_wrong_order_is_off_by_the_commutator_after_two_steps():
    path = walk(TANH)
    h0, h1 = ((torch.eye(len(factor)) - factor) / 0.1 for factor in path.factors[:2])
    v = path.slopes[2]
    found = look_back(path, 2)
    difference = torch.tensor(found.wrong) - torch.tensor(found.meta_gradient)
    assert_close(difference.double(), (0.01 * (h1 @ h0 - h0 @ h1) @ v), rtol=1e-4, atol=1e-6)
    right, wrong = (matrix[0] @ v for matrix in reversed(products(path.factors[:2].unsqueeze(1))))
    cosine = float(right @ wrong / right.norm() / wrong.norm())
    row = turned(path)["wrong order"][1]
    assert math.cos(math.radians(row.degrees)) == pytest.approx(cosine)
    assert row.ratio == pytest.approx(float(wrong.norm() / right.norm()))
    assert turned(path)["wrong order"][0].degrees < 1e-9  # one factor has no order


def test_without_a_step_size_the_meta_gradient_is_the_query_gradient():
    still = TANH._replace(inner_lr=0.0)
    path = walk(still)
    assert_close(back(path, MOST_STEPS)[-1], path.slopes[0])
    assert all(row.largest == row.smallest == row.bound == 1 for row in stretches(path))


def test_singular_values_are_those_of_the_whole_product_and_stay_below_the_bound():
    path = walk(TANH)
    values = torch.linalg.svdvals(products(path.factors[:6].unsqueeze(1)).transposed[0])
    row = stretches(path)[5]
    assert (row.steps, row.largest, row.smallest) == pytest.approx((6, float(values[0]), float(values[-1])))
    assert all(row.largest <= row.bound * (1 + 1e-12) for row in stretches(path))


def test_a_sweep_of_rates_passes_through_the_readers_own():
    sweep = rate_sweep(TANH, 5)
    assert len(sweep) == RATES
    assert (sweep[0].largest, sweep[0].smallest) == (1, 1)
    index = (RATES - 1) // 2
    own = stretches(walk(TANH._replace(inner_lr=HIGHEST_RATE * index / (RATES - 1))))[4]
    assert sweep[index][1:] == pytest.approx((own.largest, own.smallest))


def test_an_inner_loop_that_explodes_ends_its_path_and_is_no_number_in_the_sweep(monkeypatch):
    wild = TANH._replace(inner_lr=1e200)
    path = walk(wild)
    assert len(path.factors) < MOST_STEPS
    assert len(path.stops) == len(path.slopes) == len(path.losses) == len(path.factors) + 1
    assert all(tensor.isfinite().all() for tensor in path)
    with pytest.raises(ValueError, match="finite steps, so steps cannot be 20"):
        look_back(path, MOST_STEPS)
    nothing = explain_steps(TANH._replace(inner_lr=math.inf), 1)
    assert nothing[2:] == (0, None, {"wrong order": (), "first order": ()}, ())
    with pytest.raises(ValueError, match="has 0 finite steps, not 1"):
        steps_script(nothing)
    monkeypatch.setattr(stretching, "HIGHEST_RATE", 1e200)
    assert math.isnan(rate_sweep(TANH, 3)[-1].largest)


def test_a_family_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="must be one of tanh, ReLU, bowl, not 'saddle'"):
        problem(TANH._replace(family="saddle"))


def test_a_kink_parts_the_central_difference_and_is_named():
    """With its biases at 0, a second layer whose inputs are all dead sits on its kink."""
    dead = Setting("ReLU", inner_lr=0.05, width=2, seed=1)
    found = four_ways(dead, walk(dead), 1)
    assert not found.agrees
    assert "Three exact ways agree" in found.reason
    assert "kink of ReLU" in found.reason


def test_the_central_difference_is_of_fourth_order(monkeypatch):
    exact = back(walk(TANH), 3)[-1]
    errors = []
    for nudge in (1e-2, 5e-3):
        monkeypatch.setattr("maml_core.meta.looking_back.NUDGE", nudge)
        errors.append(float((central_difference(TANH, 3) - exact).norm()))
    assert 10 < errors[0] / errors[1] < 24


@pytest.mark.parametrize("which", [setting(family) for family in FAMILIES], ids=FAMILIES)
def test_the_script_runs_with_torch_alone_and_its_asserts_hold(which, tmp_path):
    text = steps_script(explain_steps(which, 3), "https://example.org/05_k_steps?k=3")
    assert "example.org" in text
    assert "maml_core" not in text
    file = tmp_path / "k_steps.py"
    file.write_text(text)
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "degrees that the wrong order turns it" in done.stdout


# The claims.


def test_the_verdicts():
    found = (getattr(steps_claims, f"claim_{number}")() for number in (17, 18, 20, 21, 22))
    assert {claim.number: claim.verdict for claim in found} == {
        17: "half",
        18: "true",
        20: "true",
        21: "false",
        22: "half",
    }


def test_the_order_does_not_matter_where_hessians_commute(monkeypatch):
    monkeypatch.setattr(steps_claims, "EXAMPLE", BOWL)
    monkeypatch.setattr(steps_claims, "EXAMPLE_TASK", problem(BOWL))
    monkeypatch.setattr(steps_claims, "EXAMPLE_START", problem(BOWL).theta)
    assert steps_claims.claim_17().verdict == "true"


def test_a_product_that_is_neither_would_be_false(monkeypatch):
    monkeypatch.setattr(steps_claims, "walk", lambda which: walk(which._replace(inner_lr=0.05)))
    assert steps_claims.claim_17().verdict == "false"


def test_memory_claims_would_turn_with_the_counts(monkeypatch):
    real = steps_claims.price
    monkeypatch.setattr(
        steps_claims, "price", lambda sample: real(sample)._replace(peak_bytes=sample.inner_steps**2 * 1024)
    )
    assert steps_claims.claim_18().verdict == "false"
    assert steps_claims.claim_20().verdict == "false"


def test_if_the_walk_back_went_elsewhere_the_iteration_would_be_impossible(monkeypatch):
    real = steps_claims.stored_iterates
    monkeypatch.setattr(
        steps_claims, "stored_iterates", lambda *a, inner_lr, **k: real(*a, inner_lr=inner_lr * 1.01, **k)
    )
    assert steps_claims.claim_21().verdict == "true"


def test_a_dot_product_with_another_constant_has_another_gradient(monkeypatch):
    monkeypatch.setattr(steps_claims, "detach", lambda params: {n: 2 * leaf.detach() for n, leaf in params.items()})
    assert steps_claims.claim_22().verdict == "false"
