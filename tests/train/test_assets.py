"""The checkpoint that the lessons open is what it says it is."""

from pathlib import Path

from maml_core.train.checkpoint import load
from maml_core.train.evaluate import adaptation, unseen

CHECKPOINT = Path(__file__).parents[2] / "assets" / "maml-5-shot.safetensors"


def test_the_kept_run_is_the_paper_s_setting_trained_to_its_end():
    state, config = load(CHECKPOINT)
    assert int(state.step) == config.iterations == 70_000
    assert (config.algorithm, config.family, config.shots, config.sizes) == (
        "maml",
        "sinusoid",
        5,
        (1, 40, 40, 1),
    )
    assert (config.inner_lr, config.inner_steps, config.outer_lr, config.meta_batch) == (0.01, 1, 1e-3, 25)


def test_one_step_of_it_is_as_good_as_the_paper_says():
    """Published: 0.67 after one step on 5 points. Before any, no network is better than 3.0057 on average."""
    state, config = load(CHECKPOINT)
    before, after = adaptation(config, state.theta, unseen(config, tasks=600, shots=5, seed=0), steps=1).mean(1)
    assert 3.0 < before < 3.1
    assert 0.4 < after < 0.67
