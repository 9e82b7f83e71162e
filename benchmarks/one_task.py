"""Claim 38's trainings: the query set from another task, as in the source, or from the support's own. Minutes.

    OMP_NUM_THREADS=1 python -m benchmarks.one_task

Writes assets/claim_38.json, which claim 38 quotes, with this command in it.
"""

import json

import torch

from maml_core.practice.one_task_claim import SHIPPED, errors

COMMAND = "OMP_NUM_THREADS=1 python -m benchmarks.one_task"
ITERATIONS = (1000, 3000, 10_000)


def main() -> None:
    """Train, measure, write."""
    rows = []
    for iterations in ITERATIONS:
        rows.append(errors(iterations))
        print(rows[-1], flush=True)
    found = {"command": COMMAND, "torch": torch.__version__, "errors": rows}
    SHIPPED.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
