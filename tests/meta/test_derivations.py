"""Every displayed equation of assets/derivations has a tag, and every tag a test here, named after file and tag.

The loss is a curved valley in three dimensions. SymPy's rational numbers make most of these checks exact.
"""

import re
from functools import cache
from pathlib import Path

import pytest
import sympy
import torch
from sympy import Matrix, Rational, eye, hessian, symbols

from maml_core.meta.algorithms import maml, one_leap
from maml_core.meta.bowls import bowl_loss, bowls
from maml_core.meta.inner import adapt
from maml_core.meta.solvers import conjugate_gradient
from maml_core.meta.trees import leaves, tile

DERIVATIONS = sorted((Path(__file__).parents[2] / "assets" / "derivations").glob("*.md"))
ALPHA, PULL = Rational(1, 10), Rational(7, 3)
THETA = Matrix(symbols("a b c"))
A, B, C = THETA
AT = dict(zip(THETA, (Rational(1, 2), Rational(-1, 3), Rational(2, 5)), strict=True))
K = 3


def support(p):
    return (1 - p[0]) ** 2 + (p[1] - p[0] ** 2) ** 2 + (p[2] - p[1] ** 2) ** 2


def query(p):
    a, b, c = p[0] - 1, p[1] + 1, (2 * p[2] - 1) / 2
    return a**2 + 2 * b**2 + c**4 / 2 + a * b - b * c / 2


def slope(loss, at):
    return Matrix([loss(THETA).diff(x) for x in THETA]).subs(values(at), simultaneous=True)


def curvature(loss, at):
    return hessian(loss(THETA), list(THETA)).subs(values(at), simultaneous=True)


def values(at):
    return dict(zip(THETA, at, strict=True))


def step(at):
    return at - ALPHA * slope(support, at)


@cache
def stops(k=K):
    """φ_0 … φ_k, exact."""
    found = [THETA.subs(AT)]
    for _ in range(k):
        found.append(step(found[-1]))
    return found


@cache
def end(k=K):
    """φ_k as a function of θ."""
    return THETA if k == 0 else step(end(k - 1))


@cache
def jacobian(k=K):
    """∂φ_k/∂θ by SymPy, which knows nothing of factors."""
    return end(k).jacobian(THETA).subs(AT)


@cache
def factors(k=K):
    return [eye(3) - ALPHA * curvature(support, stop) for stop in stops(k)[:k]]


@cache
def v(k=K):
    return slope(query, stops(k)[k])


@cache
def meta_gradient(k=K):
    loss = query(end(k))
    return Matrix([loss.diff(x).subs(AT) for x in THETA])


def right_order(k=K):
    return sympy.prod(factors(k), start=eye(3))


# The furniture.


@pytest.mark.parametrize("path", DERIVATIONS, ids=lambda path: path.stem)
def test_every_displayed_equation_has_a_tag_and_every_tag_a_test(path):
    text = path.read_text()
    tags = re.findall(r"\\tag\{(.+?)\}", text)
    assert tags
    assert len(tags) == len(set(tags)) == len(re.findall(r"^\$\$$", text, re.MULTILINE)) / 2
    assert all(f"test_{path.stem}__{tag}" in globals() for tag in tags)


@pytest.mark.parametrize("path", DERIVATIONS, ids=lambda path: path.stem)
def test_a_derivation_starts_with_its_title(path):
    assert path.read_text().startswith("# Derivation: ")


# inner_jacobian.md


def test_inner_jacobian__step():
    loss, theta, tasks = in_torch()
    found = adapt(loss, leaves(tile(theta, 1)), tasks.support, lr=float(ALPHA), steps=1, create_graph=False)
    assert found["p"][0].tolist() == pytest.approx([float(x) for x in stops(1)[1]], rel=1e-14)


def test_inner_jacobian__entry():
    for row in range(3):
        for column in range(3):
            second = support(THETA).diff(THETA[row], THETA[column])
            expected = int(row == column) - ALPHA * second
            assert sympy.expand(end(1)[row].diff(THETA[column]) - expected) == 0


def test_inner_jacobian__matrix():
    assert jacobian(1) == factors(1)[0] == jacobian(1).T


def test_inner_jacobian__gain():
    h = Matrix([[2, 1], [1, 3]])
    for gain, _, (u,) in h.eigenvects():
        residual = (eye(2) - ALPHA * h) * u - (1 - ALPHA * gain) * u
        assert sympy.simplify(residual) == sympy.zeros(2, 1)


def test_inner_jacobian__growth():
    x = sympy.Symbol("lambda", real=True)
    grows = sympy.solveset(abs(1 - ALPHA * x) > 1, x, sympy.Reals)
    assert grows == sympy.Union(sympy.Interval.open(-sympy.oo, 0), sympy.Interval.open(2 / ALPHA, sympy.oo))


def test_inner_jacobian__chain():
    assert meta_gradient(1) == jacobian(1).T * v(1)


def test_inner_jacobian__parts():
    assert jacobian(1).T * v(1) == v(1) - ALPHA * curvature(support, stops()[0]) * v(1)


# k_steps.md


def test_k_steps__loop():
    loss, theta, tasks = in_torch()
    found = adapt(loss, leaves(tile(theta, 1)), tasks.support, lr=float(ALPHA), steps=K, create_graph=False)
    assert found["p"][0].tolist() == pytest.approx([float(x) for x in stops()[K]], rel=1e-14)


def test_k_steps__factor():
    for j in range(K):
        assert jacobian(j + 1) == factors()[j] * jacobian(j)


def test_k_steps__product():
    assert jacobian() == sympy.prod(reversed(factors()), start=eye(3))


def test_k_steps__transpose():
    assert right_order() == jacobian().T


def test_k_steps__columns():
    assert meta_gradient() == right_order() * v()


def test_k_steps__rows():
    assert v().T * sympy.prod(reversed(factors()), start=eye(3)) == meta_gradient().T


def test_k_steps__commutator():
    h0, h1 = (curvature(support, stop) for stop in stops()[:2])
    expected = ALPHA**2 * (h1 * h0 - h0 * h1) * v(2)
    assert jacobian(2) * v(2) - jacobian(2).T * v(2) == expected != sympy.zeros(3, 1)


def walked():
    """v_k … v_0, and the terms that were taken off on the way."""
    found, terms = [v()], []
    for stop in reversed(stops()[:K]):
        terms.append(ALPHA * curvature(support, stop) * found[-1])
        found.append(found[-1] - terms[-1])
    return found, terms


def test_k_steps__walk():
    assert walked()[0][-1] == meta_gradient()


def test_k_steps__ledger():
    assert meta_gradient() == v() - sum(walked()[1], sympy.zeros(3, 1))


def test_k_steps__bound():
    sizes = [torch.linalg.eigvalsh(numbers(factor)).abs().max() for factor in factors()]
    assert torch.linalg.matrix_norm(numbers(jacobian()), 2) < torch.stack(sizes).prod()


def test_k_steps__power():
    h, x = Matrix([[2, 1], [1, 3]]), Matrix(symbols("x y"))
    phi = x
    for _ in range(K):
        phi = phi - ALPHA * h * phi
    for value, _, (u,) in h.eigenvects():
        assert sympy.simplify(phi.jacobian(x) * u - (1 - ALPHA * value) ** K * u) == sympy.zeros(2, 1)


# stop_gradient.md


def test_stop_gradient__stop():
    x = torch.tensor(3.0, requires_grad=True)
    (found,) = torch.autograd.grad(x.detach() * 2 + 0 * x, x)
    assert x.detach() == x
    assert found == 0


def test_stop_gradient__dot():
    loss = end().dot(v())  # v is made of numbers here: that is what stopping means
    assert Matrix([loss.diff(x).subs(AT) for x in THETA]) == jacobian().T * v()


def test_stop_gradient__identity():
    assert jacobian().T * v() == meta_gradient()


def test_stop_gradient__unstopped():
    moving = end(1).dot(slope(query, end(1)))
    found = Matrix([moving.diff(x).subs(AT) for x in THETA])
    phi, j = stops(1)[1], jacobian(1)
    assert found == j.T * v(1) + j.T * curvature(query, phi) * phi


def test_stop_gradient__flat():
    assert hessian(THETA.dot(v()), list(THETA)) == sympy.zeros(3, 3) != curvature(query, stops()[K])


# implicit_gradient.md: a bowl, where the inner minimum has a formula

H = Matrix([[3, 1, 0], [1, 2, -1], [0, -1, 1]])
CENTRE = Matrix([1, -2, Rational(1, 2)])
MINIMUM = (H + PULL * eye(3)).inv() * (H * CENTRE + PULL * THETA)


def spring(p):
    away = p - CENTRE
    return (away.T * H * away)[0] / 2 + PULL * (p - THETA).dot(p - THETA) / 2


def test_implicit_gradient__inner():
    p = Matrix(symbols("p q r"))
    bend = hessian(spring(p), list(p))
    assert bend.is_positive_definite
    assert all(sympy.simplify(spring(p).diff(x).subs(dict(zip(p, MINIMUM, strict=True)))) == 0 for x in p)


def test_implicit_gradient__stationary():
    assert sympy.simplify(H * (MINIMUM - CENTRE) + PULL * (MINIMUM - THETA)) == sympy.zeros(3, 1)


def test_implicit_gradient__differentiated():
    j = MINIMUM.jacobian(THETA)
    assert H * j + PULL * (j - eye(3)) == sympy.zeros(3, 3)


def test_implicit_gradient__inverse():
    assert MINIMUM.jacobian(THETA) == (eye(3) + H / PULL).inv()


def test_implicit_gradient__system():
    loss = query(MINIMUM)
    found = Matrix([loss.diff(x).subs(AT) for x in THETA])
    assert (eye(3) + H / PULL) * found == slope(query, MINIMUM.subs(AT))


@pytest.mark.parametrize("steps", [1, 2])
def test_implicit_gradient__residual(steps):
    h = numbers(H)
    system = torch.eye(3).double() + h / float(PULL)
    b = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    found = conjugate_gradient(lambda x: x @ system, b[None], steps=steps).x[0]
    r = (b - system @ found).norm()
    error = (found - torch.linalg.solve(system, b)).norm()
    assert 0 < error <= r / (1 + torch.linalg.eigvalsh(h)[0] / float(PULL))


def test_implicit_gradient__stiff():
    x = sympy.Symbol("x", positive=True)  # 1/λ
    inverse = (eye(3) + x * H).inv()
    assert inverse.applyfunc(lambda entry: sympy.series(entry, x, 0, 2).removeO()) == eye(3) - x * H


# one_leap.md


def in_torch():
    """The valley as the engine sees it: one task, θ in one leaf."""

    def loss(params, batch):
        p = params["p"].unbind(-1)
        return (support(p) if batch is tasks.support else query(p)) + 0 * batch.x.sum()

    tasks = bowls(1, (1.0,), seed=0)
    theta = {"p": torch.tensor([float(AT[x]) for x in THETA], dtype=torch.float64)}
    return loss, theta, tasks


def spliced(beta):
    """ψ by autograd, and its Jacobian row by row."""
    theta = torch.tensor([float(AT[x]) for x in THETA], dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(support(theta), theta, create_graph=True)
    leap = theta - beta * g
    psi = torch.tensor([float(x) for x in stops()[K]], dtype=torch.float64) + (leap - leap.detach())
    return theta, psi, torch.stack([torch.autograd.grad(entry, theta, retain_graph=True)[0] for entry in psi])


def numbers(matrix):
    return torch.tensor([[float(entry) for entry in row] for row in matrix.tolist()], dtype=torch.float64)


def test_one_leap__leap():
    assert end(1) == THETA - ALPHA * slope(support, THETA)


def test_one_leap__splice():
    _, psi, _ = spliced(0.3)
    assert psi.tolist() == [float(x) for x in stops()[K]]


def test_one_leap__value():
    _, _, derivative = spliced(0.3)
    expected = torch.eye(3) - 0.3 * numbers(curvature(support, stops()[0]))
    torch.testing.assert_close(derivative, expected)


def test_one_leap__gradient():
    loss, theta, tasks = in_torch()
    found = one_leap(loss, theta, tasks, inner_lr=float(ALPHA), inner_steps=K, leap_lr=0.3).grads["p"]
    h = numbers(curvature(support, stops()[0]))
    torch.testing.assert_close(found, (torch.eye(3) - 0.3 * h) @ numbers(v())[:, 0])


def test_one_leap__one():
    loss, theta, tasks = in_torch()
    rates = {"inner_lr": float(ALPHA), "inner_steps": 1}
    found = one_leap(loss, theta, tasks, **rates).grads["p"]
    torch.testing.assert_close(found, maml(loss, theta, tasks, **rates).grads["p"])


def test_one_leap__sum():
    """The rest is of order α²: a step half as long leaves a quarter of it."""

    def rest(alpha):
        phi, left, total = numbers(stops()[0])[:, 0], torch.eye(3).double(), torch.zeros(3, 3).double()
        for _ in range(K):
            h = torch.autograd.functional.hessian(support, phi)
            phi = phi - alpha * torch.autograd.functional.jacobian(support, phi)
            left, total = left - alpha * h @ left, total + h
        return (left - torch.eye(3) + alpha * total).norm()

    assert rest(1e-4) / rest(5e-5) == pytest.approx(4, rel=1e-2)


def test_one_leap__bernoulli():
    gain = torch.linspace(0, 1, 101, dtype=torch.float64)
    for k in range(1, 21):
        assert (1 - k * gain <= (1 - gain) ** k + 1e-15).all()


def test_on_a_bowl_both_orders_are_one():
    tasks = bowls(1, (0.5, 2.0, 8.0), seed=0)
    j = torch.linalg.matrix_power(torch.eye(3) - 0.1 * tasks.support.x[0], K)
    torch.testing.assert_close(j, j.mT)
    assert bowl_loss({"point": tasks.support.y[..., 0]}, tasks.support) == 0
