"""The script repeats the run with PyTorch alone, and the command line gives the same θ."""

import ast
import os
import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.train.checkpoint import load
from maml_core.train.config import PRESETS, Config
from maml_core.train.scripts import MODULES, command_line, lab_script
from maml_core.train.step import initial_state, meta_step

SMALL = Config(meta_batch=2, shots=3, hidden=(4,), initialisation="he", iterations=9)


def losses_of(config, steps=6):
    state, losses = initial_state(config), []
    for _ in range(steps):
        state = meta_step(state, config)
        losses.append(state.query_loss.mean().item())
    return losses, state


def run(text, tmp_path):
    path = tmp_path / "run.py"
    path.write_text(text)
    return subprocess.run([sys.executable, "-I", path], cwd=tmp_path, capture_output=True, text=True)


def test_the_script_asserts_every_loss_and_needs_only_torch(tmp_path):
    losses, _ = losses_of(SMALL)
    text = lab_script(SMALL, losses)
    assert {n.split(".")[0] for n in imported(text)} - set(sys.stdlib_module_names) == {"torch"}
    done = run(text, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "6 losses are those of the run" in done.stdout
    with pytest.raises(AssertionError, match=r"\(6,"):
        executed(lab_script(SMALL, [*losses[:5], losses[5] * 1.01]))


def executed(text):
    space = {"__name__": "__main__"}
    exec(compile(text, "script", "exec"), space)
    return space


def imported(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_script_s_engine_is_the_engine_for_every_algorithm(algorithm):
    config = replace(SMALL, algorithm=algorithm)
    text = lab_script(config, losses_of(config, 2)[0])
    assert executed(text)["loss"] == pytest.approx(losses_of(config, 2)[0][1], rel=1e-6)


def test_no_two_modules_of_the_script_share_a_name():
    names = Counter(
        node.name
        for module in MODULES
        for node in ast.parse(Path(module.__file__).read_text()).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_an_imported_run_has_no_first_losses_to_assert():
    assert "LOSSES = ()" in lab_script(SMALL, [1.0, 2.0], first=3)


@pytest.mark.parametrize("config", [SMALL, *PRESETS.values()], ids=["small", *PRESETS])
def test_the_command_line_gives_the_same_bits(tmp_path, config):
    config = replace(config, meta_batch=2)
    words = shlex.split(command_line(config, 4))
    assert words[0] == "OMP_NUM_THREADS=1"
    from maml_core.__main__ import main

    out = tmp_path / "run.safetensors"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    assert main([*words[4:-1], str(out)]) == 0
    theta, expected = load(out)[0].theta, losses_of(config, 4)[1].theta
    torch.set_num_threads(threads)
    assert all(torch.equal(leaf, expected[name]) for name, leaf in theta.items())
    assert os.path.getsize(out)
