"""The controls of a problem in two weights: which one, its shape, and the inner rate."""

from functools import lru_cache
from typing import NamedTuple

import streamlit as st

from maml_core.plane import problems
from maml_core.plane.problems import NAMES, Problem
from pages.ui import controls

PRESETS = {
    "bowl": "one quadratic task, to be sharpened and turned",
    "rosenbrock": "a bent valley",
    "two tasks": "two bowls whose valleys cross, and their mean",
    "ReLU net": "two weights of a small network, kinks included",
    controls.OWN: "type both losses yourself",
}
OWN_SUPPORT, OWN_QUERY = "sin(2 * u) * cos(v) + (u**2 + v**2) / 10", "(u - 1)**2 / 2 + v**2 / 4"


class Chosen(NamedTuple):
    """A problem, and what a link says about it."""

    problem: Problem
    parameters: dict[str, object]


def problem(default: str = "bowl") -> Chosen:
    """The chosen landscape, with the controls that belong to it; `default` is where a lesson starts."""
    help_text = "\n\n".join(f"**{name}**: {about}" for name, about in PRESETS.items())
    name = controls.choice("plane", "landscape", tuple(PRESETS), default, help_text)
    if name == "bowl":
        shape = sharpness(), angle()
        return Chosen(_bowl(*shape), {"plane": name, "sharpness": shape[0], "angle": shape[1]})
    if name == controls.OWN:
        with st.container():  # of their own, so that what is wrong with a loss is said below, and no field moves
            fields, below = st.container(horizontal=True), st.container(gap=None)
            with fields:
                support = controls.expression(
                    "support", "support loss, in u and v", OWN_SUPPORT, NAMES, any_of=True, say=below
                )
                query = controls.expression(
                    "query", "query loss, in u and v", OWN_QUERY, NAMES, any_of=True, say=below
                )
        return Chosen(_own(support, query), {"plane": name, "support": support, "query": query})
    return Chosen(_preset(name), {"plane": name})


def inner_lr() -> float:
    """α. The landscapes are scaled so that one range serves all of them."""
    help_text = "Step size of the inner loop: φ = θ − α∇L."
    return controls._slider("inner_lr", "α, inner_lr", (0.0, 1.0), 0.45, 0.01, help_text)


def sharpness() -> float:
    help_text = f"Curvature across the bowl's valley, the larger eigenvalue of H. Along it, it is {problems.FLAT:g}."
    return controls._slider("sharpness", "sharpness λ₁", (problems.FLAT, 8.0), 3.2, 0.1, help_text)


def angle() -> float:
    help_text = "Degrees by which the bowl is turned."
    return controls._slider("angle", "angle", (-90.0, 90.0), 30.0, 5.0, help_text)


_bowl = lru_cache(maxsize=128)(problems.bowl)
_own = lru_cache(maxsize=32)(problems.own)


@lru_cache
def _preset(name: str) -> Problem:
    return {"rosenbrock": problems.rosenbrock, "two tasks": problems.pair, "ReLU net": problems.network}[name]()
