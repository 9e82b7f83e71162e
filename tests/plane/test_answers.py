"""PyTorch's answers on the map, against closed forms, independent modules and one another."""

import math
import random
import re
from pathlib import Path

import numpy
import pytest
import torch
from torch import nn

from maml_core.graphs.expressions import parse
from maml_core.meta.agreement import relative_difference
from maml_core.meta.tasks import sinusoids
from maml_core.plane import contours, problems
from maml_core.plane.answers import Rates, answer
from maml_core.plane.one_step import fate, sharpest, ways
from maml_core.plane.sweeps import POINTS, sweep

ALL = {
    "bowl": problems.bowl(3.2, 30.0),
    "rosenbrock": problems.rosenbrock(),
    "two tasks": problems.pair(),
    "ReLU net": problems.network(),
    "own": problems.own("sin(2 * u) * cos(v)", "u * v"),
}
FLIP = torch.tensor([[1.0], [-1.0]])  # a picture's second coordinate grows downwards
any_problem = pytest.mark.parametrize("problem", ALL.values(), ids=ALL)


@pytest.mark.parametrize(("sharpness", "degrees"), [(3.2, 30.0), (0.5, -90.0), (8.0, 75.0)])
def test_a_bowl_has_the_curvatures_and_the_direction_asked_for(sharpness, degrees):
    (H,) = answer(problems.bowl(sharpness, degrees), (0.3, -2.0), Rates(0.1), ()).hessians
    turn = math.radians(degrees)
    across = torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
    matrix = torch.tensor(H, dtype=torch.float64)
    torch.testing.assert_close(matrix @ across, sharpness * across, rtol=1e-8, atol=1e-8)
    assert matrix.trace().item() == pytest.approx(sharpness + problems.FLAT)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_on_quadratic_tasks_the_mean_of_the_closed_forms_is_maml(steps):
    problem, rates, theta = problems.pair(), Rates(0.2, steps), torch.tensor([0.4, -1.1], dtype=torch.float64)
    found = answer(problem, tuple(theta.tolist()), rates, ("maml", "fomaml"))
    exact, first_order = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for task in problem.tasks:
        (A, a), (B, b) = quadratic(task.support), quadratic(task.query)
        J = torch.linalg.matrix_power(torch.eye(2, dtype=torch.float64) - rates.inner_lr * A, steps)
        gradient = B @ (a + J @ (theta - a) - b)
        exact, first_order = exact + J.T @ gradient / 2, first_order + gradient / 2
    assert relative_difference([found.arrows["maml"], exact.tolist()]) < 1e-12
    assert relative_difference([found.arrows["fomaml"], first_order.tolist()]) < 1e-12


def quadratic(expression):
    """A and c of ½ (w − c)ᵀ A (w − c), read off by SymPy."""
    import sympy

    u, v = sympy.symbols("u v")
    form = expression.sympy()
    slopes = [sympy.diff(form, x) for x in (u, v)]
    A = [[float(sympy.diff(s, x)) for x in (u, v)] for s in slopes]
    c = sympy.solve(slopes, (u, v))
    return torch.tensor(A, dtype=torch.float64), torch.tensor([float(c[u]), float(c[v])], dtype=torch.float64)


def test_the_network_is_a_network_of_pytorch():
    drawn = sinusoids(1, 5, seed=7, dtype=torch.float64, amplitude=(1.5, 1.5), x_range=(-1.6, 1.6))
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    u, v = -0.7, 1.9
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[u], [-1.0]], dtype=torch.float64))
        net[0].bias.copy_(torch.tensor([1.0, 0.0]))
        net[2].weight.copy_(torch.tensor([[v, 0.5]], dtype=torch.float64))
        net[2].bias.fill_(-1.0)
    for batch, expression in (
        (drawn.support, ALL["ReLU net"].tasks[0].support),
        (drawn.query, ALL["ReLU net"].tasks[0].query),
    ):
        expected = nn.functional.mse_loss(net(batch.x[0]), batch.y[0]).item() / 2
        assert expression.evaluate({"u": u, "v": v}) == pytest.approx(expected, rel=1e-12)


@any_problem
def test_three_ways_to_the_meta_gradient_agree(problem):
    draw = random.Random(1)
    for _ in range(3):
        theta = tuple(c + draw.uniform(-0.7, 0.7) * problem.half_width for c in problem.centre)
        check = ways(problem, theta, Rates(0.2))
        assert check.agrees, check


def test_on_a_kink_the_ways_part_and_say_why():
    check = ways(problems.own("abs(u) + v**2", "u**2 + u * v"), (0.0, 1.0), Rates(0.2))
    assert not check.agrees
    assert "kink" in check.reason


def test_reptile_without_a_step_size_is_not_a_number():
    found = answer(ALL["bowl"], (0.0, 0.0), Rates(0.0), ("reptile", "maml", "fomaml"))
    assert all(map(math.isnan, found.arrows["reptile"]))
    assert found.arrows["maml"] == found.arrows["fomaml"]


@any_problem
def test_the_sweep_holds_the_answers_of_single_rates(problem):
    found = sweep(problem, problem.start)
    for i in (0, 37, POINTS - 1):
        one = answer(problem, problem.start, Rates(found.alphas[i]), ("maml", "fomaml"))
        exact, first = (torch.tensor(one.arrows[name], dtype=torch.float64) for name in ("maml", "fomaml"))
        assert found.ratio[i] == pytest.approx(float(first.norm() / exact.norm()), rel=1e-10)
        cosine = float(first @ exact / first.norm() / exact.norm())
        assert math.cos(math.radians(found.angle[i])) == pytest.approx(cosine, abs=1e-10)


def test_the_marks_of_the_sweep_are_where_the_gain_is_0_and_minus_1():
    found = sweep(problems.bowl(4.0, 10.0), (1.0, 1.0))
    sharp, flat = found.gains
    assert sharp.curvature == pytest.approx(found.sharpest) == pytest.approx(4.0)
    assert sharp.values[50] == pytest.approx(0.0, abs=1e-8)  # α = 0.25
    assert sharp.values[100] == pytest.approx(-1.0)  # α = 0.5
    assert flat.curvature == pytest.approx(problems.FLAT)


@pytest.mark.parametrize(
    ("gain", "word"),
    [
        (1.0, "just as far"),
        (0.3, "less"),
        (0.0, "not at all"),
        (1.2, "more"),
        (-0.44, "backwards, less"),
        (-1.0, "backwards, as far"),
        (-1.5, "backwards, more"),
    ],
)
def test_the_fate_of_a_nudge(gain, word):
    assert fate(gain) == word


@pytest.mark.parametrize(("alpha", "curvature", "degrees"), [(1, 2, 0), (0.5, 4, 30), (0.4, 5, 35), (0.25, 8, -70)])
def test_at_alpha_lambda_2_a_nudge_arrives_as_far_on_the_other_side(alpha, curvature, degrees):
    """A turned bowl's coefficients are rounded, and so is its eigenvalue: the words must not hang on that."""
    for scale, word in ((1, "backwards, as far"), (0.5, "not at all")):
        rates = Rates(alpha * scale)
        assert sharpest_at(problems.bowl(curvature, degrees), (0.0, 0.0), rates).fate == word


def sharpest_at(problem, theta, rates):
    return sharpest(problem, answer(problem, theta, rates, ()), rates)


def test_the_sharpest_direction_of_all_tasks_counts():
    rates = Rates(0.45)
    found = sharpest_at(ALL["two tasks"], (0.0, 0.0), rates)
    assert found.curvature == pytest.approx(2.4)
    assert ALL["two tasks"].tasks[found.task].name == "A"
    assert found.gain == pytest.approx(1 - 0.45 * 2.4)
    broken = problems.own("log(u) * v", "u")
    assert sharpest_at(broken, (0.0, 0.0), rates).fate == "not a number"


def test_the_strongest_curvature_may_go_downwards_and_of_two_equals_the_upward_one_is_asked_for():
    for support, theta, curvature in (
        ("1 / u", (-1.0, 0.8), -2.0),
        ("log(u)", (1.0, 0.8), -1.0),
        ("u * v", (1, 1), 1),
    ):
        found = sharpest_at(problems.own(support, "u"), theta, Rates(0.45))
        assert found.curvature == pytest.approx(curvature)
        assert found.gain == pytest.approx(1 - 0.45 * curvature)
        assert found.fate == ("more" if curvature < 0 else "less")


def test_a_loss_without_a_value_has_no_curvature_though_autograd_returns_one():
    broken, theta = problems.own("log(u)", "v**2"), (-1.0, 0.8)
    assert answer(broken, theta, Rates(0.45), ()).hessians[0][0][0] == pytest.approx(-1)
    assert sharpest_at(broken, theta, Rates(0.45)).fate == "not a number"
    found = sweep(broken, theta)
    assert math.isnan(found.sharpest)
    assert all(map(math.isnan, (*found.angle, *found.ratio, *found.gains[0].values)))


@pytest.mark.parametrize(
    ("support", "theta", "said"),
    [
        ("log(u)", (-1.0, 0.8), "The support loss at θ is not a number. A gradient"),
        ("exp(exp(exp(u)))", (2.0, 2.0), "The support loss at θ is infinite in float64. A gradient"),
        ("sqrt(u * v)", (0.0, 0.0), "The query loss at φ is not a number. A gradient"),
    ],
)
def test_ways_do_not_agree_on_the_gradient_of_a_loss_without_a_value(support, theta, said):
    """Autograd returns finite slopes for the first two: of a function that is not there."""
    found = ways(problems.own(support, "v**2"), theta, Rates(0.45))
    assert not found.agrees
    assert math.isnan(found.difference)
    assert found.reason.startswith(said)


def test_where_phi_or_the_curvature_is_not_finite_there_is_no_angle_and_no_ratio():
    found = sweep(problems.own("exp(exp(exp(u)))", "v**2"), (2.0, 2.0))
    assert all(map(math.isnan, (*found.angle, *found.ratio)))


def test_huge_finite_gradients_are_compared_without_overflow():
    """Two gradients of size 1e200: their products overflow, their angle does not."""
    plain, huge = (sweep(problems.own("u**2 + u * v / 2", f"{c} * (u - 2 * v)"), (0.7, -0.4)) for c in (1, "1e200"))
    assert huge.angle == pytest.approx(plain.angle)
    assert huge.ratio == pytest.approx(plain.ratio)


@any_problem
def test_contours_lie_on_their_levels_and_inside_the_square(problem):
    for task in problem.tasks:
        found = contours.contours(task.support, problem)
        assert len(found.terraces) == len(found.lines) > 5
        for line in found.lines:
            pixels = numpy.array([p.split(",") for p in line.replace("M", " ").split()], dtype=float)
            assert pixels.min() >= 0
            assert pixels.max() <= contours.SIZE
            u, v = torch.tensor(pixels.T / contours.SIZE * 2 - 1) * contours.in_sight(problem) * FLIP
            heights = task.support.evaluate({"u": u + problem.centre[0], "v": v + problem.centre[1]})
            spread = contours.heights_on(task.support, problem)
            assert float(heights.max() - heights.min()) < 0.06 * (spread.max() - spread.min())


@pytest.mark.parametrize("factor", ["1e308", "1e-305"])
def test_neither_huge_nor_tiny_heights_break_the_contours(factor):
    """Differences of 1e308 overflow, and a path through NaN is no path."""
    texts = (f"{factor} * sin(u) * cos(v)", "sin(u) * cos(v)")
    huge, plain = (contours.contours(parse(text, problems.NAMES), ALL["own"]) for text in texts)
    assert "nan" not in "".join((*huge.terraces, *huge.lines))
    assert len(huge.lines) == len(plain.lines)
    assert huge.lowest == plain.lowest


def test_the_picture_has_the_same_size_in_the_browser():
    """The contours are in its units, and around every θ there is room for the circle."""
    script = (Path(__file__).parents[2] / "assets" / "landscape.js").read_text()
    side, circle, reach = (int(re.search(rf"\b{name} = (\d+)", script)[1]) for name in ("SIDE", "CIRCLE", "REACH"))
    assert (side, reach) == (contours.SIZE, contours.REACH)
    assert reach + circle < side / 2


def test_a_flat_or_broken_loss_draws_nothing():
    for text in ("0 * u + 3", "log(-1 - u**2)"):
        found = contours.contours(problems.own(text, "u").tasks[0].support, ALL["own"])
        assert found.lines == found.terraces == ()
