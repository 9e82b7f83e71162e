"""Lesson 6's table as a standalone script: nine meta-gradients written out in plain PyTorch, and an assert for each.

The script shares no code with the engine, so it is one more witness; θ and the tasks are inside it, as float32.
"""

import base64
import math
import textwrap
from collections.abc import Sequence

import torch
from torch import Tensor

from maml_core.meta.shortcuts import Row, Setting
from maml_core.meta.starts import Problem
from maml_core.meta.trees import flatten

# `@NAME@` is filled in; everything else stands in the script as it is here.
TEMPLATE = '''"""Nine meta-gradients from one θ on the same tasks. @TITLE@

Needs only PyTorch; written for torch @TORCH@. Run it: it prints the table of the page and checks each number.
"""

import base64
import math

import torch
from torch.autograd import grad


def numbers(text):
    """Base64 of float32 numbers, as float64."""
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.float32).double()


theta = numbers("""
@THETA@
""").requires_grad_()
x_support, y_support, x_query, y_query = numbers("""
@TASKS@
""").view(4, @T@, -1)
SHAPES = @SHAPES@
HEAD = @HEAD@  # where the last layer begins
alpha, k = @ALPHA@, @K@
last, beta = @LAST@, @BETA@  # of the truncated one, and of one leap
pull, proximal_steps, cg_steps = @PULL@, @PROXIMAL@, @CG@  # of iMAML


def loss(phi, x, y):
    """The mean squared error of a ReLU network whose weights are cut out of one vector."""
    leaves = [piece.view(shape) for piece, shape in zip(phi.split([math.prod(s) for s in SHAPES]), SHAPES)]
    h = x.unsqueeze(-1)
    for weight, bias in zip(leaves[0:-2:2], leaves[1:-2:2]):
        h = torch.relu(h @ weight.T + bias)
    return ((h @ leaves[-2].T + leaves[-1]).squeeze(-1) - y).square().mean()


def descend(phi, task, steps, create_graph, rate=alpha):
    for _ in range(steps):
        (g,) = grad(loss(phi, *task[:2]), phi, create_graph=create_graph)
        phi = phi - rate * g
    return phi


def query_gradient(phi, task):
    phi = phi.detach().requires_grad_()
    return grad(loss(phi, *task[2:]), phi)[0]


def hvp(phi, task, v):
    phi = phi.detach().requires_grad_()
    (g,) = grad(loss(phi, *task[:2]), phi, create_graph=True)
    return grad(g @ v, phi)[0]


def maml(task):
    return grad(loss(descend(theta, task, k, True), *task[2:]), theta)[0]


def fomaml(task):
    return query_gradient(descend(theta, task, k, False), task)


def reptile(task):
    return (theta - descend(theta, task, k, False)).detach() / alpha


def masked(task, moves):
    """MAML with an inner loop that moves only where `moves` is 1."""
    return grad(loss(descend(theta, task, k, True, alpha * moves), *task[2:]), theta)[0]


def anil(task):
    return masked(task, (torch.arange(len(theta)) >= HEAD).double())


def boil(task):
    return masked(task, (torch.arange(len(theta)) < HEAD).double())


def meta_sgd(task):
    rates = torch.full_like(theta, alpha, requires_grad=True)  # it would learn these too
    return grad(loss(descend(theta, task, k, True, rates), *task[2:]), (theta, rates))[0]


def one_leap(task):
    v = fomaml(task)
    return v - beta * hvp(theta, task, v)


def imaml(task):
    phi = theta
    for _ in range(proximal_steps):
        phi = phi.detach().requires_grad_()
        proximal = loss(phi, *task[:2]) + pull / 2 * (phi - theta.detach()).square().sum()
        phi = phi - alpha / (1 + alpha * pull) * grad(proximal, phi)[0]
    b = query_gradient(phi, task)
    x, r, p = torch.zeros_like(b), b, b
    for _ in range(cg_steps):
        ap = p + hvp(phi, task, p) / pull
        if p @ ap <= 1e-290 or r @ r <= 1e-290:  # no minimum along p, or nothing left to do
            p = r
            continue
        length = (r @ r) / (p @ ap)
        x, after = x + length * p, r - length * ap
        p, r = after + (after @ after) / (r @ r) * p, after
    return x


def truncated(task):
    start = descend(theta, task, k - min(last, k), False).detach().requires_grad_()
    return grad(loss(descend(start, task, min(last, k), True), *task[2:]), start)[0]


def degrees(a, b):
    a, b = a / a.norm(), b / b.norm()
    return math.degrees(2 * math.atan2((a - b).norm(), (a + b).norm()))


def close(a, b):
    return str(a) == str(b) if math.isnan(b) else math.isclose(a, b, rel_tol=@TOLERANCE@, abs_tol=@TOLERANCE@)


tasks = list(zip(x_support, y_support, x_query, y_query))
exact = torch.stack([maml(task) for task in tasks]).mean(0)
EXPECTED = {  # degrees to MAML, length over MAML's
@EXPECTED@
}
for method, (angle, ratio) in EXPECTED.items():
    found = torch.stack([method(task) for task in tasks]).mean(0)
    finite = bool((found - exact).isfinite().all())
    got = (degrees(found, exact), float(found.norm() / exact.norm())) if finite else (math.nan, math.nan)
    print(f"{method.__name__:10s} {got[0]:8.3f} degrees   {got[1]:10.4f} times as long as MAML's")
    assert close(got[0], angle) and close(got[1], ratio), (method.__name__, got, (angle, ratio))
'''
TOLERANCE = 1e-5
LOOSE = 1e-2  # where the inner loop overshoots, rounding grows with it


def shortcuts_script(
    setting: Setting, where: Problem, rows: Sequence[Row], link: str = "", *, rough: bool = False
) -> str:
    """The script that reproduces the table. `rough`: steps overshoot, so that the last digits are nobody's."""
    filled = {
        "TITLE": link,
        "TORCH": torch.__version__.split("+")[0],
        "TOLERANCE": LOOSE if rough else TOLERANCE,
        "EXPECTED": "\n".join(
            f"    {row.name.replace('-', '_')}: ({_literal(row.degrees)}, {_literal(row.ratio)})," for row in rows
        ),
    }
    text = TEMPLATE
    for name, value in (filled | _numbers(where) | _rates(setting)).items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _numbers(where: Problem) -> dict[str, object]:
    theta, tasks = where
    shapes = [tuple(leaf.shape) for leaf in theta.values()]
    return {
        "THETA": _base64(flatten(theta)),
        "TASKS": _base64(torch.stack([part.flatten() for batch in tasks[:2] for part in batch])),
        "T": len(tasks.support.x),
        "SHAPES": shapes,
        "HEAD": sum(math.prod(shape) for shape in shapes[:-2]),
    }


def _rates(setting: Setting) -> dict[str, object]:
    return {
        "ALPHA": repr(setting.inner_lr),
        "K": setting.inner_steps,
        "LAST": setting.last,
        "BETA": repr(setting.leap * setting.inner_lr),
        "PULL": repr(setting.pull),
        "PROXIMAL": setting.proximal_steps,
        "CG": setting.cg_steps,
    }


def _base64(numbers: Tensor) -> str:
    """The numbers as float32 bytes, in lines that an editor can show."""
    raw = numbers.detach().float().contiguous().numpy().tobytes()
    return "\n".join(textwrap.wrap(base64.b64encode(raw).decode(), 116))


def _literal(value: float) -> str:
    return repr(value) if math.isfinite(value) else "math.nan"
