"""The four linked views as a component: data in, the reader's view out. Drawing and linking are in assets/linked.js.

The data, all JSON, is made by a lesson's own module, such as `inner_step_views`:

runs       one or two runs that are compared: {id, label (in the switch), title, caption}
switch     what stands before the switch, such as "create_graph="
loss       the name of the output, for sentences
code       {run: [{n, text, spans, marks, does, result, state}]}: the lines that ran. `marks` are spans to emphasise,
           `does` is "loop", "grad", "backward" or "", `result` replaces the last span's value (null: to be
           predicted), `state` is "inserted", "failed", "never" (not reached) or ""
values     {run: [{key, step, value, node}]}: each sub-expression's value and the node behind it; key "L5c25-35"
nodes      in the order of creation: {id, op, label, line, start, end, step, kind, parent, freed, and by run: value,
           gradient (null: to be predicted), runs (is it there)}; ids are the recording's
edges      {run: ["from->to"]}, where the ends do not tell whether an edge is there; optional
visits     {run: [id]}: nodes in the order in which the backward pass came to them, for the stepper; optional
boxes      {id: {run: text}}: what torchviz draws besides grad_fns; a run without a text has no such box
layouts    {open step or "all": SVG of the larger graph}; `error` says why there are none
equations  [{line, step, always, and by run: MathML pieces}]
summary    [{label, values by run}]
paths      {run: {rows: [{ids, factors, product, extra}], rest, total}}: the gradient as a sum over paths; optional
anchors    {box: the node behind it}
kinds, hint, steps, gradLine
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st
from streamlit.components.v2 import component

from pages.ui import controls

ASSETS = Path(__file__).parents[2] / "assets"
COMPONENT = component("linked", css=(ASSETS / "linked.css").read_text(), js=(ASSETS / "linked.js").read_text())
HINT = "Point at a line, a node, a term or a row and its counterparts light up. Click keeps them, Esc lets go."


class View(TypedDict):
    """What the reader has chosen inside the component: part of the lesson's link."""

    run: str
    ghosts: bool
    open: str


def linked_views(data: dict[str, Any], view: View, *, key: str, run_name: str) -> dict[str, str]:
    """Mount the component; what the reader changes in its view goes into the URL, so that a link restores it.

    `run_name` is the URL parameter for the run that is looked at. Returns the view as the parameters of a link.
    """
    result = COMPONENT(
        key=key, data={"hint": HINT, **data, "view": view}, default={"view": dict(view)}, on_view_change=lambda: None
    )
    chosen = _as_parameters(result.get("view") or view, run_name)
    if chosen != st.session_state.setdefault(f"{key}:told", chosen):  # the reader changed the view, not the link
        st.session_state[f"{key}:told"] = chosen
        st.query_params.update(chosen)
    st.session_state["view"] = chosen
    return chosen


def view_from_url(run_name: str, runs: tuple[str, ...], steps: int = 1) -> View:
    """The view that the link asks for, else the reader's last one; what cannot be had gets a sentence."""
    states = [str(k) for k in range(1, steps + 1)] + ["all"] * (steps > 1)
    return View(
        run=_word(run_name, runs),
        ghosts=_word("ghosts", ("true", "false")) == "true",
        open=_word("open", states),
    )


def _word(name: str, options: Sequence[str]) -> str:
    """One parameter of the view. Streamlit forgets unbound parameters on a page switch, so they are kept here."""
    kept = st.session_state.get("view", {}).get(name)
    value = st.query_params.get(name, kept if kept in options else options[0])
    if value in options:
        return value
    if name != "open":  # a step that no longer exists is what a change of inner_steps leaves behind
        controls.explain_rejection(name, value, f"it must be {' or '.join(options)}", options[0])
    return options[0]


def _as_parameters(view: View, run_name: str) -> dict[str, str]:
    return {run_name: view["run"], "ghosts": "true" if view["ghosts"] else "false", "open": view["open"]}
