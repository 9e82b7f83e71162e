"""A stranger's file: judged if it is 25 finite numbers in their places, else refused in one sentence; never run."""

import io
import json
import pickle
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from maml_core.meta.trees import unflatten
from maml_core.practice.loops.landmarks import LABELS, landmarks
from maml_core.practice.loops.problem import as_json, as_safetensors, published
from maml_core.practice.loops.submissions import MOST_BYTES, SubmissionError, judged

ASSETS = Path(__file__).parents[2] / "assets"
NAMES = list(published().theta)


def leaves(name="exact"):
    return unflatten(landmarks()[name], published().theta)


def as_text(params, **changes):
    return json.dumps({name: leaf.tolist() for name, leaf in params.items()} | changes).encode()


@pytest.mark.parametrize("name", LABELS)
def test_every_known_vector_is_recognised_as_json_and_as_safetensors(name):
    verdict = name if name in ("exact", "first order") else "wrong"
    for data in (as_text(leaves(name)), save(leaves(name))):
        answer = judged(data)
        assert (answer.finding.verdict, answer.finding.known_as) == (verdict, name)
        assert answer.rounding == "float64"
        assert answer.missing == ()


@pytest.mark.parametrize("name", LABELS)
def test_float32_is_enough_to_tell(name):
    single = {leaf: value.float() for leaf, value in leaves(name).items()}
    answer = judged(save(single))
    assert answer.finding.known_as == name
    assert answer.rounding == "float32"


def test_a_sum_where_a_mean_belongs_is_named_with_its_factor():
    finding = judged(as_text({name: 10 * leaf for name, leaf in leaves().items()})).finding
    assert finding.name == "10 times the meta-gradient"
    assert finding.verdict == "wrong"


def test_null_is_a_grad_that_is_none():
    assert judged(as_text({}, **dict.fromkeys(NAMES))).finding.verdict == "None"
    answer = judged(as_text(leaves(), **{"0.bias": None}))
    assert answer.missing == ("0.bias",)
    assert answer.finding.verdict == "wrong"


def test_zeros_are_zero():
    assert judged(as_text({name: 0 * leaf for name, leaf in leaves().items()})).finding.verdict == "zero"


@pytest.mark.parametrize("program", ["meta_gradient_torch.py", "meta_gradient_jax.py"])
def test_the_programs_on_the_page_compute_the_meta_gradient(program, tmp_path):
    (tmp_path / "problem.json").write_text(as_json())
    subprocess.run([sys.executable, "-W", "error", ASSETS / program], cwd=tmp_path, check=True)
    answer = judged((tmp_path / "meta_gradient.json").read_bytes())
    assert (answer.finding.verdict, answer.rounding) == ("exact", "float64")


def test_both_problem_files_hold_the_same_numbers():
    from safetensors.torch import load

    tensors, text = load(as_safetensors()), json.loads(as_json())
    assert {name: leaf.tolist() for name, leaf in tensors.items()} == {n: v for n, v in text.items() if "." in n}
    assert (text["alpha"], text["steps"]) == (0.1, 3)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("It was unpickled.",))


def torch_saved():
    buffer = io.BytesIO()
    torch.save({"0.weight": Bomb()}, buffer)
    return buffer.getvalue()


def deep(depth):
    return b'{"0.weight": ' + b"[" * depth + b"]" * depth + b"}"


REFUSED = {
    "empty": (b"  \n", "There is nothing in it"),
    "too large": (b" " * (MOST_BYTES + 1), "larger than 1 MB"),
    "torch.save": (torch_saved(), "This is a pickle"),
    "a bare pickle": (pickle.dumps(Bomb()), "This is a pickle"),
    "an old pickle": (pickle.dumps([1.0], protocol=0), "neither JSON"),
    "prose": (b"hello", "neither JSON (line 1, column 1) nor safetensors"),
    "broken UTF-8": (b'{"0.weight": "\xff\xfe"}', "neither JSON"),
    "cut off": (as_text(leaves())[:-5], "neither JSON"),
    "a list": (b"[1, 2]", "must be a JSON object"),
    "a number": (b"7", "must be a JSON object"),
    "NaN": (as_text(leaves(), **{"2.bias": [float("nan")]}), "contains NaN"),
    "Infinity": (as_text(leaves(), **{"2.bias": [float("-inf")]}), "contains -Infinity"),
    "1e999": (as_text(leaves()).replace(b'"2.bias": [', b'"2.bias": [1e999, '), "there is a list of 2 where 1"),
    "an overflow": (as_text(leaves(), **{"2.bias": ["X"]}).replace(b'"X"', b"1e999"), "not finite"),
    "a huge integer": (as_text(leaves(), **{"2.bias": [10**400]}), "not finite"),
    "an endless integer": (b'{"2.bias": [' + b"9" * 50_000 + b"]}", "neither JSON"),
    "beyond all measure": (as_text(leaves(), **{"2.bias": [1e200]}), "beyond 10"),
    "a string": (as_text(leaves(), **{"2.bias": ["1"]}), "must hold numbers"),
    "true": (as_text(leaves(), **{"2.bias": [True]}), "must hold numbers"),
    "an object inside": (as_text(leaves(), **{"2.bias": {"0": 1}}), "there is no list where 1 belong"),
    "a flat weight": (as_text(leaves(), **{"0.weight": [0.0] * 8}), "0.weight must have the shape [8, 1]"),
    "too many": (as_text(leaves(), **{"0.bias": [0.0] * 9}), "there is a list of 9 where 8 belong"),
    "too deep": (deep(9), "nested 10 deep"),
    "far too deep": (deep(300_000), "nested 300001 deep"),
    "a leaf too few": (as_text({"0.weight": leaves()["0.weight"]}), "0.bias is missing"),
    "a leaf too many": (as_text(leaves(), **{"<b>w": [1]}), "“<b>w” is not a leaf"),
    "a name twice": (as_text(leaves())[:-1] + b', "2.bias": [1.0]}', "has “2.bias” twice"),
    "many names": (json.dumps({str(i): 0 for i in range(60_000)}).encode(), "0.weight is missing"),
    "integers": (save({n: leaf.long() for n, leaf in leaves().items()}), "is int64; it must be"),
    "half precision": (save({n: leaf.half() for n, leaf in leaves().items()}), "is float16; it must be"),
    "another shape": (save(leaves() | {"0.weight": leaves()["0.weight"].mT.contiguous()}), "has the shape [1, 8]"),
    "NaN in a tensor": (save(leaves() | {"2.bias": torch.tensor([torch.nan]).double()}), "not finite"),
    "half a safetensors": (save(leaves())[:200], "not a whole safetensors file"),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_gradient_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(SubmissionError) as refusal:
        judged(data)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


def test_noise_is_refused_and_never_crashes():
    rng = random.Random(0)
    good = [as_text(leaves()), save(leaves())]
    for _ in range(400):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with suppress(SubmissionError):
            judged(bytes(data))
