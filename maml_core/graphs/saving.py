"""What autograd saves for a backward pass, weighed."""

import weakref
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from maml_core.graphs.programs import Program
from maml_core.graphs.running import Watch, ignore, run


class _Saved:
    """Stands in for a saved tensor, so that its life can be watched."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class SavedTensors:
    """Everything autograd has saved for a backward pass and not yet let go, in a run that keeps no references.

    As saved-tensor hooks see it: without Python constants, which PyTorch keeps aside as scalars of eight bytes.
    """

    def __init__(self) -> None:
        self._boxes: list[weakref.ref[_Saved]] = []

    def hooks(self) -> saved_tensors_hooks:
        return saved_tensors_hooks(self._pack, lambda box: box.tensor)

    def _pack(self, tensor: Tensor) -> _Saved:
        box = _Saved(tensor)
        self._boxes.append(weakref.ref(box))
        return box

    def bytes(self) -> int:
        """Each storage once, however many nodes saved it."""
        alive = [box.tensor for ref in self._boxes if (box := ref()) is not None]
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in alive}.values())


def saved_bytes(program: Program, inputs: Mapping[str, float], create_graph: bool, dtype: torch.dtype) -> int:
    """Bytes alive for the last backward pass when it begins."""
    saved, sizes = SavedTensors(), [0]
    with saved.hooks():
        watch = Watch(ignore, lambda _: sizes.append(saved.bytes()))
        run(program, inputs, create_graph=create_graph, dtype=dtype, watch=watch)
    return sizes[-1]
