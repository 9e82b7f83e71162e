"""At a kink PyTorch chooses a slope; a central difference measures the mean of both sides."""

import pytest
import torch

from maml_core.graphs.explaining import explain
from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.kinks import KINKS, kinks
from maml_core.graphs.programs import InnerStep
from maml_core.graphs.recording import record


@pytest.mark.parametrize(("name", "slopes"), KINKS.items())
def test_the_slopes_are_those_that_pytorch_takes(name, slopes):
    for x, slope in zip((-1e-3, 1e-3, 0.0), slopes, strict=True):
        leaf = torch.tensor(x, requires_grad=True)
        FUNCTIONS[name].torch(leaf).backward()
        assert leaf.grad.item() == slope


def test_a_program_on_a_kink_says_so_and_the_central_difference_parts():
    one = InnerStep.parse("x_prime**2", "relu(x_prime)", inner_steps=1)
    seen = explain(one, {"x": 0.0, "c": 1, "alpha": 0.1})
    (sentence,) = seen.kinks
    assert sentence.startswith("Line 8 stands on the kink of relu: the slope is 0 to the left and 1 to the right")
    ways = {way.name: way.value for way in seen.agreement[True].ways}
    assert ways["autograd"] == ways["SymPy"] == 0
    assert ways["central difference"] == pytest.approx(0.4)  # half of dx′/dx = 0.8


def test_a_program_beside_a_kink_says_nothing():
    one = InnerStep.parse("abs(x_prime - 1)", "relu(x_prime)", inner_steps=1)
    assert kinks(record(one.program, {"x": 0.5, "c": 1, "alpha": 0.1}, create_graph=True)) == ()
