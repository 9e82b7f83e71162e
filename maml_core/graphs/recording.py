"""Run a program and write down everything autograd did: spans, nodes, edges, values, gradients, bytes."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.graphs.programs import Line, Program
from maml_core.graphs.running import plain
from maml_core.graphs.saving import saved_bytes
from maml_core.graphs.tracing import GradFn, Node, Trace, Value, trace


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
        results={name: plain(value) for name, value in env.items()},
        gradients={name: None if leaf.grad is None else float(leaf.grad) for name, leaf in seen.leaves.items()},
        saved_bytes=0 if error else saved_bytes(program, inputs, create_graph, dtype),
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


def _grad(tensor: Tensor) -> float | None:
    """`tensor.grad`, without the warning that PyTorch gives to those who ask a tensor that is no leaf."""
    return float(tensor.grad) if tensor.is_leaf and tensor.grad is not None else None
