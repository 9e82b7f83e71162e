"""Claims of interactive-maml about k inner steps, each put to the test by running it. Verdicts are computed."""

from itertools import pairwise

import torch
from torch import Tensor

from maml_core.claims import Claim
from maml_core.meta.agreement import angle, relative_difference
from maml_core.meta.backward import stored_iterates, unrolled
from maml_core.meta.inner import adapt
from maml_core.meta.k_steps import Setting, problem, walk
from maml_core.meta.models import mlp, mlp_loss
from maml_core.meta.prices import FLOAT, Sample, price, weights
from maml_core.meta.tasks import sinusoids
from maml_core.meta.trees import Params, add_scaled, detach, dot, flatten, grad, leaves, tile, unflatten
from maml_core.numerals import numeral

ROUNDING = 1e-12  # relative, in float64
MILLION = 10**6
COURSE = 40  # units in each hidden layer of the course's network
EXAMPLE = Setting("tanh", inner_lr=0.1, width=4, seed=0)
STEPS = 5
EXAMPLE_TASK = problem(EXAMPLE)
EXAMPLE_START = EXAMPLE_TASK.theta


def claim_17() -> Claim:
    path = walk(EXAMPLE)
    read = torch.linalg.multi_dot(list(path.factors[:STEPS]))  # from left to right, as the product is printed

    def inner_loop(start: Tensor) -> Tensor:
        return flatten(_end(unflatten(start, EXAMPLE_START)), batched=True)[0]

    jacobian = torch.autograd.functional.jacobian(inner_loop, flatten(EXAMPLE_START))
    as_is, transposed = (float((read - j).norm() / j.norm()) for j in (jacobian, jacobian.T))
    off = angle(jacobian @ path.slopes[STEPS], jacobian.T @ path.slopes[STEPS])
    return Claim(
        17,
        "true" if as_is < ROUNDING else "half" if transposed < ROUNDING else "false",
        f"From that product autograd's ∂φ/∂θ differs by {numeral(as_is, 2)} of its size, and its transpose by "
        f"{numeral(transposed, 2)}. So the product is right where the gradient is a column to its right; with the "
        f"gradient as a row to its left, this network's meta-gradient is turned by {numeral(off, 2)}°.",
    )


def claim_18() -> Claim:
    few, many = (price(Sample("jacobians", 4, k, 10)) for k in (1, 4))
    matrix = FLOAT * weights(4) ** 2
    return Claim(
        18,
        "true" if few.peak_bytes == many.peak_bytes else "false",
        f"{few.peak_bytes} bytes at 1 step, {many.peak_bytes} at 4, on {weights(4)} weights. A matrix of n² numbers "
        f"is {matrix} of them; for a million weights it would be {numeral(FLOAT * MILLION**2 / 1e12)} TB in float32.",
    )


def claim_20() -> Claim:
    counts = [price(Sample("unrolled", COURSE, k, 10)).peak_bytes for k in (2, 4, 6, 8)]
    growth = {(after - before) // 2 for before, after in pairwise(counts)}
    return Claim(
        20,
        "true" if len(growth) == 1 and min(growth) > 0 else "false",
        f"From 2 to 4 to 6 to 8 steps on the 1-{COURSE}-{COURSE}-1 network with 10 points, each step adds "
        f"{' or '.join(numeral(step / 1024, 3) for step in sorted(growth))} KiB of saved tensors, memory that is "
        "shared counted once.",
    )


def claim_21() -> Claim:
    theta = mlp((1, COURSE, COURSE, 1), seed=0, initialisation="he", dtype=torch.float64)
    tasks = sinusoids(1, 10, seed=0, dtype=torch.float64)
    looped = unrolled(mlp_loss, theta, tasks, inner_lr=0.005, inner_steps=8)
    few, many = (stored_iterates(mlp_loss, theta, tasks, inner_lr=0.005, inner_steps=k) for k in (4, 8))
    apart = relative_difference([flatten(way.grads).tolist() for way in (looped, many)])
    iterative = apart < ROUNDING and few.cost.nodes == many.cost.nodes < looped.cost.nodes
    return Claim(
        21,
        "false" if iterative else "true",
        f"Keep the stops and walk back with one Hessian-vector product at each: the vector differs by "
        f"{numeral(apart, 2)} of its length after 8 steps. Its largest graph has {many.cost.nodes} nodes "
        f"({few.cost.nodes} after 4 steps); the unrolled one has {looped.cost.nodes}.",
    )


def claim_22() -> Claim:
    query = EXAMPLE_TASK.tasks.query
    phi = _end(here := leaves(EXAMPLE_START))
    held = detach(grad(EXAMPLE_TASK.loss(phi, query).sum(), phi))  # the constant of the dot product

    def both(at: Params) -> tuple[Tensor, Tensor]:
        return EXAMPLE_TASK.loss(_end(at), query).sum(), dot(_end(at), held)

    there = leaves(add_scaled(here, -0.01, grad(both(here)[0], here)))  # after one step of descent
    gradients = [[flatten(grad(value, at)).tolist() for value in both(at)] for at in (here, there)]
    at_first, later = map(relative_difference, gradients)
    loss, product = (float(value.detach()) for value in both(here))
    return Claim(
        22,
        "false" if at_first > ROUNDING else "true" if later < ROUNDING else "half",
        f"At θ their gradients differ by {numeral(at_first, 2)} of their length. But the loss is {numeral(loss, 4)} "
        f"there and the dot product {numeral(product, 4)}; and one small step of descent further, with the constant "
        f"still held, the gradients differ by {numeral(later, 2)} of their length.",
    )


def _end(at: Params) -> Params:
    """φ after the example's inner loop from `at`, with its graph."""
    loss, _, tasks = EXAMPLE_TASK
    return adapt(loss, tile(at, 1), tasks.support, lr=EXAMPLE.inner_lr, steps=STEPS, create_graph=True)
