"""The step as a recorded program: its gradients are MAML's and FOMAML's, its graph and algebra are complete."""

import pytest

from maml_core.plane import problems
from maml_core.plane.answers import Rates, answer
from maml_core.plane.recorded import record_step
from maml_core.plane.step_equations import step_equations

OWN = problems.own("sin(2 * u) * cos(v) + (u**2 + v**2) / 10", "(u - 1)**2 / 2 + v**2 / 4")
CASES = {"bowl": problems.bowl(3.2, 30.0), "rosenbrock": problems.rosenbrock(), "own": OWN}


@pytest.fixture(params=CASES.values(), ids=CASES)
def step(request):
    problem = request.param
    exact = answer(problem, problem.start, Rates(0.45), ("maml", "fomaml"))
    return record_step(problem, problem.start, 0.45), exact, problem


def test_true_is_maml_and_false_is_fomaml(step):
    recorded, exact, _ = step
    for run, name in zip(recorded.both[:2], ("fomaml", "maml"), strict=True):
        assert run.error is None
        assert (run.gradients["u"], run.gradients["v"]) == pytest.approx(exact.arrows[name], rel=1e-5)
        assert (run.results["u_phi"], run.results["v_phi"]) == pytest.approx(exact.ends[0], rel=1e-5)


def test_every_used_node_is_drawn_and_the_inner_loss_stands_aside(step):
    recorded, _, _ = step
    svg = recorded.drawing.layouts["1"]
    for node in recorded.both.second_order.nodes:
        assert f"<title>{node.id}</title>".replace("-", "&#45;") in svg
    kinds = set(recorded.both.kinds.values())
    assert kinds == {"common", "kept", "second", "aside"}


def test_the_algebra_ends_in_both_gradients(step):
    recorded, exact, problem = step
    rows = step_equations(problem.tasks[0], recorded.both.second_order, exact)
    last, nodes = rows[-1], recorded.both.second_order.nodes
    second = " ".join(node.id for node in nodes if node.used and node.parent is not None)
    assert f'data-ids="{second}"' in last.second_order[0]  # point at Jᵀ and the nodes that multiply by it light up
    assert "total" in last.first_order[-1]
    assert "total" in last.second_order[-1]


def test_sympys_second_derivatives_are_written_where_they_are_short():
    exact = answer(OWN, OWN.start, Rates(0.45), ("maml", "fomaml"))
    recorded = record_step(OWN, OWN.start, 0.45)
    rows = step_equations(OWN.tasks[0], recorded.both.second_order, exact)
    mixed = next(row for row in rows if "<mi>u</mi><mo>∂</mo><mi>v</mi>" in "".join(row.always))
    assert "<mi>cos</mi>" in "".join(mixed.always)  # −2 cos(2u) sin(v)


@pytest.mark.parametrize(
    "problem", [problems.pair(), problems.network(), problems.own("u**2", "u + v")], ids=["two", "long", "one weight"]
)
def test_what_cannot_be_read_is_not_recorded(problem):
    assert record_step(problem, problem.start, 0.45) is None
