"""What is made of the timings, against numbers that can be checked by hand; the drift of both loops; the claims."""

import copy

import pytest
import torch

from maml_core.practice import drifting, sgd_claims
from maml_core.practice.drifting import Drift, drift
from maml_core.practice.sgd_desk import Progress
from maml_core.practice.sgd_loops import LOOPS, LR, by_sgd, setting
from maml_core.practice.sgd_results import (
    Spread,
    expected_factor,
    import_agrees,
    precomputed,
    spread,
    summarised,
    turns_factor,
)
from maml_core.practice.sgd_timing import COMPILED, PARTS, USUAL_REPETITIONS


def time_event(part, loop, seconds, imported=False):
    return {"part": part, "event": "time", "loop": loop, "seconds": seconds, "imported": imported}


def events(import_seconds=1.0):
    """A run on an ideal machine: 0.1 s per repetition, and the import on top of the first SGD."""
    yield {
        "event": "machine",
        "part": "in order",
        "cpu": "abacus",
        "cores": 2,
        "threads": 1,
        "torch": "2",
        "imported": 0,
    }
    yield time_event("in order", "SGD", 0.1 + import_seconds, True)
    yield from (time_event("in order", "SGD", 0.1) for _ in range(9))
    yield from (time_event("in order", "by hand", 0.1) for _ in range(10))
    for part in ("imported first", "taking turns"):
        yield {"part": part, "event": "import", "seconds": import_seconds, "modules": 800}
        for loop in ("SGD", "by hand"):
            yield from (time_event(part, loop, 0.1) for _ in range(10))
    yield {
        "part": "drift",
        "event": "drift",
        "dtype": "float32",
        "steps": 1,
        "distance": 0.0,
        "close": True,
        "sides": 0,
    }


def test_the_factor_is_the_import():
    timing = summarised(events(), "2026-01-01")
    assert timing.factor("in order") == pytest.approx(2)
    assert timing.factor("imported first") == pytest.approx(1)
    assert turns_factor(timing) == pytest.approx(Spread(1, 1, 1))
    assert (timing.imported_by, timing.import_modules, timing.repetitions) == ("SGD", 800, 10)
    assert timing.machine == "abacus, 2 cores, one thread, torch 2"
    assert timing.drifts["float32"] == (Drift(1, 0.0, True, 0),)


def test_compiling_that_fails_is_told_and_does_not_spoil_the_rest():
    assert summarised(events(), "").compile_seconds is None
    row = {"part": "compiled", "event": "compile", "seconds": 0.0, "trouble": "CppCompileError: no g++"}
    timing = summarised([*events(), row], "")
    assert timing.compile_seconds is None
    assert timing.trouble == "CppCompileError: no g++"


def test_the_factor_falls_with_the_repetitions():
    timing = summarised(events(), "2026-01-01")
    assert [expected_factor(timing, n) for n in (1, 10, 1000)] == pytest.approx([11, 2, 1.01])


def test_three_ways_to_the_import_s_seconds():
    found = import_agrees(summarised(events(), ""))
    assert found.agrees
    assert [way.vector[0] for way in found.ways] == pytest.approx([1, 1, 1])


def test_a_busy_machine_is_said_to_be_one():
    rows = [row | {"seconds": 3.0} if row["event"] == "import" else row for row in events()]
    found = import_agrees(summarised(rows, ""))
    assert not found.agrees
    assert "Measure again" in found.reason


def test_without_an_import_there_is_none_to_be_found():
    rows = [row | {"imported": False} if row["event"] == "time" else row for row in events()]
    rows = [row | {"seconds": 0.1} if row["event"] == "time" else row for row in rows]
    assert "no import in its totals" in import_agrees(summarised(rows, "")).reason


def test_quartiles_are_torch_s():
    seconds = [0.3, 0.1, 0.4, 0.15, 0.9]
    points = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    expected = torch.tensor(seconds, dtype=torch.float64).quantile(points).tolist()
    assert spread(seconds) == pytest.approx(Spread(*expected))
    assert spread([2.0]) == Spread(2.0, 2.0, 2.0)


def test_what_is_shown_before_the_first_run_is_a_whole_run():
    timing = precomputed()
    assert set(timing.seconds) == {*PARTS, COMPILED} - {"drift"}
    assert timing.repetitions == USUAL_REPETITIONS
    assert timing.imported_by == timing.first == "SGD"
    assert set(timing.seconds["taking turns"]) == set(LOOPS)
    assert {dtype: len(rows) for dtype, rows in timing.drifts.items()} == {"float32": 100, "float64": 100}


@pytest.mark.parametrize("name", LOOPS)
def test_every_loop_takes_the_step(name):
    model, image, target = setting(size=6, dtype=torch.float64)
    twin = copy.deepcopy(model)
    torch.nn.functional.cross_entropy(twin(image[None]), target[None]).backward()
    LOOPS[name](model, image, target, 1)
    for leaf, before in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(leaf, before - LR * before.grad)


def test_in_float64_both_loops_stay_together():
    rows = list(drift(size=6, dtype=torch.float64, steps=10))
    assert [row.steps for row in rows] == list(range(1, 11))
    assert all(row.close and row.distance < 1e-14 and not row.sides for row in rows)


def test_loops_that_differ_are_seen_to(monkeypatch):
    monkeypatch.setattr(
        drifting, "by_sgd", lambda model, image, target, steps: by_sgd(model, image, target, 2 * steps)
    )
    assert not next(drift(size=6)).close


def test_looking_changes_nothing():
    model, image, _ = setting(size=6)
    before = copy.deepcopy(model.state_dict())
    assert len(drifting._on(model, image)) == 4
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


class Finished:
    """A job that has measured what it was told."""

    factor = 1.0

    def __init__(self, order):
        times = [time_event("taking turns", loop, s) for loop, s in (("SGD", self.factor), ("by hand", 1.0))]
        spent = {"part": "taking turns", "event": "import", "seconds": 1.0, "modules": 1}
        self.events = (spent, *times)

    def look(self):
        return Progress("done", events=self.events)


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "false"), (2.0, "true")])
def test_the_verdict_on_the_factor_follows_the_measurement(factor, verdict, monkeypatch):
    monkeypatch.setattr(Finished, "factor", factor)
    monkeypatch.setattr(sgd_claims, "Job", Finished)
    claim = sgd_claims.claim_14()
    assert claim.verdict == verdict
    assert f"takes {factor:g} times" in claim.evidence


def test_a_machine_too_busy_to_measure_falls_back_on_what_was_measured_and_says_so(monkeypatch):
    monkeypatch.setattr(Finished, "look", lambda _: Progress("failed", trouble="The machine is too busy."))
    monkeypatch.setattr(sgd_claims, "Job", Finished)
    claim = sgd_claims.claim_14()
    assert claim.evidence.startswith("It could not be measured now (The machine is too busy), so this is from 2")
    assert f"{turns_factor(precomputed()).median:.3g} times as long" in claim.evidence


@pytest.mark.parametrize(("fails_at", "verdict"), [(1, "false"), (3, "half"), (None, "true")])
def test_the_verdict_on_the_weights_follows_the_comparison(fails_at, verdict, monkeypatch):
    rows = [Drift(step, 1e-8, step != fails_at, 1) for step in range(1, 5)]
    monkeypatch.setattr(sgd_claims, "drift", lambda *_, **__: iter(rows))
    assert sgd_claims.claim_15().verdict == verdict
