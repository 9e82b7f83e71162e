"""Lesson 6's labs: truncation from m = 0 to k, iMAML's residuals, what ANIL and BOIL hold still."""

import math
from collections.abc import Sequence

import streamlit as st

from maml_core.meta.freezing import Leaf, frozen_leaves
from maml_core.meta.implicit import CG_STEPS, SOLVED, Lab, lab
from maml_core.meta.shortcuts import Setting, loop_of, problem_of
from maml_core.meta.truncation import Truncation, truncations
from maml_core.numerals import numeral
from pages.ui import charts_labs, lesson, shortcut_views


@st.cache_data(max_entries=100, show_spinner="Solving the inner problem to the last digit …")
def _lab(pull: float, seed: int) -> Lab:
    return lab(pull, seed=seed)


@st.cache_data(max_entries=200, show_spinner=False)
def _leaves(setting: Setting) -> tuple[Leaf, ...]:
    return frozen_leaves(setting, problem_of(setting))


@st.cache_data(max_entries=200, show_spinner=False)
def _truncations(setting: Setting) -> tuple[Truncation, ...]:
    return truncations(setting)


def truncation(setting: Setting, *, revealed: bool) -> None:
    """From first-order MAML to MAML by the number of steps that are looked through."""
    found = _truncations(loop_of(setting))
    ends = {0: ", FOMAML", setting.inner_steps: ", MAML"}
    rows = {
        f"m = {one.last}{ends.get(one.last, '')}": {
            "angle": shortcut_views.cell(one.row, "angle", shown=revealed or one.last == setting.inner_steps),
            "length": shortcut_views.cell(one.row, "length", shown=revealed or one.last == setting.inner_steps),
            "kept for backward": shortcut_views.kibibytes(one.peak_bytes),
        }
        for one in found
    }
    st.table(lesson.rows_to_columns(rows))


def honest_imaml(setting: Setting) -> None:
    """The inner problem's residual on the left; on the right what both residuals do to the direction."""
    seen = _lab(setting.pull, setting.seed)
    left, right = st.columns(2)
    left.markdown("**What the inner steps leave** of the slope that should vanish")
    left.plotly_chart(charts_labs.residuals(seen), key="residuals", alt=_relu_words(seen))
    left.markdown(_relu_words(seen))
    right.markdown("**Degrees to the exact implicit gradient**, for both efforts")
    words = _lab_words(seen, setting.pull)
    if seen.solved:
        right.plotly_chart(charts_labs.solved(seen), key="solved", alt=words)
    right.markdown(words)


def held_still(setting: Setting) -> None:
    """Each leaf under MAML, ANIL and BOIL."""
    leaves = _leaves(loop_of(setting))
    words = _frozen_words(leaves, setting)
    st.caption("Left: how far the inner loop moves each leaf. Right: the length of its meta-gradient.")
    st.plotly_chart(charts_labs.frozen(leaves), key="frozen", alt=words)
    st.markdown(words)


def _lab_words(lab: Lab, pull: float) -> str:
    """What the two residuals do, from the lab's own numbers."""
    if not lab.solved:
        return _unsolved(lab, pull)
    paper = next(stop for stop in lab.stops if stop.steps == 16)
    five = CG_STEPS.index(5)
    last = lab.stops[-1]
    apart = [f"{numeral(stop.to_maml, 2)}° (after {stop.steps})" for stop in lab.stops[1::2]]
    return (
        f"After 16 inner steps and 5 CG steps the gradient is **{numeral(paper.degrees[five], 2)}°** from the exact "
        f"implicit one. With {CG_STEPS[-1]} CG steps it is {numeral(paper.degrees[-1], 2)}°, with {last.steps} "
        f"inner steps {numeral(last.degrees[five], 2)}°. Exact means: both residuals are below {numeral(SOLVED)}, "
        f"here {numeral(lab.exact_residual, 1)} and {numeral(lab.exact_solver_residual, 1)}.\n\n"
        f"MAML asks another question: where do as many *steps* lead? Its gradient is {', '.join(apart)} away."
    )


def _unsolved(lab: Lab, pull: float) -> str:
    """Why there is nothing to compare with."""
    lowest = numeral(lab.lowest, 2)
    bend = (
        f"Where the descent ended, an eigenvalue of I + H/λ is {lowest}: it curves downwards. "
        if lab.lowest < 0
        else ""
    )
    return (
        f":orange[:material/warning: With λ = {numeral(pull)} no minimum was found: descent, then Newton's method, "
        f"end with a residual of {numeral(lab.exact_residual, 2)}.] {bend}So there is no exact implicit gradient to "
        "measure an angle to. Where λ exceeds every downward curvature of the support loss, there is one."
    )


def _relu_words(lab: Lab) -> str:
    """Smooth and not."""
    last = lab.stops[-1]
    rough = last.residual_relu > last.residual
    lesser = "" if rough else "Here the kinks cost nothing; they can. "
    return (
        f"Of the slope at θ, {last.steps} inner steps leave the smooth network {numeral(last.residual, 2)}, and the "
        f"ReLU network with the same weights {numeral(last.residual_relu, 2)}. {lesser}Where a minimum stands on a "
        "kink no slope vanishes: descent rattles across it, and the implicit formula has nothing to stand on."
    )


def _frozen_words(leaves: Sequence[Leaf], setting: Setting) -> str:
    """What ANIL's and BOIL's meta-gradients are for the leaves that they hold still."""
    held = {
        name: sum(leaf.size for leaf in leaves if leaf.algorithm == name and leaf.frozen) for name in ("anil", "boil")
    }
    total = sum(leaf.size for leaf in leaves if leaf.algorithm == "maml")
    return (
        f"ANIL holds {held['anil']} of {total} weights still in the inner loop, BOIL {held['boil']}. Frozen inside "
        f"does not mean untaught: the outer loop moves every leaf by what stands on the right. "
        + _farthest([leaf for leaf in leaves if leaf.algorithm == "maml"], setting.inner_steps)
    )


def _farthest(leaves: Sequence[Leaf], steps: int) -> str:
    """Which of MAML's leaves moves most, if its inner loop stays finite."""
    if not all(math.isfinite(leaf.moved) for leaf in leaves):
        return "MAML's own inner loop overflows here: what is drawn is what stays finite without it."
    largest = max(leaves, key=lambda leaf: leaf.moved)
    return (
        f"MAML itself moves **{largest.name}** farthest here, by {numeral(largest.moved, 2)} in {steps} "
        f"{'step' if steps == 1 else 'steps'}."
    )
