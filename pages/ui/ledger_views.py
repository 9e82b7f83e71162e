"""Lesson 1 as data for the linked views: one graph, looked at after one line or another, beside its ledger."""

from typing import Any

from maml_core.graphs.explaining_calls import CallsExplained
from maml_core.graphs.ledger import Entry
from maml_core.graphs.programs import Assign, Backward, Clear, Gradients, Leaf, Line
from maml_core.graphs.tracing import Node
from maml_core.graphs.two_calls import FIRST, FIRST_LINE, LEAVES, SECOND, SECOND_LINE
from maml_core.numerals import numeral

KINDS = {
    "shared": (
        "shared",
        "The leaves' own nodes, which add to .grad. Both graphs end in them; nothing else is shared.",
    ),
    "first": (f"graph of {FIRST}", f"What autograd wrote down while {FIRST} was computed."),
    "second-output": (f"graph of {SECOND}", f"The same for {SECOND}: equal nodes, but others."),
}
UNKNOWN = "<mo>=</mo><mtext>?</mtext>"


def moments(explained: CallsExplained, *, revealed: bool) -> tuple[str, ...]:
    """The lines after which one can look, as a link writes them: from where both graphs stand to the secret one."""
    return tuple(str(entry.line) for entry in _shown(explained, revealed))


def first_call(explained: CallsExplained, *, revealed: bool) -> str:
    """Where to look at first: one graph has been used, the other not yet."""
    return moments(explained, revealed=revealed)[:2][-1]


def _shown(explained: CallsExplained, revealed: bool) -> tuple[Entry, ...]:
    entries = explained.ledger.entries[SECOND_LINE - 1 :]
    return entries if revealed else entries[:-1]


def ledger_views(explained: CallsExplained, *, revealed: bool) -> dict[str, Any]:
    """Everything the component draws. What is still to be predicted is null."""
    ledger, entries = explained.ledger, _shown(explained, revealed)
    return {
        "steps": 1,
        "single": True,
        "switch": "after ",
        "loss": "y",
        "columns": [*(f"{leaf}.grad" for leaf in LEAVES), "saved"],
        "runs": [_run(explained, entry) for entry in entries],
        "kinds": [{"name": name, "label": label, "help": text} for name, (label, text) in KINDS.items()],
        "code": {str(e.line): [_line(explained, line, e.line, revealed) for line in ledger.lines] for e in entries},
        "values": {str(e.line): _values(explained) for e in entries},
        "nodes": [_node(explained, node, entries) for node in ledger.nodes],
        "anchors": _anchors(explained),
        "boxes": _boxes(explained, entries),
        "layouts": explained.drawing.layouts,
        "error": explained.drawing.error,
        "equations": _equations(explained, entries, revealed),
        "summary": _summary(explained, entries),
    }


def _run(explained: CallsExplained, entry: Entry) -> dict[str, str]:
    failure = explained.ledger.failure
    stopped = "stopped at " if failure is not None and failure.line == entry.line else ""
    text = explained.ledger.lines[entry.line - 1].text
    freed = f"{len(entry.freed)} of {len(explained.ledger.nodes)} nodes freed"
    return {
        "id": str(entry.line),
        "label": f"line {entry.line}",
        "title": f"after line {entry.line}",
        "caption": f"{stopped}{text} · {entry.saved_bytes} B saved for backward · {freed}",
    }


def _line(explained: CallsExplained, line: Line, moment: int, revealed: bool) -> dict[str, Any]:
    ledger = explained.ledger
    entry = ledger.entries[line.number - 1] if line.number <= len(ledger.entries) else None
    data = {
        "n": line.number,
        "text": line.text,
        "spans": line.spans,
        "does": "",
        "later": line.number > moment,
        "cells": _cells(entry),
        **_does(explained, line, entry),
    }
    if not revealed and line.number >= len(ledger.entries):  # also what comes after a failure
        secret = {"result": None} if "result" in data and data["does"] else {}
        data |= {"cells": [None] * len(data["cells"]), "failed": False, **secret}
    return data


def _cells(entry: Entry | None) -> list[str]:
    """What the ledger says after a line; nothing for a line that was never reached."""
    if entry is None:
        return [""] * (len(LEAVES) + 1)
    grads = [numeral(entry.grads[leaf]) if leaf in entry.grads else "" for leaf in LEAVES]
    return [*grads, f"{entry.saved_bytes} B"]


def _does(explained: CallsExplained, line: Line, entry: Entry | None) -> dict[str, Any]:
    failure = explained.ledger.failure
    match line.statement:
        case Leaf():
            return {"result": ""}
        case Clear():
            return {"does": "clear", "result": "", "ids": list(LEAVES)}
        case Backward(output) | Gradients(_, output):
            stopped = failure is not None and failure.line == line.number
            returned = ", ".join(numeral(value, 5) for value in entry.returned) if entry else "not reached"
            return {
                "does": "backward",
                "result": "RuntimeError" if stopped else returned,
                "failed": stopped,
                "ids": _graph(explained, FIRST_LINE if output == FIRST else SECOND_LINE),
            }
        case Assign():
            return {}
    return {}


def _graph(explained: CallsExplained, line: int) -> list[str]:
    """The nodes of one output's graph; the leaves' own belong to both."""
    return [node.id for node in explained.ledger.nodes if node.line == line or node.id in LEAVES]


def _anchors(explained: CallsExplained) -> dict[str, str]:
    """The node behind each box that is a tensor, if it has one."""
    nodes = {v.line: v.node for v in explained.ledger.values}  # the last value of a line is the whole line's
    found = {FIRST: nodes[FIRST_LINE], SECOND: nodes[SECOND_LINE]}
    leaves = {f"{node.id}.leaf": node.id for node in explained.ledger.nodes if node.id in LEAVES}
    return leaves | {name: node for name, node in found.items() if node is not None}


def _values(explained: CallsExplained) -> list[dict[str, Any]]:
    return [
        {"key": f"L{v.line}c{v.start}-{v.end}", "step": None, "value": numeral(v.value), "node": v.node}
        for v in explained.ledger.values
    ]


def _node(explained: CallsExplained, node: Node, entries: tuple[Entry, ...]) -> dict[str, Any]:
    text = explained.ledger.lines[node.line - 1].text[node.start : node.end]
    kind = {FIRST_LINE: "first", SECOND_LINE: "second-output"}.get(node.line, "shared")
    return {
        "id": node.id,
        "op": node.op,
        "label": node.id if kind == "shared" else text,
        "line": node.line,
        "start": node.start,
        "end": node.end,
        "step": None,
        "kind": kind,
        "parent": None,
        "freed": {str(e.line): node.id in e.freed for e in entries},
        "value": {str(e.line): numeral(node.value) for e in entries},
        "runs": {str(e.line): True for e in entries},
        # only where a gradient came by
        "gradient": {str(e.line): numeral(e.arrived[node.id]) for e in entries if node.id in e.arrived},
    }


def _boxes(explained: CallsExplained, entries: tuple[Entry, ...]) -> dict[str, dict[str, str]]:
    outputs = {
        name: [v.value for v in explained.ledger.values if v.line == line][-1]
        for name, line in ((FIRST, FIRST_LINE), (SECOND, SECOND_LINE))
    }
    return {
        **{
            f"{leaf}.leaf": {
                str(e.line): f"{leaf} = {numeral(explained.inputs[leaf])}\n.grad {numeral(e.grads[leaf])}"
                for e in entries
            }
            for leaf in LEAVES
        },
        **{name: {str(e.line): f"{name} = {numeral(value)}" for e in entries} for name, value in outputs.items()},
    }


def _equations(explained: CallsExplained, entries: tuple[Entry, ...], revealed: bool) -> list[dict[str, Any]]:
    return [
        {
            "line": row.line,
            "step": None,
            "always": row.always,
            **{str(e.line): row.after.get(e.line, ()) for e in entries},
        }
        for row in explained.equations
    ]


def _summary(explained: CallsExplained, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    """The ledger once more as a table, float32 to its last digit."""
    rows = {
        **{f"<code>{leaf}.grad</code>": [numeral(e.grads[leaf], 16) for e in entries] for leaf in LEAVES},
        "returned": [", ".join(numeral(value) for value in e.returned) or "–" for e in entries],
        "saved for backward": [f"{e.saved_bytes} bytes" for e in entries],
        "nodes that freed what they saved": [str(len(e.freed)) for e in entries],
    }
    return [
        {"label": label, "values": {str(e.line): value for e, value in zip(entries, values, strict=True)}}
        for label, values in rows.items()
    ]
