"""A StepGraph as a picture in the DOT language, folded: all tasks closed, one open, or one stage of one open."""

from collections import Counter
from typing import NamedTuple

from maml_core.training_graph.recording import THETA, StepGraph, TaskGraph

CLOSED_TASKS = 6  # boxes before "… more tasks"
MEAN = "mean"
# Fill colours that bear dark text, so that the picture stands on light and on dark ground.
GREY, BLUE, VIOLET, ORANGE = "#e3e6ea", "#bcd6f5", "#dcc6f2", "#ffe0b0"
FILLS = {THETA: GREY, "one": GREY, "forward": BLUE, "update": VIOLET, "query": ORANGE, "task": BLUE}
LINE, INK = "#7a828c", "#15181c"
HEAD = (
    'bgcolor="transparent"; rankdir=TB; nodesep=0.2; ranksep=0.3; '
    f'fontname="sans-serif"; fontsize=11; color="{LINE}"; fontcolor="{LINE}"; '
    f'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11, '
    f'color="{LINE}", fontcolor="{INK}"]; '
    f'edge [color="{LINE}", fontcolor="{LINE}", fontname="sans-serif", fontsize=10, arrowsize=0.6];'
)


class Folded(NamedTuple):
    """The picture, and in words what it shows."""

    dot: str
    words: str


def fold(graph: StepGraph, *, task: int | None = None, stage: str | None = None) -> Folded:
    """`task` is the one that stands open, from 0; `stage` the one of its stages whose nodes are all drawn.

    Raises ValueError for a task or a stage that is not there.
    """
    if task is None:
        return _closed(graph)
    if not 0 <= task < len(graph.tasks):
        raise ValueError(f"There are tasks 1 to {len(graph.tasks)}, so none with the number {task + 1}.")
    one = graph.tasks[task]
    if stage is not None and stage not in one.stages:
        raise ValueError(f"The stage must be one of {', '.join(one.stages)}, not {stage!r:.40}.")
    return _open(graph, task, stage)


def _closed(graph: StepGraph) -> Folded:
    """θ, a box per task, the mean."""
    size = len(graph.tasks[0].nodes) - graph.tasks[0].stages.get(THETA, 0)
    few = min(len(graph.tasks), CLOSED_TASKS if graph.meta_batch > CLOSED_TASKS + 1 else CLOSED_TASKS + 1)
    names = {f"t{i}": f"task {i + 1}\\n{size} nodes" for i in range(few)}
    if rest := graph.meta_batch - few:
        names["rest"] = f"… {rest} more tasks\\n{size} nodes each"
    leaves = graph.tasks[0].stages.get(THETA, 0)
    lines = [_box(THETA, f"θ\\n{leaves} leaves", THETA), _box(MEAN, _mean(graph), "query")]
    lines += [_box(name, label, "task") for name, label in names.items()]
    lines += [line for name in names for line in (_arrow(THETA, name), _arrow(name, MEAN))]
    words = f"θ, {graph.meta_batch} tasks of {size} nodes each, and the mean of their query losses."
    return Folded(_dot(lines), words)


def _open(graph: StepGraph, task: int, stage: str | None) -> Folded:
    """The stages of one task in the order in which they came, one of them perhaps with all its nodes."""
    one = graph.tasks[task]
    lines = [_box(name, _label(name, count), name) for name, count in one.stages.items() if name != stage]
    if stage is not None:
        nodes = [_box(node.id, node.op, stage) for node in one.nodes if node.stage == stage]
        lines.append(f'subgraph cluster_0 {{ label="{stage}"; {" ".join(nodes)} }}')
    lines += [_arrow(source, target, count) for (source, target), count in _between(one, stage).items()]
    last = one.nodes[-1].id if stage == "query" else "query"
    lines += [_box(MEAN, _mean(graph), "query"), _arrow(last, MEAN)]
    if graph.meta_batch > 1:
        others = f"{graph.meta_batch - 1} other tasks\\n{len(one.nodes) - one.stages.get(THETA, 0)} nodes each"
        lines += [_box("rest", others, "task"), _arrow("rest", MEAN)]
        lines += [] if stage == THETA else [_arrow(THETA, "rest")]
    counts = ", ".join(f"{name} {count}" for name, count in one.stages.items())
    return Folded(_dot(lines), f"Task {task + 1} of {graph.meta_batch}, nodes by stage: {counts}.")


def _between(one: TaskGraph, stage: str | None) -> Counter[tuple[str, str]]:
    """How many arrows lead from box to box. Those inside a folded stage are not drawn."""
    at = {node.id: node.id if node.stage == stage else node.stage for node in one.nodes}
    return Counter((at[a], at[b]) for a, b in one.edges if at[a] != at[b])


def _label(name: str, count: int) -> str:
    texts = {THETA: f"θ\\n{count} leaves", "query": f"query loss\\n{count} nodes"}
    return texts.get(name, f"{name}\\n{count} nodes")


def _mean(graph: StepGraph) -> str:
    return f"mean of {graph.meta_batch} query losses"


def _box(name: str, label: str, stage: str) -> str:
    return f'"{name}" [label="{label}", fillcolor="{FILLS[stage.split()[0]]}"];'


def _arrow(source: str, target: str, count: int = 1) -> str:
    return f'"{source}" -> "{target}"' + (f' [label="{count}"];' if count > 1 else ";")


def _dot(lines: list[str]) -> str:
    return f"digraph {{ {HEAD} {' '.join(lines)} }}"
