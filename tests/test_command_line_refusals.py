"""What the command line refuses, in one sentence and with the right exit status."""

import pytest
import torch

from maml_core.__main__ import main

SMALL = ["--meta-batch", "3", "--shots", "4", "--hidden", "6", "--device", "cpu"]

BAD = {
    "a value out of range": (["train", "--seed", "-1"], 2, "seed must be a whole number from 0"),
    "an unknown word": (["train", "--algorithm", "mamml"], 2, "algorithm must be one of maml"),
    "no such folder": (["train", "--out", "nowhere/run"], 2, "--out must name a file in a folder"),
    "no such file": (["evaluate", "nowhere"], 1, "No such file"),
    "no run": (["evaluate", __file__], 1, "not in safetensors format"),
    "nothing to resume": (["train", "--resume", "nowhere"], 1, "No such file"),
    "another seed": (["train", "--resume", "x", "--seed", "1"], 2, "--seed cannot change in a resumed run"),
    "another preset": (["train", "--resume", "x", "--preset", "tour"], 2, "--preset cannot change"),
}


@pytest.mark.parametrize(("argv", "status", "sentence"), BAD.values(), ids=BAD)
def test_bad_input_gets_one_sentence_and_its_status(argv, status, sentence, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == status
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["fly"], ["train", "--iterations", "many"], ["evaluate"]])
def test_a_command_that_cannot_be_read_ends_with_status_two(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused(capsys):
    assert main(["train", "--device", "cuda"]) == 2
    assert "There is no CUDA device here" in capsys.readouterr().err


def test_fewer_iterations_than_done_are_refused(tmp_path, capsys):
    run = str(tmp_path / "run")
    main(["train", *SMALL, "--iterations", "5", "--out", run])
    assert main(["train", "--resume", run, "--iterations", "3", "--device", "cpu"]) == 2
    assert "has done 5 steps already, more than 3" in capsys.readouterr().err
