"""Run an attempt at MAML as it stands: what it raises, or what reaches θ and how far that is from the truth."""

import inspect
import math
import re
import traceback
from collections.abc import Callable, Sequence
from difflib import ndiff
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from maml_core.meta.agreement import TOLERANCE, angle, length_ratio
from maml_core.practice.attempts import (
    as_sketched,
    chained,
    functional,
    of_the_copy,
    with_a_network,
    with_unused,
    with_values,
)
from maml_core.practice.networks import Task

Code = Callable[[nn.Module, Task, float, int], Tensor]
Kind = Literal["raises", "none", "wrong", "exact"]


class Attempt(NamedTuple):
    """One attempt: its title on the page, its code, and why the line that is new in it was written."""

    title: str
    code: Code
    why: str


ATTEMPTS = (
    Attempt("1 sketch", as_sketched, "This is the sketch, retold."),
    Attempt(
        "2 a network",
        with_a_network,
        "No line ever made something called `model`. The network that was handed in is called `network`.",
    ),
    Attempt(
        "3 allow unused",
        with_unused,
        "The error message itself offers `allow_unused=True`. It is taken at its word.",
    ),
    Attempt(
        "4 values",
        with_values,
        "A dict goes in, so a dict comes out, and `zip` walks along its *names*. `.values()` hands over what they "
        "name. (Older releases of PyTorch refuse the dict with a TypeError of their own.)",
    ),
    Attempt(
        "5 ask the copy",
        of_the_copy,
        "No gradient came because `loss` was computed from the copy's weights. So the copy is asked instead.",
    ),
    Attempt(
        "6 functional_call",
        functional,
        "Copying values cuts the graph. `functional_call` runs the network with the tensors themselves in the "
        "place of its weights, so θ can be asked again.",
    ),
    Attempt(
        "7 chained",
        chained,
        "The loop stepped φ and went on computing the loss at `params`. Now each step starts where the last ended.",
    ),
)
_READINGS = {
    "NameError": "Python looks a name up when it comes to it, so only a run finds out.",
    "RuntimeError": "`holding` copies numbers through `.data`: the loss was computed from the copy's own weights, "
    "and no operation connects them with the tensors that are asked for.",
    "multiply sequence": "`g` is a string here: a parameter's *name*. The gradients are the values of the dict.",
    "NoneType": "`g` is `None`: `allow_unused` made PyTorch say so politely, and nothing was connected before or "
    "after.",
}


class Outcome(NamedTuple):
    """What running an attempt on some tasks came to.

    `arrived`: the length of the gradient at each leaf of θ; `apart`: of its difference from the meta-gradient there.
    """

    kind: Kind
    error: str = ""  # the exception's class
    words: str = ""  # PyTorch's or Python's own
    line: int = 0  # of the attempt's code, from 1
    reading: str = ""  # in our words
    query_loss: float = math.nan
    one_step: float = math.nan  # the query loss of one inner step of inner_steps·inner_lr
    degrees: float = math.nan
    length: float = math.nan  # over the exact meta-gradient's
    arrived: tuple[float | None, ...] = ()
    apart: tuple[float | None, ...] = ()


def source(code: Callable[..., object]) -> str:
    """The very lines that run."""
    return inspect.getsource(code).rstrip()


def repair(before: Code, after: Code) -> str:
    """The lines in which two attempts differ, with - and +."""
    a, b = (re.sub(r"^def \w+", "def attempt", source(code)).splitlines() for code in (before, after))
    return "\n".join(f"{line[0]} {line[2:].strip()}" for line in ndiff(a, b) if line[0] in "-+")


def meta_loss(code: Code, network: nn.Module, tasks: Sequence[Task], inner_lr: float, inner_steps: int) -> Tensor:
    """The mean over the tasks of the query loss after adaptation."""
    return torch.stack([code(network, task, inner_lr, inner_steps) for task in tasks]).mean()


def attempt(
    code: Code, network: nn.Module, tasks: Sequence[Task], exact: Tensor, *, inner_lr: float, inner_steps: int
) -> Outcome:
    """Run it, then `backward()`, and compare what is in `.grad` with the `exact` meta-gradient (n,)."""
    network.zero_grad()
    try:
        loss = meta_loss(code, network, tasks, inner_lr, inner_steps)
        loss.backward()
    except (NameError, TypeError, RuntimeError) as error:
        return _raised(error, code)
    one_step = meta_loss(code, network, tasks, inner_lr * inner_steps, min(inner_steps, 1))
    return _measured(network, exact)._replace(query_loss=loss.item(), one_step=one_step.item())


def _raised(error: Exception, code: Code) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    name, first = code.__name__, inspect.getsourcelines(code)[1]
    line = next(((frame.lineno or 0) - first + 1 for frame in frames if frame.name == name), 0)
    name, words = type(error).__name__, str(error)
    reading = next((text for sign, text in _READINGS.items() if sign == name or sign in words), "")
    return Outcome("raises", name, words, line, reading)


def _measured(network: nn.Module, exact: Tensor) -> Outcome:
    grads = [leaf.grad for leaf in network.parameters()]
    arrived = tuple(None if g is None else float(g.norm()) for g in grads)
    if all(g is None for g in grads):
        return Outcome("none", arrived=arrived)
    found = torch.cat([torch.zeros(0) if g is None else g.flatten() for g in grads])
    pieces = exact.split([leaf.numel() for leaf in network.parameters()])
    close = torch.linalg.vector_norm(found - exact) <= TOLERANCE * torch.linalg.vector_norm(exact)
    return Outcome(
        "exact" if close else "wrong",
        arrived=arrived,
        apart=tuple(
            None if g is None else float((g.flatten() - piece).norm()) for g, piece in zip(grads, pieces, strict=True)
        ),
        degrees=angle(found, exact),
        length=length_ratio(found, exact),
    )
