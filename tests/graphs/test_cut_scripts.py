"""The script of lesson 2 runs alone: Python itself executes the printed lines, and the recorded outcomes hold."""

import itertools
import subprocess
import sys

import pytest

from maml_core.graphs.cut_scripts import cut_script
from maml_core.graphs.cutting import INSERTIONS, PLACES, POWER, SHIFT, Copying, Insertion, cut

OTHERS = [
    ("detach()", "shift", SHIFT, "2 * x_copy**4 + w", {"x": 3.0, "lr": 0.4}),
    ("deepcopy()", "copy", SHIFT, "2 * x_copy**4 + x", {"x": -0.8, "lr": 0.05}),
    ("no_grad()", "y", "x_copy", "exp(x_copy) + w", {"x": 1.5, "lr": 1.0}),
    ("add_(1)", "y", SHIFT, "exp(x_copy)", {"x": 1.5, "lr": 0.1}),
    ("clone()", "copy", SHIFT, "log(x_copy)", {"x": 1.0, "lr": 0.4}),  # nan
    ("clone()", "x", SHIFT, "1 / (x_copy - 1)", {"x": 3.0, "lr": 0.4}),  # infinite
    ("stop_gradient()", "loss", "relu(x_copy)", "abs(x_copy) * w", {"x": -5.0, "lr": 0.4}),
    ("requires_grad_(False)", "x", "w * x", "x_copy * x", {"x": 0.0, "lr": 0.0}),
]


def script(operation, place, shift=SHIFT, y=POWER, inputs=None):
    both = cut(Copying.parse(shift, y, Insertion(operation, place)), inputs or {"x": 3.0, "lr": 0.4})
    return cut_script(both, "http://localhost/02_where_gradients_go?op=clone()")


def test_python_runs_the_printed_lines_of_every_insertion_and_finds_what_was_recorded(tmp_path):
    """One process for all: importing torch is most of the time.

    Warnings are errors, but for PyTorch's own about `x.grad` where x is no leaf any more: that is the lesson.
    """
    settings = [*itertools.product(INSERTIONS, PLACES), *OTHERS]
    for i, setting in enumerate(settings):
        (tmp_path / f"script_{i}.py").write_text(script(*setting))
    (tmp_path / "all.py").write_text("\n".join(f"import script_{i}" for i in range(len(settings))))
    command = [sys.executable, "-W", "error", "-W", "ignore:The .grad attribute", tmp_path / "all.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("inserted: x.grad =") == len(settings)
    assert "does not require grad" in done.stdout


@pytest.mark.parametrize(("wrong", "right"), [("x_copy - 3", "x_copy - 2"), ("    x_copy = x_copy.detach()\n", "")])
def test_a_changed_script_fails_its_asserts(tmp_path, wrong, right):
    text = script("detach()", "shift")
    assert (right or wrong) in text
    (tmp_path / "changed.py").write_text(text.replace(right, wrong) if right else text.replace(wrong, right))
    done = subprocess.run([sys.executable, tmp_path / "changed.py"], capture_output=True, text=True, timeout=120)
    assert "AssertionError" in done.stderr


def test_the_scripts_lines_are_the_pages_lines():
    both = cut(Copying.parse(SHIFT, POWER, Insertion("no_grad()", "y")), {"x": 3.0, "lr": 0.4})
    text = cut_script(both)
    for line in (*both.written.lines, *both.edited.lines):
        assert not line.text or f"    {line.text}\n" in text
