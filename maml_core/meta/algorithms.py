"""Nine ways to a meta-gradient, with one signature: θ in, MetaGradient out, nothing changed.

Shapes: T tasks; a leaf of θ is (...), a leaf of one φ per task (T, ...). `loss(params, batch)` gives (T,).
All differentiate the same number, the mean over the tasks of the mean query loss at φ, or approximate doing
so.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor

from maml_core.meta.curvature import hvp_operator
from maml_core.meta.inner import adapt, descend, freeze, split_rates
from maml_core.meta.models import Loss
from maml_core.meta.solvers import conjugate_gradient
from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import Params, add_scaled, detach, flatten, grad, leaves, tile, unflatten


class MetaGradient(NamedTuple):
    """What every algorithm returns."""

    grads: Params  # shaped like θ: hand it to the outer optimiser
    query_loss: Tensor  # (T,): how well each adapted φ does on its own query set
    info: Mapping[str, Tensor] = MappingProxyType({})  # what one algorithm alone can report, (T,) each

    @property
    def diverged(self) -> Tensor:
        """(T,): True for a task whose inner loop left the numbers behind, so that its loss is not finite."""
        return ~self.query_loss.isfinite()


def _at(loss: Loss, phi: Params, theta: Params, tasks: Tasks) -> MetaGradient:
    """The gradient in θ of the mean query loss at φ, along the graph that leads from θ to φ."""
    query_loss = loss(phi, tasks.query)
    return MetaGradient(grad(query_loss.mean(), theta), query_loss.detach())


def _start(theta: Params, tasks: Tasks) -> tuple[Params, Params]:
    """θ as leaves, and one φ per task made of it."""
    theta = leaves(theta)
    return theta, tile(theta, len(tasks.support.x))


def maml(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> MetaGradient:
    r"""Model-agnostic meta-learning: differentiate *through* the inner loop.

    $$g = \frac1T \sum_i (I - \alpha H_{i,0}) \cdots (I - \alpha H_{i,k-1}) \nabla \mathcal{L}_i^{q}(\phi_i)$$

    Cost: memory for the graph of all k = `inner_steps` steps. Raises ValueError for k < 0.
    Finn, Abbeel & Levine (2017). https://arxiv.org/abs/1703.03400
    """
    theta, phi = _start(theta, tasks)
    phi = adapt(loss, phi, tasks.support, lr=inner_lr, steps=inner_steps, create_graph=True)
    return _at(loss, phi, theta, tasks)


def fomaml(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> MetaGradient:
    r"""First-order MAML: take every inner Jacobian for the identity.

    $$g = \frac1T \sum_i \nabla \mathcal{L}_i^{q}(\phi_i)$$

    Cost: one gradient per step, memory for one step. Raises ValueError for k < 0.
    Finn, Abbeel & Levine (2017). https://arxiv.org/abs/1703.03400
    """
    theta, phi = _start(theta, tasks)
    phi = adapt(loss, phi, tasks.support, lr=inner_lr, steps=inner_steps, create_graph=False)
    return _at(loss, phi, theta, tasks)


def truncated(
    loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int, last: int = 1
) -> MetaGradient:
    r"""Differentiate through the `last` m inner steps only; m = k is MAML, m = 0 first-order MAML.

    $$g = \frac1T \sum_i (I - \alpha H_{i,k-m}) \cdots (I - \alpha H_{i,k-1})\,
      \nabla \mathcal{L}_i^{q}(\phi_i)$$

    With fewer than m steps, through all of them. Cost: memory for m steps. Raises ValueError for k < 0 or
    m < 0. Shaban et al. (2019), truncated back-propagation. https://arxiv.org/abs/1810.10667
    """
    if last < 0:
        raise ValueError(f"last must be 0 or more inner steps, not {last}.")
    last = min(last, inner_steps)
    theta, phi = _start(theta, tasks)
    phi = adapt(loss, phi, tasks.support, lr=inner_lr, steps=inner_steps - last, create_graph=False)
    phi = adapt(loss, phi, tasks.support, lr=inner_lr, steps=last, create_graph=True)
    return _at(loss, phi, theta, tasks)


def reptile(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> MetaGradient:
    r"""Reptile: move θ towards where the inner loop ended; the query set is only watched.

    $$g = \frac1T \sum_i (\theta - \phi_i) / \alpha$$

    This is the sum of the support gradients on the way. Cost: one gradient per step. Raises ValueError
    for k < 0 or a rate that is not positive. Nichol, Achiam & Schulman (2018).
    https://arxiv.org/abs/1803.02999
    """
    if inner_lr <= 0:
        raise ValueError(f"Reptile divides by inner_lr, which must be positive, not {inner_lr}.")
    theta, phi = _start(theta, tasks)
    end = detach(adapt(loss, phi, tasks.support, lr=inner_lr, steps=inner_steps, create_graph=False))
    grads = {name: (leaf.detach() - end[name]).mean(0) / inner_lr for name, leaf in theta.items()}
    return MetaGradient(grads, loss(end, tasks.query))


def head_of(theta: Params) -> tuple[str, ...]:
    """The leaves of the last layer: those that share the last leaf's name up to its last dot."""
    layer = list(theta)[-1].rpartition(".")[0]
    return tuple(name for name in theta if name.rpartition(".")[0] == layer)


def _adapt_part(loss: Loss, phi: Params, names: Collection[str], support: Batch, *, lr: float, steps: int) -> Params:
    """MAML's inner loop on the leaves in `names` alone, while the others stay as they are."""
    if unknown := set(names) - set(phi):
        raise ValueError(f"There is no leaf {min(unknown)!r} in θ; it has {', '.join(phi)}.")
    part_loss, moving, still = freeze(loss, phi, names)
    return still | adapt(part_loss, moving, support, lr=lr, steps=steps, create_graph=True)


def anil(
    loss: Loss,
    theta: Params,
    tasks: Tasks,
    *,
    inner_lr: float,
    inner_steps: int,
    head: Collection[str] | None = None,
) -> MetaGradient:
    r"""Almost no inner loop: only the head adapts; the body is learned by the outer loop alone.

    $$g = \frac1T \sum_i \nabla_\theta\, \mathcal{L}_i^{q}\big(\theta^{b}, \phi_i^{h}\big), \qquad
      \phi^{h} \leftarrow \phi^{h} - \alpha \nabla_{h} \mathcal{L}^{s}(\theta^{b}, \phi^{h})$$

    `head` names the leaves that adapt (None: `head_of`). Cost: the inner graph holds the head alone. Raises
    ValueError for k < 0 or an unknown leaf. Raghu et al. (2020). https://arxiv.org/abs/1909.09157
    """
    theta, phi = _start(theta, tasks)
    head = head_of(theta) if head is None else head
    phi = _adapt_part(loss, phi, head, tasks.support, lr=inner_lr, steps=inner_steps)
    return _at(loss, phi, theta, tasks)


def boil(
    loss: Loss,
    theta: Params,
    tasks: Tasks,
    *,
    inner_lr: float,
    inner_steps: int,
    head: Collection[str] | None = None,
) -> MetaGradient:
    r"""Body only in the inner loop: ANIL's mirror image, the head stays as it is.

    $$g = \frac1T \sum_i \nabla_\theta\, \mathcal{L}_i^{q}\big(\phi_i^{b}, \theta^{h}\big), \qquad
      \phi^{b} \leftarrow \phi^{b} - \alpha \nabla_{b} \mathcal{L}^{s}(\phi^{b}, \theta^{h})$$

    `head` names the leaves that do not adapt (None: `head_of`). Cost: as MAML. Raises ValueError for k < 0 or
    an unknown leaf. Oh et al. (2021). https://arxiv.org/abs/2008.08882
    """
    theta, phi = _start(theta, tasks)
    head = head_of(theta) if head is None else head
    body = set(theta).symmetric_difference(head)  # a head that is not in θ stays in, to be refused by name
    phi = _adapt_part(loss, phi, body, tasks.support, lr=inner_lr, steps=inner_steps)
    return _at(loss, phi, theta, tasks)


def meta_sgd(loss: Loss, theta: Params, tasks: Tasks, *, inner_lr: float, inner_steps: int) -> MetaGradient:
    r"""Meta-SGD: every weight has a learning rate of its own, and the outer loop learns it like the weight.

    $$g = \frac1T \sum_i \nabla_{\theta, a}\, \mathcal{L}_i^{q}(\phi_i), \qquad
      \phi \leftarrow \phi - a \odot \nabla \mathcal{L}^{s}(\phi)$$

    The rates are leaves "lr.NAME" of θ (`with_rates`); weights without one move at `inner_lr`. The
    gradient has all leaves of θ. Cost: as MAML, with twice the parameters. Raises ValueError for k < 0.
    Li et al. (2017). https://arxiv.org/abs/1707.09835
    """
    theta = leaves(theta)
    weights, rates = split_rates(theta, inner_lr)
    phi = tile(weights, len(tasks.support.x))
    phi = adapt(loss, phi, tasks.support, lr=rates, steps=inner_steps, create_graph=True)
    return _at(loss, phi, theta, tasks)


def one_leap(
    loss: Loss,
    theta: Params,
    tasks: Tasks,
    *,
    inner_lr: float,
    inner_steps: int,
    leap_lr: float | None = None,
) -> MetaGradient:
    r"""Many small steps, one leap back: the derivative of a single step of rate β stands for that of all k.

    $$g = \frac1T \sum_i (I - \beta H_i(\theta))\, \nabla \mathcal{L}_i^{q}(\phi_i)$$

    $\psi = \phi$ in value and $\theta - \beta\nabla\mathcal{L}^{s}(\theta)$ in derivative. β is `leap_lr`
    (None: `inner_lr`, which at k = 1 is MAML). Cost: memory for one step, whatever k. Raises ValueError
    for k < 0. An estimator after a forum's idea of "lazy" MAML, not a published formula; the gradient it
    approximates is that of Finn, Abbeel & Levine (2017). https://arxiv.org/abs/1703.03400
    """
    theta, start = _start(theta, tasks)
    end = adapt(loss, start, tasks.support, lr=inner_lr, steps=inner_steps, create_graph=False)
    gradient = grad(loss(start, tasks.support).sum(), start, create_graph=True)
    one = descend(start, inner_lr if leap_lr is None else leap_lr, gradient)
    psi = {name: end[name].detach() + (leaf - leaf.detach()) for name, leaf in one.items()}
    return _at(loss, psi, theta, tasks)


def imaml(
    loss: Loss,
    theta: Params,
    tasks: Tasks,
    *,
    inner_lr: float,
    inner_steps: int,
    pull: float = 2.0,
    cg_steps: int = 5,
) -> MetaGradient:
    r"""Implicit MAML: adapt to the minimum of a proximal loss and differentiate the minimum, not the path.

    $$g = \frac1T \sum_i \big(I + \tfrac1\lambda H_i\big)^{-1} \nabla \mathcal{L}_i^{q}(\phi_i), \qquad
      \phi_i = \arg\min_\phi\; \mathcal{L}_i^{s}(\phi) + \tfrac\lambda2 \lVert \phi - \theta\rVert^2$$

    λ is `pull`. Exact only as far as both residuals in `info` are small: "inner_residual", ‖∇L_s(φ) + λ(φ
    − θ)‖, falls with `inner_steps`, and "solver_residual", relative, with `cg_steps`. Cost: memory for
    one step, whatever k; `cg_steps` + 1 Hessian-vector products. Raises ValueError for k < 0 or a pull
    that is not positive. Rajeswaran et al. (2019). https://arxiv.org/abs/1909.04630
    """
    if pull <= 0:
        raise ValueError(f"pull (λ) must be positive, not {pull}.")
    start = tile(detach(theta), len(tasks.support.x))
    phi, inner_residual = _proximal_point(loss, start, tasks.support, pull, (inner_lr, inner_steps))
    query_loss = loss(phi, tasks.query)
    b = flatten(grad(query_loss.sum(), phi), batched=True)
    h = hvp_operator(loss, phi, tasks.support)
    solution = conjugate_gradient(lambda v: v + h(v) / pull, b, steps=cg_steps)
    info = {"inner_residual": inner_residual, "solver_residual": solution.residual}
    return MetaGradient(unflatten(solution.x.mean(0), theta), query_loss.detach(), info)


def _proximal_point(
    loss: Loss, start: Params, support: Batch, pull: float, rates: tuple[float, int]
) -> tuple[Params, Tensor]:
    """Where descent on the proximal loss ends, and the size of the gradient that is left there, (T,)."""

    def proximal(params: Params, batch: Batch) -> Tensor:
        away = flatten(add_scaled(params, -1.0, start), batched=True)
        return loss(params, batch) + pull / 2 * away.square().sum(-1)

    lr, steps = rates
    # Shortened so that a strong pull cannot overshoot: it makes the pull's part of the step implicit.
    lr = lr / (1 + lr * pull)
    phi = leaves(adapt(proximal, leaves(start), support, lr=lr, steps=steps, create_graph=False))
    left = grad(proximal(phi, support).sum(), phi)
    return phi, flatten(left, batched=True).norm(dim=-1)


@dataclass(frozen=True)
class Algorithm:
    """A row of the table: the function, and the rates at which it trains the 1-40-40-1 network stably."""

    function: Callable[..., MetaGradient]
    inner_lr: float  # α
    inner_steps: int  # k
    outer_lr: float  # β of the outer Adam
    options: tuple[str, ...] = ()  # its extra keyword arguments that are numbers
    adapts: str = "all"  # who moves in the inner loop: "all", "head" or "body"


ALGORITHMS: dict[str, Algorithm] = {
    "maml": Algorithm(maml, 0.01, 1, 1e-3),
    "fomaml": Algorithm(fomaml, 0.01, 1, 1e-3),
    "reptile": Algorithm(reptile, 0.005, 5, 1e-3),
    "anil": Algorithm(anil, 0.01, 1, 1e-3, adapts="head"),
    "boil": Algorithm(boil, 0.01, 1, 1e-3, adapts="body"),
    "meta-sgd": Algorithm(meta_sgd, 0.01, 1, 1e-3),
    "one-leap": Algorithm(one_leap, 0.005, 5, 1e-3, ("leap_lr",)),
    "imaml": Algorithm(imaml, 0.005, 16, 1e-3, ("pull", "cg_steps")),
    "truncated": Algorithm(truncated, 0.005, 5, 1e-3, ("last",)),
}
