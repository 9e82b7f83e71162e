"""Lesson 2's screen as a standalone Python script: both programs, run and caught, and an assert for every number."""

import math

from maml_core.graphs.cutting import Cut, Verdict, links, standing
from maml_core.graphs.recording import Recording

HEAD = '''"""{title}

Needs only PyTorch; written for torch {torch}. Run it: it prints what the page shows and checks each number.
"""

import copy
import math

import torch


class StopGradient(torch.autograd.Function):
    """The identity forward, zero backward: what JAX calls stop_gradient."""

    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        return torch.zeros_like(gradient)


stop_gradient = StopGradient.apply


def close(a, b):
    """Equal to float32's rounding; None, infinities and nan must be the same ones."""
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)):
        return str(a) == str(b)
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-30)


def gradient_of(tensor):
    """tensor.grad as a number, or None. PyTorch warns if a tensor that is no leaf is asked, so that one is not."""
    return tensor.grad.item() if tensor.is_leaf and tensor.grad is not None else None


def graph(tensor):
    """Every grad_fn behind a tensor, and the number of edges between them."""
    seen, waiting, edges = set(), [tensor.grad_fn] * (tensor.grad_fn is not None), 0
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            children = [child for child, _ in node.next_functions if child is not None]
            waiting += children
            edges += len(children)
    return len(seen), edges

'''

PART = """
# {title}
words = ""
try:
{body}
except (RuntimeError, TypeError) as error:
    words = str(error)
print("{title}: x.grad =", gradient_of(x), words and "| " + words)
{asserts}
"""


def cut_script(cut: Cut, link: str = "") -> str:
    """The program as written and with the insertion, each line as on the page."""
    import torch

    title = "Where did my gradient go? One program, as written and with one operation inserted."
    head = HEAD.format(title=title + (f"\n\n{link}" if link else ""), torch=torch.__version__.split("+")[0])
    parts = zip(("as written", "inserted"), (cut.written, cut.edited), cut.verdicts, strict=True)
    return head + "".join(_part(*part) for part in parts)


def _part(title: str, recording: Recording, verdict: Verdict) -> str:
    lines = [line.text for line in recording.lines if line.text]
    expected = {
        name: recording.results[name] for name in ("x_copy", "y", "loss", "x_new") if name in recording.results
    }
    checks = [f"assert close(gradient_of(x), {_literal(verdict.gradient)}), gradient_of(x)"]
    checks += [f"assert close({name}.item(), {_literal(value)}), {name}" for name, value in expected.items()]
    checks += [
        f"assert words.startswith({verdict.words[:60]!r}), words" if verdict.words else 'assert words == "", words'
    ]
    if "loss" in expected:
        size = len(standing(recording)), len(links(recording))
        checks += [f"assert graph(loss) == {size}, graph(loss)"]
    return PART.format(title=title, body="\n".join("    " + line for line in lines), asserts="\n".join(checks))


def _literal(value: float | None) -> str:
    return repr(value) if value is None or math.isfinite(value) else f'float("{value}")'
