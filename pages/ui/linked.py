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

A lesson that looks at one run after one line or another says so with `single` (one panel at a time), and may add:
columns    names of what a ledger beside the code holds; then each line has `cells`, and may be `later` (it has not
           run yet), `failed`, and name the `ids` of the nodes it belongs to
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
    chosen = _as_parameters(result.get("view") or view, run_name, data)
    changed = chosen != st.session_state.setdefault(f"{key}:told", chosen)  # by the reader, not by the link
    if changed:
        st.session_state[f"{key}:told"] = chosen
        st.query_params.update(chosen)
    if changed or any(name in st.query_params for name in chosen):  # a default is no wish, and may change
        st.session_state.setdefault("view", {}).update(chosen)
    return chosen


def view_from_url(
    run_name: str, runs: tuple[str, ...], steps: int = 1, default: str = "", *, ghosts: bool = True
) -> View:
    """The view that the link asks for, else the reader's last one; what cannot be had gets a sentence.

    Runs that come and go with the controls have a `default`, which takes the place of one that is not there. What
    has no control, `ghosts` or the one step of a single one, is not looked up.
    """
    states = [*map(str, range(1, steps + 1)), "all"]
    return View(
        run=_word(run_name, runs, default),
        ghosts=_word("ghosts", ("true", "false")) == "true" if ghosts else True,
        open=_word("open", states, "1") if steps > 1 else "1",
    )


def _word(name: str, options: Sequence[str], default: str = "") -> str:
    """One parameter of the view. Streamlit forgets unbound parameters on a page switch, so they are kept here.

    With a `default`, an option that does not exist is no mistake: it is what a change of the controls leaves behind.
    """
    kept = st.session_state.get("view", {}).get(name)
    value = st.query_params.get(name, kept if kept in options else default or options[0])
    if value in options:
        return value
    if not default:
        controls.explain_rejection(name, value, f"it must be {' or '.join(options)}", options[0])
    return default or options[0]


def _as_parameters(view: View, run_name: str, data: dict[str, Any]) -> dict[str, str]:
    """What has a control in the component."""
    ghosts = {} if data.get("single") else {"ghosts": "true" if view["ghosts"] else "false"}
    return {run_name: view["run"], **ghosts, **({"open": view["open"]} if data["steps"] > 1 else {})}
