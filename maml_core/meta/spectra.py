"""The curvature that one inner step meets on a real network: one task's whole spectrum, and many tasks' sharpest.

Of the 1-40-40-1 network on sinusoid tasks, in float64 whatever θ is in.
"""

import torch

from maml_core.meta.curvature import hessian, spectrum
from maml_core.meta.models import mlp_loss
from maml_core.meta.tasks import sinusoids
from maml_core.meta.trees import Params, tile

BATCHES, BATCH = 6, 100  # 600 tasks
LANCZOS = 12  # steps; λ_max has then converged to eight digits (a test compares it with the full spectrum)
SEED = 1


def whole_spectrum(theta: Params, *, shots: int) -> tuple[float, ...]:
    """All eigenvalues of the support loss's Hessian at θ, ascending, of the first task: as many as weights."""
    tasks = sinusoids(1, shots, seed=SEED, dtype=torch.float64)
    matrix = hessian(mlp_loss, tile(_double(theta), 1), tasks.support)[0]
    return tuple(torch.linalg.eigvalsh(matrix).tolist())


def sharpness(theta: Params, *, shots: int, step: int) -> tuple[float, ...]:
    r"""$$\lambda_{\max}(H_i)$$ of the tasks of batch `step` of `BATCHES`, so that a page can show how far it is."""
    tasks = sinusoids(BATCH, shots, seed=SEED, step=step, dtype=torch.float64)
    return tuple(spectrum(mlp_loss, tile(_double(theta), BATCH), tasks.support, steps=LANCZOS)[:, -1].tolist())


def share_above(sharpness: tuple[float, ...], inner_lr: float) -> float:
    """The share of tasks on which a step of α overshoots: α·λ_max > 2."""
    return sum(inner_lr * value > 2 for value in sharpness) / len(sharpness)


def _double(theta: Params) -> Params:
    return {name: leaf.detach().double() for name, leaf in theta.items()}
