"""Lesson 11 as a standalone Python script: the source's experiment, and what it imports on the way."""

import torch

from maml_core.practice import networks, sgd_loops
from maml_core.practice.sgd_timing import STEPS
from maml_core.practice.trying import source

HEAD = '''"""By hand or torch.optim.SGD? {repetitions} repetitions in order, {first} first; then taking turns.{link}

Needs only PyTorch; written for torch {torch}. Run it in a fresh interpreter, as `python sgd_by_hand.py` does. Seconds
differ from machine to machine, so they are printed; what they come from is asserted.
"""

import copy
import math
import sys
import time
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

LR, STEPS, REPETITIONS = {lr}, {steps}, {repetitions}


'''

BODY = """

def timed(loop, place):
    start = time.perf_counter()
    loop(*place, STEPS)
    return time.perf_counter() - start


def compiler_stack():
    return "torch._dynamo" in sys.modules


# Cold and in order, as the source times it.
assert not compiler_stack(), "this is not a fresh interpreter"
in_order = {{}}
for loop in {order}:
    before, modules = compiler_stack(), len(sys.modules)
    place = setting()
    in_order[loop] = [timed(loop, place) for _ in range(REPETITIONS)]
    if loop is by_sgd:
        assert compiler_stack() and not before, "the first SGD(...) did not import torch._dynamo"
        print("modules that SGD's first repetition imported:", len(sys.modules) - modules)
        first = in_order[loop][0] == max(in_order[loop])
        print("the repetition with the import is", "the slowest" if first else "not the slowest: a busy machine?")
    else:
        assert compiler_stack() == before, "the loop by hand imported torch._dynamo"
totals = {{loop: sum(seconds) for loop, seconds in in_order.items()}}
print("cold, in order: SGD", totals[by_sgd], "s, by hand", totals[by_hand], "s")
print("  factor", totals[by_sgd] / totals[by_hand])
print("  factor without SGD's first repetition", sum(in_order[by_sgd][1:]) / sum(in_order[by_hand][1:]))

# Warm and taking turns.
places, turns = {{by_sgd: setting(), by_hand: setting()}}, {{by_sgd: [], by_hand: []}}
for round_ in range(REPETITIONS):
    for loop in (by_sgd, by_hand)[:: 1 if round_ % 2 else -1]:
        turns[loop].append(timed(loop, places[loop]))
print("taking turns: median factor", median(a / b for a, b in zip(turns[by_sgd], turns[by_hand])))

# Both loops end in the same weights, for a while.
model, image, target = setting()
twin = copy.deepcopy(model)
for step in range(1, 101):
    by_hand(model, image, target, 1)
    by_sgd(twin, image, target, 1)
    pairs = zip(model.state_dict().values(), twin.state_dict().values())
    if not all(torch.allclose(a, b, rtol=1e-3) for a, b in pairs):
        break
print("the source's comparison passes for", step - 1, "steps, then it fails" if step < 100 else "")
assert step > 5
"""


def sgd_script(first: str, repetitions: int, link: str) -> str:
    """The loops as the page's worker runs them, in the reader's order."""
    parts = (
        networks.OmniglotCNN,
        networks.fill,
        sgd_loops.by_hand,
        sgd_loops.by_sgd,
        sgd_loops.setting,
    )
    head = HEAD.format(
        repetitions=repetitions,
        first=first,
        link=f"\n\n{link}" if link else "",
        torch=torch.__version__.split("+")[0],
        lr=sgd_loops.LR,
        steps=STEPS,
    )
    order = "(by_sgd, by_hand)" if first == "SGD" else "(by_hand, by_sgd)"
    return head + "\n\n\n".join(map(source, parts)) + "\n" + BODY.format(order=order)
