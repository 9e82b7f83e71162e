"""What is on the screen as a standalone Python script that reproduces it and asserts it."""

import math
from collections.abc import Mapping

import torch

from maml_core.graphs.agreement import relative_difference
from maml_core.graphs.comparing import Comparison, counts
from maml_core.graphs.programs import InnerStep
from maml_core.graphs.recording import Recording, record

HEAD = '''"""{title}

Needs only PyTorch; written for torch {torch}. Run it: it prints what the page shows and checks each number.
"""

import math

import torch
from torch.autograd import grad


def graph(tensor):
    """Every grad_fn behind a tensor, and the number of edges between them."""
    seen, waiting, edges = set(), [tensor.grad_fn], 0
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            children = [child for child, _ in node.next_functions if child is not None]
            waiting += children
            edges += len(children)
    return len(seen), edges


def close(a, b, rel_tol):
    """Equal up to what this program makes of float32's rounding; infinities and nan must be the same ones."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return str(a) == str(b)
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=1e-30)


def run(create_graph):
{body}
    return x_prime.item(), outer_loss.item(), x.grad.item(), x_new.item(), size


'''


def inner_step_script(lesson: InnerStep, inputs: Mapping[str, float], both: Comparison, link: str = "") -> str:
    """The script of lesson 3: both runs of the program, then one assert per number on the page."""
    count = "One inner step" if lesson.inner_steps == 1 else f"{lesson.inner_steps} inner steps"
    title = f"{count}, create_graph=False against create_graph=True." + (f"\n\n{link}" if link else "")
    head = HEAD.format(title=title, torch=torch.__version__.split("+")[0], body=_body(lesson, inputs))
    checks = []
    for recording in (both.first_order, both.second_order):
        exact = record(lesson.program, inputs, create_graph=recording.create_graph, dtype=torch.float64)
        checks.append(_checks(recording, exact))
    return head + "".join(checks)


def _body(lesson: InnerStep, inputs: Mapping[str, float]) -> str:
    """The very lines of the page; only `create_graph` is a variable, and the graph is measured before backward."""
    lines = lesson.program.lines(inputs, create_graph=True)
    text = []
    for line in lines:
        if line.text.startswith("outer_loss.backward"):
            text.append("size = graph(outer_loss)")
        text.append(line.text.replace("create_graph=True", "create_graph=create_graph"))
    return "\n".join("    " + line for line in text)


def _checks(recording: Recording, exact: Recording) -> str:
    """One assert per number. `exact` is the same run in float64: how far it is off says what rounding can do."""
    size = counts(recording)
    expected = _numbers(recording)
    lines = [f"{', '.join(expected)}, size = run(create_graph={recording.create_graph})"]
    lines += [
        f'print("create_graph={recording.create_graph}: x.grad =", x_grad, "x_new =", x_new, "nodes, edges =", size)'
    ]
    for (name, value), reference in zip(expected.items(), _numbers(exact).values(), strict=True):
        tolerance = max(1e-5, 100 * relative_difference([value, reference]))
        tolerance = tolerance if math.isfinite(tolerance) else 1e-5
        lines.append(f"assert close({name}, {_literal(value)}, {tolerance:.0e}), {name}")
    lines += [f"assert size == ({size.nodes}, {size.edges}), size"]
    return "\n".join(lines) + "\n\n"


def _numbers(recording: Recording) -> dict[str, float]:
    gradient = recording.gradients["x"]
    return {
        "x_prime": recording.results["x_prime"],
        "outer_loss": recording.results["outer_loss"],
        "x_grad": math.nan if gradient is None else gradient,
        "x_new": recording.results["x_new"],
    }


def _literal(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'float("{value}")'
