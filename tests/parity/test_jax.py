"""JAX, which shares no line of code with PyTorch, computes the same meta-gradients from the same weights and
data.
"""

import pytest
import torch
from torch.testing import assert_close

from maml_core.meta.algorithms import fomaml, maml
from maml_core.meta.models import mlp, mlp_loss
from maml_core.meta.tasks import sinusoids

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy
ALPHA = 0.02


def forward(params, x):
    for layer in (0, 2):
        x = jax.nn.relu(x @ params[f"{layer}.weight"].T + params[f"{layer}.bias"])
    return x @ params["4.weight"].T + params["4.bias"]


def loss(params, x, y):
    return jnp.mean((forward(params, x) - y) ** 2)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("algorithm", [maml, fomaml])
def test_the_meta_gradient_is_that_of_jax(algorithm, steps):
    theta = mlp((1, 40, 40, 1), seed=5, initialisation="he", dtype=torch.float64)
    tasks = sinusoids(5, 10, seed=3, dtype=torch.float64)

    def meta_loss(params, support_x, support_y, query_x, query_y):
        phi = params
        for _ in range(steps):
            gradient = jax.grad(loss)(phi, support_x, support_y)
            gradient = gradient if algorithm is maml else jax.lax.stop_gradient(gradient)
            phi = {name: phi[name] - ALPHA * gradient[name] for name in phi}
        return loss(phi, query_x, query_y)

    data = [jnp.asarray(tensor.numpy()) for tensor in (*tasks.support, *tasks.query)]
    weights = {name: jnp.asarray(leaf.numpy()) for name, leaf in theta.items()}
    each = jax.vmap(jax.grad(meta_loss), in_axes=(None, 0, 0, 0, 0))(weights, *data)
    expected = {name: torch.tensor(leaf.mean(0).tolist(), dtype=torch.float64) for name, leaf in each.items()}
    actual = algorithm(mlp_loss, theta, tasks, inner_lr=ALPHA, inner_steps=steps).grads
    assert_close(actual, expected, rtol=1e-9, atol=1e-12)
