"""How many bytes a computation holds for its way back, and how large its graphs become."""

from collections import Counter

from torch import Tensor
from torch.autograd.graph import Node, saved_tensors_hooks

from maml_core.meta.trees import Params


class Held:
    """A tensor that the meter counts for as long as somebody keeps this object."""

    def __init__(self, tensor: Tensor, meter: "Meter") -> None:
        # Detached: a node that held its own output with the history would hold itself, for ever.
        self.tensor, self.meter = tensor.detach(), meter
        meter.change(tensor, +1)

    def __del__(self) -> None:
        self.meter.change(self.tensor, -1)


class Meter:
    """Counts the bytes that are held and the nodes of the graphs that it is shown, while it is `on`."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self.holders: Counter[int] = Counter()  # address of a storage -> how many hold it
        self.bytes = self.peak_bytes = self.nodes = 0

    def change(self, tensor: Tensor, by: int) -> None:
        """One holder more or fewer of the memory behind `tensor`."""
        if not self.on:
            return
        storage = tensor.untyped_storage()
        before = self.holders[storage.data_ptr()]
        self.holders[storage.data_ptr()] = before + by
        if before == 0 or before + by == 0:
            self.bytes += by * storage.nbytes()
            self.peak_bytes = max(self.peak_bytes, self.bytes)

    def keep(self, params: Params) -> list[Held]:
        """Notes that a way makes for itself count like what autograd saves."""
        return [Held(leaf, self) for leaf in params.values()]

    def see(self, root: Tensor) -> None:
        """Count the nodes between `root` and its leaves."""
        seen: set[Node] = set()
        ahead = [root.grad_fn] if self.on else []
        while ahead:
            node = ahead.pop()
            if node is not None and node not in seen:
                seen.add(node)
                ahead += [parent for parent, _ in node.next_functions]
        self.nodes = max(self.nodes, len(seen))


def watching(meter: Meter) -> saved_tensors_hooks:
    """A context in which everything that autograd saves is counted by `meter`, until autograd lets go of it."""
    return saved_tensors_hooks(lambda tensor: Held(tensor, meter), lambda held: held.tensor)
