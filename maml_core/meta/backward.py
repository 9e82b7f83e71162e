"""Three ways back from φ_k to θ: the same vector, at three different prices.

Shapes: T tasks, n weights, k inner steps; a leaf of θ is (...), a leaf of one φ per task (T, ...).
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.curvature import hessian, inner_jacobian
from maml_core.meta.inner import adapt
from maml_core.meta.metering import Meter, watching
from maml_core.meta.models import Loss
from maml_core.meta.tasks import Tasks
from maml_core.meta.trees import Params, add_scaled, dot, flatten, grad, leaves, tile, unflatten


class Cost(NamedTuple):
    """What one way back took."""

    seconds: float  # of processor time, of a run without the counting: what else the machine does is not in it
    peak_bytes: int  # the most that the graph and the way's own notes held at once; shared memory counts once
    nodes: int  # the largest autograd graph that it built


class Backward(NamedTuple):
    """A meta-gradient and its price."""

    grads: Params  # shaped like θ
    query_loss: Tensor  # (T,)
    cost: Cost


Rates = tuple[float, int]  # inner_lr, inner_steps
Way = Callable[[Loss, Params, Tasks, Rates, Meter], tuple[Params, Tensor]]


def _measured(way: Way, loss: Loss, theta: Params, tasks: Tasks, rates: Rates) -> Backward:
    """Walk `way` twice: with the meter, and then, warm and unwatched, against the clock."""
    if rates[1] < 0:
        raise ValueError(f"inner_steps must be 0 or more, not {rates[1]}.")
    meter = Meter(on=True)
    with watching(meter):
        grads, query_loss = way(loss, theta, tasks, rates, meter)
    start = time.thread_time()
    way(loss, theta, tasks, rates, Meter(on=False))
    seconds = time.thread_time() - start
    return Backward(grads, query_loss, Cost(seconds, meter.peak_bytes, meter.nodes))


def unrolled(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> Backward:
    r"""Backpropagation through the loop, as `maml` does it.

    $$g = \frac1T \sum_i \nabla_\theta\, \mathcal L_i^q\big(\phi_{i,k}(\theta)\big)$$

    Memory and nodes grow with k, by one step's activations each. Raises ValueError for k < 0.
    Finn, Abbeel & Levine (2017). https://arxiv.org/abs/1703.03400
    """
    return _measured(_unrolled, loss, theta, tasks, (inner_lr, inner_steps))


def _unrolled(loss: Loss, theta: Params, tasks: Tasks, rates: Rates, meter: Meter) -> tuple[Params, Tensor]:
    theta = leaves(theta)
    phi = tile(theta, len(tasks.support.x))
    phi = adapt(loss, phi, tasks.support, lr=rates[0], steps=rates[1], create_graph=True)
    query_loss = loss(phi, tasks.query)
    meter.see(query_loss)
    return grad(query_loss.mean(), theta), query_loss.detach()


def accumulated_jacobians(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> Backward:
    r"""Carry the matrix ∂φ/∂θ along with the inner loop, and multiply once at the end.

    $$J_{j+1} = (I - \alpha H_j)\, J_j, \qquad
      g = \frac1T \sum_i J_{i,k}^\top \nabla \mathcal L_i^q(\phi_{i,k})$$

    Memory does not grow with k, but it is T n². Raises ValueError for k < 0 and for more weights than
    `curvature.hessian` takes. The first method of interactive-maml.
    https://interactive-maml.github.io
    """
    return _measured(_accumulated_jacobians, loss, theta, tasks, (inner_lr, inner_steps))


def _accumulated_jacobians(
    loss: Loss, theta: Params, tasks: Tasks, rates: Rates, meter: Meter
) -> tuple[Params, Tensor]:
    phi = leaves(tile(theta, len(tasks.support.x)))
    flat = flatten(phi, batched=True).detach()
    jacobian = torch.eye(flat.shape[-1], dtype=flat.dtype, device=flat.device).expand(len(flat), -1, -1)
    for _ in range(rates[1]):
        slope = flatten(grad(loss(phi, tasks.support).sum(), phi, create_graph=True), batched=True)
        meter.see(slope)
        factor = inner_jacobian(hessian(loss, phi, tasks.support), inner_lr=rates[0])
        jacobian = factor @ jacobian
        notes = meter.keep({"factor": factor, "jacobian": jacobian})
        phi = leaves(adapt(loss, phi, tasks.support, lr=rates[0], steps=1, create_graph=False))
        del notes
    query_loss = loss(phi, tasks.query)
    slope = flatten(grad(query_loss.mean(), phi), batched=True)
    return unflatten(torch.einsum("tij,ti->j", jacobian, slope), theta), query_loss.detach()


def stored_iterates(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> Backward:
    r"""Keep the stops φ_0 … φ_{k−1} and nothing else; walk back with one Hessian-vector product at each.

    $$v_k = \nabla \mathcal L^q(\phi_k), \qquad v_{j} = v_{j+1} - \alpha H(\phi_j)\, v_{j+1}, \qquad
      g = \frac1T \sum_i v_{i,0}$$

    Memory grows with k by T n numbers, the graph not at all. Raises ValueError for k < 0.
    The adjoint method, as in Maclaurin, Duvenaud & Adams (2015), with the stops stored instead of reversed.
    https://arxiv.org/abs/1502.03492
    """
    return _measured(_stored_iterates, loss, theta, tasks, (inner_lr, inner_steps))


def _stored_iterates(loss: Loss, theta: Params, tasks: Tasks, rates: Rates, meter: Meter) -> tuple[Params, Tensor]:
    phi = leaves(tile(theta, len(tasks.support.x)))
    stops, notes = [], []
    for _ in range(rates[1]):
        stops.append(phi)
        notes.append(meter.keep(phi))
        phi = leaves(adapt(loss, phi, tasks.support, lr=rates[0], steps=1, create_graph=False))
    query_loss = loss(phi, tasks.query)
    v = grad(query_loss.mean(), phi)
    while stops:
        stop, _ = stops.pop(), notes.pop()
        slope = dot(grad(loss(stop, tasks.support).sum(), stop, create_graph=True), v)
        meter.see(slope)
        v = add_scaled(v, -rates[0], grad(slope, stop))
    return {name: leaf.sum(0) for name, leaf in v.items()}, query_loss.detach()


WAYS = {"jacobians": accumulated_jacobians, "unrolled": unrolled, "iterates": stored_iterates}
