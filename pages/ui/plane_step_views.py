"""The recorded inner step in two weights as data for the linked views: FOMAML against MAML."""

from typing import Any

from maml_core.graphs.comparing import counts
from maml_core.graphs.drawing import OUTPUT
from maml_core.graphs.equations import Row
from maml_core.graphs.programs import Backward, InnerGradients, Line
from maml_core.graphs.recording import Recording
from maml_core.graphs.tracing import SUM, Node
from maml_core.numerals import numeral
from maml_core.plane.recorded import GRADIENT, INNER_LOSS, Recorded

RUNS: tuple[str, str] = ("false", "true")  # create_graph, as a link writes it
METHODS: dict[str, str] = dict(zip(RUNS, ("FOMAML", "MAML"), strict=True))
KINDS = {
    "common": ("in both graphs", "Forward nodes that both runs keep."),
    "kept": ("kept by create_graph=True", "Forward nodes that lead to θ only through the inner gradient."),
    "second": ("second order", "Nodes that grad itself wrote down: here H is multiplied."),
    "aside": ("inner loss", "The inner loss's own graph. It served grad; no path leads from it to outer_loss."),
}


def plane_step_views(step: Recorded, rows: tuple[Row, ...]) -> dict[str, Any]:
    """Everything the component draws."""
    runs = dict(zip(RUNS, step.both[:2], strict=True))
    larger = step.both.second_order
    first = {node.id: node for node in step.both.first_order.nodes}
    return {
        "steps": 1,
        "switch": "create_graph=",
        "loss": "outer_loss",
        "runs": [_run(name, run) for name, run in runs.items()],
        "kinds": [{"name": name, "label": label, "help": text} for name, (label, text) in KINDS.items()],
        "code": {name: [_line(line, run) for line in run.lines] for name, run in runs.items()},
        "gradLine": GRADIENT,
        "values": {name: _values(run) for name, run in runs.items()},
        "nodes": [_node(node, first.get(node.id), step) for node in larger.nodes],
        "boxes": _boxes(larger),
        "anchors": _anchors(larger),
        "layouts": step.drawing.layouts,
        "error": step.drawing.error,
        "equations": [_row(row) for row in rows],
        "summary": _summary(runs),
    }


def _each(first: Any, second: Any) -> dict[str, Any]:  # noqa: ANN401
    return dict(zip(RUNS, (first, second), strict=True))


def _gradient(run: Recording) -> str:
    return f"({numeral(run.gradients['u'], 5)}, {numeral(run.gradients['v'], 5)})"


def _run(name: str, run: Recording) -> dict[str, str]:
    size = counts(run)
    return {
        "id": name,
        "label": f"{run.create_graph} ({METHODS[name]})",
        "title": f"create_graph={run.create_graph}, {METHODS[name]}",
        "caption": f"{size.nodes} nodes · {size.edges} edges · {size.saved_bytes} B saved · grad {_gradient(run)}",
    }


def _line(line: Line, run: Recording) -> dict[str, Any]:
    data: dict[str, Any] = {"n": line.number, "text": line.text, "spans": line.spans, "does": ""}
    match line.statement:
        case InnerGradients():
            option = f"create_graph={run.create_graph}"
            start = line.text.index(option)
            data |= {"does": "grad", "marks": [(start, start + len(option))]}
            data["result"] = f"({numeral(run.results['gu'], 5)}, {numeral(run.results['gv'], 5)})"
        case Backward():
            data |= {"does": "backward", "result": f".grad {_gradient(run)}"}
    return data


def _values(run: Recording) -> list[dict[str, Any]]:
    return [
        {"key": f"L{v.line}c{v.start}-{v.end}", "step": v.step, "value": numeral(v.value), "node": v.node}
        for v in run.values
    ]


def _node(node: Node, first: Node | None, step: Recorded) -> dict[str, Any]:
    text = step.both.second_order.lines[node.line - 1].text[node.start : node.end]
    if node.op == "AccumulateGrad":
        text = node.id
    if f".{SUM}" in node.id:
        text = "of all paths, added"
    kind = step.both.kinds[node.id]
    value = numeral(node.value)
    return {
        "id": node.id,
        "op": node.op,
        "label": f"∂ {text}" if node.parent else text,
        "line": node.line,
        "start": node.start,
        "end": node.end,
        "step": node.step,
        "kind": kind,
        "parent": node.parent,
        "freed": _each(kind == "aside", False),
        "value": _each(value, value),
        "runs": _each(first is not None and first.used, node.used),
        "gradient": _each(_arrived(first), _arrived(node)),
    }


def _arrived(node: Node | None) -> str:
    return "–" if node is None or node.gradient is None else numeral(node.gradient)


def _boxes(run: Recording) -> dict[str, dict[str, str]]:
    texts = {
        OUTPUT: f"outer_loss = {numeral(run.results['outer_loss'])}",
        "u.leaf": f"u = {numeral(run.results['u'])}",
        "v.leaf": f"v = {numeral(run.results['v'])}",
        "inner_loss.None": "inner_loss",
    }
    return {name: _each(text, text) for name, text in texts.items()}


def _anchors(run: Recording) -> dict[str, str]:
    """The node behind each box that is a tensor."""
    inner = [value.node or "" for value in run.values if value.line == INNER_LOSS]
    output = [value.node or "" for value in run.values][-1]
    return {OUTPUT: output, "u.leaf": "u", "v.leaf": "v", "inner_loss.None": inner[-1]}


def _row(row: Row) -> dict[str, Any]:
    return {"line": row.line, "step": row.step, "always": row.always, **_each(row.first_order, row.second_order)}


def _summary(runs: dict[str, Recording]) -> list[dict[str, Any]]:
    """The headline numbers. float32 is shown to its last digit, so that readers can compare it with their own."""
    pair = list(runs.values())
    sizes = [counts(run) for run in pair]
    rows = [
        *((f"<code>{name}.grad</code>", [numeral(run.gradients[name], 16) for run in pair]) for name in ("u", "v")),
        *((f"<code>{name}</code>", [numeral(run.results[name], 16) for run in pair]) for name in ("u_phi", "v_phi")),
        ("grad_fn nodes", [str(size.nodes) for size in sizes]),
        ("edges between them", [str(size.edges) for size in sizes]),
        ("saved for backward", [f"{size.saved_bytes} bytes" for size in sizes]),
    ]
    return [{"label": label, "values": _each(first, second)} for label, (first, second) in rows]
