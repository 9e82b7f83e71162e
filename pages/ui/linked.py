"""The four linked views: an Explanation in, a component's data out. Drawing and linking are in assets/linked.js."""

from pathlib import Path
from typing import Any, TypedDict

import streamlit as st
from streamlit.components.v2 import component

from maml_core.graphs.comparing import Counts, counts
from maml_core.graphs.drawing import OUTPUT
from maml_core.graphs.explaining import Explanation
from maml_core.graphs.numerals import numeral
from maml_core.graphs.programs import Backward, Descend, Gradient, Line, Repeat
from maml_core.graphs.recording import Node, Recording

ASSETS = Path(__file__).parents[2] / "assets"
COMPONENT = component("linked", css=(ASSETS / "linked.css").read_text(), js=(ASSETS / "linked.js").read_text())
HINT = "Point at a line, a node, a term or a row and its counterparts light up. Click keeps them, Esc lets go."
KINDS = {
    "common": ("in both graphs", "Forward nodes that both runs keep."),
    "kept": ("kept by create_graph=True", "Forward nodes that lead to x only through the inner gradient."),
    "second": (
        "second order",
        "Nodes that autograd.grad itself wrote down, because create_graph=True asked it to.",
    ),
    "aside": (
        "inner loss",
        "The inner loss's own graph. It served autograd.grad; no path leads from it to outer_loss.",
    ),
}


class View(TypedDict):
    """What the reader has chosen inside the component: part of the lesson's link."""

    run: bool
    ghosts: bool
    open: str


def linked_views(explanation: Explanation, *, revealed: bool, key: str) -> None:
    """Mount the component; its view (run, ghosts, open step) is kept in the URL, so that a link restores it."""
    view = _view_from_url(explanation.lesson.inner_steps)
    result = COMPONENT(
        key=key,
        data=payload(explanation, view, revealed=revealed),
        default={"view": dict(view)},
        on_view_change=lambda: None,
    )
    chosen = _as_parameters(result.get("view") or view)
    if chosen != st.session_state.setdefault(f"{key}:told", chosen):  # the reader changed the view, not the link
        st.session_state[f"{key}:told"] = chosen
        st.query_params.update(chosen)


def view_parameters(inner_steps: int) -> dict[str, str]:
    """The view as the parameters of a link."""
    return _as_parameters(_view_from_url(inner_steps))


def _as_parameters(view: View) -> dict[str, str]:
    return {"create_graph": flag(view["run"]), "ghosts": flag(view["ghosts"]), "open": view["open"]}


def _view_from_url(steps: int) -> View:
    """Anything else than the words a link would hold means the default."""
    states = [str(k) for k in range(1, steps + 1)] + ["all"] * (steps > 1)
    opened = st.query_params.get("open", "1")
    return View(
        run=st.query_params.get("create_graph") == "true",
        ghosts=st.query_params.get("ghosts") != "false",
        open=opened if opened in states else "1",
    )


def payload(explanation: Explanation, view: View, *, revealed: bool) -> dict[str, Any]:
    """Everything the component draws, as JSON. What is still to be predicted is null."""
    first, second = explanation.both.first_order, explanation.both.second_order
    return {
        "view": view,
        "hint": HINT,
        "steps": explanation.lesson.inner_steps,
        "kinds": [{"name": name, "label": label, "help": text} for name, (label, text) in KINDS.items()],
        "lines": [_line(line, explanation, revealed) for line in second.lines],
        "gradLine": next(line.number for line in second.lines if isinstance(line.statement, Gradient)),
        "values": [
            {"key": f"L{v.line}c{v.start}-{v.end}", "step": v.step, "value": numeral(v.value), "node": v.node}
            for v in second.values
            if not isinstance(second.lines[v.line - 1].statement, Descend)  # after backward the runs differ
        ],
        "nodes": [_node(node, explanation, revealed) for node in second.nodes],
        "output": next((e.node for e in reversed(second.values) if e.line == _line_of_output(second)), None),
        "boxes": _boxes(explanation),
        "layouts": explanation.drawing.layouts,
        "error": explanation.drawing.error,
        "captions": {
            flag(False): _caption(counts(first), first, revealed=True),
            flag(True): _caption(counts(second), second, revealed=revealed),
        },
        "equations": _equations(explanation, revealed),
        "summary": _summary(explanation, revealed),
    }


def flag(create_graph: bool) -> str:
    """A bool as JavaScript writes it, for keys."""
    return "true" if create_graph else "false"


def _both(first: Any, second: Any) -> dict[str, Any]:  # noqa: ANN401
    return {flag(False): first, flag(True): second}


def _line(line: Line, explanation: Explanation, revealed: bool) -> dict[str, Any]:
    first, second = explanation.both.first_order, explanation.both.second_order
    does, results = "", None
    match line.statement:
        case Repeat():
            does = "loop"
        case Gradient():
            does = "grad"
        case Backward():
            does = "backward"
            results = _both(*(f"x.grad = {numeral(run.gradients['x'])}" for run in (first, second)))
        case Descend(target):
            results = _both(*(numeral(run.results.get(target)) for run in (first, second)))
    if results and not revealed:
        results[flag(True)] = None
    return {"n": line.number, "text": line.text, "spans": line.spans, "does": does, "results": results}


def _node(node: Node, explanation: Explanation, revealed: bool) -> dict[str, Any]:
    first = {n.id: n for n in explanation.both.first_order.nodes}.get(node.id)
    line = explanation.both.second_order.lines[node.line - 1]
    text = line.text[node.start : node.end] if node.op != "AccumulateGrad" else node.id
    return {
        "id": node.id,
        "op": node.op,
        "label": f"∂ {text}" if node.parent else text,
        "line": node.line,
        "start": node.start,
        "end": node.end,
        "step": node.step,
        "value": numeral(node.value),
        "kind": explanation.both.kinds[node.id],
        "parent": node.parent,
        "runs": _both(first is not None and first.used, node.used),
        "gradient": _both(_gradient(first), _gradient(node) if revealed else None),
    }


def _gradient(node: Node | None) -> str:
    return "–" if node is None or node.gradient is None else numeral(node.gradient)


def _line_of_output(recording: Recording) -> int:
    return next(line.number for line in recording.lines if isinstance(line.statement, Backward)) - 1


def _boxes(explanation: Explanation) -> dict[str, str]:
    recording, inputs = explanation.both.second_order, explanation.inputs
    losses = {f"inner_loss.{step}": "inner_loss" for step in range(explanation.lesson.inner_steps)}
    output = f"outer_loss = {numeral(recording.results.get('outer_loss'))}"
    return {OUTPUT: output, "x.leaf": f"x = {numeral(inputs['x'])}", **losses}


def _caption(size: Counts, recording: Recording, *, revealed: bool) -> str:
    gradient = numeral(recording.gradients["x"]) if revealed else "?"
    return f"{size.nodes} nodes · {size.edges} edges · {size.saved_bytes} B saved · x.grad {gradient}"


def _equations(explanation: Explanation, revealed: bool) -> list[dict[str, Any]]:
    hidden = ("<mo>=</mo><mtext>?</mtext>",)
    return [
        {
            "line": row.line,
            "step": row.step,
            "always": row.always,
            **_both(row.first_order, row.second_order if revealed or not row.secret else hidden),
        }
        for row in explanation.equations
    ]


def _summary(explanation: Explanation, revealed: bool) -> list[dict[str, Any]]:
    """The headline numbers. float32 is shown to its last digit, so that it can be compared with a reader's own."""
    runs = explanation.both.first_order, explanation.both.second_order
    sizes = [counts(run) for run in runs]
    solution = explanation.solution
    label = "dx′/dx" if explanation.lesson.inner_steps == 1 else f"dx<sub>{explanation.lesson.inner_steps}</sub>/dx"
    rows = [
        ("<code>x.grad</code>", [numeral(run.gradients["x"], 16) for run in runs], True),
        ("<code>x_new</code>", [numeral(run.results.get("x_new"), 16) for run in runs], True),
        (label, [numeral(factor) for factor in solution.product], True),
        ("grad_fn nodes", [str(size.nodes) for size in sizes], False),
        ("edges between them", [str(size.edges) for size in sizes], False),
        (
            "drawn, with x and outer_loss",
            [f"{size.drawn_nodes} nodes, {size.drawn_edges} arrows" for size in sizes],
            False,
        ),
        ("saved for backward", [f"{size.saved_bytes} bytes" for size in sizes], False),
    ]
    return [
        {"label": text, "values": _both(values[0], None if secret and not revealed else values[1])}
        for text, values, secret in rows
    ]
