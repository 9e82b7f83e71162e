"""What a step costs is counted by formula, and here by PyTorch's own count of multiplications."""

import pytest
from torch.utils.flop_counter import FlopCounterMode

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.curvature import hvp_operator
from maml_core.meta.trees import flatten, grad, leaves, tile
from maml_core.train.config import Config, resolved
from maml_core.train.cost import PER_PRODUCT, gradients
from maml_core.train.evaluate import pretraining
from maml_core.train.step import initial_state, loss_of, tasks_of

CONFIG = resolved(Config(meta_batch=3))
TASKS = tasks_of(CONFIG, 0, "cpu")
LOSS = loss_of(CONFIG)
PHI = leaves(tile(initial_state(CONFIG).theta, 3))


def multiplications(program):
    with FlopCounterMode(display=False) as counter:
        program()
    return counter.get_total_flops()


ONE = multiplications(lambda: grad(LOSS(PHI, TASKS.support).sum(), PHI))


def counted(config):
    theta = initial_state(config).theta
    return multiplications(lambda: config.row.function(LOSS, theta, TASKS, **config.options)) / ONE


def test_a_product_with_the_hessian_costs_two_gradients():
    product = hvp_operator(LOSS, PHI, TASKS.support)
    vector = flatten(PHI, batched=True).detach()
    assert multiplications(lambda: product(vector)) == PER_PRODUCT * ONE


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("algorithm", sorted(set(ALGORITHMS) - {"reptile", "anil", "boil"}))
def test_the_formula_is_pytorch_s_count(algorithm, steps):
    config = resolved(Config(algorithm, inner_steps=steps))
    assert counted(config) == gradients(config)


@pytest.mark.parametrize("steps", [1, 5])
def test_what_is_left_out_is_what_the_docstring_names(steps):
    reptile = resolved(Config("reptile", inner_steps=steps))
    assert counted(reptile) == pytest.approx(gradients(reptile) + 1 / 3)  # the query set is watched: forward only
    for algorithm in ("anil", "boil"):
        config = resolved(Config(algorithm, inner_steps=steps))
        assert counted(config) == pytest.approx(gradients(config), rel=0.03)


def test_joint_training_costs_one_gradient():
    config = resolved(pretraining(Config()))
    assert counted(config) == gradients(config) == 1
