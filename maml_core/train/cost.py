r"""What an outer step costs, in gradients: one is a network run forward on one set of examples, and back once.

A Hessian-vector product runs the network forward, back, and back through both: in multiplications exactly two
gradients more. So with k inner steps one outer step costs, per task,

$$\text{first order: } k + 1, \qquad \text{MAML: } (k + 1) + 2k$$

and so on for the others: every gradient that is taken, and 2 for every product with a Hessian.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch.utils.flop_counter import FlopCounterMode

from maml_core.meta.trees import grad, leaves, tile
from maml_core.train.config import Config, resolved
from maml_core.train.step import initial_state, loss_of, tasks_of

PER_PRODUCT = 2  # gradients that one Hessian-vector product costs


def gradients(config: Config) -> int:
    """Gradient evaluations per task in one outer step.

    Left out: looking at the query loss where no gradient of it is taken (Reptile), and the share of ANIL's head,
    and BOIL's lack of it, in a product with the Hessian.
    """
    config = resolved(config)
    k: int = config.options["inner_steps"]
    taken = {"reptile": k, "one-leap": k + 2, "imaml": k + 3}.get(config.algorithm, k + 1)
    products = {
        "fomaml": 0,
        "reptile": 0,
        "anil": 0,  # of the head alone: next to nothing
        "one-leap": 1,
        "imaml": config.cg_steps + 1,
        "truncated": min(config.last, k),
    }.get(config.algorithm, k)
    return taken + PER_PRODUCT * products


class StepCost(NamedTuple):
    """One outer step in gradients per task: by formula, and counted. `why` they part, or nothing."""

    entrant: str
    formula: int
    counted: float
    why: str

    @property
    def agree(self) -> bool:
        return not self.why


_LEFT_OUT = {
    "reptile": "It also looks at the query loss, forward only, to have something to show: a third of a gradient.",
    "anil": "Products with the Hessian of its head are nearly free, and left out.",
    "boil": "The head does not adapt, which saves a little of every product with the Hessian.",
}


def step_cost(entrant: str, config: Config) -> StepCost:
    """Both counts for one training; the second runs one step under PyTorch's counter of multiplications."""
    config = resolved(config)
    tasks, loss, theta = tasks_of(config, 0, "cpu"), loss_of(config), initial_state(config).theta
    plain = initial_state(resolved(Config(hidden=config.hidden, activation=config.activation))).theta
    phi = leaves(tile(plain, config.meta_batch))
    one = _multiplications(lambda: grad(loss(phi, tasks.support).sum(), phi))
    found = _multiplications(lambda: config.row.function(loss, theta, tasks, **config.options)) / one
    apart = abs(found - gradients(config)) > 1e-9
    return StepCost(entrant, gradients(config), found, _LEFT_OUT.get(config.algorithm, "They part.") * apart)


def _multiplications(program: Callable[[], object]) -> int:
    """Of matrix products; the layers of width one are left out."""
    with FlopCounterMode(display=False) as counter:
        program()
    return counter.get_total_flops()
