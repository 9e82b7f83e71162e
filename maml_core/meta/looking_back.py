r"""The meta-gradient of k steps seen from its end: the walk back, the ledger of its terms, and what stands in for it.

$$g = (I - \alpha H_0) \cdots (I - \alpha H_{k-1})\, v_k = v_k - \sum_{j<k} \alpha H_j v_{j+1},
\qquad v_k = \nabla L_q(\phi_k)$$

Shapes: n weights, m steps that stayed finite; all float64.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.agreement import Agreement, agreement, angle, length_ratio, relative_difference
from maml_core.meta.algorithms import maml
from maml_core.meta.backward import stored_iterates
from maml_core.meta.curvature import products
from maml_core.meta.inner import adapt
from maml_core.meta.k_steps import Path, Setting, problem, products_so_far, repeated
from maml_core.meta.trees import flatten, leaves, tile, unflatten
from maml_core.numerals import numeral

NUDGE = 1e-5  # of the central difference, whose error falls with the fourth power


class Term(NamedTuple):
    """One bar of the ledger. `share`: how far it reaches along g; the shares of all terms add up to ‖g‖."""

    step: int | None  # j of −αH_j v_{j+1}; None for the first-order part
    length: float
    share: float


class Turned(NamedTuple):
    """A stand-in for the meta-gradient after k steps: how far off its direction and its length are."""

    steps: int
    degrees: float
    ratio: float


class LookBack(NamedTuple):
    """The meta-gradient of one k, from the end back to θ."""

    weights: int
    factors: tuple[tuple[tuple[float, ...], ...], ...]
    slope: tuple[float, ...]  # v_k = ∇L_q(φ_k)
    meta_gradient: tuple[float, ...]
    wrong: tuple[float, ...]  # the same factors in the other order
    terms: tuple[Term, ...]
    losses: tuple[float, float]  # support and query, at φ_k
    length: float  # of the meta-gradient


def back(path: Path, steps: int) -> list[Tensor]:
    r"""$v_k, \dots, v_0$: the walk from $\nabla L_q(\phi_k)$ back to θ, one factor at a time."""
    found = [path.slopes[steps]]
    for factor in path.factors[:steps].flip(0):
        found.append(factor @ found[-1])
    return found


def look_back(path: Path, steps: int) -> LookBack:
    """Everything about the meta-gradient after `steps` steps. Raises ValueError where the path ends before."""
    if not 1 <= steps < len(path.stops):
        raise ValueError(f"The path has {len(path.factors)} finite steps, so steps cannot be {steps}.")
    walked = back(path, steps)
    g, v = walked[-1], walked[0]
    wrong = products(path.factors[:steps].unsqueeze(1)).jacobian[0] @ v
    return LookBack(
        weights=len(g),
        factors=tuple(tuple(map(tuple, factor.tolist())) for factor in path.factors[:steps]),
        slope=tuple(v.tolist()),
        meta_gradient=tuple(g.tolist()),
        wrong=tuple(wrong.tolist()),
        terms=ledger(walked),
        losses=(float(path.losses[steps, 0]), float(path.losses[steps, 1])),
        length=float(g.norm()),
    )


def ledger(walked: list[Tensor]) -> tuple[Term, ...]:
    r"""The terms of $g = v_k - \sum_j \alpha H_j v_{j+1}$, from the first-order part to the first step's.

    Each is the difference of two neighbours on the walk back, so together they leave nothing over.
    """
    direction = walked[-1] / walked[-1].norm()
    last = len(walked) - 1
    parts = [(None, walked[0])] + [(last - i, walked[i] - walked[i - 1]) for i in range(1, len(walked))]
    return tuple(Term(step, float(part.norm()), float(part @ direction)) for step, part in parts)


def turned(path: Path) -> dict[str, tuple[Turned, ...]]:
    """For every k: what the wrong order, and no second-order term at all, do to the meta-gradient."""
    so_far = products_so_far(path.factors)
    rows: dict[str, list[Turned]] = {"wrong order": [], "first order": []}
    for k in range(1, len(path.stops)):
        g, v = back(path, k)[-1], path.slopes[k]
        for name, other in (("wrong order", so_far[k - 1] @ v), ("first order", v)):
            rows[name].append(Turned(k, angle(other, g), length_ratio(other, g)))
    return {name: tuple(row) for name, row in rows.items()}


def four_ways(setting: Setting, path: Path, steps: int) -> Agreement:
    """The meta-gradient by the three ways back, and by nudging θ."""
    loss, theta, tasks = problem(setting)
    rates = {"inner_lr": setting.inner_lr, "inner_steps": steps}
    right = products(path.factors[:steps].unsqueeze(1)).transposed[0]
    vectors = {
        "product of the factors, times ∇L_q(φ)": right @ path.slopes[steps],
        "backpropagation through the loop": flatten(maml(loss, theta, tasks, **rates).grads),
        "stored iterates, one Hessian-vector product each": flatten(
            stored_iterates(loss, theta, tasks, **rates).grads
        ),
        "central difference": central_difference(setting, steps),
    }
    return agreement(vectors, _why(setting, path, vectors))


def central_difference(setting: Setting, steps: int) -> Tensor:
    """The meta-gradient by nudging each weight of θ four times: fourth order, so that the nudge may be wide."""
    loss, theta, tasks = problem(setting)
    flat = flatten(theta)
    n = len(flat)
    nudges = torch.cat([c * NUDGE * torch.eye(n, dtype=flat.dtype) for c in (1, -1, 2, -2)])
    phi = leaves(unflatten(flat + nudges, tile(theta, 4 * n)))
    support = repeated(tasks.support, 4 * n)
    phi = adapt(loss, phi, support, lr=setting.inner_lr, steps=steps, create_graph=False)
    up, down, far_up, far_down = loss(phi, repeated(tasks.query, 4 * n)).detach().view(4, n)
    return (8 * (up - down) - (far_up - far_down)) / (12 * NUDGE)


def _why(setting: Setting, path: Path, vectors: dict[str, Tensor]) -> str:
    """The sentence for a central difference that parts from the other three."""
    *exact, _ = (vector.tolist() for vector in vectors.values())
    first = f"Three exact ways agree to {numeral(relative_difference(exact), 2)}; the central difference parts. "
    if setting.family == "ReLU":
        return first + "A kink of ReLU lies at θ or within its nudge, or the inner loop carries the nudge over one."
    stretch = float(torch.linalg.matrix_norm(products_so_far(path.factors)[-1], 2))
    return (
        first
        + f"The inner loop makes a nudge up to {numeral(stretch, 2)} times as long: too long to be a derivative."
    )
