"""Claims 25 to 40: each verdict follows from its run, so mending what is wrong turns it round."""

import itertools
import json

import pytest
import torch

from maml_core.practice import higher_claims, official_claims, one_task_again, one_task_claim
from maml_core.practice.loops.landmarks import landmarks

# That each verdict is the one found before is tested for all claims in tests/test_catalogue.py.


class Functional(torch.nn.Sequential):
    """A functional model that is a context manager too, as claim 25 supposes."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def mended_monkeypatch(model, copy_initial_weights=True):
    del copy_initial_weights
    return Functional(*model)  # shares the model's parameters: leaves, and they reach it


@pytest.mark.parametrize("number", [25, 26, 27])
def test_with_another_monkeypatch_the_first_three_would_be_true(number, monkeypatch):
    monkeypatch.setattr(higher_claims.higher, "monkeypatch", mended_monkeypatch)
    assert getattr(higher_claims, f"claim_{number}")().verdict == "true"


def test_28_would_be_true_of_an_inner_loop_that_leaks_nothing(monkeypatch):
    monkeypatch.setattr(higher_claims, "_forced", lambda **_: landmarks()["first order"])
    assert higher_claims.claim_28().verdict == "true"


def test_29_would_be_true_if_zero_grad_changed_anything(monkeypatch):
    monkeypatch.setattr(higher_claims, "_forced", lambda zero_grad: landmarks()["exact" if zero_grad else "leak"])
    assert higher_claims.claim_29().verdict == "true"


def test_30_and_31_turn_round_if_the_detach_matters(monkeypatch):
    monkeypatch.setattr(higher_claims, "_explicit", lambda detach: landmarks()["first order" if detach else "exact"])
    assert higher_claims.claim_30().verdict == "false"
    assert higher_claims.claim_31().verdict == "true"


def test_32_would_be_true_of_a_loop_that_detaches(monkeypatch):
    from maml_core.practice.loops.by_higher import higher_with_callback

    monkeypatch.setattr(higher_claims, "higher_maml", higher_with_callback)
    assert higher_claims.claim_32().verdict == "true"


def test_33_depends_on_what_the_gradient_at_phi_is(monkeypatch):
    monkeypatch.setattr(higher_claims, "_is", lambda *_: False)
    assert higher_claims.claim_33().verdict == "true"


def test_34_would_be_true_with_an_older_torch(monkeypatch):
    monkeypatch.setattr(higher_claims.torch, "__version__", "1.9.1")
    assert higher_claims.claim_34().verdict == "true"


def test_35_would_be_true_if_it_took_a_class(monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr(official_claims.higher, "innerloop_ctx", lambda *_, **__: nullcontext())
    assert official_claims.claim_35().verdict == "true"


def test_36_would_be_true_if_the_default_trained_too(monkeypatch):
    monkeypatch.setattr(official_claims, "_meta_train", lambda *_, **__: (0, 0.1))
    assert official_claims.claim_36().verdict == "true"


def test_37_would_be_true_if_steps_were_detached(monkeypatch):
    from higher.optim import DifferentiableOptimizer

    step = DifferentiableOptimizer.step
    monkeypatch.setattr(
        DifferentiableOptimizer,
        "step",
        lambda self, loss: step(self, loss, grad_callback=lambda grads: [g.detach() for g in grads]),
    )
    assert official_claims.claim_37().verdict == "true"


def test_38_would_be_true_if_both_calls_drew_the_same(monkeypatch):
    monkeypatch.setattr(one_task_claim, "drawn_twice", lambda: {"amplitude": (1.0, 1.0), "frequency": (2.0, 2.0)})
    assert one_task_claim.claim_38().verdict == "true"


def test_38_can_be_trained_here_and_now():
    assert "After 2 iterations" in one_task_claim.claim_38(one_task_claim.errors(2)).evidence


def test_38_ships_its_errors_with_the_command_that_made_them():
    shipped = json.loads(one_task_claim.SHIPPED.read_text())
    assert shipped["command"] == "OMP_NUM_THREADS=1 python -m benchmarks.one_task"
    rows = {row["iterations"]: row for row in shipped["errors"]}
    assert rows[10_000]["same"] < rows[10_000]["different"] / 2
    assert "10000 iterations" in one_task_claim.claim_38().evidence


def test_38_trains_on_one_task_or_on_two():
    theta = one_task_claim.trained(1, same_task=True)
    other = one_task_claim.trained(1, same_task=False)
    assert any(not torch.equal(theta[name], other[name]) for name in theta)


def test_39_would_be_true_if_stacking_took_as_few_operations_as_vmap(monkeypatch):
    ways = official_claims._way
    monkeypatch.setattr(
        official_claims, "_way", lambda name, *rest: ways("vmap" if name == "stacked" else name, *rest)
    )
    assert official_claims.claim_39().verdict == "true"


def test_39_stays_false_on_a_machine_too_busy_to_time_anything(monkeypatch):
    seconds = itertools.cycle([1.0, 0.1, 10.0])  # stacked is ten times as fast as added, and vmap ten times as slow
    monkeypatch.setattr(official_claims, "_seconds", lambda _: next(seconds))
    claim = official_claims.claim_39()
    assert claim.verdict == "false"
    assert "stacked ran at 10 times" in claim.evidence


def test_39_times_three_ways_to_one_vector():
    model, tasks = official_claims._network(), official_claims.source_tasks(2, seed=0, dtype=torch.float64)
    found = [official_claims._way(name, model, tasks)() for name in ("stacked", "vmap")]
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name])


def test_40_would_be_true_of_the_same_ranges(monkeypatch):
    families = dict.fromkeys(("amplitude-frequency", "sinusoid"), official_claims.FAMILIES["sinusoid"])
    monkeypatch.setattr(official_claims, "FAMILIES", families)
    assert official_claims.claim_40().verdict == "true"


def test_the_trainings_of_claim_38_run_anew_in_a_process_of_their_own():
    *shares, found = one_task_again.again(40)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert found == one_task_claim.errors(40)


def test_whoever_stops_listening_ends_the_process():
    listening = one_task_again.again(10**6)
    assert next(listening) > 0
    listening.close()
    assert listening.gi_frame is None
