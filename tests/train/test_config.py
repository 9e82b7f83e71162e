"""A config refuses what no training can use, in one sentence, and explains itself."""

from dataclasses import fields, replace

import pytest

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.train.config import PRESETS, Config, resolved


@pytest.mark.parametrize("spec", fields(Config), ids=lambda spec: spec.name)
def test_every_field_has_a_sentence_and_limits(spec):
    assert spec.metadata["help"].endswith(".")
    assert spec.metadata["allowed"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"algorithm": "mamml"}, "algorithm must be one of maml, fomaml, .* not 'mamml'"),
        ({"family": "cosine"}, "family must be one of sinusoid"),
        ({"shots": 0}, "shots must be a whole number from 1 to 2032, not 0"),
        ({"shots": 2.5}, "shots must be a whole number"),
        ({"shots": True}, "shots must be a whole number"),
        ({"shots": None}, "shots must be a whole number"),
        ({"inner_lr": float("nan")}, "inner_lr must be a number from 1e-08 to 10.0, not nan"),
        ({"inner_lr": "0.1"}, "inner_lr must be a number"),
        ({"hidden": [40, 40]}, "hidden layers must be at most 8 whole numbers from 1 to 1024, not "),
        ({"hidden": (7, 0)}, "hidden layers must be at most 8 whole numbers from 1 to 1024, not 7, 0."),
        ({"hidden": (1,) * 9}, "hidden layers must be at most 8 whole numbers from 1 to 1024, not "),
        ({"seed": 2**32}, "seed must be a whole number from 0 to 4294967295"),
        ({"outer": "rmsprop"}, "outer must be one of adam, sgd"),
    ],
)
def test_a_value_that_is_not_allowed_gets_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Config(**changes)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("name", ALGORITHMS)
def test_rates_that_are_not_given_are_the_algorithm_s_own(name):
    row, full = ALGORITHMS[name], resolved(Config(name))
    assert (full.inner_lr, full.inner_steps, full.outer_lr) == (row.inner_lr, row.inner_steps, row.outer_lr)
    assert set(full.options) == {"inner_lr", "inner_steps", *row.options}


def test_rates_that_are_given_stay():
    full = resolved(Config("reptile", inner_lr=0.3, shots=4, query_shots=9))
    assert (full.inner_lr, full.inner_steps, full.query_shots) == (0.3, 5, 9)


def test_another_algorithm_brings_its_own_rates():
    assert resolved(replace(Config("maml"), algorithm="imaml")).inner_steps == ALGORITHMS["imaml"].inner_steps


def test_resolving_twice_changes_nothing():
    for config in PRESETS.values():
        assert resolved(resolved(config)) == resolved(config)
