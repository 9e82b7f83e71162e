"""Run a program and write down everything autograd did: spans, nodes, edges, values, gradients, bytes.

How a node finds its place in the code. Autograd numbers its nodes per thread; the counter is read inside a
dispatch mode after every ATen operation, so a rise says "this operation made node n". Outside the engine the node
belongs to the sub-expression being evaluated. Inside it (`create_graph=True` differentiates while it records)
PyTorch names the backward node being executed, and that is the forward node whose derivative is being built.
Two private functions are used, `_get_sequence_nr` and `_current_autograd_node`; torch is pinned, and a test
asserts that every drawn node has a record.
"""

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._C import _autograd  # pyright: ignore[reportAttributeAccessIssue]
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode

from maml_core.graphs.operations import OPERATIONS
from maml_core.graphs.programs import (
    Apply,
    Assign,
    Backward,
    Blank,
    Clear,
    Clone,
    Constants,
    Descend,
    Gradient,
    Gradients,
    Leaf,
    Line,
    NoGrad,
    Program,
    Repeat,
    Statement,
)

SUM = "sum"  # in the id of a node that adds the gradients of several paths
Number = Tensor | float
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


class Edge(NamedTuple):
    """`target` was computed from `source`. `local` is ∂target/∂source, None outside the used graph."""

    source: str
    target: str
    slot: int
    local: float | None
    used: bool


class Recording(NamedTuple):
    """One run of a program, as plain data.

    `results`: the number each name held at the end. `gradients`: `.grad` of each leaf. `saved_bytes`: what
    autograd held for the backward pass at the moment it began, each storage counted once. `error`: PyTorch's
    own sentence where the program stopped, on line `error_line`. `visited`: the nodes in the order in which the
    backward pass came to them. `answers`: what `name.grad` is at the end, for each name that holds a tensor.
    """

    lines: tuple[Line, ...]
    create_graph: bool
    values: tuple[Value, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    results: dict[str, float]
    gradients: dict[str, float | None]
    saved_bytes: int
    error: str | None
    error_line: int | None = None
    visited: tuple[str, ...] = ()
    answers: Mapping[str, float | None] = MappingProxyType({})

    @property
    def used_nodes(self) -> frozenset[str]:
        return frozenset(node.id for node in self.nodes if node.used)

    @property
    def used_edges(self) -> frozenset[tuple[str, str, int]]:
        return frozenset((edge.source, edge.target, edge.slot) for edge in self.edges if edge.used)


class Watch(NamedTuple):
    """Who is told what while a program runs."""

    computed: Callable[[int, int, int | None, Number], None]  # line, index of the span, step, value
    before_backward: Callable[[Tensor], None]
    after: Callable[[int, Mapping[str, Number]], None] = lambda *_: None  # line that ran or failed, names so far
    entered: Callable[[int, dict[str, Number]], None] = lambda number, env: None  # line, what the names hold so far


def _ignore(*_: object) -> None:
    return None


BLIND = Watch(computed=_ignore, before_backward=_ignore)


def run(
    program: Program,
    inputs: Mapping[str, float],
    *,
    create_graph: bool,
    dtype: torch.dtype = torch.float32,
    watch: Watch = BLIND,
    frozen: Mapping[int, float] | None = None,
) -> dict[str, Number]:
    """Execute the program; returns the final value of every name.

    `frozen` maps an inner step to the number its gradient is replaced by, which is what `create_graph=False`
    means to the outer derivative. Raises what PyTorch raises.
    """
    env: dict[str, Number] = {}
    shielded = False  # a with-block holds one statement, the next
    for number, statement, step in program.schedule():
        watch.entered(number, env)

        def done(index: int, value: Number, number: int = number, step: int | None = step) -> None:
            watch.computed(number, index, step, value)

        try:
            if isinstance(statement, Leaf):
                leaf = torch.tensor(inputs[statement.target], dtype=dtype, requires_grad=True)
                env[statement.target] = leaf
                done(0, leaf)
            elif isinstance(statement, Gradient) and frozen is not None:
                env[statement.target] = frozen[step or 0]
            elif isinstance(statement, Backward | Gradients):
                output = _tensor(env[statement.output])
                watch.before_backward(output)
                env.update(_differentiate(statement, output, env))
            else:
                with torch.no_grad() if shielded else contextlib.nullcontext():
                    _compute(statement, env, inputs, create_graph, done)
        finally:
            watch.after(number, env)
        shielded = isinstance(statement, NoGrad)
    return env


def _differentiate(statement: Backward | Gradients, output: Tensor, env: Mapping[str, Number]) -> dict[str, Number]:
    """Start the engine; what it returns, by name."""
    if isinstance(statement, Backward):
        output.backward(retain_graph=statement.retain_graph)
        return {}
    leaves = [_tensor(env[name]) for name in statement.wrt]
    returned = torch.autograd.grad(output, leaves, retain_graph=statement.retain_graph)
    return dict(zip(statement.targets, returned, strict=True))


def _compute(
    statement: Statement,
    env: dict[str, Number],
    inputs: Mapping[str, float],
    create_graph: bool,
    done: Callable[[int, Number], None],
) -> None:
    match statement:
        case Constants(targets):
            env.update({name: inputs[name] for name in targets})
        case Clone(target, source):
            env[target] = _tensor(env[source]).clone()
            done(0, env[target])
        case Assign(target, expression):
            env[target] = expression.evaluate(env, done)
        case Gradient(target, output, wrt):
            (env[target],) = torch.autograd.grad(_tensor(env[output]), _tensor(env[wrt]), create_graph=create_graph)
            done(0, env[target])
        case Descend(target, leaf, rate):
            leaf_tensor = _tensor(env[leaf])
            gradient: Any = leaf_tensor.grad if leaf_tensor.is_leaf else None  # asking any other makes PyTorch warn
            env[target] = leaf_tensor.detach() - env[rate] * gradient  # with None this is Python's own TypeError
            done(0, env[target])
        case Apply(target, operation):
            env[target] = OPERATIONS[operation].apply(_tensor(env[target]))
            done(0, env[target])
        case Clear(leaves, to_none):
            _clear([_tensor(env[leaf]) for leaf in leaves], to_none)
        case Repeat() | NoGrad() | Blank():
            pass  # the schedule goes on inside


def _clear(leaves: list[Tensor], to_none: bool) -> None:
    for leaf in leaves:
        if to_none:
            leaf.grad = None
        elif leaf.grad is not None:
            leaf.grad.zero_()


def _tensor(value: Number) -> Tensor:
    """Constants have no graph; PyTorch's own words about that are raised where they are used."""
    return value if isinstance(value, Tensor) else torch.tensor(value)


def _plain(value: Number) -> float:
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def _grad(tensor: Tensor) -> float | None:
    """`tensor.grad`, without the warning that PyTorch gives to those who ask a tensor that is no leaf."""
    return float(tensor.grad) if tensor.is_leaf and tensor.grad is not None else None


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
                self._unplaced.append((now - 1, _plain(out)))
            else:
                self._engine_node(now - 1, _plain(out), self.nodes[self.ids[parent._sequence_nr()]], func.__name__)
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
                self.nodes[name] = Node(name, number, *span, step, _plain(value))
            self.tensors.append(value)
            if isinstance(line.statement, Assign):
                self.assigned[line.statement.target, step] = value  # the last span is the whole line
            node = self.id_of(value.grad_fn) if value.grad_fn is not None else self._leaf_name(value)
        self.values.append(Value(number, *span, step, _plain(value), node))

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
    after: Callable[[Trace, int, Mapping[str, Number]], None] = _ignore,
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


def record(
    program: Program, inputs: Mapping[str, float], *, create_graph: bool, dtype: torch.dtype = torch.float32
) -> Recording:
    """Run `program` once and describe it completely. Never raises for what PyTorch refuses: see `error`."""
    seen, env, error = trace(program, inputs, create_graph=create_graph, dtype=dtype)
    grad_fns = seen.walk(seen.tensors)
    used = seen.walk([seen.output]) if seen.output is not None else {}
    return Recording(
        lines=seen.lines,
        create_graph=create_graph,
        values=tuple(seen.values),
        nodes=tuple(
            node._replace(op=_op(grad_fns[name]), gradient=seen.gradients.get(name), used=name in used)
            for name, node in seen.nodes.items()
            # Not a leaf that nothing depends on, a constant's derivative, or the clone in `x.clone().detach()`.
            if name in grad_fns
        ),
        edges=tuple(_edges(seen, grad_fns, used)),
        results={name: _plain(value) for name, value in env.items()},
        gradients={name: None if leaf.grad is None else float(leaf.grad) for name, leaf in seen.leaves.items()},
        saved_bytes=0 if error else _saved_bytes(program, inputs, create_graph, dtype),
        error=error,
        error_line=seen.line if error else None,
        visited=tuple(seen.gradients),
        answers={name: _grad(value) for name, value in env.items() if isinstance(value, Tensor)},
    )


def _op(grad_fn: GradFn) -> str:
    return type(grad_fn).__name__


def _edges(seen: Trace, grad_fns: Mapping[str, GradFn], used: Mapping[str, GradFn]) -> Iterator[Edge]:
    for target, grad_fn in grad_fns.items():
        for slot, (child, _) in enumerate(grad_fn.next_functions):
            if child is not None:
                yield Edge(seen.id_of(child), target, slot, seen.locals.get((target, slot)), target in used)


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


def _saved_bytes(program: Program, inputs: Mapping[str, float], create_graph: bool, dtype: torch.dtype) -> int:
    """Bytes alive for the last backward pass when it begins."""
    saved, sizes = SavedTensors(), [0]
    with saved.hooks():
        watch = Watch(_ignore, lambda _: sizes.append(saved.bytes()))
        run(program, inputs, create_graph=create_graph, dtype=dtype, watch=watch)
    return sizes[-1]
