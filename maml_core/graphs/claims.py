"""Claims of source document 002 about `create_graph`, each put to the test by running it. Verdicts are computed."""

from maml_core.claims import Claim
from maml_core.graphs.comparing import compare, counts
from maml_core.graphs.programs import PRESETS, Assign, Clone, Gradient, InnerStep, Leaf, Program
from maml_core.graphs.recording import Recording
from maml_core.graphs.running import run
from maml_core.numerals import numeral

QUARTIC = InnerStep.parse(PRESETS["quartic"].inner, PRESETS["quartic"].outer, inner_steps=1)
BLOG = {"x": 3.0, "c": 2, "alpha": 0.4}  # the source's numbers
MAML = {**BLOG, "c": 1}  # the same with the coefficient that MAML has


def claim_5() -> Claim:
    return _printed(5, compare(QUARTIC.program, BLOG).first_order, -1108.800048828125, 446.52001953125)


def claim_6() -> Claim:
    return _printed(6, compare(QUARTIC.program, BLOG).second_order, -49008.96484375, 19606.5859375)


def _printed(number: int, recording: Recording, gradient: float, updated: float) -> Claim:
    """What the source prints for its example."""
    found = recording.gradients["x"], recording.results["x_new"]
    return Claim(
        number,
        "true" if found == (gradient, updated) else "false",
        f"Run here, to float32's last digit: {numeral(found[0], 16)} and {numeral(found[1], 16)}.",
    )


def _dx(recording: Recording) -> float:
    """dx′/dx as autograd saw it: the gradient at x over the gradient at x′."""
    update = next(node for node in recording.nodes if node.op == "SubBackward0")
    assert update.gradient is not None
    assert recording.gradients["x"] is not None
    return recording.gradients["x"] / update.gradient


def claim_7() -> Claim:
    blog, maml = compare(QUARTIC.program, BLOG), compare(QUARTIC.program, MAML)
    (was, became), (one, then) = ((_dx(both.first_order), _dx(both.second_order)) for both in (blog, maml))
    return Claim(
        7,
        "true" if was == 1 != became else "false",
        f"In that example it never was: it is {numeral(was, 4)} with create_graph=False and {numeral(became, 4)} "
        f"with True. With MAML's own c = 1 it is {numeral(one, 4)} and becomes {numeral(then, 4)}.",
    )


def claim_8() -> Claim:
    values = []
    for wrt in ("x_prime", "x"):
        loss = (Leaf("x"), Clone("x_prime", "x"), Assign("inner_loss", QUARTIC.inner))
        values.append(float(run(Program((*loss, Gradient("g", "inner_loss", wrt))), BLOG, create_graph=False)["g"]))
    inner, outer = values
    return Claim(
        8,
        "true" if inner == 2 * outer else "false",
        f"g is {numeral(inner)} with respect to the clone and {numeral(outer)} with respect to x: the same, since a "
        "clone has derivative 1. The factor 2 belongs to the update that comes afterwards.",
    )


def claim_9() -> Claim:
    maml = compare(QUARTIC.program, MAML)
    first, second = maml.first_order, maml.second_order
    update = next(node for node in first.nodes if node.op == "SubBackward0")
    fomaml = first.gradients["x"] == update.gradient
    return Claim(
        9,
        "half" if fomaml and first.gradients != second.gradients else "true",
        f"With c = 1 it gives exactly the gradient at x′, {numeral(first.gradients['x'])}: that is first-order MAML, "
        f"an algorithm of the same paper. Full MAML has {numeral(second.gradients['x'])}.",
    )


def claim_10() -> Claim:
    blog = compare(QUARTIC.program, BLOG)

    def consumers(recording: Recording) -> int:
        clone = next(node.id for node in recording.nodes if node.op == "CloneBackward0")
        return sum(edge.source == clone for edge in recording.edges if edge.used)

    before, after = counts(blog.first_order), counts(blog.second_order)
    branches = consumers(blog.first_order), consumers(blog.second_order)
    return Claim(
        10,
        "true" if branches[1] > branches[0] else "false",
        f"{branches[0]} arrow leaves it with create_graph=False and {branches[1]} with True: {before.nodes} grad_fn "
        f"nodes become {after.nodes}, {before.edges} edges become {after.edges}. The branch rejoins at SubBackward0.",
    )
