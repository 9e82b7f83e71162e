"""Each operation does what its code says, and the stopped gradient is JAX's: the value passes, 0 comes back."""

import copy

import pytest
import torch

from maml_core.graphs.operations import OPERATIONS, stop_gradient


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_printed_call_is_the_call_that_runs(name):
    """Checked by running the printed text on a constant, where every operation is allowed."""
    _, call = OPERATIONS[name].code("t")
    mine, printed = torch.tensor(3.0), torch.tensor(3.0)
    result = OPERATIONS[name].apply(mine)
    names = {"t": printed, "copy": copy, "stop_gradient": stop_gradient}
    shown = eval(call, {"__builtins__": {}}, names)  # a test may: the text is ours
    assert torch.equal(result, shown)
    assert torch.equal(mine, printed)
    assert (result is mine) == (shown is printed) == OPERATIONS[name].in_place


def test_stop_gradient_passes_the_value_and_a_gradient_of_zero():
    x = torch.tensor(3.0, requires_grad=True)
    y = stop_gradient(x)
    assert y == 3
    (y * x).backward()
    assert x.grad == 3  # from the factor x alone
    x.grad = None
    stop_gradient(x).backward()
    assert x.grad == 0


def test_stop_gradient_leaves_a_node_where_detach_leaves_none():
    x = torch.tensor(3.0, requires_grad=True)
    assert stop_gradient(x).grad_fn is not None
    assert OPERATIONS["detach()"].apply(x).grad_fn is None
