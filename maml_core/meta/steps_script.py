"""Lesson 5's screen as a standalone Python script: the task, the walk and the walk back, its asserts."""

import torch

from maml_core.meta.k_steps import Setting, problem
from maml_core.meta.looking_back import LookBack
from maml_core.meta.steps_explained import StepsExplained
from maml_core.meta.trees import flatten

HEAD = '''"""Lesson 5: {steps} inner steps on one task, and the way back from their end.
{link}
Needs only PyTorch; written for torch {torch}. Run it: it prints what the page shows and checks each number.
"""

import math

import torch
from torch.autograd import grad
from torch.autograd.functional import hessian

torch.set_default_dtype(torch.float64)
inner_lr, inner_steps = {inner_lr!r}, {steps}
'''
BOWL = """

def loss(phi, matrix, centre):
    away = phi - centre
    return away @ matrix @ away / 2

"""
NETWORK = '''

def loss(phi, x, y):
    """Mean squared error of a 1-{w}-{w}-1 network whose weights are the vector phi."""
    first, bias, second, more, last, end = phi.split([{w}, {w}, {w} * {w}, {w}, {w}, 1])
    h = torch.{activation}(x * first + bias)
    h = torch.{activation}(h @ second.view({w}, {w}).T + more)
    return (h @ last + end - y).square().mean()

'''
BODY = """
phi, factors = theta, []
for _ in range(inner_steps):
    start = phi.detach().requires_grad_()
    factors.append(torch.eye(len(theta)) - inner_lr * hessian(lambda p: loss(p, *support), start))
    phi = start - inner_lr * grad(loss(start, *support), start)[0]
phi = phi.detach().requires_grad_()
(v,) = grad(loss(phi, *query), phi)  # the gradient at the end: all that first-order MAML keeps

# The walk back: the last step's factor first. Each step takes one term off.
walk = [v]
for factor in reversed(factors):
    walk.append(factor @ walk[-1])
g = walk[-1]
shares = [(v @ g / g.norm()).item()] + [((b - a) @ g / g.norm()).item() for a, b in zip(walk, walk[1:])]

wrong = v  # the same factors in the other order
for factor in factors:
    wrong = factor @ wrong

# Backpropagation through the loop, without a matrix.
start = theta.clone().requires_grad_()
phi = start
for _ in range(inner_steps):
    phi = phi - inner_lr * grad(loss(phi, *support), phi, create_graph=True)[0]
(unrolled,) = grad(loss(phi, *query), start)


def degrees(a, b):
    a, b = a / a.norm(), b / b.norm()
    return math.degrees(2 * math.atan2((a - b).norm(), (a + b).norm()))


def check(name, value, expected):
    print(f"{name}: {value}")
    assert math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-9), (name, value, expected)


assert (unrolled - g).norm() <= 1e-9 * max(step.norm() for step in walk)
assert math.isclose(sum(shares), g.norm(), rel_tol=1e-9, abs_tol=1e-9 * max(map(abs, shares)))
"""


def steps_script(explained: StepsExplained, link: str = "") -> str:
    """The script of lesson 5. Raises ValueError for an inner loop without an end to look back from."""
    setting, steps, found = explained.setting, explained.steps, explained.look
    if found is None:
        raise ValueError(f"This inner loop has {explained.finite_steps} finite steps, not {steps}.")
    head = HEAD.format(
        steps=steps,
        link=f"\n{link}\n" if link else "",
        torch=torch.__version__.split("+")[0],
        inner_lr=setting.inner_lr,
    )
    return head + _model(setting) + _data(setting) + BODY + _asserts(found, explained.degrees)


def _model(setting: Setting) -> str:
    if setting.family == "bowl":
        return BOWL
    return NETWORK.format(w=setting.width, activation="tanh" if setting.family == "tanh" else "relu")


def _data(setting: Setting) -> str:
    """θ and both sets, as literals that restore every bit."""
    _, theta, tasks = problem(setting)
    sets = {"support": tasks.support, "query": tasks.query}
    lines = [f"theta = torch.tensor({flatten(theta).tolist()})"]
    for name, (x, y) in sets.items():
        lines.append(f"{name} = torch.tensor({x[0].tolist()}), torch.tensor({y[0, :, 0].tolist()})")
    return "\n".join(lines) + "\n"


def _asserts(found: LookBack, degrees: dict[str, float]) -> str:
    """A line for each number of the screen."""
    checks = [
        f'check("support loss at φ", loss(phi, *support).item(), {found.losses[0]!r})',
        f'check("query loss at φ", loss(phi, *query).item(), {found.losses[1]!r})',
        f'check("length of the meta-gradient", g.norm().item(), {found.length!r})',
        f'check("degrees that the wrong order turns it", degrees(wrong, g), {degrees["wrong order"]!r})',
        f'check("degrees without second-order terms", degrees(v, g), {degrees["first order"]!r})',
    ]
    names = ["first-order part"] + [f"term of step {term.step}" for term in found.terms[1:]]
    for i, (name, term) in enumerate(zip(names, found.terms, strict=True)):
        checks.append(f'check("share of the {name}", shares[{i}], {term.share!r})')
    return "\n".join(checks) + "\n"
