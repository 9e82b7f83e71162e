"""A program as written and with one operation inserted, as data for the linked views."""

from typing import Any

from maml_core.graphs.cutting import Verdict, links, standing
from maml_core.graphs.cutting_explained import CutExplanation
from maml_core.graphs.drawing import OUTPUT
from maml_core.graphs.programs import Apply, Backward, Blank, Descend, Line, NoGrad
from maml_core.graphs.recording import Recording
from maml_core.graphs.tracing import Node
from maml_core.numerals import numeral
from pages.ui.path_rows import path_rows

RUNS: tuple[str, str] = ("written", "edited")
KINDS = {
    "common": ("in both graphs", "Nodes from which loss is computed in both runs."),
    "kept": ("added", "Nodes that only the inserted operation brings."),
    "cut": ("cut off", "Nodes that no longer lead to loss once the operation is inserted."),
}
STOPS = "✗ stops here"
HIDDEN = ("<mo>=</mo><mtext>?</mtext>",)


def cut_views(explanation: CutExplanation, *, revealed: bool) -> dict[str, Any]:
    """Everything the component draws. What is still to be predicted is null."""
    cut, nodes = explanation.cut, _union(explanation)
    runs = dict(zip(RUNS, (cut.written, cut.edited), strict=True))
    shown = dict(zip(RUNS, (True, revealed), strict=True))
    verdicts = dict(zip(RUNS, cut.verdicts, strict=True))
    return {
        "steps": 1,
        "switch": "program",
        "loss": "loss",
        "runs": [_run(name, runs[name], verdicts[name], _title(name, explanation), shown[name]) for name in RUNS],
        "kinds": [{"name": name, "label": label, "help": text} for name, (label, text) in KINDS.items()],
        "code": {name: _code(runs[name], verdicts[name], shown[name]) for name in RUNS},
        "gradLine": 0,
        "values": {name: _values(run) for name, run in runs.items()},
        "nodes": [_node(node, runs, shown) for node in nodes],
        "edges": {name: _edges(run) for name, run in runs.items()},
        "visits": {name: list(run.visited) if shown[name] else [] for name, run in runs.items()},
        "anchors": _anchors(runs),
        "boxes": _boxes(runs),
        "layouts": explanation.drawing.layouts,
        "error": explanation.drawing.error,
        "equations": [row for name in RUNS for row in _equations(name, explanation, shown[name])],
        "summary": _summary(explanation, revealed),
        "paths": {
            name: path_rows(run, runs[RUNS[0]], shown=shown[name], extra="only with the insertion")
            for name, run in runs.items()
        },
    }


def _title(name: str, explanation: CutExplanation) -> str:
    return "as written" if name == RUNS[0] else f"with {explanation.cut.copying.insertion.operation}"


def _run(name: str, recording: Recording, verdict: Verdict, title: str, shown: bool) -> dict[str, str]:
    nodes, edges = len(standing(recording)), len(links(recording))
    caption = f"{nodes} nodes · {edges} edges · x.grad {said(verdict) if shown else '?'}"
    return {"id": name, "label": title, "title": title, "caption": caption}


def said(verdict: Verdict) -> str:
    """The outcome in one word. A negative zero is a zero."""
    if verdict.outcome == "error":
        return "error"
    return numeral(None if verdict.gradient is None else verdict.gradient + 0.0)


def _code(recording: Recording, verdict: Verdict, shown: bool) -> list[dict[str, Any]]:
    return [_line(line, recording, verdict, shown) for line in recording.lines]


def _line(line: Line, recording: Recording, verdict: Verdict, shown: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"n": line.number, "text": line.text, "spans": line.spans, "does": "", "state": ""}
    match line.statement:
        case Apply() | NoGrad():
            data["state"] = "inserted"
        case Backward():
            data |= {"does": "backward", "result": f"x.grad = {numeral(verdict.gradient)}" if shown else None}
        case Descend(target):
            data["result"] = numeral(recording.results.get(target), 7) if shown else None
        case Blank():
            data["result"] = ""
    if shown and recording.error_line == line.number:
        data |= {"state": "failed", "result": STOPS}
    if shown and recording.error_line is not None and line.number > recording.error_line:
        data |= {"state": "never", "result": ""}
    return data


def _values(recording: Recording) -> list[dict[str, Any]]:
    return [
        {"key": f"L{v.line}c{v.start}-{v.end}", "step": None, "value": numeral(v.value), "node": v.node}
        for v in recording.values
        if not isinstance(recording.lines[v.line - 1].statement, Descend)  # what comes after backward is a result
    ]


def _union(explanation: CutExplanation) -> list[Node]:
    """The nodes that lead to loss in either run, in the order of the lines."""
    found: dict[str, Node] = {}
    for recording in (explanation.cut.edited, explanation.cut.written):
        found |= {node.id: node for node in recording.nodes if node.id in standing(recording)}
    return sorted(found.values(), key=lambda node: node.line)


def _node(node: Node, runs: dict[str, Recording], shown: dict[str, bool]) -> dict[str, Any]:
    own = {name: next((n for n in run.nodes if n.id == node.id), None) for name, run in runs.items()}
    there = {name: node.id in standing(run) for name, run in runs.items()}
    text = runs["edited" if there["edited"] else "written"].lines[node.line - 1].text[node.start : node.end]
    return {
        "id": node.id,
        "op": node.op,
        "label": text if node.op != "AccumulateGrad" else node.id.split(".")[0],
        "line": node.line,
        "start": node.start,
        "end": node.end,
        "step": None,
        "kind": "common" if all(there.values()) else "cut" if there["written"] else "kept",
        "parent": None,
        "freed": {},
        "value": {name: numeral(n.value) for name, n in own.items() if n is not None},
        "runs": there,
        "gradient": {name: _gradient(n) if shown[name] else None for name, n in own.items()},
    }


def _gradient(node: Node | None) -> str:
    return "–" if node is None or node.gradient is None else numeral(node.gradient + 0.0)


def _edges(recording: Recording) -> list[str]:
    edges = [f"{source}->{target}" for source, target in links(recording)]
    leaves = [f"{leaf}.leaf->{leaf}" for leaf in recording.gradients if leaf in standing(recording)]
    loss = _loss_node(recording)
    return [*edges, *leaves, *([f"{loss}->{OUTPUT}"] if loss else [])]


def _loss_node(recording: Recording) -> str | None:
    """The node of what is called loss when backward() comes; None if it has none, or never came to be."""
    of_loss = {line.number for line in recording.lines if getattr(line.statement, "target", None) == "loss"}
    return next((value.node for value in reversed(recording.values) if value.line in of_loss), None)


def _boxes(runs: dict[str, Recording]) -> dict[str, dict[str, str]]:
    boxes: dict[str, dict[str, str]] = {}
    for name, recording in runs.items():
        if "loss" in recording.results:
            boxes.setdefault(OUTPUT, {})[name] = f"loss = {numeral(recording.results['loss'])}"
        for leaf in recording.gradients:
            made = next(v.value for v in recording.values if v.node == leaf)
            boxes.setdefault(f"{leaf}.leaf", {})[name] = f"{leaf.split('.')[0]} = {numeral(made)}"
    return boxes


def _anchors(runs: dict[str, Recording]) -> dict[str, str]:
    """The node behind each box of a tensor."""
    leaves = {f"{leaf}.leaf": leaf for run in runs.values() for leaf in run.gradients if leaf in standing(run)}
    loss = _loss_node(runs["edited"]) or _loss_node(runs["written"])
    return leaves | ({OUTPUT: loss} if loss else {})


def _equations(name: str, explanation: CutExplanation, shown: bool) -> list[dict[str, Any]]:
    rows = explanation.equations[RUNS.index(name)]
    return [
        {
            "line": row.line,
            "step": None,
            "always": (),
            name: (row.left, *(row.pieces if shown or not row.secret else HIDDEN)),
        }
        for row in rows
    ]


def _summary(explanation: CutExplanation, revealed: bool) -> list[dict[str, Any]]:
    """The headline numbers. float32 is shown to its last digit, so that readers can compare it with their own."""
    cut = explanation.cut
    runs = (cut.written, cut.edited)
    rows = [
        ("<code>x.grad</code>", [numeral(verdict.gradient, 16) for verdict in cut.verdicts], True),
        ("<code>x_new</code>", [_result(run, "x_new") for run in runs], True),
        ("gradient at other leaves", [others(found) for found in explanation.elsewhere], True),
        *((f"<code>{name}</code>", [_result(run, name) for run in runs], False) for name in ("x_copy", "loss")),
        ("grad_fn nodes", [str(len(standing(run))) for run in runs], False),
        ("edges between them", [str(len(links(run))) for run in runs], False),
    ]
    return [
        {"label": label, "values": {RUNS[0]: first, RUNS[1]: None if secret and not revealed else second}}
        for label, (first, second), secret in rows
    ]


def _result(recording: Recording, name: str) -> str:
    return numeral(recording.results[name], 16) if name in recording.results else "never computed"


def others(gradients: dict[str, float]) -> str:
    return ", ".join(f"{_leaf(leaf)}: {numeral(gradient)}" for leaf, gradient in gradients.items()) or "–"


def _leaf(name: str) -> str:
    """`x_copy.L4`, the deep copy made on line 4, in words."""
    tensor, _, line = name.partition(".L")
    return f"{tensor} of line {line}" if line else tensor
