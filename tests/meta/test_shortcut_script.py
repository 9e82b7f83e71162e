"""The standalone script shares no code with the engine: that it exits 0 is an oracle for all nine algorithms."""

import os
import subprocess
import sys

import pytest

from maml_core.meta.shortcut_script import shortcuts_script
from maml_core.meta.shortcuts import Setting, compared, overshooting, problem_of


def run(tmp_path, text):
    path = tmp_path / "shortcuts.py"
    path.write_text(text)
    command = [sys.executable, "-I", str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)


def script(setting, rows=None):
    rows = compared(setting) if rows is None else rows
    rough = overshooting(setting) > 0
    return shortcuts_script(setting, problem_of(setting), rows, "https://example.org/06_shortcuts?m=1", rough=rough)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(),
        Setting(start="fresh", inner_steps=2, last=2, leap=2.5, pull=3.0, cg_steps=9, seed=4),
        Setting(start="he", inner_steps=20, inner_lr=0.03),
    ],
    ids=["default", "other knobs, negative curvature", "overflow"],
)
def test_it_gives_the_same_table_and_exits_with_0(tmp_path, setting):
    found = run(tmp_path, script(setting))
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("times as long as MAML's") == 9


def test_a_wrong_number_stops_it(tmp_path):
    rows = [row._replace(degrees=row.degrees + 0.01) if row.name == "boil" else row for row in compared(Setting())]
    found = run(tmp_path, script(Setting(), rows))
    assert found.returncode == 1
    assert "AssertionError: ('boil'" in found.stderr


def test_it_is_readable():
    text = script(Setting())
    assert max(map(len, text.split("\n"))) <= 118
    assert "@" not in text.replace("h @ ", "").replace("g @ v", "").replace("r @ r", "").replace(
        "p @ ap", ""
    ).replace("after @ after", "")
    assert "https://example.org/06_shortcuts?m=1" in text
