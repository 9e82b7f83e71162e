"""The line in front of the one bench: first come, first served, and nobody measures for somebody who has left."""

import signal

import pytest

from maml_core.practice import sgd_desk
from maml_core.practice.sgd_desk import Desk, Order, Progress

MADE = []  # every job, in order


class FakeJob:
    """Measures nothing; ends when it is told to."""

    def __init__(self, order):
        self.order, self.stopped, self.progress = order, False, Progress("running", share=0.5)
        MADE.append(self)

    def look(self):
        return self.progress

    def stop(self):
        self.stopped = True


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr(sgd_desk, "Job", FakeJob)
    MADE.clear()
    return Desk()


def test_who_has_not_asked_is_not_in_line(desk):
    assert desk.look("ada") is None


def test_one_measures_and_the_others_wait_in_order(desk):
    for who in ("ada", "bob", "eve"):
        desk.ask(who, Order(repetitions=10))
    assert desk.look("ada").state == "running"
    assert [desk.look(who) for who in ("bob", "eve")] == [Progress("waiting", 1), Progress("waiting", 2)]
    assert len(MADE) == 1


@pytest.mark.parametrize("state", ["done", "failed"])
def test_the_next_begins_when_a_run_has_ended(desk, state):
    desk.ask("ada", Order())
    desk.ask("bob", Order(repetitions=30))
    desk.look("ada")
    MADE[0].progress = Progress(state)
    assert desk.look("ada").state == state
    assert desk.look("ada") is None
    assert desk.look("bob").state == "running"
    assert MADE[1].order.repetitions == 30


def test_a_system_that_starts_no_process_is_a_failed_run_and_not_a_crash(desk, monkeypatch):
    def full(order):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(sgd_desk, "Job", full)
    desk.ask("ada", Order())
    progress = desk.look("ada")
    assert progress.state == "failed"
    assert progress.trouble == "The system would not start a process: Resource temporarily unavailable."
    assert desk.look("ada") is None


def test_leaving_stops_one_s_own_run_and_no_other(desk):
    desk.ask("ada", Order())
    desk.ask("bob", Order())
    desk.look("ada")
    desk.leave("bob")
    assert not MADE[0].stopped
    desk.leave("ada")
    assert MADE[0].stopped
    assert desk.look("ada") is None
    desk.leave("nobody")


def test_asking_again_starts_over(desk):
    desk.ask("ada", Order())
    desk.look("ada")
    desk.ask("ada", Order(first="by hand"))
    desk.look("ada")
    assert MADE[0].stopped
    assert MADE[1].order.first == "by hand"


def test_who_has_not_looked_for_a_while_loses_the_place(desk, monkeypatch):
    desk.ask("ada", Order())
    desk.ask("bob", Order())
    desk.look("ada")
    now = sgd_desk.time.monotonic() + sgd_desk.ABSENT + 1
    desk.seen["bob"] = now
    monkeypatch.setattr(sgd_desk.time, "monotonic", lambda: now)
    assert desk.look("bob").state == "running"
    assert MADE[0].stopped
    assert desk.look("ada") is None


def test_a_failure_is_a_sentence():
    assert "too busy" in sgd_desk._trouble(-signal.SIGALRM)
    assert "had been left" in sgd_desk._trouble(sgd_desk.NOBODY)
    assert "status 1" in sgd_desk._trouble(1)
