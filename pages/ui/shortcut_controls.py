"""The knobs of lesson 6: those that map and network share, and those of the network alone."""

from typing import NamedTuple

import streamlit as st

from maml_core.meta.shortcuts import Setting
from maml_core.meta.starts import STARTS
from maml_core.plane.answers import Rates
from maml_core.plane.problems import Problem
from pages.ui import controls, plane_controls

RATES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03)
PULLS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


class Knobs(NamedTuple):
    """What holds on the map and on the network."""

    inner_steps: int  # k
    last: int  # m
    leap: float  # β / α
    pull: float  # λ


class OnMap(NamedTuple):
    """The map, its rates, the shared knobs, and all of them as a link has them."""

    problem: Problem
    rates: Rates
    knobs: Knobs
    parameters: dict[str, object]


def on_map() -> OnMap:
    """The first row: the landscape with its α, and the knobs."""
    with st.container(horizontal=True, gap="medium"):
        chosen = plane_controls.problem("rosenbrock")
        inner_lr = plane_controls.inner_lr()
        knobs = Knobs(_inner_steps(), _last(), _leap(), _pull())
    rates = Rates(inner_lr, knobs.inner_steps, knobs.last, knobs.leap * inner_lr, knobs.pull)
    parameters = chosen.parameters | {"inner_lr": inner_lr, "inner_steps": knobs.inner_steps, "m": knobs.last}
    return OnMap(chosen.problem, rates, knobs, parameters | {"beta": knobs.leap, "pull": f"{knobs.pull:g}"})


def _inner_steps() -> int:
    help_text = "How many inner steps lead from θ to φ. iMAML, which looks for a minimum, takes 16 of its own."
    return int(controls._slider("inner_steps", "k, inner_steps", (1, 20), 3, 1, help_text))


def _last() -> int:
    help_text = "The truncated gradient looks back through the last m steps: m = 0 is FOMAML, m ≥ k is MAML."
    return int(controls._slider("m", "m, truncated", (0, 20), 1, 1, help_text))


def _leap() -> float:
    help_text = "The rate of the one leap, in units of α: 0 is FOMAML; 1 is the size of one step, k that of all."
    return controls._slider("beta", "β/α, one leap", (0.0, 20.0), 1.0, 0.5, help_text)


def _pull() -> float:
    help_text = "How strongly iMAML's proximal loss, L_s(φ) + λ/2·‖φ − θ‖², pulls φ back to θ."
    return controls.notch("pull", "λ, iMAML", PULLS, 10.0, help_text)


def on_network(knobs: Knobs) -> Setting:
    """The second row: where the network starts, its α, iMAML's solver, and which tasks."""
    with st.container(horizontal=True, gap="medium"):
        about = "\n\n".join(f"**{name}**: {text}" for name, text in STARTS.items())
        start = controls.choice("start", "θ of the network", tuple(STARTS), "trained", about)
        rate_help = "Step size of the inner loop on the network, whose curvature is far greater than the map's."
        inner_lr = controls.notch("alpha", "α on the network", RATES, 0.005, rate_help)
        cg_help = "Conjugate-gradient steps in iMAML's linear solve, one Hessian-vector product each."
        cg_steps = int(controls._slider("cg", "CG steps, iMAML", (1, 20), 5, 1, cg_help))
        seed = int(controls._slider("seed", "seed", (0, 99), 1, 1, "Which ten tasks, and which fresh θ."))
    shared = {"inner_steps": knobs.inner_steps, "last": knobs.last, "leap": knobs.leap, "pull": knobs.pull}
    return Setting(start=start, inner_lr=inner_lr, cg_steps=cg_steps, seed=seed, **shared)


def parameters(setting: Setting) -> dict[str, object]:
    """The second row as a link has it."""
    return {"start": setting.start, "alpha": f"{setting.inner_lr:g}", "cg": setting.cg_steps, "seed": setting.seed}
