"""Outcomes of one inserted operation: a number, 0, not finite, None, an error. All of them are results."""

import itertools
import math
import warnings

import pytest
import torch

from maml_core.graphs.cut_outcomes import outcomes, turned
from maml_core.graphs.cutting import (
    INSERTIONS,
    NAMES,
    PLACES,
    POWER,
    READINGS,
    SHIFT,
    Copying,
    Insertion,
    bearer,
    cut,
    elsewhere,
)
from maml_core.graphs.expressions import ExpressionError

SOURCE = {"x": 3.0, "lr": 0.4}
EVERYWHERE = list(itertools.product(INSERTIONS, PLACES))


def both(operation="clone()", place="copy", shift=SHIFT, y=POWER, **inputs):
    return cut(Copying.parse(shift, y, Insertion(operation, place)), SOURCE | inputs)


def outcome(*args, **options):
    found = both(*args, **options).verdicts[1]
    return found.outcome, found.gradient


def test_the_sources_example_comes_out():
    """x_copy = clone(x) − 2, y = 2·x_copy⁴, loss = 1 − y, lr 0.4: gradient −8, x 6.2, x_copy 1."""
    run = both().edited
    assert run.answers["x"] == -8
    assert run.results["x_new"] == pytest.approx(6.2, rel=1e-7)
    assert run.results["x_copy"] == 1


def test_without_the_two_the_gradient_is_minus_216():
    assert both(shift="x_copy").edited.answers["x"] == -216


@pytest.mark.parametrize("place", ["copy", "shift", "y", "loss"])
def test_a_clone_changes_no_gradient_and_adds_one_node(place):
    run = both("clone()", place)
    assert run.verdicts[1].gradient == run.verdicts[0].gradient == -8
    added = run.edited.used_nodes - run.written.used_nodes
    assert [node.op for node in run.edited.nodes if node.id in added] == ["CloneBackward0"]
    assert run.written.used_nodes < run.edited.used_nodes


def test_a_name_that_moves_to_a_clone_finds_none_and_the_leaf_still_has_its_gradient():
    run = both("clone()", "x")
    assert run.verdicts[1].outcome == "none"
    assert elsewhere(run.edited) == {"x": -8}
    x = torch.tensor(3.0, requires_grad=True).clone()
    with pytest.warns(UserWarning, match="not a leaf Tensor"):  # PyTorch says so too, to those who ask
        assert x.grad is None


def test_a_deep_copy_of_the_leaf_takes_the_gradient_with_it():
    copied = both("deepcopy()", "copy")
    assert copied.verdicts[1].outcome == "none"
    assert elsewhere(copied.edited) == {"x_copy.L4": -8}
    renamed = both("deepcopy()", "x")  # now x is the copy
    assert renamed.verdicts[1].gradient == -8
    assert bearer(renamed.edited) == "x.L2"
    assert elsewhere(renamed.edited) == {}


@pytest.mark.parametrize("operation", ["detach()", "clone().detach()", ".data"])
@pytest.mark.parametrize("place", PLACES)
def test_with_one_path_a_cut_is_an_error_at_backward(operation, place):
    found = both(operation, place).verdicts[1]
    assert found.outcome == "error"
    assert found.line == 8
    assert "does not require grad" in found.words


@pytest.mark.parametrize("operation", ["detach()", "clone().detach()", ".data", "no_grad()"])
def test_with_a_second_leaf_the_same_cut_is_silent(operation):
    run = both(operation, "shift", y="2 * x_copy**4 + w")
    assert run.verdicts[1].outcome == "none"
    assert elsewhere(run.edited) == {"w": -1}
    assert run.verdicts[1].words == "unsupported operand type(s) for *: 'float' and 'NoneType'"
    assert run.verdicts[1].line == 10  # the update: backward went through


@pytest.mark.parametrize("operation", ["detach()", ".data", "stop_gradient()", "deepcopy()"])
def test_with_a_second_path_the_same_cut_is_a_number_and_the_wrong_one(operation):
    assert outcome(operation, "copy", y="2 * x_copy**4 + x") == ("number", -1)
    assert both(operation, "copy", y="2 * x_copy**4 + x").verdicts[0].gradient == -9


@pytest.mark.parametrize("place", ["copy", "shift", "y", "loss"])
def test_a_stopped_gradient_is_zero_and_not_none(place):
    run = both("stop_gradient()", place)
    assert run.verdicts[1].outcome == "zero"
    gradients = {node.op: node.gradient for node in run.edited.nodes}
    assert gradients["AccumulateGrad"] == 0  # it did arrive


def test_zero_is_also_what_a_flat_place_gives():
    assert outcome("clone()", "copy", x=2.0) == ("zero", 0)


@pytest.mark.parametrize(
    ("shift", "x", "gradient"), [("log(x_copy - 3)", 3.0, math.inf), ("log(x_copy - 3)", 0.0, math.nan)]
)
def test_an_infinite_gradient_and_one_that_is_not_a_number_are_not_numbers(shift, x, gradient):
    found, value = outcome(shift=shift, x=x)
    assert found == "not finite"
    assert value == pytest.approx(gradient, nan_ok=True)
    assert both(shift=shift, x=x).verdicts[0].outcome == "not finite"  # as written it is the same


def test_what_becomes_of_the_errors_is_counted():
    """By hand: the same maps of the two longer programs."""
    cells = outcomes(copying(), SOURCE)
    errors = [(cell.operation, cell.place) for cell in cells if cell.verdict.outcome == "error"]
    assert len(errors) == 30
    w, x = (
        {(c.operation, c.place): c.verdict for c in outcomes(copying(f"{POWER} + {name}"), SOURCE)} for name in "wx"
    )
    assert sum(w[cell].outcome == "none" for cell in errors) == turned("w", copying(), cells, SOURCE).none == 12
    numbers = [x[cell].gradient for cell in errors if x[cell].outcome == "number"]
    assert set(numbers) == {-1}  # as written it would be −9
    assert len(numbers) == turned("x", copying(), cells, SOURCE).wrong == 7


def test_a_right_number_is_not_counted_as_wrong():
    flat = copying("0 * x_copy")  # with + x every uncut program and every cut one finds −1
    assert turned("x", flat, outcomes(flat, SOURCE), SOURCE).wrong == 0


def test_no_grad_cuts_only_where_something_is_computed():
    assert outcome("no_grad()", "x") == ("number", -8)
    assert outcome("no_grad()", "copy") == ("number", -8)  # x_copy = x computes nothing
    assert outcome("no_grad()", "shift")[0] == "error"


def test_an_alias_is_not_a_copy():
    """x_copy = x is one tensor with two names: what is done to one is done to the other."""
    assert "leaf Variable" in both("add_(1)", "copy").verdicts[1].words
    assert both("requires_grad_(False)", "copy").verdicts[1].outcome == "error"


@pytest.mark.parametrize(
    ("operation", "place", "line", "words"),
    [
        ("add_(1)", "x", 2, "a leaf Variable that requires grad is being used in an in-place operation"),
        ("add_(1)", "y", 8, "modified by an inplace operation"),
        ("deepcopy()", "shift", 5, "Only Tensors created explicitly by the user"),
        ("requires_grad_(False)", "y", 6, "you can only change requires_grad flags of leaf variables"),
    ],
)
def test_a_refusal_is_a_line_and_pytorchs_words(operation, place, line, words):
    found = both(operation, place).verdicts[1]
    assert (found.outcome, found.line, found.gradient) == ("error", line, None)
    assert words in found.words


def test_what_ran_before_an_error_stays_visible():
    late, early = both("add_(1)", "loss").edited, both("deepcopy()", "y").edited
    assert late.results["loss"] == -1
    assert [node.op for node in early.nodes][-1] == "MulBackward0"
    assert early.results["y"] == 2
    assert "loss" not in early.results


def test_a_backward_pass_that_fails_shows_how_far_it_came():
    run = both("add_(1)", "y").edited
    assert [run.lines[int(name[1]) - 1].text for name in run.visited] == ["loss = 1 - y", *["y = 2 * x_copy**4"] * 2]


def test_an_in_place_change_before_anyone_needs_the_value_is_allowed_and_counts():
    assert outcome("add_(1)", "shift") == ("number", -64)  # −8·(3 − 2 + 1)³


def test_the_backward_pass_visits_nodes_before_what_they_were_computed_from():
    for operation, place in EVERYWHERE:
        for y in (POWER, "2 * x_copy**4 + x * sin(x_copy)"):
            run = both(operation, place, y=y).edited
            order = {name: i for i, name in enumerate(run.visited)}
            edges = [edge for edge in run.edges if edge.source in order and edge.target in order]
            assert all(order[edge.target] < order[edge.source] for edge in edges)
            if run.error_line is None:
                assert order.keys() == run.used_nodes


@pytest.mark.parametrize(("operation", "place"), EVERYWHERE)
def test_lines_keep_their_numbers_and_nodes_their_ids(operation, place):
    run = both(operation, place)
    assert len(run.written.lines) == len(run.edited.lines)
    at = {line.number: line.text.strip() for line in run.edited.lines}
    assert all(line.text == at[line.number] for line in run.written.lines if line.text)
    assert [line.text for line in run.written.lines].count("") == 1
    values = {node.id: node.value for node in run.edited.nodes}
    common = [node for node in run.written.nodes if node.id in values]
    if operation != "add_(1)":
        assert all(values[node.id] == node.value for node in common)


def test_every_refusal_has_a_reading_of_its_own():
    words = {cell.verdict.words for y in (POWER, POWER + " + w") for cell in outcomes(copying(y), SOURCE)} - {""}
    assert len(words) == len(READINGS)
    for text in words:
        assert sum(piece in text for piece in READINGS) == 1


def copying(y=POWER):
    return Copying.parse(SHIFT, y, Insertion("clone()", "copy"))


def test_the_map_of_outcomes_holds_every_operation_at_every_line_and_all_four_outcomes():
    cells = outcomes(copying(), SOURCE)
    assert [(cell.operation, cell.place) for cell in cells] == EVERYWHERE
    assert {cell.verdict.outcome for cell in cells} == {"number", "zero", "none", "error"}


def test_nothing_warns_even_where_a_tensor_that_is_no_leaf_is_asked():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes(copying(), SOURCE)


def test_an_expression_may_use_x_x_copy_and_w_and_nothing_else():
    assert NAMES == ("x", "x_copy", "w")
    with pytest.raises(ExpressionError, match="There is no `y`"):
        copying("y + 1")
