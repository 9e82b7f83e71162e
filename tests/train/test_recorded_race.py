"""The race that the page shows before any is run is what its command makes."""

import csv
import io
import subprocess
import sys

import pytest

from maml_core.__main__ import main
from maml_core.train.checkpoint import load
from maml_core.train.race import MARKS, PRETRAINED, Leg, Race, leg_config, legs
from maml_core.train.race_scripts import commands, marks_csv, race_script
from maml_core.train.recorded_race import as_json, recorded, run_leg
from maml_core.train.standings import table, verdict


def test_it_is_the_default_race_and_whole():
    race, marks = recorded()
    assert race == Race()
    assert set(marks) == set(legs(race))
    assert all(len(leg) == MARKS + 1 and leg[-1].steps == race.amount for leg in marks.values())


@pytest.mark.parametrize("entrant", ["maml", "fomaml", PRETRAINED])
def test_run_again_it_begins_the_same(entrant):
    race, marks = recorded()
    again = run_leg(race, Leg(entrant, 1), most=2)
    for mark, known in zip(again, marks[Leg(entrant, 1)], strict=False):
        assert mark.steps == known.steps
        assert mark.error.mean == pytest.approx(known.error.mean, rel=0.01)


def test_its_ranking_can_be_seen():
    """The default is chosen so; should another version of PyTorch blur it, choose another default."""
    rows = table(*recorded())
    assert verdict(rows).winner == "maml"
    assert [row.entrant for row in rows][:3] == ["maml", "fomaml", PRETRAINED]


def test_what_is_written_can_be_read(tmp_path, monkeypatch):
    race, marks = recorded()
    path = tmp_path / "race.json"
    path.write_text(as_json(race, marks))
    monkeypatch.setattr("maml_core.train.recorded_race.PATH", path)
    assert recorded.__wrapped__() == (race, marks)


def test_a_race_that_diverges_says_where():
    with pytest.raises(ArithmeticError, match="reptile, seed 0, diverged at step"):
        run_leg(Race(("reptile", "fomaml"), amount=60, meta_batch=2, outer_lr=10.0), Leg("reptile", 0))


def test_the_csv_has_every_mark():
    race, marks = recorded()
    rows = list(csv.DictReader(io.StringIO(marks_csv(race, marks))))
    assert len(rows) == len(legs(race)) * (MARKS + 1)
    last = marks[Leg("maml", 0)][-1]
    row = rows[MARKS]
    assert (row["entrant"], row["steps"], float(row["mean"])) == ("maml", str(race.amount), last.error.mean)


def test_the_commands_train_what_the_race_trains(tmp_path):
    race = Race(("reptile", PRETRAINED), amount=2, meta_batch=2)
    for entrant, line in commands(race).items():
        words = line.split()
        out = tmp_path / words[-1]
        assert words[:4] == ["OMP_NUM_THREADS=1", "python", "-m", "maml_core"]
        assert main([*words[4:-1], str(out)]) == 0
        assert load(out)[1] == leg_config(race, Leg(entrant, 0))


def test_the_script_runs_with_torch_alone_and_asserts(tmp_path):
    race = Race(("maml", "anil", PRETRAINED), amount=30, meta_batch=3, shots=5, seeds=1)
    marks = {leg: run_leg(race, leg, most=3) for leg in legs(race)}
    text = race_script(race, marks)
    assert "maml_core." not in "\n".join(line for line in text.splitlines() if "import" in line)
    script = tmp_path / "race.py"
    script.write_text(text)
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "came out again" in done.stdout
    number = repr(marks[Leg("anil", 0)][1].error.mean)
    script.write_text(text.replace(number, repr(2 * marks[Leg("anil", 0)][1].error.mean)))
    assert subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, check=False).returncode == 1
