"""Claims of source document 002 about `create_graph`, each put to the test by running it. Verdicts are computed."""

from maml_core.claims import Claim
from maml_core.graphs.comparing import Comparison, compare, counts
from maml_core.graphs.programs import PRESETS, Assign, Clone, Gradient, InnerStep, Leaf, Program
from maml_core.graphs.recording import Recording, run
from maml_core.numerals import numeral

QUARTIC = InnerStep.parse(PRESETS["quartic"].inner, PRESETS["quartic"].outer, inner_steps=1)
BLOG = {"x": 3.0, "c": 2, "alpha": 0.4}  # the source's numbers
MAML = {**BLOG, "c": 1}  # the same with the coefficient that MAML has


def create_graph_claims() -> tuple[Claim, ...]:
    """Claims 5 to 10, which belong to lesson 3."""
    blog, maml = compare(QUARTIC.program, BLOG), compare(QUARTIC.program, MAML)
    numbers = (
        _numbers(5, blog.first_order, -1108.800048828125, 446.52001953125),
        _numbers(6, blog.second_order, -49008.96484375, 19606.5859375),
    )
    return *numbers, _no_longer_one(blog, maml), _twice(), _not_maml(maml), _extra_branch(blog)


def _numbers(number: int, recording: Recording, gradient: float, updated: float) -> Claim:
    """What the source prints for its example."""
    found = recording.gradients["x"], recording.results["x_new"]
    setting = f"create_graph={recording.create_graph}"
    return Claim(
        number,
        f"With {setting}, x.grad is {numeral(gradient, 16)} and x becomes {numeral(updated, 16)}.",
        "true" if found == (gradient, updated) else "false",
        f"Run here, to float32's last digit: {numeral(found[0], 16)} and {numeral(found[1], 16)}.",
    )


def _dx(recording: Recording) -> float:
    """dx′/dx as autograd saw it: the gradient at x over the gradient at x′."""
    update = next(node for node in recording.nodes if node.op == "SubBackward0")
    assert update.gradient is not None
    assert recording.gradients["x"] is not None
    return recording.gradients["x"] / update.gradient


def _no_longer_one(blog: Comparison, maml: Comparison) -> Claim:
    (was, became), (one, then) = ((_dx(both.first_order), _dx(both.second_order)) for both in (blog, maml))
    return Claim(
        7,
        "With create_graph=True, dx′/dx “is no longer 1”.",
        "true" if was == 1 != became else "false",
        f"In that example it never was: it is {numeral(was, 4)} with create_graph=False and {numeral(became, 4)} "
        f"with True. With MAML's own c = 1 it is {numeral(one, 4)} and becomes {numeral(then, 4)}.",
    )


def _twice() -> Claim:
    values = []
    for wrt in ("x_prime", "x"):
        loss = (Leaf("x"), Clone("x_prime", "x"), Assign("inner_loss", QUARTIC.inner))
        values.append(float(run(Program((*loss, Gradient("g", "inner_loss", wrt))), BLOG, create_graph=False)["g"]))
    inner, outer = values
    return Claim(
        8,
        "The inner gradient is “2 · d(inner_loss)/dx”, because of the factor 2 in the update.",
        "true" if inner == 2 * outer else "false",
        f"g is {numeral(inner)} with respect to the clone and {numeral(outer)} with respect to x: the same, since a "
        "clone has derivative 1. The factor 2 belongs to the update that comes afterwards.",
    )


def _not_maml(maml: Comparison) -> Claim:
    first, second = maml.first_order, maml.second_order
    update = next(node for node in first.nodes if node.op == "SubBackward0")
    fomaml = first.gradients["x"] == update.gradient
    return Claim(
        9,
        "create_graph=False “is not what the MAML algorithm is”.",
        "half" if fomaml and first.gradients != second.gradients else "true",
        f"With c = 1 it gives exactly the gradient at x′, {numeral(first.gradients['x'])}: that is first-order MAML, "
        f"an algorithm of the same paper. Full MAML has {numeral(second.gradients['x'])}.",
    )


def _extra_branch(blog: Comparison) -> Claim:
    def consumers(recording: Recording) -> int:
        clone = next(node.id for node in recording.nodes if node.op == "CloneBackward0")
        return sum(edge.source == clone for edge in recording.edges if edge.used)

    before, after = counts(blog.first_order), counts(blog.second_order)
    branches = consumers(blog.first_order), consumers(blog.second_order)
    return Claim(
        10,
        "torchviz draws an extra branch at CloneBackward0.",
        "true" if branches[1] > branches[0] else "false",
        f"{branches[0]} arrow leaves it with create_graph=False and {branches[1]} with True: {before.nodes} grad_fn "
        f"nodes become {after.nodes}, {before.edges} edges become {after.edges}. The branch rejoins at SubBackward0.",
    )
