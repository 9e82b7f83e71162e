"""One inner step on the map as a standalone script: only PyTorch, and an assert for every number of the screen."""

import torch

from maml_core.graphs.trees import Expression
from maml_core.plane.answers import Answer, Rates
from maml_core.plane.problems import Problem

SCRIPT = '''"""One inner step in two weights: φ, H, J = I − αH, and the meta-gradient with J and without it.

{link}
Needs only PyTorch; written for torch {torch}. Run it: it prints what the page shows and checks each number.
"""

import math

import torch
from torch.autograd import grad
from torch.autograd.functional import hessian

THETA, ALPHA = {theta}, {alpha}


{functions}
TASKS = [{tasks}]


def step(support, theta, create_graph=False):
    (gradient,) = grad(support(*theta), theta, create_graph=create_graph)
    return theta - ALPHA * gradient


def meta_gradient(create_graph):
    theta = torch.tensor(THETA, dtype=torch.float64, requires_grad=True)
    losses = [query(*step(support, theta, create_graph)) for support, query in TASKS]
    (gradient,) = grad(sum(losses) / len(losses), theta)
    return gradient.tolist()


def check(name, found, expected):
    """Equal up to rounding; infinities and nan must stand in the same places."""
    print(name, "=", found)
    size = max(map(abs, [x for x in expected if math.isfinite(x)] or [1.0]))
    for a, b in zip(found, expected):
        finite = math.isfinite(a), math.isfinite(b)
        assert abs(a - b) <= {tolerance} * max(size, 1e-30) if all(finite) else not any(finite), (name, a, b)


nan, inf = math.nan, math.inf
theta = torch.tensor(THETA, dtype=torch.float64, requires_grad=True)
for (support, query), (phi, h, j) in zip(TASKS, {numbers}):
    check("phi", step(support, theta).tolist(), phi)
    curvature = hessian(lambda w: support(*w), theta.detach())
    check("H", curvature.flatten().tolist(), h)
    check("J", (torch.eye(2, dtype=torch.float64) - ALPHA * curvature).flatten().tolist(), j)
check("MAML", meta_gradient(create_graph=True), {maml})
check("FOMAML", meta_gradient(create_graph=False), {fomaml})
'''
TOLERANCE = "1e-9"  # of a vector's largest entry


def one_step_script(problem: Problem, rates: Rates, exact: Answer, link: str = "") -> str:
    """The script for lesson 4's screen. `exact` holds MAML's and FOMAML's arrows."""
    names = [f"_{task.name}" if task.name else "" for task in problem.tasks]
    functions = "".join(
        _function(f"support{name}", task.support) + _function(f"query{name}", task.query)
        for name, task in zip(names, problem.tasks, strict=True)
    )
    numbers = [
        (list(end), [*h[0], *h[1]], [*j[0], *j[1]])
        for end, h, j in zip(exact.ends, exact.hessians, exact.jacobians, strict=True)
    ]
    return SCRIPT.format(
        link=link,
        torch=torch.__version__.split("+")[0],
        theta=exact.theta,
        alpha=repr(rates.inner_lr),
        functions=functions.rstrip() + "\n\n",
        tasks=", ".join(f"(support{name}, query{name})" for name in names),
        numbers=numbers,
        maml=list(exact.arrows["maml"]),
        fomaml=list(exact.arrows["fomaml"]),
        tolerance=TOLERANCE,
    )


def _function(name: str, expression: Expression) -> str:
    return f"def {name}(u, v):\n    return {expression.code('torch.')}\n\n\n"
