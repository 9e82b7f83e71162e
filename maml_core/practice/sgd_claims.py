"""Claims about torch.optim.SGD against a loop by hand, each put to the test by running it. Verdicts are computed."""

import time

from maml_core.claims import Claim
from maml_core.numerals import numeral
from maml_core.practice.drifting import drift
from maml_core.practice.sgd_desk import Job, Order, Progress, no_process
from maml_core.practice.sgd_results import Spread, precomputed, spread, turns_factor
from maml_core.practice.sgd_timing import Event

ROUNDS = 5
TWICE = 1.5  # from here on, “about twice as fast” would be fair


def claim_14() -> Claim:
    """In a fresh interpreter, as the claim is about what the first SGD(…) of a process does: that takes seconds."""
    progress, kept = _measured(), precomputed()
    if progress.state == "done":
        factor, rounds, trouble = _turns([e for e in progress.events if e["event"] == "time"]), ROUNDS, ""
    else:
        factor, rounds = turns_factor(kept), kept.repetitions
        trouble = f"It could not be measured now ({progress.trouble.rstrip('.')}), so this is from {kept.date}: "
    return Claim(
        14,
        "true" if factor.median > TWICE else "false",
        f"{trouble}Taking turns in a fresh interpreter, SGD takes {numeral(factor.median, 3)} times as long as the "
        f"loop by hand (median of {rounds} rounds). In the source's order, cold, we got a factor of "
        f"{numeral(kept.factor('in order'), 3)}, with torch._dynamo imported during the {kept.imported_by} "
        f"repetitions: {kept.import_modules} modules, {numeral(kept.import_seconds[0], 2)} s. With that import done "
        f"first, the same order gave {numeral(kept.factor('imported first'), 3)}.",
    )


def _measured() -> Progress:
    """A few rounds of all loops taking turns, to their end."""
    try:
        job = Job(Order(repetitions=ROUNDS, parts=("taking turns",)))
        while (progress := job.look()).state == "running":
            time.sleep(0.02)
    except OSError as error:
        return Progress("failed", trouble=no_process(error))
    return progress


def _turns(events: list[Event]) -> Spread:
    """SGD's seconds over those of the loop by hand, round by round."""
    sgd, hand = ([e["seconds"] for e in events if e["loop"] == loop] for loop in ("SGD", "by hand"))
    return spread([a / b for a, b in zip(sgd, hand, strict=True)])


def claim_15() -> Claim:
    for seed in range(1, 5):  # whether a ReLU is caught on its kink is chance: up to four networks may show it
        before, furthest = None, 0.0
        for now in drift(seed, size=14):
            if not now.close:
                break
            before, furthest = now, max(furthest, now.distance)
        else:
            continue
        sides = before.sides if before else 0
        return Claim(
            15,
            "half" if before else "false",
            f"On a smaller image than the lesson's, the comparison first fails at step {now.steps}. Until then "
            f"rounding keeps the weights within {numeral(furthest, 2)} of their length of each other. Before the "
            f"step that fails, {sides} of the ReLUs had the image on different sides of 0 in the two networks.",
        )
    return Claim(15, "true", "The comparison passed for a hundred steps, on four networks.")
