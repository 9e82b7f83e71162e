"""Like is compared with like, or not at all."""

from dataclasses import replace

import pytest

from maml_core.train.config import PRESETS
from maml_core.train.evaluate import pretraining
from maml_core.train.reported import REPORTED, reported

PAPER = PRESETS["paper"]


def test_the_paper_s_setting_meets_the_paper_s_numbers():
    match = reported(PAPER)
    assert {row.steps: row.value for row in match.rows} == {1: 0.67, 5: 0.38, 10: 0.35}
    assert match.reason == ""


def test_training_without_an_inner_loop_is_the_pretrained_row():
    assert {row.value for row in reported(pretraining(PAPER)).rows} == {2.41, 2.23, 2.19}


def test_meta_sgd_on_five_points_meets_its_row():
    match = reported(replace(PRESETS["meta-sgd"], shots=5))
    assert {row.test_shots: row.value for row in match.rows} == {5: 0.90, 10: 0.63, 20: 0.50}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"algorithm": "fomaml"}, "reports fomaml"),
        ({"shots": 10}, "this is sinusoid, 10 points"),
        ({"family": "phase"}, "frequency, 5 points and sinusoid, 5 points; this is phase"),
        ({"hidden": (64, 64)}, "1-40-40-1"),
        ({"activation": "tanh"}, "ReLU"),
        ({"inner_lr": 0.02}, "inner step of α = 0.01"),
        ({"inner_steps": 5}, "inner step of α = 0.01"),
    ],
)
def test_what_is_unlike_gets_a_reason_and_no_number(change, sentence):
    match = reported(replace(PAPER, **change))
    assert not match.rows
    assert sentence in match.reason


def test_every_published_number_names_its_paper():
    assert all("arXiv" in row.source for row in REPORTED)
