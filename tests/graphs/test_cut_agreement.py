"""Where a gradient flows four ways agree; where a value is held fixed, a rerun of everything says otherwise."""

import itertools
import math

import pytest

from maml_core.graphs.cut_agreement import checks
from maml_core.graphs.cutting import INSERTIONS, PLACES, POWER, SHIFT, Copying, Insertion, W, cut

INPUTS = {"x": 3.0, "lr": 0.4, "w": W}
PROGRAMS = [
    (SHIFT, POWER),
    (SHIFT, "2 * x_copy**4 + w"),
    ("x_copy * x - 2", "2 * x_copy**3 + x * sin(x_copy)"),
    ("exp(x_copy / 4)", "x_copy * w + tanh(x - x_copy)"),
    ("sqrt(x_copy + 9)", "softplus(x_copy) * sigmoid(x) / x_copy"),
]


def check(operation="clone()", place="copy", shift=SHIFT, y=POWER, **inputs):
    return checks(Copying.parse(shift, y, Insertion(operation, place)), INPUTS | inputs)


@pytest.mark.parametrize(("shift", "y"), PROGRAMS)
@pytest.mark.parametrize("operation", INSERTIONS)
def test_wherever_a_gradient_flows_four_ways_agree(operation, shift, y):
    for place, x in itertools.product(PLACES, (-1.5, 0.3, 3.0)):
        found = check(operation, place, shift, y, x=x)
        for side in (found.written, found.edited):
            if side.ways:
                assert len(side.ways) == 4
                assert side.reason == "", (place, x, side)
                assert side.difference <= 1e-6


@pytest.mark.parametrize("operation", INSERTIONS)
@pytest.mark.parametrize("place", PLACES)
def test_there_are_ways_exactly_where_a_gradient_arrives(operation, place):
    copying = Copying.parse(SHIFT, POWER, Insertion(operation, place))
    outcome = cut(copying, INPUTS).verdicts[1].outcome
    assert bool(checks(copying, INPUTS).edited.ways) == (outcome in ("number", "zero"))


def test_a_rerun_of_everything_does_not_hold_what_was_cut():
    edited = check("stop_gradient()", "y").edited
    assert edited.ways[0].value == 0
    assert edited.whole == pytest.approx(-8, rel=1e-9)
    assert edited.honest.startswith("Nudge x and run everything again, and loss moves by −8 per unit of x, not by 0.")


def test_a_cut_that_ends_in_an_error_has_no_ways_and_an_honest_sentence():
    edited = check("detach()", "shift").edited
    assert edited.ways == ()
    assert edited.honest.endswith("The dependence is there; this program does not bring it to x.grad.")


def test_where_nothing_is_cut_there_is_nothing_to_confess():
    for operation, place in (("clone()", "shift"), ("add_(1)", "shift"), ("no_grad()", "copy"), ("deepcopy()", "x")):
        found = check(operation, place)
        assert found.edited.honest == ""
        assert found.written.honest == ""


def test_a_program_that_stops_before_its_loss_has_no_slope():
    assert check("deepcopy()", "y").edited.whole is None


def test_a_wrong_number_after_a_cut_is_said_to_be_one():
    edited = check("detach()", "shift", y="2 * x_copy**4 + x").edited
    assert [way.value for way in edited.ways] == pytest.approx([-1, -1, -1, -1])
    assert "by −9 per unit of x, not by −1" in edited.honest


def test_at_a_kink_only_the_central_difference_parts():
    found = check(y="relu(x_copy) + x", x=2.0).edited
    assert found.ways[0].value == -1  # PyTorch's slope of relu at 0 is 0
    assert found.ways[-1].value == pytest.approx(-1.5)
    assert "Only the central difference parts. Line 6 stands on the kink of relu" in found.reason
    assert found.honest == ""  # nothing is cut


@pytest.mark.parametrize(
    ("y", "x"), [("log(x_copy)", 0.0), ("1 / (x_copy - 1)", 3.0), ("exp(exp(exp(x_copy * 3)))", 5.0)]
)
def test_what_is_not_finite_is_said_to_be_so_and_sympy_is_not_asked(y, x):
    found = check(y=y, x=x)
    assert found.steps[1] is None
    assert "Not finite" in found.edited.reason
    assert all(way.name != "SymPy" for way in found.edited.ways)


def test_the_algebra_has_every_line_that_ran_and_the_recorded_values():
    copying = Copying.parse("x_copy * x - 2", "2 * x_copy**3 + w", Insertion("clone()", "shift"))
    steps = checks(copying, INPUTS).steps[1]
    assert [step.target for step in steps] == ["x", "w", "x_copy", "x_copy", "x_copy", "y", "loss"]
    assert math.isclose(steps[-1].slope, -6 * 7**2 * 6)  # −d(2(x² − 2)³ + w)/dx at 3
    assert float(steps[-1].value) == 1 - (2 * 7**3 + 1)


def test_the_algebra_of_a_program_that_fails_ends_where_it_failed():
    steps = check("deepcopy()", "shift").steps[1]
    assert [step.target for step in steps] == ["x", "x_copy", "x_copy"]


def test_a_held_value_has_slope_zero_from_there_on():
    steps = check("detach()", "shift").steps[1]
    assert [float(step.slope) for step in steps] == [1, 1, 1, 0, 0, 0]
    assert [step.held for step in steps] == [False, False, False, True, False, False]
