"""The timing worker: what it imports and when, what it says, and when it ends. No test looks at a clock."""

import json
import subprocess
import sys
import time

import pytest

from maml_core.practice import sgd_timing
from maml_core.practice.sgd_desk import Job, Order
from maml_core.practice.sgd_loops import LOOPS
from maml_core.practice.sgd_script import sgd_script
from maml_core.practice.sgd_timing import NOBODY

WORKER = [sys.executable, "-m", "maml_core.practice.sgd_timing"]


def said(*options):
    """What a worker says, in a fresh interpreter."""
    run = subprocess.run([*WORKER, *options], capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("first", ["SGD", "by hand"])
def test_the_compiler_stack_comes_with_the_first_sgd_and_with_nothing_else(first):
    machine, *times = said("--part", "in order", "--first", first, "--repetitions", "2")
    assert machine["event"] == "machine"
    assert machine["imported"] is False
    second = "by hand" if first == "SGD" else "SGD"
    assert [row["loop"] for row in times] == [first, first, second, second]
    culprit = [row["imported"] for row in times].index(True)
    assert culprit == (0 if first == "SGD" else 2)
    assert sum(row["imported"] for row in times) == 1


def test_imported_first_nobody_imports_it_later():
    _, spent, *times = said("--part", "imported first", "--repetitions", "1")
    assert spent["event"] == "import"
    assert spent["modules"] > 100
    assert [row["imported"] for row in times] == [False, False]


def test_taking_turns_nobody_is_always_first(monkeypatch):
    monkeypatch.setattr(sgd_timing, "timed", lambda loop, place: {"loop": loop})
    monkeypatch.setattr(sgd_timing, "setting", lambda: None)
    loops = [row["loop"] for row in sgd_timing.taking_turns(4)]
    rounds = [loops[i : i + len(LOOPS)] for i in range(0, len(loops), len(LOOPS))]
    assert len(rounds) == 4  # the two to warm up are not reported
    assert all(set(one) == set(LOOPS) for one in rounds)
    assert len({one[0] for one in rounds}) == 4


def test_a_watched_worker_ends_when_nobody_watches():
    command = [*WORKER, "--part", "in order", "--watched"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert json.loads(worker.stdout.readline())["event"] == "machine"
        worker.stdin.close()
        assert worker.wait(60) == NOBODY


@pytest.mark.parametrize("options", [["--part", "lunch"], ["--part", "drift", "--repetitions", "101"], []])
def test_what_it_cannot_do_it_refuses(options):
    assert subprocess.run([*WORKER, *options], capture_output=True, timeout=60).returncode == 2


def test_the_script_needs_only_torch_and_checks_itself(tmp_path):
    text = sgd_script("by hand", 3, "https://example.org/?first=by+hand")
    assert "maml_core" not in text
    path = tmp_path / "sgd_by_hand.py"
    path.write_text(text)
    subprocess.run([sys.executable, "-I", path], check=True, cwd=tmp_path, capture_output=True, timeout=120)


def test_a_job_reads_its_worker_to_the_end():
    job = Job(Order(repetitions=1, parts=("in order",)))
    while (progress := job.look()).state == "running":
        time.sleep(0.05)
    assert progress.state == "done"
    assert progress.share == 1
    assert [row["event"] for row in progress.events] == ["machine", "time", "time"]


def test_stop_ends_the_process_at_once():
    job = Job(Order(repetitions=100))
    assert job.look().state == "running"
    job.stop()
    assert job.process.poll() is not None
    assert job.process.stdin.closed
