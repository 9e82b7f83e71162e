"""Source 004, a forum thread about "lazy" MAML, put to the test: many small steps, and one leap to look back through.

Each claim is a short program. They share one problem: sinusoid tasks and the 1-40-40-1 network, in float64.
"""

import math
from statistics import median
from typing import NamedTuple

import torch

from maml_core.claims import Claim
from maml_core.meta.agreement import angle, length_ratio, relative_difference
from maml_core.meta.algorithms import fomaml, maml, one_leap
from maml_core.meta.curvature import hvp
from maml_core.meta.inner import adapt
from maml_core.meta.models import mlp_loss
from maml_core.meta.starts import Problem, problem
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params, add_scaled, detach, flatten, grad, leaves, tile
from maml_core.numerals import numeral

INNER_LR = 0.005
STEPS = 5
INNER_LRS = (0.005, 0.01)
MANY_STEPS = (2, 5, 20)
MANY_TASKS = 30
STARTS = ("fresh", "trained")
EXACTLY = 1e-12  # relative: rounding, and nothing else


class Cell(NamedTuple):
    """Medians over the tasks of the cosine to MAML, in one setting."""

    start: str
    inner_lr: float
    steps: int
    first: float
    leap: float  # β = α
    long_leap: float  # β = kα


def claim_41() -> Claim:
    """Descend once with the claimed gradient; did it go where the inner loop went?"""
    theta, tasks = problem("fresh", seed=0, tasks=1)
    start = leaves(tile(theta, 1))
    phi = detach(adapt(mlp_loss, start, tasks.support, lr=INNER_LR, steps=STEPS, create_graph=False))
    landed = add_scaled(detach(start), -1.0, claimed_gradient(detach(start), phi))
    leap, wanted = (flatten(add_scaled(end, -1.0, detach(start))) for end in (landed, phi))
    degrees, ratio = angle(leap, wanted), length_ratio(leap, wanted)
    verdict = "true" if degrees < 1e-6 else "half" if degrees > 180 - 1e-6 else "false"
    how = {"true": "the right way", "half": "the right line, walked backwards", "false": "another way"}[verdict]
    return Claim(
        41,
        verdict,
        f"Descend by it once, with rate 1, and where you land is {numeral(degrees, 4)}° from the way to φ and "
        f"{numeral(ratio, 4)} times as far: {how}. Descent subtracts its gradient, so the leap's is (θ − φ)/β.",
    )


def claimed_gradient(theta: Params, phi: Params) -> Params:
    """φ − θ."""
    return add_scaled(phi, -1.0, theta)


def claim_42() -> Claim:
    """Do it: a step whose gradient is that constant, and backward through the step."""
    theta, tasks = problem("fresh", seed=0)
    theta = leaves(theta)
    start = tile(theta, len(tasks.support.x))
    phi = detach(adapt(mlp_loss, start, tasks.support, lr=INNER_LR, steps=STEPS, create_graph=False))
    constant = {name: (leaf - phi[name]).detach() for name, leaf in start.items()}
    psi = add_scaled(start, -1.0, constant)  # lands on φ, as it should
    found = flatten(grad(mlp_loss(psi, tasks.query).mean(), theta))
    rates = {"inner_lr": INNER_LR, "inner_steps": STEPS}
    first, leap = (flatten(method(mlp_loss, theta, tasks, **rates).grads) for method in (fomaml, one_leap))
    apart = relative_difference([found.tolist(), first.tolist()])
    return Claim(
        42,
        "false" if apart < EXACTLY else "true",
        f"A constant has no derivative, so the step is passed as if it were the identity: the result is first-order "
        f"MAML (relative difference {numeral(apart, 2)}), {numeral(angle(found, leap), 3)}° away from the derivative "
        f"of a leap with β = α.",
    )


def claim_43() -> Claim:
    """Write ψ down with autograd, and (I − βH(θ)) v with a Hessian-vector product."""
    theta, tasks = problem("fresh", seed=0)
    beta = STEPS * INNER_LR
    rates = {"inner_lr": INNER_LR, "inner_steps": STEPS}
    by_autograd = flatten(one_leap(mlp_loss, theta, tasks, **rates, leap_lr=beta).grads)
    start = leaves(tile(theta, len(tasks.support.x)))
    phi = leaves(adapt(mlp_loss, start, tasks.support, lr=INNER_LR, steps=STEPS, create_graph=False))
    v = grad(mlp_loss(phi, tasks.query).mean(), phi)
    by_formula = flatten({name: leaf.sum(0) for name, leaf in _leapt(start, tasks.support, v, beta).items()})
    apart = relative_difference([by_autograd.tolist(), by_formula.tolist()])
    return Claim(
        43,
        "true" if apart < EXACTLY else "false",
        f"Autograd through ψ = φ.detach() + (one − one.detach()) and one Hessian-vector product at θ give the same "
        f"vector; relative difference {numeral(apart, 2)}.",
    )


def claim_44() -> Claim:
    """Both, after one step, on every start that this course has a use for."""
    differences = []
    for start in STARTS:
        theta, tasks = problem(start, seed=0)
        rates = {"inner_lr": INNER_LR, "inner_steps": 1}
        leap, exact = (flatten(method(mlp_loss, theta, tasks, **rates).grads) for method in (one_leap, maml))
        differences.append(relative_difference([leap.tolist(), exact.tolist()]))
    return Claim(
        44,
        "true" if max(differences) < EXACTLY else "false",
        f"It does: relative difference {' and '.join(numeral(found, 2) for found in differences)} for a fresh and a "
        "trained network. One step is its own leap.",
    )


def claim_45() -> Claim:
    """Median cosines to MAML over the tasks: first-order, and leaps of two sizes, at two inner rates."""
    cells = [
        Cell(start, inner_lr, steps, *_cosines(problem(start, seed=0, tasks=MANY_TASKS), inner_lr, steps))
        for start in STARTS
        for inner_lr in INNER_LRS
        for steps in MANY_STEPS
    ]
    closer = [cell for cell in cells if cell.leap > cell.first]
    verdict = "true" if len(closer) == len(cells) else "half" if 2 * len(closer) > len(cells) else "false"
    longer = sum(cell.long_leap > cell.first for cell in cells)
    told = "; ".join(_in_words(start, cells) for start in STARTS)
    return Claim(
        45,
        verdict,
        f"With β = α it is closer in {len(closer)} of {len(cells)} settings, with β = kα in {longer}. Median cosines "
        f"to MAML over {MANY_TASKS} tasks, first-order against leap (β = α), at α = {INNER_LRS[0]}: {told}."
        f"{_exceptions([cell for cell in cells if cell not in closer])}",
    )


def _leapt(start: Params, support: Batch, v: Params, beta: float) -> Params:
    return add_scaled(v, -beta, hvp(mlp_loss, start, support, v))


def _cosines(where: Problem, inner_lr: float, steps: int) -> tuple[float, float, float]:
    """FOMAML's, the leap's with β = α, and the leap's with β = kα: medians over the tasks."""
    theta, tasks = where
    start = leaves(tile(theta, len(tasks.support.x)))
    end = adapt(mlp_loss, start, tasks.support, lr=inner_lr, steps=steps, create_graph=True)
    exact = grad(mlp_loss(end, tasks.query).sum(), start)
    phi = leaves(end)
    v = grad(mlp_loss(phi, tasks.query).sum(), phi)
    guesses = (_leapt(start, tasks.support, v, beta) for beta in (0.0, inner_lr, steps * inner_lr))
    first, short, long = (_median_cosine(guess, exact) for guess in guesses)
    return first, short, long


def _median_cosine(a: Params, b: Params) -> float:
    cosines = torch.cosine_similarity(flatten(a, batched=True), flatten(b, batched=True), dim=-1)
    return median(value for value in cosines.tolist() if math.isfinite(value))


def _in_words(start: str, cells: list[Cell]) -> str:
    """One start's medians at the first rate."""
    mine = [cell for cell in cells if cell.start == start and cell.inner_lr == INNER_LRS[0]]
    pairs = ", ".join(f"{_cosine(cell.first)} and {_cosine(cell.leap)} at k = {cell.steps}" for cell in mine)
    return f"{start} network {pairs}"


def _exceptions(cells: list[Cell]) -> str:
    if not cells:
        return ""
    told = (
        f"{cell.start}, k = {cell.steps}, α = {cell.inner_lr}: {_cosine(cell.first)} and {_cosine(cell.leap)}"
        for cell in cells
    )
    return f" Exceptions: {'; '.join(told)}."


def _cosine(value: float) -> str:
    return numeral(round(value, 3))
