"""The seven attempts: what each raises or loses in silence, what repairs it, and that the last is right."""

import inspect
import math
import subprocess
import sys

import pytest
import torch

from maml_core.practice import attempts, module_claims, modules_explained, trying
from maml_core.practice.module_script import module_script
from maml_core.practice.modules_explained import explain_module, setting, slopes_agree, without_running_statistics
from maml_core.practice.networks import NETWORKS, build
from maml_core.practice.outer import outer_loop
from maml_core.practice.trying import ATTEMPTS, meta_loss, repair, source

STEPS = {"inner_lr": 0.1, "inner_steps": 3}
RUNNING = {"copy": 4, "unchained": 5, "chained": 6}


@pytest.mark.parametrize(
    ("number", "error", "words", "line"),
    [
        (0, "NameError", "name 'model' is not defined", "own_params(model)"),
        (1, "RuntimeError", "appears to not have been used in the graph", "torch.autograd.grad"),
        (2, "TypeError", "can't multiply sequence by non-int of type 'float'", "inner_lr * g"),
        (3, "TypeError", "'float' and 'NoneType'", "inner_lr * g"),
    ],
)
def test_the_first_four_stop_each_in_its_own_way_and_at_its_own_line(number, error, words, line):
    outcome = explain_module("MLP", number, **STEPS).outcome
    assert (outcome.kind, outcome.error) == ("raises", error)
    assert words in outcome.words
    assert line in source(ATTEMPTS[number].code).splitlines()[outcome.line - 1]
    assert outcome.reading


@pytest.mark.parametrize(
    ("before", "after", "lines"), [(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (4, 5, 2), (5, 6, 1)]
)
def test_each_is_the_one_before_with_a_line_or_two_changed(before, after, lines):
    change = repair(ATTEMPTS[before].code, ATTEMPTS[after].code).splitlines()
    assert sum(line.startswith("-") for line in change) == sum(line.startswith("+") for line in change) == lines


def test_what_is_shown_is_what_ran():
    for attempt in ATTEMPTS:
        assert source(attempt.code) in inspect.getsource(attempts)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(("attempt", "outcome"), [("copy", "none"), ("unchained", "wrong"), ("chained", "exact")])
def test_what_reaches_theta(kind, attempt, outcome):
    tried = explain_module(kind, RUNNING[attempt], **STEPS)
    assert tried.outcome.kind == outcome
    assert (tried.outcome.arrived == (None,) * len(tried.leaves)) == (outcome == "none")


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_differences_at_the_leaves_make_the_angle(kind):
    tried = explain_module(kind, RUNNING["unchained"], **STEPS)
    a = math.hypot(*(length or 0.0 for length in tried.outcome.arrived))
    b = math.hypot(*tried.exact)
    law_of_cosines = a**2 + b**2 - 2 * a * b * math.cos(math.radians(tried.outcome.degrees))
    assert math.hypot(*(apart or 0.0 for apart in tried.outcome.apart)) ** 2 == pytest.approx(law_of_cosines)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("inner_lr", [0.0, 0.1, 1.0])
def test_the_last_has_the_slope_of_its_meta_loss(kind, inner_lr):
    found = slopes_agree(kind, inner_lr=inner_lr, inner_steps=2)
    assert found.agrees, found.reason
    assert len(found.ways) == 3


def test_a_wrong_gradient_would_not_have_that_slope(monkeypatch):
    monkeypatch.setattr(modules_explained, "chained", attempts.functional)
    assert not slopes_agree("MLP", **STEPS).agrees


@pytest.mark.parametrize("attempt", ["copy", "unchained"])
def test_steps_that_do_not_chain_are_one_long_step(attempt):
    outcome = explain_module("attention", RUNNING[attempt], inner_lr=0.1, inner_steps=5).outcome
    assert outcome.query_loss == pytest.approx(outcome.one_step, rel=1e-12)


def test_steps_that_chain_are_not():
    outcome = explain_module("attention", RUNNING["chained"], inner_lr=0.1, inner_steps=5).outcome
    assert outcome.query_loss != pytest.approx(outcome.one_step, rel=1e-3)


def test_with_one_step_there_is_nothing_to_chain():
    assert explain_module("MLP", RUNNING["unchained"], inner_lr=0.1, inner_steps=1).outcome.kind == "exact"


def test_every_clone_of_the_sketch_is_the_network_s_own_tensor():
    tried = explain_module("MLP", 0, **STEPS)
    assert tried.clones == len(tried.leaves)


def test_without_a_gradient_the_loss_stays_and_so_does_theta():
    course = outer_loop(ATTEMPTS[RUNNING["copy"]].code, "MLP", **STEPS)
    assert course.distance == 0
    assert len(set(course.losses)) == 1
    assert course.losses[0] < explain_module("MLP", RUNNING["copy"], **STEPS).before  # and yet adapting lowered it


def test_with_the_meta_gradient_both_move():
    course = outer_loop(ATTEMPTS[RUNNING["chained"]].code, "MLP", **STEPS)
    assert course.distance > 0
    assert course.losses[-1] < course.losses[0]


def test_batchnorm_without_its_memory_is_the_same_function_in_training():
    network, tasks = setting("OmniglotCNN")
    expected = meta_loss(attempts.chained, network, tasks, 0.1, 1)
    assert torch.equal(meta_loss(attempts.chained, without_running_statistics(network), tasks, 0.1, 1), expected)


def test_the_same_seed_builds_the_same_network_whatever_was_drawn_before():
    first = build(NETWORKS["MLP"], seed=1)
    torch.rand(3)
    for one, other in zip(first.parameters(), build(NETWORKS["MLP"], seed=1).parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("kind", "number"), [("MLP", 0), ("attention", 4), ("OmniglotCNN", 5), ("LayerNorm", 6)])
def test_the_script_needs_only_torch_and_checks_itself(kind, number, tmp_path):
    tried = explain_module(kind, number, **STEPS)
    text = module_script(kind, number, tried, **STEPS, link="https://example.org/?a=1", agrees=True)
    assert source(ATTEMPTS[number].code) in text
    assert "maml_core" not in text
    path = tmp_path / "any_module.py"
    path.write_text(text)
    subprocess.run([sys.executable, "-I", path], check=True, cwd=tmp_path, capture_output=True, timeout=60)


def replaced(code, *numbers):
    """The attempts, some of them with other code."""
    return tuple(a._replace(code=code) if i in numbers else a for i, a in enumerate(ATTEMPTS))


@pytest.mark.parametrize(
    ("claim", "numbers", "code", "verdict"),
    [
        (module_claims.claim_11, (0,), attempts.chained, "true"),
        (module_claims.claim_12, (4,), attempts.chained, "true"),
        (module_claims.claim_13, (6,), attempts.functional, "false"),
    ],
)
def test_a_verdict_turns_when_the_code_does(claim, numbers, code, verdict, monkeypatch):
    before = claim()
    for module in (trying, modules_explained):
        monkeypatch.setattr(module, "ATTEMPTS", replaced(code, *numbers))
    assert claim().verdict == verdict != before.verdict
