"""Claims about copying and stopping gradients, each put to the test by running it. Verdicts are computed."""

import math

import torch

from maml_core.claims import Claim
from maml_core.graphs.cutting import POWER, SHIFT, Copying, Insertion, cut
from maml_core.graphs.stopping import identity
from maml_core.numerals import numeral

SOURCE = {"x": 3.0, "lr": 0.4}  # the source's numbers
ROUNDING = 1e-12  # relative, in float64


def _source(shift: str) -> Copying:
    return Copying.parse(shift, POWER, Insertion("clone()", "copy"))


def claim_3() -> Claim:
    x = torch.tensor(SOURCE["x"], requires_grad=True)
    x_copy = x.clone() - 2
    (1 - 2 * x_copy**4).backward()
    assert x.grad is not None
    gradient = x.grad.item()
    with torch.no_grad():
        x -= SOURCE["lr"] * gradient  # what SGD's step does: in place
    x_new, still = x.item(), x_copy.item()
    return Claim(
        3,
        "true" if math.isclose(x_new, 6.2, rel_tol=1e-6) and still == 1 else "false",
        f"x.grad is {numeral(gradient)}, so the step takes x from {numeral(SOURCE['x'])} to {numeral(x_new)}, and "
        f"x_copy is still {numeral(still)}. A clone passes gradients back to x, but it is a tensor of its own.",
    )


def claim_4() -> Claim:
    with_two, without = (cut(_source(shift), SOURCE).edited.answers["x"] for shift in (SHIFT, "x_copy"))
    return Claim(
        4,
        "true" if without == -216 else "false",
        f"It is {numeral(without)} without it and {numeral(with_two)} with it. The − 2 has derivative 1 and still "
        "matters: it moves the place where the slope of the fourth power is taken.",
    )


def claim_19() -> Claim:
    found = identity(SOURCE["x"], SOURCE["lr"])
    return Claim(
        19,
        "true" if found.difference < ROUNDING else "false",
        f"For one inner step on three weights the two differ by {numeral(found.difference, 2)} of their size, in "
        "float64. Without the stop they are different vectors.",
    )
