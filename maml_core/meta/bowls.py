"""Bowls: quadratic tasks, whose every meta-gradient has an exact formula. The tests lean on them.

Shapes: T tasks in n dimensions; θ is one leaf "point" (n,), a φ per task (T, n); x = A (T, n, n), y = c (T,
n, 1).
"""

import torch
from torch import Tensor

from maml_core.meta.sampling import LARGEST, normal
from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import Params


def _rotated(spectrum: Tensor, noise: Tensor) -> Tensor:
    """Symmetric matrices (T, n, n) with these eigenvalues, in directions that the `noise` decides."""
    axes = torch.linalg.qr(noise)[0]
    matrix = (axes * spectrum) @ axes.mT
    return (matrix + matrix.mT) / 2


def bowls(
    meta_batch: int,
    spectrum: tuple[float, ...],
    *,
    seed: int,
    step: int | Tensor = 0,
    query_spectrum: tuple[float, ...] | None = None,
    gap: float = 0.0,
) -> Tasks:
    r"""Quadratic tasks of n dimensions with a chosen spectrum, each turned its own way.

    $$\mathcal L_i(\phi) = \tfrac12 (\phi - c_i)^\top A_i (\phi - c_i), \qquad c_i \sim \mathcal N(0, I)$$

    The eigenvalues of every support Hessian are `spectrum` (any signs), those of the query Hessian
    `query_spectrum` (None: the same), in other directions; the query's centre is `gap` standard normals
    away from the support's, as two samples of one task are. Raises ValueError if the spectra are empty,
    of two lengths, or too long to draw.
    """
    query_spectrum = spectrum if query_spectrum is None else query_spectrum
    n = len(spectrum)
    draws = 2 * n * (n + 1)
    if not 1 <= n == len(query_spectrum) or not 1 <= meta_batch <= LARGEST // draws:
        raise ValueError(
            "Bowls need at least one task and two spectra of one length, neither empty nor too long to draw."
        )
    index = torch.arange(meta_batch * draws).view(meta_batch, 2, n, n + 1)
    noise = normal(seed, step, index)
    centre = noise[:, 0, :, n:]  # (T, n, 1)
    support = Batch(_rotated(torch.tensor(spectrum, dtype=torch.float64), noise[:, 0, :, :n]), centre)
    query_centre = centre + gap * noise[:, 1, :, n:]
    query = Batch(_rotated(torch.tensor(query_spectrum, dtype=torch.float64), noise[:, 1, :, :n]), query_centre)
    return Tasks(support, query, {})


def bowl_loss(params: Params, batch: Batch) -> Tensor:
    r"""The height of the bowl at each task's point, (T,): $$\tfrac12 (\phi - c)^\top A\,(\phi - c)$$"""
    away = params["point"] - batch.y.squeeze(-1)  # (T, n)
    return torch.einsum("ti,tij,tj->t", away, batch.x, away) / 2
