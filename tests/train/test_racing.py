"""A race at the pool: looked at often or rarely, paused, stopped; its end is that of straight runs."""

import time
from dataclasses import replace

import pytest

from maml_core.train.limits import Limits
from maml_core.train.pool import Pool
from maml_core.train.race import PRETRAINED, SCRATCH, Leg, Race, leg_config, legs, measure
from maml_core.train.racing import LANES, Racing, run_name
from maml_core.train.step import initial_state, training
from tests.train import inline

RACE = Race(("maml", "fomaml", PRETRAINED, SCRATCH), amount=12, seeds=3, meta_batch=3, shots=5)


@pytest.fixture
def pool():
    pool = Pool(Limits(workers=2), hire=inline.hire)
    yield pool
    pool.close()


def to_the_end(racing, pool, token):
    until = time.monotonic() + 60
    while not (progress := racing.look(pool, token, "me")).over(racing.race):
        assert time.monotonic() < until, progress
        time.sleep(0.02)
    return progress


def test_every_leg_ends_as_its_straight_run(pool):
    token = pool.admit("me")
    progress = to_the_end(Racing(RACE), pool, token)
    assert set(progress.marks) == set(legs(RACE))
    assert not any(progress.ended.values())
    for leg in (Leg("maml", 2), Leg(PRETRAINED, 0)):
        config = leg_config(RACE, leg)
        *_, straight = training(initial_state(config), config)
        last = progress.marks[leg][-1]
        assert last == measure(RACE, leg, straight, last.seconds)
        assert [mark.steps for mark in progress.marks[leg]] == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]


def test_it_leaves_nothing_at_the_pool_and_takes_no_more_than_its_lanes(pool):
    token, racing = pool.admit("me"), Racing(RACE)
    for _ in range(9):
        racing.look(pool, token, "me")
        assert sum(pool.snapshot(token, run_name(leg)) is not None for leg in legs(RACE)) <= LANES
    to_the_end(racing, pool, token)
    assert all(pool.snapshot(token, run_name(leg)) is None for leg in legs(RACE))


def test_a_stopped_race_keeps_its_marks_and_moves_no_more(pool):
    token, racing = pool.admit("me"), Racing(replace(RACE, amount=100_000))
    assert racing.look(pool, token, "me").marks
    stopped = racing.stop(pool, token)
    assert stopped.over(racing.race)
    assert stopped.stopped
    time.sleep(0.1)
    assert racing.look(pool, token, "me") == stopped
    assert all(pool.snapshot(token, run_name(leg)) is None for leg in legs(RACE))


def test_a_leg_that_diverges_ends_with_its_reason_and_the_others_go_on(pool):
    race = Race(("fomaml", "reptile"), amount=40, seeds=1, meta_batch=3, outer_lr=10.0)
    progress = to_the_end(Racing(race), pool, pool.admit("me"))
    assert set(progress.ended) == set(legs(race))
    assert any("not finite" in why for why in progress.ended.values())


def test_a_race_by_the_clock_spends_its_seconds(pool):
    race = Race(("fomaml", PRETRAINED), budget="seconds", amount=1, seeds=1, meta_batch=2, shots=3)
    progress = to_the_end(Racing(race), pool, pool.admit("me"))
    for marks in progress.marks.values():
        assert marks[-2].seconds < 1 <= marks[-1].seconds


@pytest.fixture
def tight():
    pool = Pool(Limits(workers=1, runs_per_reader=2), hire=inline.hire)
    yield pool
    pool.close()


def test_with_little_room_it_takes_fewer_lanes(tight):
    progress = to_the_end(Racing(RACE), tight, tight.admit("me"))
    assert set(progress.marks) == set(legs(RACE))


def test_without_room_it_says_so_and_waits(tight):
    token, racing = tight.admit("me"), Racing(RACE)
    for name in ("one", "two"):
        tight.start(token, name, leg_config(RACE, Leg("maml", 0)), steps=1)
    progress = racing.look(tight, token, "me")
    assert "2 runs per reader" in progress.words
    assert not progress.over(RACE)
    tight.reset(token, "one")
    assert racing.look(tight, token, "me").words == ""


def test_a_race_whose_reader_was_away_too_long_says_so(pool):
    token, racing = pool.admit("me"), Racing(replace(RACE, amount=50_000))
    racing.look(pool, token, "me")
    for leg in legs(RACE):
        pool.reset(token, run_name(leg))
    assert "forgotten" in next(iter(racing.look(pool, token, "me").ended.values()))
