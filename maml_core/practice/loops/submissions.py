"""A reader's meta-gradient, as text or as a file from a stranger: read without running any of it, or refused.

Shapes as in `problem`: "0.weight" (8, 1), "0.bias" (8,), "2.weight" (1, 8), "2.bias" (1,).
"""

import json
import math
import re
from typing import Any, NamedTuple, NoReturn

import torch
from safetensors.torch import load
from torch import Tensor

from maml_core.meta.trees import Params
from maml_core.practice.loops.judging import DOUBLE, SINGLE, Finding, judge
from maml_core.practice.loops.problem import DTYPE, published

MOST_BYTES = 1_000_000
DEEPEST = 8  # brackets inside brackets: two are needed
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch.save's zip, and bare ones


class SubmissionError(ValueError):
    """What is wrong with it, in one sentence for its author."""


class Answer(NamedTuple):
    """The verdict on a reader's vector. `rounding`: which precision explains what is left of a difference."""

    finding: Finding
    missing: tuple[str, ...]  # leaves that were null
    rounding: str


def judged(data: bytes) -> Answer:
    """The verdict on a file's bytes, or on pasted text in UTF-8. Raises SubmissionError for anything else."""
    if len(data) > MOST_BYTES:
        raise SubmissionError(f"It is larger than {MOST_BYTES // 10**6} MB; 25 numbers need less than 1 kB.")
    if not data.strip():
        raise SubmissionError("There is nothing in it.")
    if data.startswith(_PICKLES):
        raise SubmissionError(
            "This is a pickle, as torch.save writes it; opening one can run code, so it stays shut."
        )
    gradient = _from_safetensors(data) if _is_binary(data) else _from_json(data)
    finding = judge(gradient, tolerance=SINGLE)
    near = finding.difference is not None and finding.difference <= DOUBLE
    return Answer(finding, _missing(gradient), "float64" if near else "float32")


def _is_binary(data: bytes) -> bool:
    """safetensors begins with the length of its header in eight bytes; as text, the last of them would not be 0."""
    return data[7:9] == b"\x00{"


def _missing(gradient: Params) -> tuple[str, ...]:
    return tuple(name for name in published().theta if name not in gradient)


def _from_safetensors(data: bytes) -> Params:
    try:
        tensors = load(data)
    except Exception as error:  # safetensors raises its own type, and others for dtypes that torch lacks
        raise SubmissionError("It is not a whole safetensors file.") from error
    _require_names(tensors)
    for name, leaf in tensors.items():
        if leaf.dtype not in (torch.float64, torch.float32):
            raise SubmissionError(f"{name} is {str(leaf.dtype)[6:]}; it must be float64, or float32.")
        _require(name, leaf)
    return {name: leaf.to(DTYPE) for name, leaf in tensors.items()}


def _from_json(data: bytes) -> Params:
    _require_shallow(data)
    try:
        found = json.loads(data, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except SubmissionError:
        raise
    except (ValueError, RecursionError) as error:  # ValueError also covers broken UTF-8 and endless integers
        raise SubmissionError(f"It is neither JSON{_place(error)} nor safetensors.") from error
    if not isinstance(found, dict):
        raise SubmissionError(f"It must be a JSON object from names to lists of numbers, {_example()}.")
    _require_names(found)
    return {name: _leaf(name, value) for name, value in found.items() if value is not None}


def _require_shallow(data: bytes) -> None:
    """Counted on the bytes, before a parser goes down there; brackets in strings count too, and harm nobody."""
    depth = deepest = 0
    for byte in re.sub(rb"[^\[\]{}]+", b"", data):
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise SubmissionError(f"Its brackets are nested {deepest} deep, where a matrix needs three.")


def _no_constant(word: str) -> NoReturn:
    raise SubmissionError(f"It contains {word}; a gradient of this problem is finite.")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise SubmissionError(f"It has {_quoted(name)} twice.")
        found[name] = value
    return found


def _leaf(name: str, value: object) -> Tensor:
    """A nested list as a tensor, once every entry is known to be a number in its place."""
    shape = tuple(published().theta[name].shape)
    numbers = _numbers(name, value, shape)
    leaf = torch.tensor(numbers, dtype=DTYPE).reshape(shape)
    _require(name, leaf)
    return leaf


def _numbers(name: str, value: object, shape: tuple[int, ...]) -> list[float]:
    if not shape:
        return [_number(name, value)]
    if not isinstance(value, list) or len(value) != shape[0]:
        found = f"a list of {len(value)}" if isinstance(value, list) else "no list"
        raise SubmissionError(f"{name} must have the shape {_shape(name)}; there is {found} where {shape[0]} belong.")
    return [number for part in value for number in _numbers(name, part, shape[1:])]


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SubmissionError(f"{name} must hold numbers, in the shape {_shape(name)}.")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _require_names(found: dict[str, Any]) -> None:
    wanted = published().theta
    if missing := [name for name in wanted if name not in found]:
        raise SubmissionError(f"{missing[0]} is missing; it needs {', '.join(wanted)} (null where a .grad is None).")
    if extra := [name for name in found if name not in wanted]:
        raise SubmissionError(f"{_quoted(extra[0])} is not a leaf of this problem; it has {', '.join(wanted)}.")


def _require(name: str, leaf: Tensor) -> None:
    if tuple(leaf.shape) != tuple(published().theta[name].shape):
        raise SubmissionError(f"{name} has the shape {list(leaf.shape)}; it must be {_shape(name)}.")
    if not leaf.isfinite().all() or leaf.abs().max() > 1e100:
        raise SubmissionError(f"{name} has an entry that is not finite, or beyond 10¹⁰⁰.")
    if leaf.any() and leaf.abs().max() < 1e-100:
        raise SubmissionError(f"{name} is not 0, but smaller than 10⁻¹⁰⁰ everywhere: too small to compare.")


def _shape(name: str) -> str:
    return str(list(published().theta[name].shape))


def _quoted(text: str) -> str:
    kept = "".join(character if character.isprintable() else "·" for character in text)
    return f"“{kept[:30]}{'…' if len(kept) > 30 else ''}”"


def _place(error: Exception) -> str:
    where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
    return where


def _example() -> str:
    return "like {" + ", ".join(f'"{name}": …' for name in published().theta) + "}"
