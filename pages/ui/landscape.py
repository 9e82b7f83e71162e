"""The landscape: a map of one problem in two weights, on which the reader drags θ. Drawing is in assets/landscape.js.

    chosen = plane_controls.problem()  # the control "landscape" and those that belong to it; .parameters for the link
    rates = Rates(plane_controls.inner_lr(), inner_steps=5)
    seen = landscape(chosen.problem, rates, key="shortcuts", arrows=("maml", "fomaml", "reptile", "imaml"))
    seen.theta                     # where the reader left it: (u, v)
    seen.exact.arrows["fomaml"]    # PyTorch's gradient there, by autograd through the real inner loop

The losses travel as op rows (graphs.tapes). The browser recomputes the inner loop, φ, ∂φ/∂θ and every arrow exactly
at each pointer move (assets/landscape_maths.js); when θ comes to rest the page runs again, PyTorch answers for the
same θ, and the component prints the largest relative difference. θ is a parameter of the link, "theta=-1.4,-0.3".

problem    a plane.problems.Problem: one task or several, each with a support and a query loss. With several, the map
           shows each one's path and φ, and the arrows are of the mean over the tasks
rates      a plane.answers.Rates: α, k, and the numbers that only one algorithm asks for
arrows     which gradients are drawn and stand in the table, by their names in meta.algorithms.ALGORITHMS: "maml"
           (the exact one; the others' angles and lengths are relative to it), "fomaml", "truncated", "reptile",
           "one-leap", "imaml", "anil", "boil" (v is the head, u the body). They point downhill, where θ would go
matrices   show H(θ), J = ∂φ/∂θ and the gains beside the map, and the circle around θ as J sees it; for one inner step
hidden     the reader has yet to predict: neither J nor any exact arrow is computed, drawn or sent

Both the map and the table tell of divergence: a path that leaves the map, and numbers that overflow.
"""

import math
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.components.v2 import component

from maml_core.graphs.tapes import tape
from maml_core.numerals import numeral
from maml_core.plane.answers import Answer, Rates, answer
from maml_core.plane.contours import contours
from maml_core.plane.problems import NAMES, Point, Problem, Task
from pages.ui import controls

ASSETS = Path(__file__).parents[2] / "assets"
COMPONENT = component(
    "landscape",
    css=(ASSETS / "landscape.css").read_text(),
    js=(ASSETS / "landscape_maths.js").read_text() + (ASSETS / "landscape.js").read_text(),
)
DIGITS = 3  # decimals of θ in a link: a five-hundredth of a pixel


class Seen(NamedTuple):
    """Where θ stands, and what PyTorch says there."""

    theta: Point
    exact: Answer


def landscape(
    problem: Problem,
    rates: Rates,
    *,
    key: str,
    arrows: tuple[str, ...] = ("maml", "fomaml"),
    matrices: bool = True,
    hidden: bool = False,
) -> Seen:
    """Mount the map; returns where θ is and the exact answer there, for the same rates and arrows."""
    theta = theta_on(problem, key)
    shown = tuple(name for name in arrows if not hidden or name == "fomaml")
    exact = answer(problem, theta, rates, arrows)
    data = {
        **_scenery(problem),
        "start": theta,
        "rates": rates._asdict(),
        "arrows": shown,
        "matrices": matrices,
        "hidden": hidden,
        "exact": None if hidden else _finite(exact._asdict()),
    }
    COMPONENT(key=key, data=data, on_theta_change=partial(_moved, key))
    return Seen(theta, exact)


def theta_on(problem: Problem, key: str) -> Point:
    """Where θ is on the map `key`: as the link says, else where the reader left it, else where the problem starts."""
    kept, told = st.session_state.setdefault("theta", {}), st.session_state.get(f"{key}:told")
    asked = st.query_params.get("theta")
    if asked is not None and asked != told:
        kept[problem.name] = _from_link(asked, problem)
    theta = kept.get(problem.name, problem.start)
    text = written(theta)
    st.session_state.update({f"{key}:told": text, f"{key}:problem": problem})
    if asked != text and (asked is not None or theta != problem.start):
        st.query_params["theta"] = text
    return theta


def written(theta: Point) -> str:
    """θ as a link has it."""
    return ",".join(f"{weight:.{DIGITS}f}".rstrip("0").rstrip(".") for weight in theta)


def _from_link(asked: str, problem: Problem) -> Point:
    """The θ of a link, or the problem's own with a sentence about why not."""
    try:
        u, v = map(float, asked.split(","))
        theta = round(u, DIGITS), round(v, DIGITS)
    except (ValueError, OverflowError):
        theta = math.nan, math.nan
    if on_map(theta, problem):
        return theta
    ends = [[numeral(c + side * problem.half_width) for side in (-1, 1)] for c in problem.centre]
    u, v = (" to ".join(pair) for pair in ends)
    allowed = f"it must be two numbers on this map, u from {u} and v from {v}"
    controls.explain_rejection("theta", asked, allowed, written(problem.start).replace("-", "−"))
    return problem.start


def on_map(theta: Point, problem: Problem) -> bool:
    """Whether both weights are numbers inside the square."""
    return all(abs(w - c) <= problem.half_width for w, c in zip(theta, problem.centre, strict=True))


def _moved(key: str) -> None:
    """The reader has put θ somewhere. What a browser sends is checked like what a link asks for."""
    moved: Any = st.session_state[key].get("theta") or {}
    at, problem = moved.get("at", ()), st.session_state.get(f"{key}:problem")
    if not (isinstance(at, list) and len(at) == 2 and all(isinstance(w, int | float) for w in at)):
        return
    if problem is not None and moved.get("problem") == problem.name and on_map((at[0], at[1]), problem):
        st.session_state.setdefault("theta", {})[problem.name] = (float(at[0]), float(at[1]))


@lru_cache(maxsize=64)
def _scenery(problem: Problem) -> dict[str, Any]:
    """What does not depend on θ or the rates: the losses as op rows, and their level sets."""
    return {
        "problem": problem.name,
        "centre": problem.centre,
        "halfWidth": problem.half_width,
        "tasks": [_task(task, problem) for task in problem.tasks],
    }


def _task(task: Task, problem: Problem) -> dict[str, Any]:
    support, query = contours(task.support, problem), contours(task.query, problem)
    return {
        "name": task.name,
        "support": tape(task.support, NAMES),
        "query": tape(task.query, NAMES),
        "terraces": support.terraces,
        "lines": query.lines,
        "lowest": {"support": support.lowest, "query": query.lowest},
    }


def _finite(value: Any) -> Any:  # noqa: ANN401
    """The same with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
