"""A run is the same to the last bit however often it was paused, sliced, handed over, moved or killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import Pipe

import pytest
import torch

from maml_core.train.checkpoint import CheckpointError, loads
from maml_core.train.config import Config, resolved
from maml_core.train.hiring import Worker, hire
from maml_core.train.limits import Limits, Refused
from maml_core.train.pool import Pool
from maml_core.train.run import Run
from maml_core.train.step import initial_state, meta_step
from tests.train import inline

SMALL = Config(meta_batch=2, shots=3, hidden=(4,), initialisation="he", iterations=60)
LONG = replace(SMALL, iterations=100_000)


def until(true, seconds=20.0):
    """Wait for something that must come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "It did not happen."
        time.sleep(0.005)


@pytest.fixture
def pool_of():
    pools = []

    def make(hire=inline.hire, **limits):
        pools.append(Pool(Limits(**{"workers": 1, **limits}), hire=hire))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def pool(pool_of):
    return pool_of()


def straight(config, steps):
    """The plain loop that every background run must equal: its losses and its final state."""
    state, losses = initial_state(config), []
    for _ in range(steps):
        state = meta_step(state, config)
        losses.append(state.query_loss.mean().item())
    return losses, state


def same_bits(data, state):
    found = loads(data)[0]
    assert int(found.step) == int(state.step)
    for one, other in zip(found[:3], state[:3], strict=True):
        assert all(torch.equal(leaf, other[name]) for name, leaf in one.items())


def resting(pool, token, name="lab"):
    until(lambda: not pool.snapshot(token, name).live)
    return pool.snapshot(token, name)


def equal_to_the_plain_loop(pool, token, name="lab"):
    run = resting(pool, token, name)
    losses, state = straight(run.config, run.iteration)
    assert run.state_step == run.iteration
    assert list(pool.losses(token, name)) == losses
    same_bits(run.state, state)
    return run


def test_a_run_from_start_to_end(pool):
    token = pool.admit("me")
    pool.start(token, "lab", SMALL)
    run = equal_to_the_plain_loop(pool, token)
    assert (run.status, run.iteration, run.words) == ("finished", 60, "Finished all 60 steps.")
    assert run.config == resolved(SMALL)
    assert run.curve.at[-1] == 60
    assert run.curve.raw == pool.losses(token, "lab")


def test_paused_stepped_and_resumed_at_odd_moments(pool):
    token = pool.admit("me")
    pool.start(token, "lab", replace(SMALL, iterations=400), steps=1)
    assert resting(pool, token).iteration == 1
    for steps in (1, 10, 3):
        pool.step(token, "lab", steps)
        resting(pool, token)
    assert pool.snapshot(token, "lab").iteration == 15
    while pool.snapshot(token, "lab").status != "finished":
        pool.resume(token, "lab")
        time.sleep(0.01)
        pool.pause(token, "lab")
    assert equal_to_the_plain_loop(pool, token).iteration == 400


def test_a_step_that_is_asked_for_during_a_run_is_a_step_from_where_it_is(pool):
    token = pool.admit("me")
    pool.start(token, "lab", LONG)
    run = pool.step(token, "lab", 5)
    assert resting(pool, token).until == run.until
    assert equal_to_the_plain_loop(pool, token).status == "paused"


def test_six_runs_of_one_reader_and_one_of_another_on_one_worker(pool_of):
    pool = pool_of(slice=0.02)
    one, other = pool.admit("one"), pool.admit("other")
    for seed in range(6):
        pool.start(one, f"race/{seed}", replace(SMALL, seed=seed))
    pool.start(other, "lab", SMALL)
    equal_to_the_plain_loop(pool, other)
    for seed in range(6):
        equal_to_the_plain_loop(pool, one, f"race/{seed}")


def test_two_readers_who_share_one_worker_are_told_so(pool_of):
    pool = pool_of(slice=0.02)
    one, other = pool.admit("one"), pool.admit("other")
    pool.start(one, "lab", LONG)
    run = pool.start(other, "lab", LONG)
    assert (run.sharing, run.live) == (1, True)
    assert "Sharing with 1 other reader" in run.words


def test_a_snapshot_does_not_change(pool):
    token = pool.admit("me")
    early = pool.start(token, "lab", LONG)
    before = (early.iteration, early.curve, early.state, early.words)
    until(lambda: pool.snapshot(token, "lab").iteration > early.iteration + 50)
    assert (early.iteration, early.curve, early.state, early.words) == before
    with pytest.raises(AttributeError):
        early.iteration = 3


def test_a_saved_run_goes_on_as_if_it_had_never_left(pool):
    token = pool.admit("me")
    pool.start(token, "lab", SMALL, steps=20)
    data = resting(pool, token).state
    other = pool.admit("you")
    run = pool.load(other, "mine", data)
    assert (run.status, run.iteration, run.first) == ("paused", 20, 20)
    pool.resume(other, "mine")
    run = resting(pool, other, "mine")
    losses, state = straight(SMALL, 60)
    assert list(pool.losses(other, "mine")) == losses[20:]
    same_bits(run.state, state)


def test_stopped_is_kept_and_reset_is_forgotten(pool):
    token = pool.admit("me")
    pool.start(token, "lab", LONG)
    run = pool.stop(token, "lab")
    run = resting(pool, token)
    assert (run.status, run.words) == ("stopped", f"Stopped. The state of step {run.iteration} is kept.")
    equal_to_the_plain_loop(pool, token)
    pool.reset(token, "lab")
    assert pool.snapshot(token, "lab") is None
    with pytest.raises(Refused, match="no such run any more"):
        pool.resume(token, "lab")


def test_reset_in_the_middle_frees_the_worker_for_the_next(pool):
    token = pool.admit("me")
    for seed in range(5):
        pool.start(token, "lab", replace(LONG, seed=seed))
    pool.reset(token, "lab")
    pool.start(token, "lab", SMALL)
    equal_to_the_plain_loop(pool, token)


DIVERGING = replace(SMALL, inner_lr=10.0, inner_steps=20, iterations=500)


def test_divergence_is_a_sentence_and_the_last_good_state_is_kept(pool):
    token = pool.admit("me")
    pool.start(token, "lab", DIVERGING)
    run = resting(pool, token)
    assert run.status == "failed"
    assert run.words.startswith(f"The meta-gradient of step {run.iteration + 1} is not finite")
    assert int(loads(run.state)[0].step) == run.iteration
    pool.start(token, "lab", SMALL)
    equal_to_the_plain_loop(pool, token)


def test_what_a_step_cannot_do_is_a_sentence(pool):
    token = pool.admit("me")
    run = pool.start(token, "lab", replace(SMALL, algorithm="reptile", inner_lr=1e-8), steps=1)
    assert resting(pool, token).status == "paused"
    with pytest.raises(CheckpointError, match="not in safetensors format"):
        pool.load(token, "lab", b"no run")
    assert pool.snapshot(token, "lab").id == run.id


@pytest.mark.parametrize(
    ("limits", "config", "sentence"),
    [
        ({"iterations": 50}, SMALL, "allows 50 steps a run, not 60"),
        ({"runs_per_reader": 1}, SMALL, "allows 1 runs per reader"),
        ({"reader_mib": 1}, replace(SMALL, iterations=200_000, hidden=(200, 200)), "at most 1 MiB"),
    ],
)
def test_ceilings(pool_of, limits, config, sentence):
    pool = pool_of(**limits)
    token = pool.admit("me")
    if "runs_per_reader" in limits:
        pool.start(token, "first", config)
        pool.start(token, "first", config)  # in place of the old one
    with pytest.raises(Refused, match=sentence):
        pool.start(token, "lab", config)


def test_no_more_readers_than_places(pool_of):
    pool = pool_of(readers=1)
    me, you = pool.admit("me"), pool.admit("you")
    pool.start(me, "lab", SMALL)
    pool.start(me, "another", SMALL)
    with pytest.raises(Refused, match="All 1 places"):
        pool.start(you, "lab", SMALL)
    pool.reset(me, "lab")
    pool.reset(me, "another")
    pool.start(you, "lab", SMALL)


def test_the_last_to_attach_owns_and_only_the_owner_can_leave(pool_of):
    pool = pool_of(grace=0.05)
    token = pool.admit("old page")
    pool.start(token, "lab", SMALL, steps=3)
    assert pool.attach(token, "new page")
    assert not pool.owns(token, "old page")
    pool.detach(token, "old page")
    time.sleep(0.4)
    assert pool.snapshot(token, "lab", "new page").iteration == 3
    pool.detach(token, "new page")
    until(lambda: not pool.owns(token, "new page"))
    assert not pool.attach(token, "a third")
    assert pool.snapshot(token, "lab") is None
    with pytest.raises(Refused, match="away for too long"):
        pool.start(token, "lab", SMALL)


def test_a_page_that_still_asks_is_not_gone(pool_of):
    pool = pool_of(grace=1.5)
    token = pool.admit("page")
    pool.start(token, "lab", LONG)
    pool.detach(token, "page")  # a network blip: the session's handle went, the page is still there
    for _ in range(8):
        assert pool.snapshot(token, "lab", "page")
        time.sleep(0.25)


def test_nobody_looks_so_it_pauses_and_the_next_look_lets_it_go_on(pool_of):
    pool = pool_of(lease=0.2)
    token = pool.admit("me")
    pool.start(token, "lab", LONG)
    time.sleep(0.8)
    assert pool.snapshot(token, "lab").words.startswith("Waiting") or pool.snapshot(token, "lab").live
    (reader,) = pool._readers.values()
    at = reader.runs["lab"].iteration
    until(lambda: pool.snapshot(token, "lab").iteration > at)
    pool.pause(token, "lab")
    equal_to_the_plain_loop(pool, token)


def test_many_starts_and_stops_leave_nothing_behind(pool):
    token = pool.admit("me")
    pool.start(token, "lab", SMALL, steps=1)
    resting(pool, token)
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for cycle in range(200):
        pool.start(token, "lab", LONG)
        (pool.stop, pool.pause, pool.reset)[cycle % 3](token, "lab")
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
    assert len(pool._readers[token].runs) <= 1
    pool.start(token, "lab", SMALL)
    equal_to_the_plain_loop(pool, token)


# ---- with real processes ----


def workers_of(pid):
    listed = subprocess.run(["pgrep", "-P", str(pid), "-f", "train[.]worker"], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_killed_workers_make_no_difference(pool_of):
    pool = pool_of(hire=hire)
    token = pool.admit("me")
    pool.start(token, "lab", replace(LONG, iterations=600))
    until(lambda: pool.snapshot(token, "lab").iteration > 20)
    (worker,) = workers_of(os.getpid())
    os.kill(worker, signal.SIGKILL)
    until(lambda: "killed by signal 9" in pool.snapshot(token, "lab").words)
    run = equal_to_the_plain_loop(pool, token)
    assert run.status == "finished"
    assert run.device == "cpu, one thread" or run.device.startswith("cuda")
    for _ in range(3):
        pool.start(token, "lab", LONG)
        pool.stop(token, "lab")
    assert len(workers_of(os.getpid())) == 1
    pool.close()
    assert not workers_of(os.getpid())


SERVER = """
import time
from maml_core.train.config import Config
from maml_core.train.limits import Limits
from maml_core.train.pool import Pool
pool = Pool(Limits(workers=2))
token = pool.admit("me")
# one worker in the middle of a step that takes minutes, one idle
pool.start(token, "lab", Config(meta_batch=2000, shots=1000, inner_steps=1000, inner_lr=1e-6, algorithm="fomaml"))
while pool.snapshot(token, "lab").status != "running":
    time.sleep(0.05)
print("running", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_server(how):
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout.readline() == "running\n"
        workers = workers_of(server.pid)
        assert len(workers) == 2
        server.send_signal(how)
    until(lambda: not any(alive(worker) for worker in workers), 3)


def test_a_step_that_wants_too_much_memory_fails_in_a_sentence(pool_of):
    pool = pool_of(hire=hire, worker_mib=400)
    token = pool.admit("me")
    pool.start(token, "lab", Config(meta_batch=10_000, shots=1000, iterations=10))
    run = resting(pool, token)
    assert run.words.startswith("One step of this configuration needs more memory than a worker may use.")
    pool.start(token, "lab", SMALL)
    equal_to_the_plain_loop(pool, token)


def stillborn(_mib):
    """A process that is gone before it was ready."""
    here, there = Pipe()
    there.close()
    return Worker(here, here.close)


def no_process(_mib):
    raise OSError("no room for a process")


@pytest.mark.parametrize("hiring", [stillborn, no_process])
def test_a_server_that_cannot_start_workers_says_so(pool_of, hiring):

    pool = pool_of(hire=hiring)
    token = pool.admit("me")
    pool.start(token, "lab", SMALL)
    assert resting(pool, token).words.startswith("No worker process can be started")


def test_what_is_said_of_a_lost_worker_is_past_and_goes_with_the_next_command():
    run = Run(SMALL, b"", 0, 10, status="running")
    run.lose("killed by signal 9")
    assert run.status == "waiting"
    assert "ended (killed by signal 9) near step 0. It went back to step 0" in run.note
    run.leave("waiting")
    assert run.note
    run.leave("paused")
    assert (run.status, run.note) == ("paused", "")
