"""The baselines: trained by the command that they name, and as good as their own step size allows."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maml_core.__main__ import main
from maml_core.meta.tasks import FAMILIES
from maml_core.train.adapting import errors, predict
from maml_core.train.checkpoint import load
from maml_core.train.config import PRESETS, Config, resolved
from maml_core.train.evaluate import from_scratch, pretraining, task_agnostic
from maml_core.train.starts import ASSETS, RATES, pretraining_command, start

PAPER = PRESETS["paper"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_kept_networks_are_what_their_command_makes(family, tmp_path):
    """The whole of it takes a minute; the config and the first steps of the same training are compared here."""
    state, config = load(ASSETS / f"pretrained-{family}.safetensors")
    words = pretraining_command(family).split()
    assert Path(words[-1]).name == f"pretrained-{family}.safetensors"
    out = tmp_path / "run.safetensors"
    assert main([*words[3:-2], "--iterations", "1", "--out", str(out)]) == 0
    assert replace(load(out)[1], iterations=70_000) == config == resolved(pretraining(replace(PAPER, family=family)))
    assert int(state.step) == 70_000


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pretrained_network_is_the_mean_of_all_curves(family):
    """Trained without an inner loop it can do no better than the one function that ignores the task."""
    state, config = load(ASSETS / f"pretrained-{family}.safetensors")
    x = torch.linspace(*FAMILIES[family].x_range, 50).view(1, -1, 1)
    away = (
        predict(config, {k: v[None] for k, v in state.theta.items()}, x) - task_agnostic(FAMILIES[family], x)
    ).square()
    assert away.mean() < 0.05  # it has seen 125 points a step, so it is not exact


def test_pretrained_after_ten_steps_is_as_good_as_published():
    """2.41, 2.23 and 2.19 after 1, 5 and 10 steps, with a step size that was found by trying."""
    config, theta = start("pretrained", PAPER, shots=5, steps=10)
    means = [errors(config, theta, steps=10, tasks=600, shots=5).summaries[k].mean for k in (1, 5, 10)]
    assert means == pytest.approx([2.41, 2.23, 2.19], rel=0.1)


@pytest.mark.parametrize("kind", ["pretrained", "scratch"])
def test_no_other_rate_that_was_tried_would_have_been_better(kind):
    config, theta = start(kind, PAPER, shots=10, steps=3)
    own = errors(config, theta, steps=3, shots=10, seed=1).summaries[-1].mean
    assert config.inner_lr in RATES
    for rate in RATES:
        other = errors(replace(config, inner_lr=rate), theta, steps=3, shots=10, seed=1).summaries[-1].mean
        assert not other < own


def test_from_scratch_is_the_reader_s_own_network_untrained():
    config = Config("anil", hidden=(7,), seed=4)
    found = start("scratch", config, shots=3, steps=2)
    assert torch.equal(found.theta["0.weight"], from_scratch(config, seed=4)["0.weight"])
    assert (found.config.algorithm, found.config.hidden) == ("maml", (7,))


def test_an_unknown_baseline_gets_a_sentence():
    with pytest.raises(ValueError, match="must be one of pretrained, scratch"):
        start("random", PAPER, shots=5, steps=1)
