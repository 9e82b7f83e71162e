"""The script that a reader takes away runs alone, and notices a wrong number."""

import subprocess
import sys

import pytest

from maml_core.plane import problems
from maml_core.plane.answers import Rates, answer
from maml_core.plane.scripts import one_step_script

PAIR = (problems.pair(), (-0.5, 1.0))
CASES = {
    "ReLU net": (problems.network(), (-1.1, 1.2)),
    "undefined": (problems.own("log(u) * v", "u + v"), (0.0, 0.8)),
}


def script(problem, theta):
    rates = Rates(0.45)
    return one_step_script(problem, rates, answer(problem, theta, rates, ("maml", "fomaml")), "http://here")


def run(text):
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_reproduces_the_screen(case):
    done = run(script(*case))
    assert done.returncode == 0, done.stderr
    assert "MAML" in done.stdout


def test_it_fails_where_a_number_is_wrong():
    text = script(*PAIR)
    done = run(text.replace("create_graph=create_graph)\n    return", "create_graph=False)\n    return"))
    assert done.returncode == 1
    assert "AssertionError: ('MAML'" in done.stderr
