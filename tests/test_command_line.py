"""The command line: what it prints, what it saves, and how it ends."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from maml_core.__main__ import main
from maml_core.train.checkpoint import load
from maml_core.train.config import Config

SMALL = ["--meta-batch", "3", "--shots", "4", "--hidden", "6", "--device", "cpu"]


def theta_bits(path):
    state, _ = load(path)
    return [leaf for part in state[:3] for leaf in part.values()]


def assert_same_bits(one, other):
    assert all(torch.equal(a, b) for a, b in zip(theta_bits(one), theta_bits(other), strict=True))


def test_training_ends_with_one_line_of_json(tmp_path, capsys):
    out = tmp_path / "run.safetensors"
    assert main(["train", *SMALL, "--iterations", "60", "--out", str(out), "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    report = json.loads(lines[-1])
    assert len(lines) == 1
    assert report["iterations"] == 60
    assert report["path"] == "eager"
    assert report["device"] == "cpu"
    assert 0 < report["seconds"] < 60
    assert report["rate_measured"].startswith("wall clock of steps 21 to 60")
    assert report["iterations_per_second"] > 40 / report["seconds"] * 0.9
    assert report["query_loss"] == pytest.approx(load(out)[0].query_loss.mean().item())


def test_progress_without_a_terminal_is_plain_lines_on_standard_error(tmp_path, capsys):
    main(["train", *SMALL, "--iterations", "40", "--out", str(tmp_path / "run")])
    found = capsys.readouterr()
    assert found.err.splitlines()[0].startswith("2/40 steps, query loss ")
    assert len(found.err.splitlines()) == 20
    assert found.out == f"Trained 40 of 40 steps, saved to {tmp_path / 'run'}.\n"


def test_progress_on_a_terminal_is_a_bar(tmp_path, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)
    main(["train", *SMALL, "--iterations", "40", "--out", str(tmp_path / "run")])
    assert "100%" in screen.getvalue()
    assert "40/40" in screen.getvalue()
    assert "query loss" in screen.getvalue()


def test_options_reach_the_configuration(tmp_path):
    out = tmp_path / "run"
    options = [
        "--algorithm",
        "truncated",
        "--hidden",
        "5,7",
        "--last",
        "2",
        "--inner-lr",
        "0.003",
        "--seed",
        "9",
    ]
    main(["train", *SMALL, *options, "--iterations", "2", "--outer", "sgd", "--out", str(out)])
    config = load(out)[1]
    assert (config.algorithm, config.hidden, config.last) == ("truncated", (5, 7), 2)
    assert (config.inner_lr, config.seed, config.outer) == (0.003, 9, "sgd")
    assert config.inner_steps == 5  # the algorithm's own


def test_a_preset_is_a_start_that_options_change(tmp_path):
    main(["train", "--preset", "meta-sgd", *SMALL, "--iterations", "1", "--out", str(tmp_path / "run")])
    config = load(tmp_path / "run")[1]
    assert (config.algorithm, config.family, config.meta_batch) == ("meta-sgd", "frequency", 3)


def test_a_resumed_run_ends_with_the_bits_of_one_that_never_stopped(tmp_path):
    straight, halves = str(tmp_path / "straight"), str(tmp_path / "halves")
    main(["train", *SMALL, "--iterations", "30", "--out", straight])
    main(["train", *SMALL, "--iterations", "13", "--out", halves])
    assert main(["train", "--resume", halves, "--iterations", "30", "--device", "cpu"]) == 0
    assert_same_bits(straight, halves)


def start(*options, cwd):
    """A training in a process of its own, once it has done some steps."""
    command = [sys.executable, "-m", "maml_core", "train", *SMALL, *options]
    env = os.environ | {"PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(command, cwd=cwd, env=env, text=True, stdout=-1, stderr=-1)
    assert process.stderr is not None
    process.stderr.readline()
    return process


def test_ctrl_c_saves_says_where_and_the_run_goes_on_to_the_same_bits(tmp_path):
    process = start("--iterations", "10000", "--json", cwd=tmp_path)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    done = json.loads(out.splitlines()[-1])["iterations"]
    assert 500 <= done < 10_000
    assert "train --resume run.safetensors" in err.splitlines()[-1]
    assert f"Did {done} of 10000 steps, saved to run.safetensors." in err.splitlines()[-1]

    run, straight = str(tmp_path / "run.safetensors"), str(tmp_path / "straight")
    assert main(["train", "--resume", run, "--iterations", str(done + 10), "--device", "cpu"]) == 0
    assert main(["train", *SMALL, "--iterations", str(done + 10), "--out", straight]) == 0
    assert_same_bits(run, straight)


def test_divergence_ends_with_status_one_and_the_last_good_state(tmp_path, capsys):
    out = tmp_path / "run"
    wild = ["--inner-lr", "10", "--inner-steps", "60", "--initialisation", "he", "--iterations", "50"]
    assert main(["train", *SMALL, *wild, "--out", str(out), "--json"]) == 1
    found = capsys.readouterr()
    assert "is not finite; the state before it is kept." in found.err
    assert json.loads(found.out)["query_loss"] is None
    assert all(leaf.isfinite().all() for leaf in load(out)[0].theta.values())


def test_evaluation_reports_each_number_of_steps(tmp_path, capsys):
    run = str(tmp_path / "run")
    main(["train", *SMALL, "--iterations", "5", "--out", run])
    capsys.readouterr()
    assert (
        main(["evaluate", run, "--tasks", "30", "--shots", "7", "--steps", "1,3", "--device", "cpu", "--json"]) == 0
    )
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["tasks"], report["shots"]) == (30, 7)
    assert set(report["mse"]) == {"0", "1", "3"}
    assert set(report["mse"]["1"]) == {"mean", "sem", "median", "trimmed_mean", "diverged"}


def test_evaluation_without_json_is_a_table_for_people(tmp_path, capsys):
    run = str(tmp_path / "run")
    main(["train", *SMALL, "--iterations", "5", "--out", run])
    capsys.readouterr()
    assert main(["evaluate", run, "--tasks", "30", "--steps", "2", "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Mean squared error on 30 unseen tasks, 4 shots:"
    assert [line.split()[:2] for line in lines[1:3]] == [["maml", "0"], ["maml", "2"]]


def test_the_doctor_says_one_thing_per_line(capsys):
    assert main(["doctor", "--json"]) == 0
    found = capsys.readouterr()
    report = json.loads(found.out)
    assert [line.split(": ")[0] for line in found.err.splitlines()] == list(report)
    assert {"device", "compiler", "dot"} <= set(report)


def test_every_field_of_a_config_is_an_option_with_its_sentence(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, spec in Config.__dataclass_fields__.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert spec.metadata["help"] in shown
