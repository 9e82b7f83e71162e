"""Arithmetic on flat dicts of tensors, so that θ, φ and gradients read like the vectors of the equations.

Shapes: a leaf of θ is (...), the same leaf of one φ per task is (T, ...).
"""

import torch
from torch import Tensor

Params = dict[str, Tensor]


def leaves(params: Params) -> Params:
    """Fresh autograd leaves with the same values, so that the caller's tensors stay as they are."""
    return {name: leaf.detach().requires_grad_() for name, leaf in params.items()}


def detach(params: Params) -> Params:
    """The same values without their history."""
    return {name: leaf.detach() for name, leaf in params.items()}


def add_scaled(x: Params, scale: float, y: Params) -> Params:
    r"""Leaf by leaf, $$x + s\,y$$ with one number $s$. Raises KeyError if `y` lacks a leaf of `x`."""
    return {name: torch.add(leaf, y[name], alpha=scale) for name, leaf in x.items()}


def tile(theta: Params, tasks: int) -> Params:
    """One φ per task that starts as θ: (...) -> (T, ...), as a view, so a gradient of φ sums into θ."""
    return {name: leaf.expand(tasks, *leaf.shape) for name, leaf in theta.items()}


def grad(output: Tensor, params: Params, *, create_graph: bool = False, retain_graph: bool | None = None) -> Params:
    r"""The gradient $$\partial\,\text{output} / \partial\,\text{params}$$ of a number, shaped like `params`.

    A leaf that `output` does not depend on gets zeros, as the mathematics says, and not None.
    `create_graph=True` makes the answer differentiable in its turn.
    """
    if not output.requires_grad or not params:
        return {name: torch.zeros_like(leaf) for name, leaf in params.items()}
    gradients = torch.autograd.grad(
        output,
        tuple(params.values()),
        create_graph=create_graph,
        retain_graph=retain_graph,
        allow_unused=True,
        materialize_grads=True,
    )
    return dict(zip(params, gradients, strict=True))


def flatten(params: Params, *, batched: bool = False) -> Tensor:
    """All leaves as one vector, in the order of the dict: (n,), or (T, n) if `batched` leaves are (T,
    ...).
    """
    return torch.cat([leaf.flatten(int(batched)) for leaf in _same_rank(params, batched)], dim=-1)


def _same_rank(params: Params, batched: bool) -> list[Tensor]:
    """A bare number, or one number per task, has nothing to flatten: give it an axis of length one."""
    return [leaf.unsqueeze(-1) if leaf.ndim == int(batched) else leaf for leaf in params.values()]


def unflatten(vector: Tensor, like: Params) -> Params:
    """The inverse of `flatten`: a vector (n,) or (T, n) cut and shaped as the leaves of `like`."""
    sizes = [leaf[0].numel() if vector.ndim == 2 else leaf.numel() for leaf in like.values()]
    pieces = vector.split(sizes, dim=-1)
    return {name: piece.reshape(leaf.shape) for (name, leaf), piece in zip(like.items(), pieces, strict=True)}


def dot(x: Params, y: Params) -> Tensor:
    r"""The inner product over all leaves, $$\langle x, y\rangle = \sum_i x_i y_i$$, a 0-dim tensor."""
    return torch.stack([(leaf * y[name]).sum() for name, leaf in x.items()]).sum()


def norm(x: Params) -> Tensor:
    r"""The Euclidean length $$\lVert x\rVert = \sqrt{\langle x, x\rangle}$$, a 0-dim tensor."""
    return dot(x, x).sqrt()


def cosine(x: Params, y: Params) -> Tensor:
    r"""The cosine of the angle between two gradients, $$\langle x, y\rangle / \lVert x\rVert\lVert y\rVert$$

    1 is the same direction, 0 no common direction, −1 the opposite one; NaN if either is zero.
    """
    return dot(x, y) / (norm(x) * norm(y))
