"""Lesson 9's screen as a standalone Python script: the network, the attempt, the truth, and an assert for each."""

from collections.abc import Callable

import torch

from maml_core.practice import attempts, networks
from maml_core.practice.modules_explained import SEED, TASKS, TASKS_SEED, ModuleExplained
from maml_core.practice.trying import ATTEMPTS, source

HEAD = '''"""MAML for any nn.Module: attempt “{title}” on {kind}, {steps} inner step(s) of {lr}.{link}

Needs only PyTorch; written for torch {torch}. Run it: it prints what the page shows and checks each number.
"""

import copy
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

'''

SETTING = """

INNER_LR, INNER_STEPS = {lr!r}, {steps}
network = fill({build}().double(), seed={seed})
tasks = draw_tasks({tasks}, {shape}, seed={tasks_seed})


def meta_loss(code, network):
    return torch.stack([code(network, task, INNER_LR, INNER_STEPS) for task in tasks]).mean()


def run(code):
    network.zero_grad()
    loss = meta_loss(code, network)
    loss.backward()
    return loss.item(), [leaf.grad for leaf in network.parameters()]


def close(a, b, rel_tol=1e-8):
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=1e-12)


# The truth: the last attempt, checked along its own gradient by a central difference.
_, grads = run(chained)
exact = torch.cat([g.flatten() for g in grads])
assert close(exact.norm().item(), {norm!r}, 1e-6), exact.norm()
vector = torch.nn.utils.parameters_to_vector(network.parameters()).detach()
ends = []
for nudge in (1e-7, -1e-7):
    twin = copy.deepcopy(network)
    torch.nn.utils.vector_to_parameters(vector + nudge * exact / exact.norm(), twin.parameters())
    ends.append(meta_loss(chained, twin).item())
slope = (ends[0] - ends[1]) / 2e-7
print("length of the meta-gradient:", exact.norm().item(), "| slope along it, by nudging:", slope)
"""
SLOPE = "assert close(slope, exact.norm().item(), 1e-5), slope\n"

RAISES = """
# The attempt stops.
try:
    run({name})
except {error} as error:
    print("{name}: {error}:", error)
    assert str(error).startswith({words!r}), error
else:
    raise AssertionError("it ran")
"""
RUNS = """
# The attempt runs.
loss, grads = run({name})
print("{name}: query loss", loss, "| .grad is None for", sum(g is None for g in grads), "of", len(grads))
assert close(loss, {loss!r}), loss
"""
NONE = "assert all(g is None for g in grads)\n"
SOME = """found = torch.cat([g.flatten() for g in grads])
distance = (found - exact).norm().item()
print("its distance from the meta-gradient:", distance)
assert close(found.norm().item(), {norm!r}, 1e-6), found.norm()
"""


def module_script(
    kind: str, number: int, tried: ModuleExplained, *, inner_lr: float, inner_steps: int, link: str, agrees: bool
) -> str:
    """The very lines of the page, from the network's class to the attempt. `agrees`: the central difference does."""
    wanted, chosen = networks.NETWORKS[kind], ATTEMPTS[number]
    parts: list[Callable[..., object]] = [networks.Task, wanted.build, networks.fill, networks.draw_tasks]
    parts += [attempts.own_params, attempts.holding, attempts.calling, attempts.chained]
    parts += [chosen.code] if chosen.code is not attempts.chained else []
    head = HEAD.format(
        title=chosen.title,
        kind=kind,
        steps=inner_steps,
        lr=inner_lr,
        link=f"\n\n{link}" if link else "",
        torch=torch.__version__.split("+")[0],
    )
    setting = SETTING.format(
        lr=inner_lr,
        steps=inner_steps,
        build=wanted.build.__name__,
        seed=SEED,
        tasks=TASKS,
        shape=wanted.shape,
        tasks_seed=TASKS_SEED,
        norm=torch.tensor(tried.exact, dtype=torch.float64).norm().item(),
    )
    code = "\n\n\n".join(map(source, parts))
    return head + "\n" + code + "\n" + setting + (SLOPE if agrees else "") + _checks(chosen.code.__name__, tried)


def _checks(name: str, tried: ModuleExplained) -> str:
    outcome = tried.outcome
    if outcome.kind == "raises":
        return RAISES.format(name=name, error=outcome.error, words=outcome.words[:60])
    text = RUNS.format(name=name, loss=outcome.query_loss)
    if outcome.kind == "none":
        return text + NONE
    norm = torch.tensor([length or 0.0 for length in outcome.arrived], dtype=torch.float64).norm().item()
    return text + SOME.format(norm=norm)
