"""The browser's formulas, run by Node, against PyTorch's autograd: for every problem, function and algorithm."""

import json
import math
import random
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from maml_core.graphs.expressions import parse
from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.tapes import tape
from maml_core.meta.agreement import relative_difference
from maml_core.plane import problems
from maml_core.plane.answers import Rates, answer
from maml_core.plane.one_step import fate

MATHS = Path(__file__).parents[2] / "assets" / "landscape_maths.js"
EVERY = ("maml", "fomaml", "truncated", "reptile", "one-leap", "imaml", "anil", "boil")
PROBLEMS = {
    "bowl": problems.bowl(3.2, 30.0),
    "rosenbrock": problems.rosenbrock(),
    "two tasks": problems.pair(),
    "ReLU net": problems.network(),
    "own": problems.own("sin(2 * u) * cos(v) + u**2 / 5", "exp(-u * v) + softplus(v)"),
}
RATES = {
    "one step": Rates(0.3),
    "five steps": Rates(0.2, 5, last=2, leap_lr=0.7, pull=1.5, proximal_steps=12, cg_steps=3),
    "no step size": Rates(0.0, 2),
}
POWERS = (
    "u**v",
    "(u + 2)**(u * v)",
    "2**u",
    "u**3",
    "u**-2",
    "(u * v)**0.5",
    "u / (v + 2)",
    "(u / v) / u",
    "-u**1 * v**0",
)
UNARY = tuple(f"{name}(0.7 * u * v + 0.3 * u)" for name in FUNCTIONS)


def in_node(program, data):
    """What the module's functions return for the data, in double precision."""
    node = shutil.which("node")
    assert node, "This test runs the browser's formulas in Node: install nodejs."
    write = "const plain = (k, x) => typeof x === 'number' && !Number.isFinite(x) ? String(x) : x;"
    source = f"{MATHS.read_text()}\n{write}\nconst data = {json.dumps(data)};\n"
    source += f"process.stdout.write(JSON.stringify({program}, plain));"
    done = subprocess.run([node, "--input-type=module"], input=source, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def points(problem, count):
    draw = random.Random(problem.name)
    return [tuple(c + draw.uniform(-1, 1) * problem.half_width for c in problem.centre) for _ in range(count)]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_browser_solves_every_problem_as_pytorch_does(name):
    problem = PROBLEMS[name]
    thetas = [problem.start, *points(problem, 5)]
    tasks = [{"support": tape(t.support, ("u", "v")), "query": tape(t.query, ("u", "v"))} for t in problem.tasks]
    found = in_node(
        "data.rates.map(rates => data.thetas.map(theta => solve(data.tasks.map(t => ({ support: player(t.support),"
        "query: player(t.query) })), theta, rates, data.names)))",
        {"tasks": tasks, "thetas": thetas, "rates": [r._asdict() for r in RATES.values()], "names": EVERY},
    )
    for rates, row in zip(RATES.values(), found, strict=True):
        for theta, mine in zip(thetas, row, strict=True):
            compare(mine, answer(problem, theta, rates, EVERY))


def compare(mine, theirs):
    """To 1e-12, but for what grows: a vector of size 1e6 has been through a matrix that magnifies rounding too."""
    pairs = [(mine["arrows"][name], theirs.arrows[name]) for name in EVERY]
    for field in ("ends", "hessians", "jacobians"):
        pairs += list(zip(mine[field], getattr(theirs, field), strict=True))
    for a, b in pairs:
        a, b = (torch.tensor(x, dtype=torch.float64).flatten().tolist() for x in (numbers(a), b))
        if all(map(math.isfinite, b)) and math.hypot(*b) < 1e6:
            assert relative_difference([a, b]) <= 1e-12, (a, b)
        else:
            assert [math.isfinite(x) for x in a] == [math.isfinite(x) for x in b]


def numbers(nested):
    return [numbers(entry) for entry in nested] if isinstance(nested, list) else float(nested)


@pytest.fixture(scope="module")
def jets():
    """Of every expression, at every point: the browser's value, gradient and Hessian."""
    texts = (*UNARY, *POWERS)
    at = [(0.8, 0.6), (-0.9, 0.4), (1.7, -0.5), (0.0, 0.0), (25.0, 2.0)]
    tapes = [tape(parse(text, ("u", "v")), ("u", "v")) for text in texts]
    found = in_node("data.tapes.map(t => data.at.map(p => player(t)(...p)))", {"tapes": tapes, "at": at})
    return {text: list(zip(at, row, strict=True)) for text, row in zip(texts, found, strict=True)}


@pytest.mark.parametrize("text", [*UNARY, *POWERS])
def test_value_gradient_and_hessian_are_pytorchs(jets, text):
    expression = parse(text, ("u", "v"))
    compared = 0
    for point, jet in jets[text]:
        expected = by_autograd(expression, point)
        if all(map(math.isfinite, expected)):
            compared += 1
            assert relative_difference([[float(x) for x in jet], expected]) <= 1e-12, (point, jet, expected)
        else:
            assert not math.isfinite(float(jet[0])) or not all(math.isfinite(float(x)) for x in jet)
    assert compared >= 2


def by_autograd(expression, point):
    at = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    height = expression.evaluate({"u": at[0], "v": at[1]})
    slope = torch.autograd.grad(height, at, create_graph=True)[0]
    rows = [torch.zeros(2, dtype=torch.float64)] * 2  # of a slope that is a constant
    if slope.requires_grad:
        rows = [torch.autograd.grad(slope[i], at, retain_graph=True)[0] for i in range(2)]
    return [height.item(), *slope.tolist(), rows[0][0].item(), rows[0][1].item(), rows[1][1].item()]


def test_the_browser_has_the_same_words_for_a_gain():
    gains = [-3.0, -1.0 - 1e-9, -1.0, -1.0 + 1e-6, -0.4, -1e-9, 0.0, 0.004, 0.7, 1.0, 1.0 + 1e-6, 2.0]
    assert in_node("data.map(fate)", gains) == [fate(gain) for gain in gains]


def test_the_geometry_is_that_of_linear_algebra():
    draw = random.Random(7)
    matrices = [[[draw.gauss(0, 1) for _ in range(2)] for _ in range(2)] for _ in range(20)]
    symmetric = [[[a, (b + c) / 2], [(b + c) / 2, d]] for (a, b), (c, d) in matrices]
    symmetric += [[[4e33, 0.0], [0.0, 2.0]], [[-3.0, 0.0], [0.0, -4e33]], [[0.0, 0.0], [0.0, 0.0]]]
    found = in_node(
        "({ eigen: data.symmetric.map(eigen), axes: data.matrices.map(ellipse), turns: [turn([0, 1], [1, 0]),"
        "turn([1, 0], [1, 1])] })",
        {"matrices": matrices, "symmetric": symmetric},
    )
    for matrix, got in zip(symmetric, found["eigen"], strict=True):
        values = torch.linalg.eigvalsh(torch.tensor(matrix, dtype=torch.float64)).flip(0)
        torch.testing.assert_close(torch.tensor(got["values"], dtype=torch.float64), values)
    for matrix, axes in zip(matrices, found["axes"], strict=True):
        stretches = torch.linalg.svdvals(torch.tensor(matrix, dtype=torch.float64))
        lengths = torch.tensor([math.hypot(*axis["to"]) for axis in axes], dtype=torch.float64)
        torch.testing.assert_close(lengths, stretches)
        assert sum(a * b for a, b in zip(axes[0]["to"], axes[1]["to"], strict=True)) == pytest.approx(0, abs=1e-12)
    assert found["turns"] == [90.0, -45.0]


def test_huge_finite_numbers_have_a_shape_and_a_direction():
    """Squares of 1e300 overflow; the half axes, eigenvalues and angles of such numbers do not."""
    huge = [[3e299, -4e299], [-4e299, -3e299]]
    found = in_node("[ellipse(data), eigen(data).values, turn([1e300, 0], [1e300, 1e300])]", huge)
    assert [math.hypot(*axis["to"]) for axis in found[0]] == pytest.approx([5e299, 5e299])
    assert found[1] == pytest.approx([5e299, -5e299])
    assert found[2] == pytest.approx(-45)


def test_the_curvature_of_huge_products_is_pytorchs():
    """Twice a slope of 1e308 overflows, and times the other slope, which is 0, it would be NaN."""
    for text, at in (("1e308 * u * v", (1.0, 1.0)), ("1e308 * u / (v + 1)", (1e-3, 0.0))):
        expression = parse(text, ("u", "v"))
        (jet,) = in_node("[player(data.tape)(...data.at)]", {"tape": tape(expression, ("u", "v")), "at": at})
        assert [float(x) for x in jet] == pytest.approx(by_autograd(expression, at))


def test_only_what_is_finite_in_both_answers_is_compared():
    mine = {"arrows": {"maml": [1, 2], "fomaml": [3, 4]}, "ends": [[1, 1]], "hessians": [], "jacobians": []}
    cases = [[[1, 2], [3, 4]], [[1, 2], None], [[1, 2.5], None]]
    found = in_node(
        "data.cases.map(([maml, fomaml]) => difference({ ...data.mine, ends: [[NaN, 1]] }, { ...data.mine,"
        "arrows: { maml, fomaml: fomaml ?? [null, null] }, ends: [[null, 1]] }))",
        {"mine": mine, "cases": cases},
    )
    assert found[0] == {"worst": 0, "neither": ["φ"], "either": []}
    assert found[1] == {"worst": 0, "neither": ["φ"], "either": ["fomaml"]}
    assert found[2]["worst"] == pytest.approx(0.5 / math.hypot(1, 2.5))
    everywhere = "difference({ arrows: { maml: [NaN, 0] }, ends: [], hessians: [], jacobians: [] }, data)"
    nothing = in_node(everywhere, {"arrows": {"maml": [None, 0]}, "ends": [], "hessians": [], "jacobians": []})
    assert nothing == {"worst": None, "neither": ["maml"], "either": []}  # never a difference of 0
