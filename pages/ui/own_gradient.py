"""A reader's own meta-gradient: the problem to take away, two programs to start from, and the verdict."""

import math
from pathlib import Path

import streamlit as st

from maml_core.numerals import numeral
from maml_core.practice.loops.judging import SINGLE, Finding
from maml_core.practice.loops.problem import ALPHA, SEED, SHOTS, STEPS, as_json, as_safetensors
from maml_core.practice.loops.submissions import Answer, SubmissionError, judged
from pages.ui import controls

ASSETS = Path(__file__).parents[2] / "assets"
PROGRAMS = {"PyTorch": "meta_gradient_torch.py", "JAX": "meta_gradient_jax.py"}
NEAR = 0.02  # relative: no vector that has a name is that close to the meta-gradient


def own_gradient() -> None:
    """Everything between the problem and the verdict on what a reader brings back."""
    st.subheader("Bring your own meta-gradient", anchor=False)
    st.markdown(
        f"The problem on this page is published: seed {SEED}, one sine, 10 support and 10 query points, a 1-8-1 "
        f"network with tanh, α = {ALPHA}, k = {STEPS}, mean squared error, float64. Take it to your own code, in "
        "whatever framework, and bring back the gradient of the query loss with respect to θ. Only its numbers are "
        "read; nothing is run."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _take()
    with right:
        _bring()


def _take() -> None:
    with st.container(horizontal=True):
        files = (("problem.json", as_json(), "application/json"), ("problem.safetensors", as_safetensors(), None))
        for name, data, kind in files:
            st.download_button(name, data, name, kind, on_click="ignore", icon=":material/download:")
    for tab, (title, file) in zip(st.tabs(list(PROGRAMS)), PROGRAMS.items(), strict=True):
        tab.caption(f"{title}: reads problem.json, writes meta_gradient.json. Put your own inner loop in meta_loss.")
        tab.code((ASSETS / file).read_text(), language="python", height=360)


def _bring() -> None:
    file = st.file_uploader("meta_gradient.json or .safetensors", type=["json", "safetensors"], max_upload_size=1)
    pasted = st.text_area(
        "or paste the JSON",
        height=150,
        max_chars=100_000,
        key="own_gradient",
        placeholder='{"0.weight": [[…], …], "0.bias": […], "2.weight": [[…]], "2.bias": […]}',
        help="null stands for a .grad that is None. Nothing in it is run.",
    )
    if file is None and not pasted.strip():
        st.caption("The verdict appears here.")
        return
    try:
        st.markdown(_said(judged(file.getvalue() if file is not None else pasted.encode())))
    except SubmissionError as error:
        st.markdown(f":red[:material/block: {controls.escaped(str(error))}]")
    if file is not None:  # a file that the uploader refuses leaves the one before it in place
        rest = " Remove it to have the pasted text judged." if pasted.strip() else ""
        st.caption(f"This is about {controls.escaped(file.name)}, the last file that was taken.{rest}")


def _said(answer: Answer) -> str:
    finding, against = answer.finding, _against(answer)
    rounding = f", to {answer.rounding}'s rounding"
    match finding.verdict:
        case "exact":
            return f":green[:material/verified:] **Exact**: this is the meta-gradient{rounding}.{against}"
        case "first order":
            return f":blue[:material/gavel:] **First order**: this is ∇L_q(φ){rounding}.{against}"
        case "zero":
            return ":orange[:material/gavel:] **Zero**: every number is 0. θ would never move."
        case "None":
            return ":orange[:material/gavel:] **None**: no gradient at all. θ would never move."
    if finding.name:
        known = f"it is {finding.name}{rounding}.{against}{_factor(finding)}"
        return f":orange[:material/gavel:] **Another vector**: {known}"
    return f":orange[:material/gavel:] **Another vector**, and none that has a name here.{against}{_near(finding)}"


def _against(answer: Answer) -> str:
    finding = answer.finding
    if finding.degrees is None or finding.length is None:
        return ""
    missing = f" None for {', '.join(answer.missing)}, taken as zeros." if answer.missing else ""
    degrees = round(finding.degrees, 4) if finding.known_as else finding.degrees  # less than that is rounding
    angle, length = numeral(degrees, 3), numeral(finding.length, 4)
    return f" Against the exact one: {angle}°, {length} times as long.{missing}"


def _factor(finding: Finding) -> str:
    """Where a factor on a known vector may come from."""
    if finding.factor == 1:
        return ""
    if finding.factor < 0:
        return " Its sign is that of a step; a gradient points uphill."
    if math.isclose(finding.factor, ALPHA, rel_tol=SINGLE):
        return f" That factor is α, as in a step; or a mean over the {SHOTS} points was taken twice."
    if finding.factor >= 2:
        return f" A sum where a mean belongs (of the {SHOTS} points, or of tasks), or a `.grad` that was not cleared?"
    return " So look for one factor too many, or too few."


def _near(finding: Finding) -> str:
    """What may be wrong with a vector that is almost the right one."""
    if finding.difference is None or finding.difference > NEAR:
        return ""
    off = numeral(100 * finding.difference, 2)
    return f" That is {off} % off the meta-gradient: fewer digits than float32 has, or a small mistake."
