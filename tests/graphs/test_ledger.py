"""The ledger says what PyTorch did: `.grad`, bytes and freed nodes after each line, and errors as results."""

import itertools
import math
import threading

import pytest
import torch

from maml_core.catalogue import of_lesson
from maml_core.graphs.ledger import keep
from maml_core.graphs.two_calls import BETWEEN, CALLS, EXAMPLES, LEAVES, TwoCalls, read

BLOG = {"x1": 3.0, "x2": 4.0, "x3": 5.0}
PRODUCT = read(EXAMPLES["product"].text)
SETTINGS = list(itertools.product(CALLS, CALLS, BETWEEN, (False, True), (False, True)))


def grads(ledger, leaf="x1"):
    return [entry.grads[leaf] for entry in ledger.entries if leaf in entry.grads]


def by_hand(function, first, second, between, retain_graph, again, inputs=BLOG):
    """The same two calls as anyone would write them, with torch's own optimiser between; (x1.grad …, error)."""
    leaves = [torch.tensor(inputs[name], requires_grad=True) for name in LEAVES]
    optimizer = torch.optim.SGD(leaves)
    y1, y2 = function(*leaves), function(*leaves)

    def call(how, output, retain_graph):
        if how == "backward()":
            output.backward(retain_graph=retain_graph)
        else:
            torch.autograd.grad(output, leaves, retain_graph=retain_graph)

    error = None
    try:
        call(first, y1, retain_graph)
        if between != "nothing":
            optimizer.zero_grad(set_to_none=between == "None")
        call(second, y1 if again else y2, False)
    except RuntimeError as raised:
        error = str(raised)
    return [None if leaf.grad is None else leaf.grad.item() for leaf in leaves], error


FUNCTIONS = {
    "product": lambda a, b, c: 3 * a**2 * b**2 * c**2,
    "sum": lambda a, b, c: a + b + c,
    "mixed": lambda a, b, c: a + b * c,
    "no x3": lambda a, b, c: torch.exp(a / b),
    "kink": lambda a, b, c: torch.relu(a - 3) * b + c,
}


def test_backward_twice_accumulates():
    ledger = keep(TwoCalls(PRODUCT).program, BLOG)
    assert grads(ledger)[-3:] == [None, 7200, 14400]
    assert ledger.outcome("x1", 7200.0) == "twice"


def test_grad_leaves_grad_alone_and_returns():
    ledger = keep(TwoCalls(PRODUCT, first="autograd.grad").program, BLOG)
    assert grads(ledger)[-3:] == [None, None, 7200]
    assert ledger.calls[0].returned == (7200, 5400, 4320)
    assert ledger.outcome("x1", 7200.0) == "once"


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: "-".join(map(str, s)))
def test_a_ledger_ends_as_the_same_python_does(name, setting):
    ledger = keep(TwoCalls(read(EXAMPLES[name].text), *setting).program, BLOG)
    expected, error = by_hand(FUNCTIONS[name], *setting)
    assert list(ledger.entries[-1].grads.values()) == expected
    assert (ledger.failure.words if ledger.failure else None) == error


def test_there_is_a_by_hand_version_of_every_example():
    assert FUNCTIONS.keys() == EXAMPLES.keys()


def test_zeroing_leaves_a_zero_and_dropping_leaves_none():
    zero = keep(TwoCalls(PRODUCT, between="zero").program, BLOG)
    dropped = keep(TwoCalls(PRODUCT, between="None").program, BLOG)
    assert grads(zero)[-3:] == [7200, 0, 7200]
    assert grads(dropped)[-3:] == [7200, None, 7200]


def test_a_zero_is_not_written_where_there_is_no_grad():
    ledger = keep(TwoCalls(PRODUCT, first="autograd.grad", between="zero", second="autograd.grad").program, BLOG)
    assert set(grads(ledger)) == {None}
    assert "found no `.grad`" in ledger.story
    assert ledger.outcome("x1", 7200.0) == "None"


def test_a_second_backward_through_a_freed_graph_is_a_result_in_pytorchs_words_and_ours():
    ledger = keep(TwoCalls(PRODUCT, again=True).program, BLOG)
    assert ledger.failure.line == 7
    assert ledger.failure.words.startswith("Trying to backward through the graph a second time")
    assert "Line 6 freed what the graph of y1 had saved" in ledger.failure.reading
    assert grads(ledger)[-2:] == [7200, 7200]  # what was computed before it stays
    assert ledger.outcome("x1", 7200.0) == "error"
    assert not ledger.failed_halfway


def test_a_retained_graph_can_be_used_again_and_adds():
    ledger = keep(TwoCalls(PRODUCT, again=True, retain_graph=True).program, BLOG)
    assert ledger.failure is None
    assert grads(ledger)[-2:] == [7200, 14400]


def test_where_nothing_was_saved_nothing_is_freed_and_a_second_backward_works():
    ledger = keep(TwoCalls(read("x1 + x2 + x3"), again=True).program, BLOG)
    assert ledger.failure is None
    assert ledger.outcome("x1", 1.0) == "twice"
    assert {entry.saved_bytes for entry in ledger.entries} == {0}


def test_a_failed_backward_can_leave_half_a_gradient():
    """x1 + x2 * x3: the sum saves nothing, so x1 is served before the product is found freed."""
    ledger = keep(TwoCalls(read("x1 + x2 * x3"), again=True).program, BLOG)
    assert ledger.entries[-1].grads == {"x1": 2, "x2": 5, "x3": 4}
    assert ledger.failed_halfway


def test_asking_grad_for_a_leaf_that_is_not_there_stops_the_first_call():
    ledger = keep(TwoCalls(read("x1 * x2"), first="autograd.grad").program, BLOG)
    assert ledger.failure.line == 6
    assert "not have been used" in ledger.failure.words
    assert "y1 does not depend on x3, which PyTorch calls “index 2”" in ledger.failure.reading
    assert len(ledger.entries) == 6


def test_backward_leaves_a_leaf_that_is_not_there_without_a_grad():
    ledger = keep(TwoCalls(read("x1 * x2")).program, BLOG)
    assert ledger.entries[-1].grads["x3"] is None


@pytest.mark.parametrize(
    ("setting", "sizes"),
    [
        ({}, [28, 44, 28, 0]),  # four bytes each: three leaves, and four intermediate results per graph
        ({"retain_graph": True}, [28, 44, 44, 28]),
        ({"again": True}, [28, 44, 28, 28]),
        ({"again": True, "retain_graph": True}, [28, 44, 44, 28]),
        ({"first": "autograd.grad"}, [28, 44, 28, 0]),
    ],
)
def test_bytes_are_freed_call_by_call(setting, sizes):
    ledger = keep(TwoCalls(PRODUCT, **setting).program, BLOG)
    assert [entry.saved_bytes for entry in ledger.entries[3:]] == sizes


def test_a_freed_node_is_one_that_refuses_to_show_what_it_saved():
    ledger = keep(TwoCalls(PRODUCT).program, BLOG)
    by_line = {entry.line: {name.split("c")[0] for name in entry.freed} for entry in ledger.entries}
    assert by_line[5] == set()
    assert by_line[6] == {"L4"}
    assert by_line[7] == {"L4", "L5"}
    mixed = keep(TwoCalls(read("x1 + x2 * x3")).program, BLOG)
    assert len(mixed.entries[-1].freed) == 2  # the two products; a sum has nothing to free


def test_the_outputs_share_their_leaves_only():
    ledger = keep(TwoCalls(PRODUCT).program, BLOG)
    reached = [set(entry.arrived) for entry in ledger.calls]
    assert reached[0] & reached[1] == set(LEAVES)
    assert len(reached[0]) == len(reached[1]) == 9


def test_what_arrives_at_a_node_is_what_retain_grad_keeps():
    x1, x2, x3 = (torch.tensor(value, requires_grad=True) for value in BLOG.values())
    square = x1**2
    square.retain_grad()
    (3 * square * x2**2 * x3**2).backward()
    ledger = keep(TwoCalls(PRODUCT).program, BLOG)
    assert ledger.calls[0].arrived["L4c9-14.0"] == square.grad.item()


def test_keeping_the_ledger_changes_no_number_in_any_thread():
    here = keep(TwoCalls(PRODUCT, between="zero").program, BLOG)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(keep(TwoCalls(PRODUCT, between="zero").program, BLOG)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [here] * 3


@pytest.mark.parametrize("text", ["log(0 - x1)", "x1 / 0", "sqrt(x2 - 4)", "exp(exp(exp(x3)))"])
def test_what_leaves_the_numbers_is_a_result_too(text):
    ledger = keep(TwoCalls(read(text)).program, BLOG)
    assert ledger.failure is None
    leaf = min(read(text).names)
    final = ledger.entries[-1].grads[leaf]
    expected = "twice" if math.isfinite(final) else "not finite"
    assert ledger.outcome(leaf, 1 / 3) == expected


def test_an_output_that_is_a_leaf_has_no_graph_to_free():
    ledger = keep(TwoCalls(read("x2"), again=True).program, BLOG)
    assert ledger.failure is None
    assert grads(ledger, "x2")[-2:] == [1, 2]
    assert ledger.nodes == ()


def test_the_claims_about_two_calls_are_true():
    claims = of_lesson(1)
    assert [(claim.number, claim.verdict) for claim in claims] == [(1, "true"), (2, "true")]
    assert "None, then 7200, then 14400" in claims[0].evidence
