"""A program's autograd graph, laid out: torchviz walks the graph, dot places it, the browser fills in the numbers.

The layout depends on the program alone, not on its numbers, so it is computed once per program and kept. Node ids
are the recording's. A folded inner step is one box: all its nodes are renamed to it, and duplicates drop out.
"""

import itertools
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

from graphviz import Digraph
from torch import Tensor
from torchviz import make_dot

from maml_core.graphs.programs import (
    Backward,
    Constants,
    Gradient,
    InnerGradients,
    Leaf,
    Program,
    Repeat,
    Statement,
)
from maml_core.graphs.tracing import Trace, trace

NO_DOT = (
    "The graph needs Graphviz's `dot`, which is not installed on this server: "
    "`apt-get install graphviz` (Debian, Ubuntu) or `brew install graphviz` (macOS) adds it."
)
OUTPUT = "output"  # the id of the box for the program's output
GRAPH = {"nodesep": "0.16", "ranksep": "0.15", "bgcolor": "transparent"}
NODE = {"shape": "box", "style": "rounded", "label": "", "fixedsize": "true"}
EDGE = {"arrowsize": "0.55"}
CHARACTER, PADDING, LINE = 6.6, 14.0, 12.5  # points: the browser sets labels in 11 pt type of fixed width
LONGEST = 22  # characters of a sub-expression that a box makes room for


class Drawing(NamedTuple):
    """SVGs of one graph, by the inner step that stands open: "1", "2", … or "all". `error` if there are none.

    `folded` names the box that stands for a closed step; every `<title>` is the id of a node or `source->target`.
    """

    layouts: dict[str, str]
    error: str | None = None


def draw(program: Program) -> Drawing:
    """Every layout a reader can fold to. Without Graphviz's `dot` there is none; `error` says how to get it."""
    if not shutil.which("dot"):
        return Drawing({}, NO_DOT)
    try:
        return _draw(program)
    except (subprocess.CalledProcessError, OSError):
        return Drawing({}, "Graphviz's `dot` is installed here but fails: `dot -V` should print its version.")


@lru_cache(maxsize=256)
def _draw(program: Program) -> Drawing:
    steps = max((s.times for s in program.statements if isinstance(s, Repeat)), default=1)
    states = [str(k) for k in range(1, steps + 1)] + (["all"] if steps > 1 else [])
    # The numbers do not matter here: the browser writes the reader's own into the boxes.
    seen, _, _ = trace(program, _ones(program), create_graph=True)
    grad_fns = seen.walk(seen.tensors)  # held on to, because torchviz calls a node by its Python id()
    boxes = _tensor_boxes(program, seen)
    source = _torchviz([tensor for tensor, _, _ in boxes], seen)
    names = {str(id(grad_fn)): (name, _step(name, seen, steps)) for name, grad_fn in grad_fns.items()}
    names |= {str(id(tensor)): (name, step) for tensor, name, step in boxes}
    with ThreadPoolExecutor() as pool:  # each dot is a process of its own
        svgs = pool.map(lambda state: _svg(_folded(source, names, seen, state)), states)
        return Drawing(dict(zip(states, svgs, strict=True)))


def _ones(program: Program) -> dict[str, float]:
    """A number for everything the program is given."""
    leaves = [statement.target for statement in program.statements if isinstance(statement, Leaf)]
    constants = [name for s in program.statements if isinstance(s, Constants) for name in s.targets]
    return dict.fromkeys((*leaves, *constants), 1.0)


def draw_outputs(program: Program, outputs: tuple[str, ...]) -> Drawing:
    """One layout of the graphs behind several names, which share their leaves. The boxes go by those names."""
    return _draw_outputs(program, outputs) if shutil.which("dot") else Drawing({}, NO_DOT)


@lru_cache(maxsize=256)
def _draw_outputs(program: Program, outputs: tuple[str, ...]) -> Drawing:
    inputs = {statement.target: 1.0 for statement in program.statements if isinstance(statement, Leaf)}
    seen, _, _ = trace(program, inputs, create_graph=True)
    grad_fns = seen.walk(seen.tensors)  # held on to, because torchviz calls a node by its Python id()
    tensors = {name: seen.assigned[name, None] for name in outputs}
    names: dict[str, tuple[str, int | None]] = {str(id(fn)): (name, None) for name, fn in grad_fns.items()}
    names |= {str(id(tensor)): (name, None) for name, tensor in tensors.items()}
    graph = _folded(_torchviz(list(tensors.values()), seen), names, seen, "1")
    for name in seen.leaves:  # room for the value and for .grad
        graph.node(f"{name}.leaf", width="1.7", height="0.44")
    made = tuple(name for name, tensor in tensors.items() if tensor.grad_fn is not None)  # y = x is x's own box
    for row in (tuple(f"{name}.leaf" for name in seen.leaves), made):
        same = Digraph(graph_attr={"rank": "same"})  # side by side, in this order
        for left, right in itertools.pairwise(row):
            same.edge(left, right, style="invis")
        graph.subgraph(same)
    return Drawing({"1": _svg(graph)})


def draw_together(*programs: Program) -> Drawing:
    """One layout for the graphs of several programs whose common nodes have common ids. None has a loop."""
    return _draw_together(programs) if shutil.which("dot") else Drawing({}, NO_DOT)


@lru_cache(maxsize=256)
def _draw_together(programs: tuple[Program, ...]) -> Drawing:
    first, *others = (_graph(program) for program in programs)
    for other in others:
        first.body += [line for line in other.body if line not in first.body]
    return Drawing({"1": _svg(first)})


def _graph(program: Program) -> Digraph:
    """What leads to the output, and the leaves. The program may stop before there is an output."""
    backward = next(s for s in program.statements if isinstance(s, Backward))
    # Not further: what a node written in Python has saved is gone after the backward pass, and torchviz asks for it.
    forward = Program(program.statements[: program.statements.index(backward)])
    seen, env, _ = trace(forward, dict.fromkeys(("x", "w", "lr"), 1.0), create_graph=False)
    outputs = [tensor for name, tensor in env.items() if name == backward.output and isinstance(tensor, Tensor)]
    grad_fns = seen.walk(outputs)  # held on to, as in _draw
    names: dict[str, tuple[str, int | None]] = {str(id(grad_fn)): (name, None) for name, grad_fn in grad_fns.items()}
    names |= {str(id(tensor)): (OUTPUT, None) for tensor in outputs}
    return _folded(_torchviz(outputs, seen) if outputs else "", names, seen, "all")


def _step(name: str, seen: Trace, steps: int) -> int | None:
    """The inner step a node folds into. A single step is never folded."""
    return seen.nodes[name].step if steps > 1 else None


def _tensor_boxes(program: Program, seen: Trace) -> list[tuple[Tensor, str, int | None]]:
    """What torchviz draws besides grad_fns: the output, and the losses that are on no path to it."""
    assert seen.output is not None
    used = seen.walk([seen.output])
    losses = {s.output for s in _flat(program.statements) if isinstance(s, Gradient | InnerGradients)}
    aside = [
        (tensor, f"{target}.{step}", step)
        for (target, step), tensor in seen.assigned.items()
        if target in losses and seen.id_of(tensor.grad_fn) not in used
    ]
    return [(seen.output, OUTPUT, None), *aside]


def _flat(statements: tuple[Statement, ...]) -> list[Statement]:
    return [s for outer in statements for s in ((outer, *outer.body) if isinstance(outer, Repeat) else (outer,))]


def _torchviz(outputs: list[Tensor], seen: Trace) -> str:
    return make_dot(tuple(outputs), params=seen.leaves).source


def _folded(source: str, names: dict[str, tuple[str, int | None]], seen: Trace, state: str) -> Digraph:
    """torchviz's edges between our ids, with the nodes of closed steps renamed to one box each."""
    leaves = {str(id(leaf)): f"{name}.leaf" for name, leaf in seen.leaves.items()}
    closed = {
        torchviz_name: f"step-{step + 1}"
        for torchviz_name, (_, step) in names.items()
        if step is not None and state not in ("all", str(step + 1))
    }
    boxes = {torchviz_name: name for torchviz_name, (name, _) in names.items()} | leaves | closed
    graph = Digraph(strict=True, graph_attr=GRAPH, node_attr=NODE, edge_attr=EDGE)
    for box in dict.fromkeys(boxes.values()):
        graph.node(box, **_size(box, seen))
    for tail, head in re.findall(r"(\d+) -> (\d+)", source):
        if boxes[tail] != boxes[head]:
            graph.edge(boxes[tail], boxes[head])
    return graph


def _size(box: str, seen: Trace) -> dict[str, str]:
    """Room for the operation, the sub-expression and its value: one, two or three lines of type."""
    node = seen.nodes.get(box)
    if node is None or box in seen.leaves:
        one = 26 if box == OUTPUT else 22 if box in seen.leaves else 14
        rows, characters = (2, 22) if box.startswith("step-") else (1, one)
    else:
        rows, characters = 3, max(16, min(LONGEST, 2 + node.end - node.start))
    width, height = PADDING + CHARACTER * characters, 4 + LINE * rows
    return {"width": f"{width / 72:.3f}", "height": f"{height / 72:.3f}"}


def _svg(graph: Digraph) -> str:
    """dot's SVG without its prologue and fixed size: the viewBox is all the browser needs."""
    svg = graph.pipe(format="svg", encoding="utf-8")
    svg = re.sub(r"<!--.*?-->\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return re.sub(r'<svg width="\d+pt" height="\d+pt"', "<svg", svg)
