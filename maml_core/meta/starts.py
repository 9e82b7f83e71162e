"""Where a comparison starts: a θ of the 1-40-40-1 network and tasks for it, the same numbers on every machine."""

from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load_file

from maml_core.meta.models import mlp
from maml_core.meta.tasks import Tasks, sinusoids
from maml_core.meta.trees import Params

TRAINED = Path(__file__).parents[2] / "assets" / "maml-5-shot.safetensors"
STARTS = {
    "trained": "MAML's own θ after 70 000 outer steps on 5 points",
    "he": "fresh He weights, which keep signals their size",
    "paper": "fresh weights of deviation 0.01, where the paper starts",
}


class Problem(NamedTuple):
    """One θ and T tasks. Their entries are float32 numbers, so that a script can carry them; the type is float64."""

    theta: Params
    tasks: Tasks


def theta_of(start: str, *, seed: int = 0) -> Params:
    """The θ called `start`, one of `STARTS`, in float64. Raises ValueError for another name."""
    if start not in STARTS:
        raise ValueError(f"The start must be one of {', '.join(STARTS)}, not {start!r}.")
    if start == "trained":
        leaves = {name.removeprefix("theta/"): leaf for name, leaf in load_file(TRAINED).items()}
        leaves = {name: leaves[name] for name in mlp(seed=0)}  # the file also has Adam's memories, in its own order
    else:
        leaves = mlp(seed=seed, initialisation=start)
    return {name: leaf.double() for name, leaf in leaves.items()}


def problem(start: str, *, seed: int, tasks: int = 10, shots: int = 10) -> Problem:
    """θ and `tasks` sinusoids of `shots` support and as many query points. Raises ValueError as its parts do."""
    drawn = sinusoids(tasks, shots, seed=seed)
    support, query = (type(batch)(batch.x.double(), batch.y.double()) for batch in (drawn.support, drawn.query))
    return Problem(theta_of(start, seed=seed), Tasks(support, query, drawn.info))
