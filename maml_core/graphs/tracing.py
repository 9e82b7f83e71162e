"""Watch a program run: which grad_fn is which sub-expression, and what each of them says.

How a node finds its place in the code. Autograd numbers its nodes per thread; the counter is read inside a
dispatch mode after every ATen operation, so a rise says "this operation made node n". Outside the engine the node
belongs to the sub-expression being evaluated. Inside it (`create_graph=True` differentiates while it records)
PyTorch names the backward node being executed, and that is the forward node whose derivative is being built.
Two private functions are used, `_get_sequence_nr` and `_current_autograd_node`; torch is pinned, and a test
asserts that every drawn node has a record.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._C import _autograd  # pyright: ignore[reportAttributeAccessIssue]
from torch.utils._python_dispatch import TorchDispatchMode

from maml_core.graphs.programs import Apply, Assign, Leaf, Line, Program
from maml_core.graphs.running import Number, Watch, ignore, plain, run

SUM = "sum"  # in the id of a node that adds the gradients of several paths
GradFn = Any  # torch.autograd.graph.Node, plus the attributes that only its C++ subclasses have


class Value(NamedTuple):
    """What one sub-expression came out as. `node` made it, or is None for plain numbers.

    `step` counts inner steps from 0; it is None outside the loop.
    """

    line: int
    start: int
    end: int
    step: int | None
    value: float
    node: str | None


class Node(NamedTuple):
    """One grad_fn. `parent` is the forward node whose derivative it computes, if the engine made it.

    `used`: the backward pass from the program's output goes through it. `gradient`: d output / d this node's
    value, None where no gradient arrived.
    """

    id: str
    line: int
    start: int
    end: int
    step: int | None
    value: float
    op: str = ""
    gradient: float | None = None
    parent: str | None = None
    used: bool = False


class Trace(TorchDispatchMode):
    """What one run left behind, live: which grad_fn is which sub-expression, and the values of both."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        super().__init__()
        self.lines = lines
        self.leaves: dict[str, Tensor] = {}
        self.ids: dict[int, str] = {}  # sequence number of a grad_fn -> stable id
        self.nodes: dict[str, Node] = {}  # in the order of creation
        self.values: list[Value] = []
        self.tensors: list[Tensor] = []  # keeps every graph alive while we look at it
        self.assigned: dict[tuple[str, int | None], Tensor] = {}  # (name, step) -> what `name = …` gave it
        self.output: Tensor | None = None
        self.locals: dict[tuple[str, int], float] = {}  # (node, slot) -> local derivative
        self.gradients: dict[str, float] = {}
        self._listening: set[str] = set()  # nodes
        self.line = 0  # the one that is running
        self.env: dict[str, Number] = {}
        self._unplaced: list[tuple[int, float]] = []
        self._last = _autograd._get_sequence_nr()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        out = func(*args, **(kwargs or {}))
        now = _autograd._get_sequence_nr()
        if now > self._last:
            parent = torch._C._current_autograd_node()
            if parent is None:
                self._unplaced.append((now - 1, plain(out)))
            else:
                self._engine_node(now - 1, plain(out), self.nodes[self.ids[parent._sequence_nr()]], func.__name__)
        self._last = now
        return out

    def _engine_node(self, sequence: int, value: float, parent: Node, operation: str) -> None:
        count = sum(node.parent == parent.id for node in self.nodes.values())
        # Where several paths lead to one tensor the engine adds their gradients, after the node it ran last.
        what = SUM if operation == "add.Tensor" else "d"
        self._add(sequence, parent._replace(id=f"{parent.id}.{what}{count}", value=value, parent=parent.id))

    def _add(self, sequence: int, node: Node) -> None:
        self.ids[sequence] = node.id
        self.nodes[node.id] = node

    def entered(self, number: int, env: dict[str, Number]) -> None:
        self.line, self.env = number, env

    def computed(self, number: int, index: int, step: int | None, value: Number) -> None:
        line = self.lines[number - 1]
        span = line.spans[index]
        for count, (sequence, out) in enumerate(self._unplaced):
            # One printed operation is one grad_fn in this grammar; should PyTorch split one, ids stay unique.
            place = f"L{number}c{span.start - line.shift}-{span.end - line.shift}"
            name = f"{place}.{step or 0}" + (f"~{count}" if count else "")
            self._add(sequence, Node(name, number, *span, step, out))
        self._unplaced.clear()
        node = None
        if isinstance(value, Tensor) and value.requires_grad:
            if isinstance(line.statement, Leaf | Apply) and self._is_new_leaf(value):
                name = line.statement.target + (f".L{number}" if isinstance(line.statement, Apply) else "")
                self.leaves[name] = value
                self.nodes[name] = Node(name, number, *span, step, plain(value))
            self.tensors.append(value)
            if isinstance(line.statement, Assign):
                self.assigned[line.statement.target, step] = value  # the last span is the whole line
            node = self.id_of(value.grad_fn) if value.grad_fn is not None else self._leaf_name(value)
        self.values.append(Value(number, *span, step, plain(value), node))

    def _is_new_leaf(self, tensor: Tensor) -> bool:
        return tensor.is_leaf and all(leaf is not tensor for leaf in self.leaves.values())

    def id_of(self, grad_fn: GradFn) -> str:
        """A leaf's AccumulateGrad goes by the leaf's name: its sequence number is always 2⁶⁴ − 1."""
        if hasattr(grad_fn, "variable"):
            return self._leaf_name(grad_fn.variable)
        return self.ids[grad_fn._sequence_nr()]

    def _leaf_name(self, tensor: Tensor) -> str:
        return next(name for name, leaf in self.leaves.items() if leaf is tensor)

    def walk(self, outputs: list[Tensor]) -> dict[str, GradFn]:
        """Every grad_fn reachable from `outputs`, by id. Holding the result keeps the Python wrappers alive."""
        found: dict[str, GradFn] = {}
        waiting: list[GradFn | None] = [output.grad_fn for output in outputs]
        while waiting:
            grad_fn = waiting.pop()
            if grad_fn is not None and self.id_of(grad_fn) not in found:
                found[self.id_of(grad_fn)] = grad_fn
                waiting += [child for child, _ in grad_fn.next_functions]
        return found

    def before_backward(self, output: Tensor) -> None:
        """Ask every used node for its local derivatives, then listen for the gradient it will receive."""
        self.output = output
        self.gradients.clear()  # of an earlier backward pass
        for name, grad_fn in self.walk([output]).items():
            if name in self._listening:
                continue
            self._listening.add(name)
            if not hasattr(grad_fn, "variable"):  # calling AccumulateGrad would accumulate
                self.locals |= _local_derivatives(name, grad_fn, output.dtype)
            grad_fn.register_prehook(self._listener(name))

    def _listener(self, name: str) -> Callable[[tuple[Tensor, ...]], None]:
        # Holding self here would close a circle through C++ that Python's collector cannot see: a leak per run.
        gradients = self.gradients

        def listen(incoming: tuple[Tensor, ...]) -> None:
            gradients[name] = float(incoming[0])

        return listen


def _local_derivatives(name: str, grad_fn: GradFn, dtype: torch.dtype) -> dict[tuple[str, int], float]:
    """What the node answers to a gradient of 1. Nothing, if an in-place operation has spoilt what it saved."""
    ask = getattr(grad_fn, "apply", grad_fn)  # a node written in Python is not callable itself
    try:
        with torch.no_grad():
            answer = ask(torch.ones((), dtype=dtype))
    except RuntimeError:
        return {}
    answers = answer if isinstance(answer, tuple) else (answer,)
    return {(name, k): float(d) for k, d in enumerate(answers) if d is not None}


def trace(
    program: Program,
    inputs: Mapping[str, float],
    *,
    create_graph: bool,
    dtype: torch.dtype = torch.float32,
    after: Callable[[Trace, int, Mapping[str, Number]], None] = ignore,
) -> tuple[Trace, dict[str, Number], str | None]:
    """Run the program under a Trace: what was seen, the final names, and PyTorch's complaint if it stopped.

    `after` is told of every line that ran or failed.
    """
    seen = Trace(program.lines(inputs, create_graph=create_graph))
    try:
        with seen:
            run(
                program,
                inputs,
                create_graph=create_graph,
                dtype=dtype,
                watch=Watch(
                    seen.computed,
                    seen.before_backward,
                    lambda number, names: after(seen, number, names),
                    seen.entered,
                ),
            )
    except (RuntimeError, TypeError) as error:
        return seen, seen.env, str(error)
    return seen, seen.env, None
