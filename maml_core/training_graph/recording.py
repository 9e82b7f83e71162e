"""The graph from θ to the query loss of one training step, task by task, as the algorithm itself wrote it down.

The algorithm is handed a loss that remembers every call. A call of it ends one stage of the inner loop, so each
graph node belongs to the first stage by whose end it was there:

    θ                the leaves
    one φ per task   the views of them that the first step starts from
    forward 1        what the support loss at θ wrote down
    update 1         the inner gradient (with `create_graph=True`: its own graph) and the step to φ₁
    forward 2, …     the support loss at φ₁, and so on
    query            the query loss at the last φ
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import Params, flatten
from maml_core.train.config import Config, resolved
from maml_core.train.step import State, loss_of, tasks_of

MOST_TASKS = 25  # that are recorded, one by one
THETA = "θ"


class Node(NamedTuple):
    id: str
    op: str  # PyTorch's name of the grad_fn
    stage: str  # "forward 1", "update 1", …, "query", or θ for the leaves


class TaskGraph(NamedTuple):
    """What leads from one task's query loss back to θ. Nodes that served an inner gradient only are not in it."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]  # (from, to) in the direction of the forward computation

    @property
    def stages(self) -> dict[str, int]:
        """Nodes per stage, in the order in which they came about."""
        return dict(Counter(node.stage for node in self.nodes))


class StepGraph(NamedTuple):
    """One outer step as T graphs that share θ."""

    tasks: tuple[TaskGraph, ...]
    meta_batch: int  # T of the training, of which the first are recorded
    step: int
    aside: int  # nodes per task that served an inner gradient and are not on the way
    difference: float  # relative: mean gradient of the tasks one by one against the engine's step, all at once
    reason: str  # why there is no graph, or ""


class Call(NamedTuple):
    """One evaluation of the loss inside the algorithm."""

    params: Params
    loss: Tensor
    is_query: bool


def record_step(state: State, config: Config) -> StepGraph:
    """Run the next step of this training once more, one task at a time, and keep what autograd wrote down."""
    config = resolved(config)
    count = min(config.meta_batch, MOST_TASKS)
    drawn = tasks_of(replace(config, meta_batch=count), int(state.step), state.step.device)
    alone = [_one(drawn, i) for i in range(count)]
    graphs, gradients, asides = zip(*(_record(state.theta, config, task) for task in alone), strict=True)
    together = config.row.function(loss_of(config), state.theta, drawn, **config.options).grads
    difference = _difference(torch.stack(gradients).mean(0), flatten(together))
    reason = "" if graphs[0].stages.get(THETA) else _reason(config)
    return StepGraph(graphs, config.meta_batch, int(state.step) + 1, asides[0], difference, reason)


def _difference(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm().clamp(min=1e-30)).item()


def _reason(config: Config) -> str:
    return (
        f"{config.algorithm} leaves no graph from θ to the query loss: it takes the end of the inner loop as numbers "
        "and makes its meta-gradient from them by a formula."
    )


def _one(tasks: Tasks, i: int) -> Tasks:
    """The task at place i as T = 1 task."""
    support, query = (Batch(batch.x[i : i + 1], batch.y[i : i + 1]) for batch in (tasks.support, tasks.query))
    return Tasks(support, query, {})


def _record(theta: Params, config: Config, task: Tasks) -> tuple[TaskGraph, Tensor, int]:
    """The graph of one task, its own meta-gradient, and how many nodes stand aside."""
    loss, calls = loss_of(config), []

    def watched(params: Params, batch: Batch) -> Tensor:
        value = loss(params, batch)
        calls.append(Call(params, value, batch is task.query))
        return value

    found = config.row.function(watched, theta, task, **config.options)
    stages, names = _stages(calls), _leaf_names(theta)
    query = next(call.loss for call in reversed(calls) if call.is_query)
    way = set(_walk([query.grad_fn]))
    ids = {fn: f"n{i}" for i, fn in enumerate(fn for fn in stages if fn in way)}
    nodes = tuple(_node(fn, ids[fn], stages[fn], names) for fn in ids)
    edges = tuple((ids[source], ids[fn]) for fn in ids for source in _sources(fn))
    return TaskGraph(nodes, edges), flatten(found.grads), len(stages) - len(nodes)


def _node(fn: Any, id: str, stage: str, names: dict[int, str]) -> Node:  # noqa: ANN401
    """A leaf of θ goes by its name in θ, whichever stage came to it first."""
    name = names.get(fn.variable.data_ptr()) if hasattr(fn, "variable") else None
    return Node(id, name or fn.name(), THETA if name else stage)


def _leaf_names(theta: Params) -> dict[int, str]:
    """The algorithms differentiate fresh leaves, which share θ's memory."""
    return {leaf.data_ptr(): name for name, leaf in theta.items()}


def _sources(fn: Any) -> list[Any]:  # noqa: ANN401
    return [source for source, _ in fn.next_functions if source is not None]


def _walk(roots: Iterable[Any]) -> Iterator[Any]:
    """Every node behind the roots once, those that it was made of first."""
    seen: set[Any] = set()
    waiting = [(fn, False) for fn in roots if fn is not None]
    while waiting:
        fn, ready = waiting.pop()
        if ready:
            yield fn
        elif fn not in seen:
            seen.add(fn)
            waiting += [(fn, True), *((source, False) for source in _sources(fn))]


def _stages(calls: list[Call]) -> dict[Any, str]:
    """The stage of every node, in the order of the stages."""
    stages: dict[Any, str] = {}
    done = 0
    for call in calls:
        name = f"update {done}" if done else "one φ per task"
        for fn in _walk([leaf.grad_fn for leaf in call.params.values()]):
            stages.setdefault(fn, name)
        done += not call.is_query
        for fn in _walk([call.loss.grad_fn]):
            stages.setdefault(fn, "query" if call.is_query else f"forward {done}")
    return stages
