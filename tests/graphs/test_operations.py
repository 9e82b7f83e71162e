"""Each operation does what its code says, and the stopped gradient is JAX's: the value passes, 0 comes back."""

import pytest
import torch

from maml_core.graphs.operations import OPERATIONS, stop_gradient


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_changes_its_tensor_exactly_where_it_says_so(name):
    """What the printed calls do is tested by Python itself, in test_cut_scripts."""
    tensor = torch.tensor(3.0)
    result = OPERATIONS[name].apply(tensor)
    assert (result is tensor) == OPERATIONS[name].in_place
    assert result == (4 if name == "add_(1)" else 3)
    target, call = OPERATIONS[name].code("t")
    assert target == ("" if OPERATIONS[name].in_place else "t = ")
    assert "t" in call


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
