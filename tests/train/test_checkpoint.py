"""What goes in comes out to the last bit; what did not come from us is refused in one sentence."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save as write_tensors

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.train import checkpoint
from maml_core.train.checkpoint import FORMAT, CheckpointError, dumps, load, loads, save
from maml_core.train.config import Config, resolved
from maml_core.train.step import State, initial_state, meta_step

SMALL = Config(meta_batch=3, shots=4, hidden=(5,), initialisation="he", iterations=12)


def trained(config):
    state = initial_state(config)
    for _ in range(2):
        state = meta_step(state, config)
    return state


@pytest.mark.parametrize("outer", ["adam", "sgd"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_run_comes_back_to_the_last_bit_and_goes_on_alike(name, outer):
    config = replace(SMALL, algorithm=name, outer=outer)
    state = trained(config)
    again, config_again = loads(dumps(state, config))
    assert config_again == resolved(config)
    next_state, next_again = meta_step(state, config), meta_step(again, config_again)
    for one, other in zip(next_state[:3], next_again[:3], strict=True):
        assert list(one) == list(other)
        assert all(torch.equal(leaf, other[leaf_name]) for leaf_name, leaf in one.items())
    assert next_state.step == next_again.step


def test_a_deep_network_keeps_the_order_of_its_layers():
    config = replace(SMALL, hidden=(2,) * 7)
    assert list(loads(dumps(trained(config), config))[0].theta) == list(initial_state(config).theta)


def test_a_run_that_has_not_begun_can_be_kept():
    assert int(loads(dumps(initial_state(SMALL), SMALL))[0].step) == 0


def test_saving_replaces_the_file_as_a_whole(tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_text("something old")
    save(path, trained(SMALL), SMALL)
    assert int(load(path)[0].step) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]


def test_the_versions_are_written_down():
    data = dumps(trained(SMALL), SMALL)
    assert f'\\"torch\\": \\"{torch.__version__}\\"'.encode() in data


GOOD = resolved(SMALL)


def tensors_of(state: State):
    parts = {f"{part}/{n}": leaf for part in state._fields[:3] for n, leaf in getattr(state, part).items()}
    return parts | {"step": state.step, "query_loss": state.query_loss, "gradient_norm": state.gradient_norm}


def forged(changes=None, config=None, **metadata):
    """A file like ours in all but the named respects."""
    tensors = tensors_of(trained(SMALL)) | (changes or {})
    header = {"format": FORMAT, "config": config or json.dumps(asdict(GOOD)), "versions": "{}", **metadata}
    tensors = {name: leaf.contiguous() for name, leaf in tensors.items() if leaf is not None}
    return write_tensors(tensors, {name: text for name, text in header.items() if text is not None})


def with_config(**changes):
    return json.dumps({**asdict(GOOD), **changes})


NAN = torch.full((5, 1), torch.nan)
FOREIGN = {
    "empty": (lambda: b"", "not in safetensors format"),
    "text": (lambda: b"hello, this is no run at all", "not in safetensors format"),
    "pickle": (lambda: b"\x80\x04\x95\x10\x00\x00\x00", "not in safetensors format"),
    "cut off": (lambda: forged()[:-10], "not in safetensors format"),
    "header cut off": (lambda: forged()[:50], "not in safetensors format"),
    "another's safetensors": (lambda: write_tensors({"w": torch.zeros(2)}), "names 'no format at all'"),
    "a later format": (lambda: forged(format="version 99"), "names 'version 99'"),
    "no config": (lambda: forged(config="{}"), "missing or unknown parts"),
    "config is no JSON": (lambda: forged(config="{"), "missing or unknown parts"),
    "config is a list": (lambda: forged(config="[1]"), "missing or unknown parts"),
    "config without end": (lambda: forged(config="[" * 100_000), "missing or unknown parts"),
    "unknown field": (lambda: forged(config=with_config(colour="red")), "missing or unknown parts"),
    "forbidden value": (lambda: forged(config=with_config(shots=-3)), "is not allowed: shots must be"),
    "huge network": (lambda: forged(config=with_config(hidden=[10**9])), "is not allowed: The widths of the hidden"),
    "endless word": (lambda: forged(config=with_config(algorithm="x" * 10**5)), "'xxx"),
    "another network": (lambda: forged(config=with_config(hidden=[6])), "where its configuration has"),
    "a layer more": (lambda: forged(config=with_config(hidden=[5, 5])), "disagree about the tensor"),
    "a tensor less": (lambda: forged({"step": None}), "disagree about the tensor 'step'"),
    "a tensor more": (lambda: forged({"theta/9.weight": NAN}), "disagree about the tensor 'theta/9.weight'"),
    "wrong shape": (lambda: forged({"theta/0.weight": torch.zeros(5, 2)}), r"\[5, 2\], where .* \[5, 1\]"),
    "wrong type": (lambda: forged({"theta/0.weight": NAN.double()}), "float64 .* where its .*float32"),
    "NaN in θ": (lambda: forged({"theta/0.weight": NAN}), "'theta/0.weight' has values that are not finite"),
    "NaN in a memory": (
        lambda: forged({"second/0.weight": NAN}),
        "'second/0.weight' has values that are not finite",
    ),
    "negative squares": (lambda: forged({"second/0.weight": torch.full((5, 1), -1.0)}), "cannot be negative"),
    "negative steps": (lambda: forged({"step": torch.tensor(-1)}), "counts -1 of 12 steps"),
    "more than all steps": (lambda: forged({"step": torch.tensor(13)}), "counts 13 of 12 steps"),
}


@pytest.mark.parametrize(("make", "sentence"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_not_a_whole_run_gets_one_sentence(make, sentence):
    with pytest.raises(CheckpointError, match=sentence) as caught:
        loads(make())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_forger_makes_good_files_when_nothing_is_changed():
    assert int(loads(forged())[0].step) == 2


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "MOST_BYTES", 1000)
    path = tmp_path / "big"
    path.write_bytes(forged())
    with pytest.raises(CheckpointError, match="larger than"):
        load(path)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_changed_byte_gives_a_sound_run_or_a_checkpoint_error(data):
    good = bytearray(forged())
    where = data.draw(st.integers(0, min(len(good), 2500) - 1))
    good[where] = data.draw(st.integers(0, 255))
    try:
        state, _ = loads(bytes(good))
    except CheckpointError:
        return  # and any other exception fails the test
    assert all(leaf.isfinite().all() for leaf in state.theta.values())
