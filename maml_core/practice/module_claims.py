"""Claims about the generic MAML code for an nn.Module, each put to the test by running it. Verdicts are computed."""

import math

from maml_core.claims import Claim
from maml_core.numerals import numeral
from maml_core.practice import trying
from maml_core.practice.modules_explained import explain_module, slopes_agree
from maml_core.practice.networks import NETWORKS
from maml_core.practice.outer import outer_loop

INNER_LR, INNER_STEPS = 0.1, 5


def claim_11() -> Claim:
    outcomes = [
        explain_module("MLP", number, inner_lr=INNER_LR, inner_steps=INNER_STEPS).outcome
        for number in range(len(trying.ATTEMPTS))
    ]
    stops = [outcome.error for outcome in outcomes if outcome.kind == "raises"]
    return Claim(
        11,
        "false" if outcomes[0].kind == "raises" else "true",
        f"Retold with its mistakes and repaired line by line, it stops {len(stops)} times: {', '.join(stops)}. An "
        "argument that its main leaves out, and the undefined name in a second place, are not counted. Its author "
        "warned that it might not run.",
    )


def claim_12() -> Claim:
    number = 4  # the first attempt that runs
    tried = explain_module("MLP", number, inner_lr=INNER_LR, inner_steps=INNER_STEPS)
    outcome, code = tried.outcome, trying.ATTEMPTS[number].code
    course = outer_loop(code, "MLP", inner_lr=INNER_LR, inner_steps=INNER_STEPS)
    chains = not math.isclose(outcome.query_loss, outcome.one_step, rel_tol=1e-9)
    arrived = "every .grad of θ is None" if outcome.kind == "none" else f"a gradient reaches θ: {outcome.kind}"
    return Claim(
        12,
        "true" if outcome.kind == "exact" else "false",
        f"Adapting takes the query loss from {numeral(tried.before, 4)} to {numeral(outcome.query_loss, 4)}, and "
        f"{arrived}; in {len(course.losses) - 1} outer steps θ moves by {numeral(course.distance, 3)}. One step of "
        f"{INNER_STEPS}α ends at {numeral(outcome.one_step, 4)}: its {INNER_STEPS} steps of α "
        + ("build on each other." if chains else "do not build on each other."),
    )


def claim_13() -> Claim:
    last = len(trying.ATTEMPTS) - 1
    kinds = {
        kind: explain_module(kind, last, inner_lr=INNER_LR, inner_steps=2).outcome.kind == "exact"
        and slopes_agree(kind, inner_lr=INNER_LR, inner_steps=2).agrees
        for kind in NETWORKS
    }
    return Claim(
        13,
        "true" if all(kinds.values()) else "half" if any(kinds.values()) else "false",
        f"On {sum(kinds.values())} of {len(kinds)} kinds of network ({', '.join(kinds)}) its gradient is the one "
        "that maml_core computes under vmap, with the slopes that a central difference finds along three directions.",
    )
