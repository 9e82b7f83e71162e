"""Lesson 10's screen as a standalone program: the problem, the loop as shown, and an assert for every number."""

import torch

from maml_core.practice.loops.bench import Examined
from maml_core.practice.loops.loop import SHOWN_AS, Loop
from maml_core.practice.loops.problem import ALPHA, STEPS, as_json

HEAD = '''"""“{title}”: what does this inner loop leave in p.grad?
{link}
Needs {needs}; written for torch {torch}. Run it: it says what it found and checks every number of the page.
"""

{imports}

torch.set_default_dtype(torch.float64)
ALPHA, STEPS = {alpha}, {steps}
PROBLEM = json.loads(
    """{problem}"""
)
Batch = namedtuple("Batch", "x y")
support, query = (Batch(*(torch.tensor(PROBLEM[s + axis]) for axis in (".x", ".y"))) for s in ("support", "query"))


def network(shift=0.0):
    """A fresh 1-8-1 network at θ + shift · (1, …, 1)."""
    model = nn.Sequential({layers})
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.tensor(PROBLEM["theta." + name.replace("3.", "2.")]) + shift)
    return model


# the loop, as the page shows it
{source}

def reference(create_graph):
    """The meta-gradient, or without create_graph the first-order one."""
    model = network()
    phi = dict(model.named_parameters())
    for _ in range(STEPS):
        loss = mse_loss(functional_call(model, phi, support.x), support.y)
        grads = torch.autograd.grad(loss, list(phi.values()), create_graph=create_graph)
        phi = {{name: p - ALPHA * g for (name, p), g in zip(phi.items(), grads)}}
    loss = mse_loss(functional_call(model, phi, query.x), query.y)
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


model = network()
leaves = list(model.parameters())
'''
RAISES = """try:
    {name}(model, support, query, ALPHA, STEPS)
except Exception as error:
    print(type(error).__name__, error)
    assert {kind!r} == type(error).__name__
else:
    raise AssertionError("It was expected to stop.")
"""
RUNS = """loss = {name}(model, support, query, ALPHA, STEPS).item()
print("query loss", loss)
assert math.isclose(loss, {loss!r}, rel_tol=1e-8)
"""
NONE = """assert all(p.grad is None for p in leaves)
print("every p.grad is None")
"""
VECTOR = """found, exact, first = torch.cat([p.grad.flatten() for p in leaves]), reference(True), reference(False)
length = (found.norm() / exact.norm()).item()
print("length against the meta-gradient", length)
assert math.isclose(length, {length!r}, rel_tol=1e-6, abs_tol=1e-9)
assert torch.allclose(found, exact) == {exact}
assert torch.allclose(found, first) == {first}
"""
ANGLE = """degrees = math.degrees(torch.arccos((found @ exact / found.norm() / exact.norm()).clamp(-1, 1)).item())
print("degrees from it", degrees)
assert math.isclose(degrees, {degrees!r}, abs_tol=1e-4)
"""
OWN = """

def own(h):
    return {name}(network(h), support, query, ALPHA, STEPS).item()


h = 2e-5
slope = (8 * (own(h) - own(-h)) - (own(2 * h) - own(-2 * h))) / (12 * h)
promised = sum(p.grad.sum() for p in leaves).item()
print("the loss changes by", slope, "per unit along (1, …, 1), and p.grad promises", promised)
assert math.isclose(slope, promised, rel_tol=1e-5) == {exact}
"""
IMPORTS = ("copy", "json", "math")
LAYERS = "nn.Linear(1, 8), nn.Tanh(), {norm}nn.Linear(8, 1)"
NORM = "nn.BatchNorm1d(8, affine=False), "


def loop_script(loop: Loop, seen: Examined, link: str = "") -> str:
    """The program for one loop and what the page found out about it."""
    library = loop.library.split()[0] if loop.library.startswith(("higher", "torchopt")) else ""
    modules = sorted({"torch", *([library] if library else [])})
    imports = [f"import {name}" for name in IMPORTS] + ["from collections import namedtuple", ""]
    imports += [f"import {name}" for name in modules]
    imports += ["from torch import Tensor, nn", "from torch.func import functional_call"]
    imports += ["from torch.nn.functional import mse_loss"]
    head = HEAD.format(
        title=loop.title,
        link=f"\n{link}\n" if link else "",
        needs=f"PyTorch and {loop.library}" if library else "only PyTorch",
        torch=torch.__version__.split("+")[0],
        imports="\n".join(imports),
        alpha=ALPHA,
        steps=STEPS,
        problem=as_json(),
        layers=LAYERS.format(norm=NORM if loop.normalised else ""),
        source=loop.source,
    )
    return head + "".join(_checks(loop, seen))


def _checks(loop: Loop, seen: Examined) -> list[str]:
    finding = seen.finding
    if finding.verdict == "raises":
        return [RAISES.format(name=SHOWN_AS, kind=seen.error.split(":")[0])]
    parts = [RUNS.format(name=SHOWN_AS, loss=seen.query_loss)]
    if finding.verdict == "None":
        return [*parts, NONE]
    if loop.own_target:  # its target is its own slope, which has no closed form to compare with here
        return [*parts, OWN.format(name=SHOWN_AS, exact=finding.verdict == "exact")]
    exact, first = finding.verdict == "exact", finding.verdict == "first order"
    parts.append(VECTOR.format(length=finding.length, exact=exact, first=first))
    return parts if finding.verdict == "zero" else [*parts, ANGLE.format(degrees=finding.degrees)]
