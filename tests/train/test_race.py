"""A race is nothing but its trainings: cut into slices it ends where they do, to the last bit."""

from dataclasses import replace

import pytest
import torch

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.train.config import MOST_ITERATIONS, resolved
from maml_core.train.cost import gradients
from maml_core.train.evaluate import Summary, adaptation, unseen
from maml_core.train.race import (
    ENTRANTS,
    MARKS,
    PRETRAINED,
    SCRATCH,
    Leg,
    Mark,
    Race,
    from_scratch,
    leg_config,
    legs,
    measure,
    next_target,
)
from maml_core.train.standings import TIE, bands, table, verdict
from maml_core.train.step import initial_state, meta_step, tasks_of, training

SMALL = Race(("maml", "reptile", PRETRAINED), amount=23, seeds=2, meta_batch=3, shots=5)


def run(race):
    """The race in slices, every leg one slice at a time in turn: states at the end, and all marks."""
    states = {leg: initial_state(leg_config(race, leg)) for leg in legs(race)}
    marks = dict.fromkeys(states, ())
    waiting = list(states)
    while waiting:
        leg = waiting.pop(0)
        target = next_target(race, leg, marks[leg])
        if target is None:
            continue
        while int(states[leg].step) < target:
            states[leg] = meta_step(states[leg], leg_config(race, leg))
        marks[leg] += (measure(race, leg, states[leg], 0.01 * target),)
        waiting.append(leg)
    return states, marks


@pytest.fixture(scope="module")
def raced():
    return run(SMALL)


@pytest.mark.parametrize("leg", legs(SMALL))
def test_a_race_of_slices_is_a_straight_run_to_the_last_bit(raced, leg):
    config = leg_config(SMALL, leg)
    *_, straight = training(initial_state(config), config)
    assert int(straight.step) == 23
    for name, leaf in straight.theta.items():
        assert torch.equal(leaf, raced[0][leg].theta[name])


def test_the_last_mark_is_the_error_of_the_straight_run_on_unseen_tasks(raced):
    leg = Leg("maml", 1)
    config = leg_config(SMALL, leg)
    errors = adaptation(config, raced[0][leg].theta, unseen(config, tasks=100, shots=5, seed=0), steps=1)[-1]
    assert raced[1][leg][-1].error == Summary.of(errors)


def test_marks_are_spread_evenly_over_the_budget(raced):
    steps = [mark.steps for mark in raced[1][Leg("maml", 0)]]
    assert steps == [0, 3, 5, 7, 10, 12, 14, 17, 19, 21, 23]
    assert len(steps) == MARKS + 1


def test_all_start_from_the_same_weights_and_see_the_same_tasks():
    race = replace(SMALL, entrants=("maml", "anil", "imaml", PRETRAINED))
    one, *others = [leg_config(race, Leg(name, 1)) for name in race.entrants]
    for other in others:
        for name, leaf in initial_state(one).theta.items():
            assert torch.equal(leaf, initial_state(other).theta[name])
        assert torch.equal(tasks_of(one, 7, "cpu").support.y, tasks_of(other, 7, "cpu").support.y)


@pytest.mark.parametrize("entrant", [name for name in ENTRANTS if name != SCRATCH])
def test_equal_gradients_are_equal_up_to_one_step(entrant):
    race = Race((entrant, SCRATCH), budget="gradients", amount=1000)
    config = leg_config(race, Leg(entrant, 0))
    assert 0 <= 1000 - config.iterations * gradients(config) < gradients(config)


def test_by_the_clock_a_leg_ends_when_its_seconds_are_spent():
    race = replace(SMALL, budget="seconds", amount=2)
    leg = Leg("maml", 0)
    error = Summary(1.0, 0.1, 1.0, 1.0, 0.0)
    start = Mark(0, 0, 0.0, error)
    assert next_target(race, leg, ()) == 0
    assert next_target(race, leg, (start,)) == 20
    assert next_target(race, leg, (start, Mark(100, 400, 0.5, error))) == 140  # 200 steps a second, for 0.2 s
    assert next_target(race, leg, (start, Mark(100, 400, 1.95, error))) == 103
    assert next_target(race, leg, (start, Mark(400, 1600, 2.01, error))) is None


def test_scratch_does_not_train_and_pretrained_has_no_inner_loop():
    race = Race(("fomaml", PRETRAINED, SCRATCH), seeds=2)
    assert {leg.entrant for leg in legs(race)} == {"fomaml", PRETRAINED}
    assert resolved(leg_config(race, Leg(PRETRAINED, 1))).inner_steps == 0
    assert len(from_scratch(race)) == 2
    assert all(mark.mean > 3 for mark in from_scratch(race))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_brings_its_own_inner_loop(algorithm):
    config = leg_config(Race((algorithm, SCRATCH)), Leg(algorithm, 0))
    assert (config.inner_lr, config.inner_steps) == (
        ALGORITHMS[algorithm].inner_lr,
        ALGORITHMS[algorithm].inner_steps,
    )
    assert config.iterations <= MOST_ITERATIONS


def test_bands_hold_every_seed(raced):
    _, marks = raced
    band = bands(SMALL, marks)[1]
    assert band.entrant == "reptile"
    for k in range(MARKS + 1):
        errors = [marks[Leg("reptile", seed)][k].error.mean for seed in range(2)]
        assert (band.low[k], band.high[k]) == (min(errors), max(errors))
        assert band.mean[k] == pytest.approx(sum(errors) / 2)
    assert band.spent[-1] == 23


@pytest.mark.parametrize(
    ("lengths", "seeds", "points"), [((4, 3), 2, 3), ((4, 1), 1, 4), ((0, 2), 1, 2), ((0, 0), 0, 0)]
)
def test_every_point_of_a_line_is_over_the_same_seeds_and_none_goes_back(raced, lengths, seeds, points):
    marks = {Leg("maml", k): raced[1][Leg("maml", k)][:length] for k, length in enumerate(lengths)}
    maml, reptile, _ = bands(SMALL, marks)
    assert (maml.seeds, len(maml.mean)) == (seeds, points)
    assert list(maml.spent) == sorted(maml.spent)
    used = [kept for kept in marks.values() if kept and len(kept) >= points]
    for k in range(points):
        errors = [kept[k].error.mean for kept in used]
        assert (maml.low[k], maml.high[k]) == (min(errors), max(errors))
    assert reptile.mean == ()


def test_by_the_clock_too_no_line_goes_back():
    race = Race(("maml", "fomaml"), budget="seconds", amount=4, seeds=2)
    error = Summary(1.0, 0.1, 1.0, 1.0, 0.0)
    times = {0: (0.0, 0.1, 0.5), 1: (0.0, 1.0, 2.0, 3.0)}
    marks = {Leg("maml", seed): tuple(Mark(0, 0, at, error) for at in each) for seed, each in times.items()}
    for seconds in (0, 1):  # the second leg, ahead on its own, would draw the mean on, and back when the first joins
        band = bands(race, {leg: kept[: len(kept) - seconds] for leg, kept in marks.items()})[0]
        assert list(band.spent) == sorted(band.spent)
        assert band.seeds == 2


def test_at_the_end_by_the_clock_a_line_ends_where_the_table_does():
    race = Race(("maml", "fomaml"), budget="seconds", amount=2, seeds=2)
    paths = {0: ((0.0, 9.0), (1.0, 5.0), (2.1, 2.0)), 1: ((0.0, 9.0), (0.5, 6.0), (1.9, 4.0), (2.0, 3.0))}
    marks = {
        Leg("maml", seed): tuple(Mark(0, 0, at, Summary(error, 0.1, 1.0, 1.0, 0.0)) for at, error in path)
        for seed, path in paths.items()
    }
    band = bands(race, marks)[0]
    assert (band.mean[-1], band.low[-1], band.high[-1]) == (2.5, 2.0, 3.0)
    assert band.mean[-1] == table(race, marks)[0].mean
    assert list(band.spent) == [0.0, 0.75, 2.05]


def test_the_table_is_the_last_marks_best_first(raced):
    rows = table(replace(SMALL, entrants=(*SMALL.entrants, SCRATCH)), raced[1])
    assert [row.mean for row in rows] == sorted(row.mean for row in rows)
    maml = next(row for row in rows if row.entrant == "maml")
    assert (maml.steps, maml.gradients, maml.seeds) == (23, 92, 2)
    assert {row.value for row in maml.published.rows} == {0.67, 0.38, 0.35}
    assert table(SMALL, {}) == ()


def rows_of(*ranges):
    row = table(SMALL, run_once)[0]
    return tuple(
        row._replace(entrant=n, mean=(a + b) / 2, low=a, high=b, seeds=1 + (a < b))
        for n, (a, b) in zip("xyz", ranges, strict=False)
    )


run_once = {Leg("maml", 0): (Mark(1, 4, 0.1, Summary(1.0, 0.1, 1.0, 1.0, 0.0)),)}


def test_who_is_lower_with_every_seed_has_won_and_otherwise_nobody():
    assert verdict(rows_of((1.0, 2.0), (2.5, 3.0))).winner == "x"
    assert verdict(rows_of((1.0, 2.0), (1.9, 3.0))).winner == TIE


def test_a_range_that_begins_below_the_winner_s_end_counts_whoever_is_second_on_average():
    rows = rows_of((3.69, 3.71), (3.81, 3.9), (3.68, 4.42))
    assert verdict(rows).winner == TIE
    assert "ranges of x and z" in verdict(rows).sentence
    assert verdict(rows[:2]).winner == "x"


def test_one_seed_has_no_range():
    first, second = rows_of((1.0, 1.0), (2.5, 2.5))
    one = verdict((first, second))
    assert (one.winner, first.seeds) == ("x", 1)
    assert "1 against 2.5" in one.sentence
    assert "One seed has no range" in one.sentence
    assert "(" not in one.sentence
    assert verdict((first, first._replace(entrant="y"))).winner == TIE


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"entrants": ("maml",)}, "from 2 to 4 different entrants, not 1"),
        ({"entrants": ("maml", "maml")}, "different entrants"),
        ({"entrants": ("maml", "fomaml", "anil", "boil", "reptile")}, "not 5"),
        ({"entrants": ("maml", "snail")}, "not 'snail'"),
        ({"budget": "money"}, "budget must be one of"),
        ({"family": "square"}, "family must be one of"),
        ({"amount": 0}, "amount must be from 1"),
        ({"seeds": 6}, "seeds must be from 1 to 5"),
        ({"meta_batch": 0}, "meta_batch must be"),
        ({"outer_lr": -1.0}, "outer_lr must be"),
    ],
)
def test_a_race_that_cannot_be_run_gets_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SMALL, **change)
