"""Each derivative in independent ways, and the reasons why they may part."""

import math

import pytest
import sympy
import torch

from maml_core.graphs.partials import TOLERANCE, differentiate, partials, substituted
from maml_core.graphs.two_calls import EXAMPLES, LEAVES, read

BLOG = {"x1": 3.0, "x2": 4.0, "x3": 5.0}


def one(text, inputs=BLOG, leaf="x1"):
    return next(partial for partial in partials(read(text), inputs) if partial.leaf == leaf)


def test_the_sources_gradient_four_ways():
    found = {
        partial.leaf: [way.value for way in partial.ways]
        for partial in partials(read(EXAMPLES["product"].text), BLOG)
    }
    for leaf, value in {"x1": 7200, "x2": 5400, "x3": 4320}.items():
        assert found[leaf] == [pytest.approx(value, rel=1e-9)] * 4


@pytest.mark.parametrize(
    "inputs",
    [{"x1": 2.9, "x2": 4.0, "x3": 5.0}, {"x1": -2.5, "x2": 0.7, "x3": 0.1}, {"x1": 3.1, "x2": -4.0, "x3": 9.9}],
)
@pytest.mark.parametrize(
    "name",
    [*EXAMPLES, "x2", "relu((x3 - 2 + cos(2)) * x2)", "sin(x1) * tanh(x2) - softplus(x3)", "x1 / x2 + abs(x3)**1.5"],
)
def test_four_ways_agree_away_from_kinks(name, inputs):
    text = EXAMPLES[name].text if name in EXAMPLES else name
    for partial in partials(read(text), inputs):
        assert partial.agrees, partial
        assert partial.difference <= TOLERANCE
        assert [way.name for way in partial.ways][:2] == ["autograd", "SymPy"]


def test_a_leaf_that_is_not_there_has_derivative_zero_every_way():
    assert [way.value for way in one("x1 * x2", leaf="x3").ways] == [0, 0, 0, 0]


def test_at_a_kink_pytorch_chooses_and_the_central_difference_parts():
    partial = one("relu(x1 - 3) * x2")
    ways = {way.name: way.value for way in partial.ways}
    assert ways["autograd"] == ways["SymPy"] == 0
    assert ways["central difference"] == pytest.approx(2)  # the mean of 0 and x2
    assert "mean of both sides of the kink" in partial.reason
    assert "Line 4 stands on the kink of relu" in partial.kinks[0]  # the line of y1
    assert "PyTorch takes 0" in partial.kinks[0]
    assert one("relu(x1 - 3) * x2", leaf="x3").agrees


def test_a_slope_of_zero_among_rounding_errors_is_agreement():
    assert one("x1**2 - 6 * x1").agrees
    assert one("cos(x1 - 3) + 1000").agrees


def test_where_y_has_no_value_the_reason_says_so():
    partial = one("log(0 - x1)")
    assert partial.value == pytest.approx(1 / 3)  # autograd returns a number all the same
    assert "y itself is not a number" in partial.reason


def test_a_function_of_nothing_but_nan_does_not_stop_sympy():
    """relu(nan) once made SymPy compare what cannot be compared."""
    assert one("relu((sin(log(relu(sqrt(0))**16)) * x1))").ways


def test_an_infinite_slope_is_reported():
    partial = one("sqrt(x1 - 3)")
    assert math.isinf(partial.value)
    assert "its slope, or a step on the way to it, is not" in partial.reason


def test_sympy_is_left_out_where_it_would_take_too_long():
    hard = "tanh((tan(sigmoid(log(2)) * (x1 + x2) * (0.5 + x2))**3)**16 - cos(log(abs(x2)**16)))"
    assert differentiate(read(hard)) is None
    assert [way.name for way in one(hard).ways] == [
        "autograd",
        "chain rule over the recorded graph",
        "central difference",
    ]


@pytest.mark.parametrize("text", ["sin(exp(exp(exp(x1))))", "((((2 * x1)**16)**16)**16)**16"])
def test_sympy_is_not_asked_for_a_mountain_of_digits(text):
    assert "SymPy" not in [way.name for way in one(text).ways]


def test_sympys_numbers_are_those_of_its_own_substitution():
    expression = read("sin(x1) * x2**3 / x3")
    found = differentiate(expression)
    for leaf in LEAVES:
        exact = found[leaf].subs({sympy.Symbol(k): sympy.Rational(str(v)) for k, v in BLOG.items()}).evalf(30)
        assert substituted(found, leaf, BLOG) == pytest.approx(float(exact), rel=1e-15)


def test_autograds_way_is_torchs():
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in BLOG.values()]
    (torch.exp(leaves[0] / leaves[1])).backward()
    assert one("exp(x1 / x2)").value == leaves[0].grad.item()
