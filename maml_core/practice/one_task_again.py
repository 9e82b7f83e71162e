"""Claim 38's trainings, made anew in a process of their own: `python -m maml_core.practice.one_task_again 1000`."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from maml_core.practice.one_task_claim import Errors, errors

ROOT = Path(__file__).parents[2]  # where `-m maml_core…` works, wherever the server was started
ITERATIONS = 1000  # of each training: as many as the shortest precomputed pair has
EVERY = 20  # iterations between two words


def again(iterations: int = ITERATIONS) -> Generator[float | Errors, None, None]:
    """The share that is done, again and again, then the errors. Whoever stops listening ends the process."""
    command = [sys.executable, "-m", "maml_core.practice.one_task_again", str(iterations)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True) as process:
        assert process.stdout is not None
        try:
            yield from map(json.loads, process.stdout)
        finally:
            process.kill()


def main(iterations: int) -> None:
    """Print the share of both trainings that is done, a number per line, then the errors as a JSON object."""
    count = itertools.count(1)

    def tick() -> None:
        if (done := next(count)) % EVERY == 0:
            print(done / (2 * iterations), flush=True)

    print(json.dumps(errors(iterations, tick)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
