"""A training as bytes: safetensors with the config and the versions inside, and nothing that could run.

What does not fit in every respect is refused in one sentence, before it is used.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor

from maml_core.meta.inner import RATE
from maml_core.meta.models import mlp_shapes
from maml_core.meta.trees import Params
from maml_core.train.config import Config, resolved
from maml_core.train.step import State

FORMAT = "through-the-inner-loop run, version 1"
MOST_BYTES = 256 * 2**20
_HEADER_LENGTH = 8  # bytes in front of the header that say how long it is
_PARTS = ("theta", "first", "second")


class CheckpointError(ValueError):
    """A file that is not a run of this project, or not a whole one; said in one sentence."""


def dumps(state: State, config: Config) -> bytes:
    """The whole training as bytes. Everything that the next step depends on is in them, to the last bit."""
    config = resolved(config)
    tensors = {f"{part}/{name}": leaf for part in _PARTS for name, leaf in getattr(state, part).items()}
    tensors |= {"step": state.step, "query_loss": state.query_loss, "gradient_norm": state.gradient_norm}
    versions = {"torch": torch.__version__, "safetensors": safetensors.__version__}
    metadata = {"format": FORMAT, "config": json.dumps(asdict(config)), "versions": json.dumps(versions)}
    return write_tensors({name: leaf.detach().cpu().contiguous() for name, leaf in tensors.items()}, metadata)


def loads(data: bytes, *, device: torch.device | str = "cpu") -> tuple[State, Config]:
    """The training that `dumps` wrote. Raises CheckpointError for anything else."""
    if len(data) > MOST_BYTES:
        raise CheckpointError(f"The file is larger than {MOST_BYTES // 2**20} MiB, as no run is.")
    try:
        tensors = read_tensors(data)
    except Exception as error:  # safetensors raises its own type, and others for dtypes that torch lacks
        raise CheckpointError("The file is not in safetensors format, or a part of it is missing.") from error
    config = _config_in(data)
    state = _state_of(tensors, config, torch.device(device))
    return state, config


def save(path: str | os.PathLike[str], state: State, config: Config) -> None:
    """Write the training to `path`: at any moment the old file or the whole new one is there."""
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(dumps(state, config))
    unfinished.replace(path)


def load(path: str | os.PathLike[str], *, device: torch.device | str = "cpu") -> tuple[State, Config]:
    """Read a training from `path`. Raises CheckpointError as `loads`, and OSError without a file."""
    with open(path, "rb") as file:
        return loads(file.read(MOST_BYTES + 1), device=device)


def _config_in(data: bytes) -> Config:
    """The config in the header of a file that safetensors has already found whole."""
    end = _HEADER_LENGTH + int.from_bytes(data[:_HEADER_LENGTH], "little")
    metadata = json.loads(data[_HEADER_LENGTH:end]).get("__metadata__") or {}
    if metadata.get("format") != FORMAT:
        found = metadata.get("format", "no format at all")
        raise CheckpointError(f"The file is not a run that this version can read: it names {found!r:.60}.")
    try:
        values: dict[str, Any] = json.loads(metadata["config"])
        return resolved(Config(**{**values, "hidden": tuple(values["hidden"])}))
    except (KeyError, TypeError, RecursionError, json.JSONDecodeError) as error:
        raise CheckpointError("The configuration inside the file has missing or unknown parts.") from error
    except ValueError as error:
        raise CheckpointError(f"The configuration inside the file is not allowed: {error}") from error


def _shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that a run of this config has, in the order of θ."""
    theta = mlp_shapes(config.sizes)
    if config.algorithm == "meta-sgd":
        theta |= {RATE + name: shape for name, shape in theta.items()}
    parts = _PARTS if config.outer == "adam" else _PARTS[:1]
    shapes = {f"{part}/{name}": shape for part in parts for name, shape in theta.items()}
    return shapes | {"step": (), "query_loss": (config.meta_batch,), "gradient_norm": ()}


def _state_of(tensors: dict[str, Tensor], config: Config, device: torch.device) -> State:
    """The tensors as a state, once each has the right name, shape, type and kind of values."""
    shapes = _shapes(config)
    if set(tensors) != set(shapes):
        name = min(set(tensors) ^ set(shapes))
        raise CheckpointError(f"The file and its configuration disagree about the tensor {name!r:.60}.")
    for name, shape in shapes.items():
        _require(name, tensors[name], shape)
    if not 0 <= int(tensors["step"]) <= config.iterations:
        raise CheckpointError(f"The file counts {int(tensors['step'])} of {config.iterations} steps, as no run can.")
    placed = {name: tensors[name].to(device) for name in shapes}
    theta, first, second = (_part(placed, part) for part in _PARTS)
    step, query_loss, norm = (placed[name] for name in ("step", "query_loss", "gradient_norm"))
    return State(theta, first, second, step, query_loss, norm, torch.tensor(True, device=device))


def _require(name: str, leaf: Tensor, shape: tuple[int, ...]) -> None:
    """One sentence for a tensor that a run cannot have."""
    dtype = torch.int64 if name == "step" else torch.float32
    if tuple(leaf.shape) != shape or leaf.dtype != dtype:
        found, wanted = f"{leaf.dtype} {list(leaf.shape)}", f"{dtype} {list(shape)}"
        raise CheckpointError(f"The tensor {name!r} is {found}, where its configuration has {wanted}.")
    if "/" in name and not leaf.isfinite().all():
        raise CheckpointError(f"The tensor {name!r} has values that are not finite numbers.")
    if name.startswith("second/") and (leaf < 0).any():
        raise CheckpointError(f"The tensor {name!r} is a mean of squares and cannot be negative.")


def _part(tensors: dict[str, Tensor], part: str) -> Params:
    """The leaves of θ, or of one of Adam's memories, under their own names."""
    return {name.split("/", 1)[1]: leaf for name, leaf in tensors.items() if name.startswith(part + "/")}
