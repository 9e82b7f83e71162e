"""Whose turn it is, without clocks or workers."""

from collections import Counter

from maml_core.train.config import Config
from maml_core.train.run import Run
from maml_core.train.turns import Reader, overdue, queue


def waiting_run():
    return Run(Config(), b"", 0, 10)


def readers(*counts):
    return [
        Reader(f"reader {i}", "", 0.0, runs={str(k): waiting_run() for k in range(count)})
        for i, count in enumerate(counts)
    ]


def turns(here, count, workers=1):
    """Who gets the next turns, one slice each, as the crew would hand them out."""
    given, running, turn = [], [], 0
    for _ in range(count):
        while len(running) < workers:
            reader, run = queue(here)[0]
            turn += 1
            reader.granted = run.granted = turn
            run.status, run.since = "running", float(turn)
            running.append((reader, run))
            given.append((reader.token, run))
        late = list(overdue(here, now=turn + 100.0, slice_seconds=2.0))
        for pair in [pair for pair in running if pair[1] in late]:
            pair[1].status = "waiting"
            running.remove(pair)
    return given


def test_readers_share_equally_however_many_runs_they_have():
    given = turns(readers(12, 1, 3), 300)
    shares = Counter(token for token, _ in given)
    assert max(shares.values()) - min(shares.values()) <= 1


def test_a_reader_s_own_runs_take_turns():
    given = turns(readers(4), 100)
    assert set(Counter(id(run) for _, run in given).values()) == {25}


def test_with_two_workers_nobody_gives_way_for_nothing():
    here = readers(12, 1)
    given = turns(here, 50, workers=2)
    assert sum(token == "reader 1" for token, _ in given) == 1  # it keeps its worker all the time


def test_those_who_left_come_last():
    here = readers(1, 1)
    here[0].detached = 1.0
    assert [reader.token for reader, _ in queue(here)] == ["reader 1", "reader 0"]


def test_nobody_is_overdue_before_the_slice_is_over_or_while_nobody_waits():
    here = readers(1, 1)
    first, second = (next(iter(reader.runs.values())) for reader in here)
    first.status, first.since, first.granted = "running", 10.0, 1
    here[0].granted = 1
    assert list(overdue(here, now=11.9, slice_seconds=2.0)) == []
    assert list(overdue(here, now=12.1, slice_seconds=2.0)) == [first]
    second.status = "paused"
    assert list(overdue(here, now=99.0, slice_seconds=2.0)) == []
