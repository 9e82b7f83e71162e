"""The script a reader takes home runs alone, prints the page's numbers and asserts them."""

import subprocess
import sys

import pytest

from maml_core.graphs.comparing import compare
from maml_core.graphs.scripts import inner_step_script
from tests.graphs.examples import BLOG, lesson

SETTINGS = [
    ("quartic", 1, BLOG),
    ("quartic", 1, {**BLOG, "c": 1}),
    ("quartic", 2, {"x": -0.8, "c": 1, "alpha": 0.05}),
    ("quartic", 3, BLOG),  # beyond float32
    ("quartic", 5, BLOG),
    ("bowl", 1, BLOG),
    ("bowl", 1, {"x": 3.0, "c": 1, "alpha": 0.5}),  # zero
    ("bowl", 4, {"x": -5.0, "c": 2, "alpha": 1.0}),
    ("wave", 1, {"x": 0.0, "c": 1, "alpha": 0.0}),
    ("wave", 2, {"x": 1.3, "c": 1, "alpha": 0.25}),
    ("wave", 5, BLOG),
    ("wave", 1, {"x": -2.2, "c": 2, "alpha": 0.7}),
]


def script(losses, steps, inputs):
    one = lesson(losses, steps)
    return inner_step_script(one, inputs, compare(one.program, inputs), "http://localhost/03_create_graph?x=3")


def test_a_dozen_scripts_run_and_their_asserts_hold(tmp_path):
    """One process for all: importing torch is most of the time."""
    names = []
    for i, setting in enumerate(SETTINGS):
        (tmp_path / f"script_{i}.py").write_text(script(*setting))
        names.append(f"script_{i}")
    (tmp_path / "all.py").write_text("\n".join(f"import {name}" for name in names))
    done = subprocess.run([sys.executable, tmp_path / "all.py"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("create_graph=True: x.grad =") == len(SETTINGS)
    assert "x.grad = -49008.96484375" in done.stdout


@pytest.mark.parametrize(("wrong", "right"), [("= 2, 0.4", "= 2, 0.41"), ("x_prime**4", "x_prime**3")])
def test_a_changed_script_fails_its_asserts(tmp_path, wrong, right):
    (tmp_path / "changed.py").write_text(script("quartic", 1, BLOG).replace(wrong, right))
    done = subprocess.run([sys.executable, tmp_path / "changed.py"], capture_output=True, text=True, timeout=120)
    assert "AssertionError" in done.stderr


def test_the_scripts_lines_are_the_pages_lines():
    text = script("wave", 2, BLOG)
    for line in lesson("wave", 2).program.lines(BLOG, create_graph=True):
        assert line.text.replace("create_graph=True", "create_graph=create_graph") in text
