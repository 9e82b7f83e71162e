"""Two Krylov methods on symmetric operators, for all tasks at once. Neither ever forms a matrix.

Shapes: T tasks, n unknowns; a vector is (T, n), one row per task; the rows do not interact.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from maml_core.meta.sampling import normal

Operator = Callable[[Tensor], Tensor]  # (T, n) -> (T, n), a symmetric matrix per row


class Solution(NamedTuple):
    """An approximate solution of A x = b, and how good it is."""

    x: Tensor  # (T, n)
    residual: Tensor  # (T,): ‖b − A x‖ / ‖b‖, computed anew and not by recurrence; 0 if b is 0


class Tridiagonal(NamedTuple):
    """A seen from a Krylov space: a symmetric matrix that is zero beside its three middle diagonals."""

    diagonal: Tensor  # (T, m)
    off_diagonal: Tensor  # (T, m - 1)


def _rowdot(x: Tensor, y: Tensor) -> Tensor:
    """Every row's inner product, kept as a column: (T, 1)."""
    return (x * y).sum(-1, keepdim=True)


def conjugate_gradient(operator: Operator, b: Tensor, *, steps: int) -> Solution:
    r"""Solve $$A x = b$$ for each row by `steps` products with A: exactly, but for rounding, if `steps` ≥ n.

    Each step minimises ½ xᵀA x − bᵀx along one direction, A-orthogonal to those before. Where A has no
    positive curvature along that direction, the minimum does not exist and the row stays where it is: its
    residual then says that the answer is not one. A row that is solved to the last digit stays too. No
    branch depends on a value, so the loop can be traced.

    Hestenes & Stiefel (1952). https://doi.org/10.6028/jres.049.044
    """
    x, r = torch.zeros_like(b), b
    p, rr = r, _rowdot(r, r)
    least = torch.finfo(b.dtype).tiny / torch.finfo(b.dtype).eps  # below, quotients are of lost digits
    for _ in range(steps):
        ap = operator(p)
        curvature = _rowdot(p, ap)
        usable = ~((curvature <= least) | (rr <= least))  # NaN is let through: it must show
        length = torch.where(usable, rr / torch.where(usable, curvature, 1), 0)
        x, r = x + length * p, r - length * ap
        new_rr = _rowdot(r, r)
        p = r + torch.where(usable, new_rr / torch.where(usable, rr, 1), 0) * p
        rr = new_rr
    left, whole = (b - operator(x)).norm(dim=-1), b.norm(dim=-1)
    return Solution(x, torch.where(whole == 0, 0, left / torch.where(whole == 0, 1, whole)))


def lanczos(operator: Operator, start: Tensor, *, steps: int) -> Tridiagonal:
    r"""The matrix $$T_m = Q^\top A Q$$ on the Krylov space of `start`, with m = min(`steps`, n) columns in Q.

    $$A q_j = \beta_{j-1} q_{j-1} + \alpha_j q_j + \beta_j q_{j+1}$$

    Its eigenvalues approach those of A, the outermost first. Every q is orthogonalised against all before
    it, twice, which costs m² n but leaves no ghost copies; a space that closes early is left by a new
    random direction.

    Lanczos (1950). https://doi.org/10.6028/jres.045.026
    """
    basis = [start / start.norm(dim=-1, keepdim=True)]
    diagonal, off_diagonal = [], []
    steps = min(steps, start.shape[-1])
    for j in range(steps):
        image = operator(basis[-1])
        diagonal.append(_rowdot(basis[-1], image))
        if j == steps - 1:
            break
        rest = _orthogonal(image, basis)
        beta = rest.norm(dim=-1, keepdim=True)
        closed = beta <= 1e3 * torch.finfo(start.dtype).eps * image.norm(dim=-1, keepdim=True)
        rest = torch.where(closed, _orthogonal(_random_like(start, j + 1), basis), rest)
        off_diagonal.append(torch.where(closed, 0, beta))
        basis.append(rest / rest.norm(dim=-1, keepdim=True))
    return Tridiagonal(torch.cat(diagonal, -1), torch.cat(off_diagonal or [start[:, :0]], -1))


def ritz_values(operator: Operator, like: Tensor, *, steps: int) -> Tensor:
    """Approximate eigenvalues of every row's matrix, ascending: (T, m), those of its `lanczos` matrix.

    `like` is any vector (T, n) of the right shape, dtype and device: the start is always the same random
    one. A row that is not finite has NaN for eigenvalues.
    """
    diagonal, off = lanczos(operator, _random_like(like, 0), steps=steps)
    matrix = diagonal.diag_embed() + off.diag_embed(1) + off.diag_embed(-1)
    finite = matrix.isfinite().all(-1).all(-1)
    values = torch.linalg.eigvalsh(torch.where(finite[:, None, None], matrix, 0))
    return torch.where(finite[:, None], values, torch.nan)


def _orthogonal(vector: Tensor, basis: list[Tensor]) -> Tensor:
    """What `vector` has outside the span of `basis`; a second pass removes the rounding of the first."""
    for _ in range(2):
        for q in basis:
            vector = vector - _rowdot(q, vector) * q
    return vector


def _random_like(vector: Tensor, number: int) -> Tensor:
    """The `number`-th direction of a fixed sequence, shaped like `vector`: the same in every call."""
    index = torch.arange(vector.numel(), device=vector.device).view(vector.shape)
    return normal(0, number, index).to(vector.dtype)
