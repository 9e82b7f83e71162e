"""Modules that can be adapted are; those that cannot are refused by name, with the repair."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from maml_core.meta.algorithms import maml
from maml_core.meta.modules import module_loss, module_params
from maml_core.meta.tasks import Batch, Tasks
from maml_core.meta.trees import add_scaled, dot, tile


class Attention(nn.Module):
    """A tiny attention block: every example looks at all examples of its set."""

    def __init__(self):
        super().__init__()
        self.embed, self.norm, self.out = nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)

    def forward(self, x):
        h = self.norm(self.embed(x))
        return self.out((h @ h.mT).softmax(-1) @ h)


def convolutional(normalisation):
    return nn.Sequential(
        nn.Unflatten(-1, (1, 4, 4)),
        nn.Conv2d(1, 3, 3),
        normalisation,
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(12, 2),
    )


MODULES = {
    "mlp": (3, nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))),
    "conv with GroupNorm": (16, convolutional(nn.GroupNorm(1, 3))),
    "conv with BatchNorm, no running statistics": (
        16,
        convolutional(nn.BatchNorm2d(3, track_running_stats=False)),
    ),
    "conv with BatchNorm in eval mode": (16, convolutional(nn.BatchNorm2d(3)).eval()),
    "attention": (3, Attention()),
}


def tasks_for(width):
    noise = torch.Generator().manual_seed(0)

    def batch(shots):
        shape = {"generator": noise, "dtype": torch.float64}
        return Batch(torch.randn(2, shots, width, **shape), torch.randn(2, shots, 2, **shape))

    return Tasks(batch(5), batch(4), {})


@pytest.mark.parametrize(("width", "module"), MODULES.values(), ids=MODULES)
def test_its_meta_gradient_has_the_slope_of_the_meta_loss(width, module):
    module, tasks = module.double(), tasks_for(width)
    loss, theta = module_loss(module, nn.functional.mse_loss), module_params(module)

    def at(params):
        return maml(loss, params, tasks, inner_lr=0.05, inner_steps=2)

    noise = torch.Generator().manual_seed(1)
    v = {name: torch.randn(leaf.shape, generator=noise, dtype=leaf.dtype) for name, leaf in theta.items()}
    ahead, behind = (at(add_scaled(theta, step, v)).query_loss.mean() for step in (1e-5, -1e-5))
    assert_close(dot(at(theta).grads, v), (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-8)


def test_the_module_itself_is_never_changed():
    module, tasks = MODULES["mlp"][1].double(), tasks_for(3)
    before = module_params(module)
    loss = module_loss(module, nn.functional.mse_loss)
    maml(loss, add_scaled(before, 1.0, before), tasks, inner_lr=0.05, inner_steps=2)
    for name, leaf in module.named_parameters():
        assert torch.equal(leaf, before[name])
        assert leaf.grad is None


def after_a_layer(part):
    return nn.Sequential(nn.Linear(3, 2), part)


REFUSED = {
    "BatchNorm": (after_a_layer(nn.BatchNorm1d(2)), 'BatchNorm1d "1" updates running .* GroupNorm'),
    "Dropout": (after_a_layer(nn.Dropout(0.5)), r'Dropout "1" draws a new random mask .* \.eval\(\)'),
    "RReLU": (after_a_layer(nn.RReLU()), 'RReLU "1" draws a new random mask'),
    "recurrent dropout": (nn.GRU(3, 2, num_layers=2, dropout=0.1), "GRU draws a new random mask"),
    "in-place layer": (after_a_layer(nn.ReLU(inplace=True)), 'ReLU "1" writes in place.* inplace=False'),
}


@pytest.mark.parametrize(("module", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_refused_before_it_runs(module, sentence):
    with pytest.raises(ValueError, match=sentence):
        module_loss(module, nn.functional.mse_loss)


class Hidden(nn.Module):
    """Does in its forward what no list of its submodules shows."""

    def __init__(self, what):
        super().__init__()
        self.what, self.out = what, nn.Linear(3, 2)

    def forward(self, x):
        return self.out(self.what(self, x))


def written_buffer(module, x):
    total = torch.zeros(5, 3, dtype=x.dtype)
    total += x
    return total


HIDDEN = {
    "noise": (lambda module, x: nn.functional.dropout(x), 'Hidden "0" draws random numbers'),
    "input": (lambda module, x: x.add_(1), "writes into its input or its parameters"),
    "parameter": (lambda module, x: (module.out.weight.mul_(2), x)[1], "writes in"),
    "buffer": (written_buffer, 'Hidden "0" writes in place'),
}


@pytest.mark.parametrize("copies", ["θ for all tasks", "one φ per task"])
@pytest.mark.parametrize(("what", "sentence"), HIDDEN.values(), ids=HIDDEN)
def test_what_only_shows_when_it_runs_is_named_then(what, sentence, copies):
    module = nn.Sequential(Hidden(what)).double()
    params = module_params(module)
    params = params if copies == "θ for all tasks" else tile(params, 2)
    with pytest.raises(ValueError, match=sentence):
        module_loss(module, nn.functional.mse_loss)(params, tasks_for(3).support)


def test_an_error_of_the_reader_s_own_comes_through_unchanged():
    loss = module_loss(nn.Linear(7, 2).double(), nn.functional.mse_loss)
    with pytest.raises(RuntimeError, match=r"shape|size"):
        loss(module_params(nn.Linear(7, 2).double()), tasks_for(3).support)


def test_dropout_in_eval_mode_is_the_identity_and_welcome():
    quiet = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).double().eval()
    loss = module_loss(quiet, nn.functional.mse_loss)
    plain = module_loss(quiet[0], nn.functional.mse_loss)
    batch = tasks_for(3).support
    assert torch.equal(loss(module_params(quiet), batch), plain(module_params(quiet[0]), batch))
