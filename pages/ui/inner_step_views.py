"""An Explanation of the inner-step program as data for the linked views: create_graph=False against True."""

from typing import Any

from maml_core.graphs.comparing import Counts, counts
from maml_core.graphs.drawing import OUTPUT
from maml_core.graphs.explaining import Explanation
from maml_core.graphs.programs import INNER_LOSS, Backward, Descend, Gradient, Line, Repeat
from maml_core.graphs.recording import Recording
from maml_core.graphs.tracing import SUM, Node
from maml_core.numerals import numeral
from pages.ui.path_rows import path_rows

RUNS = ("false", "true")  # create_graph, as a link writes it
KINDS = {
    "common": ("in both graphs", "Forward nodes that both runs keep."),
    "kept": ("kept by create_graph=True", "Forward nodes that lead to x only through the inner gradient."),
    "second": ("second order", "Nodes that grad itself wrote down, because create_graph=True asked it to."),
    "aside": ("inner loss", "The inner loss's own graph. It served grad; no path leads from it to outer_loss."),
}


def inner_step_views(explanation: Explanation, *, revealed: bool) -> dict[str, Any]:
    """Everything the component draws. What is still to be predicted is null."""
    runs = dict(zip(RUNS, explanation.both[:2], strict=True))
    shown = dict(zip(RUNS, (True, revealed), strict=True))
    lines = explanation.both.second_order.lines
    return {
        "steps": explanation.lesson.inner_steps,
        "switch": "create_graph=",
        "loss": "outer_loss",
        "runs": [_run(name, run, shown[name]) for name, run in runs.items()],
        "kinds": [{"name": name, "label": label, "help": text} for name, (label, text) in KINDS.items()],
        "code": {name: [_line(line, run, shown[name]) for line in run.lines] for name, run in runs.items()},
        "gradLine": next(line.number for line in lines if isinstance(line.statement, Gradient)),
        "values": {name: _values(run) for name, run in runs.items()},
        "nodes": [_node(node, explanation, revealed) for node in explanation.both.second_order.nodes],
        "boxes": _boxes(explanation),
        "anchors": _anchors(explanation),
        "layouts": explanation.drawing.layouts,
        "error": explanation.drawing.error,
        "equations": _equations(explanation, revealed),
        "summary": _summary(explanation, revealed),
        "paths": {
            name: path_rows(run, runs[RUNS[0]], shown=shown[name], extra="only with create_graph=True")
            for name, run in runs.items()
        },
    }


def _by_run(first: Any, second: Any) -> dict[str, Any]:  # noqa: ANN401
    return dict(zip(RUNS, (first, second), strict=True))


def _run(name: str, recording: Recording, shown: bool) -> dict[str, str]:
    size: Counts = counts(recording)
    gradient = numeral(recording.gradients["x"]) if shown else "?"
    return {
        "id": name,
        "label": str(recording.create_graph),
        "title": f"create_graph={recording.create_graph}",
        "caption": f"{size.nodes} nodes · {size.edges} edges · {size.saved_bytes} B saved · x.grad {gradient}",
    }


def _line(line: Line, recording: Recording, shown: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"n": line.number, "text": line.text, "spans": line.spans, "does": ""}
    match line.statement:
        case Repeat():
            data["does"] = "loop"
        case Gradient():
            option = f"create_graph={recording.create_graph}"
            start = line.text.index(option)
            data |= {"does": "grad", "marks": [(start, start + len(option))]}
        case Backward():
            data |= {"does": "backward", "result": f"x.grad = {numeral(recording.gradients['x'])}" if shown else None}
        case Descend(target):
            data["result"] = numeral(recording.results.get(target)) if shown else None
    return data


def _values(recording: Recording) -> list[dict[str, Any]]:
    return [
        {"key": f"L{v.line}c{v.start}-{v.end}", "step": v.step, "value": numeral(v.value), "node": v.node}
        for v in recording.values
        # What comes after backward is the run's result, and may still have to be predicted.
        if not isinstance(recording.lines[v.line - 1].statement, Descend)
    ]


def _node(node: Node, explanation: Explanation, revealed: bool) -> dict[str, Any]:
    first = {n.id: n for n in explanation.both.first_order.nodes}.get(node.id)
    line = explanation.both.second_order.lines[node.line - 1]
    text = line.text[node.start : node.end] if node.op != "AccumulateGrad" else node.id
    if f".{SUM}" in node.id:
        text = "of all paths, added"
    kind = explanation.both.kinds[node.id]
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
        "freed": _by_run(kind == "aside", False),
        "value": _by_run(numeral(node.value), numeral(node.value)),
        "runs": _by_run(first is not None and first.used, node.used),
        "gradient": _by_run(_gradient(first), _gradient(node) if revealed else None),
    }


def _gradient(node: Node | None) -> str:
    return "–" if node is None or node.gradient is None else numeral(node.gradient)


def _output(recording: Recording) -> str | None:
    """The node of the outer loss: the last forward one."""
    return recording.nodes[-1].id if recording.nodes else None


def _boxes(explanation: Explanation) -> dict[str, dict[str, str]]:
    recording, inputs = explanation.both.second_order, explanation.inputs
    texts = {
        OUTPUT: f"outer_loss = {numeral(recording.results.get('outer_loss'))}",
        "x.leaf": f"x = {numeral(inputs['x'])}",
        **{f"inner_loss.{step}": "inner_loss" for step in range(explanation.lesson.inner_steps)},
    }
    return {name: _by_run(text, text) for name, text in texts.items()}


def _anchors(explanation: Explanation) -> dict[str, str]:
    """The node behind each box that is a tensor."""
    recording = explanation.both.second_order
    losses = {f"inner_loss.{v.step}": v.node for v in recording.values if v.line == INNER_LOSS and v.node}
    return {OUTPUT: _output(recording) or "", "x.leaf": "x", **losses}  # the last value of a line is the whole line's


def _equations(explanation: Explanation, revealed: bool) -> list[dict[str, Any]]:
    hidden = ("<mo>=</mo><mtext>?</mtext>",)
    return [
        {
            "line": row.line,
            "step": row.step,
            "always": row.always,
            **_by_run(row.first_order, row.second_order if revealed or not row.secret else hidden),
        }
        for row in explanation.equations
    ] or [{"line": 0, "step": None, "always": ("<mtext>SymPy's derivatives are too large to show.</mtext>",)}]


def _summary(explanation: Explanation, revealed: bool) -> list[dict[str, Any]]:
    """The headline numbers. float32 is shown to its last digit, so that readers can compare it with their own."""
    runs = explanation.both[:2]
    sizes = [counts(run) for run in runs]
    rows = [
        ("<code>x.grad</code>", [numeral(run.gradients["x"], 16) for run in runs], True),
        ("<code>x_new</code>", [numeral(run.results.get("x_new"), 16) for run in runs], True),
        (explanation.product_name, list(explanation.products), True),
        ("grad_fn nodes", [str(size.nodes) for size in sizes], False),
        ("edges between them", [str(size.edges) for size in sizes], False),
        ("drawn, with x and outer_loss", [f"{s.drawn_nodes} nodes, {s.drawn_edges} arrows" for s in sizes], False),
        ("saved for backward", [f"{size.saved_bytes} bytes" for size in sizes], False),
    ]
    return [
        {"label": label, "values": _by_run(first, None if secret and not revealed else second)}
        for label, (first, second), secret in rows
    ]
