"""A race as something to take away: commands that repeat its legs, a table of its marks, a script that asserts."""

import ast
import csv
import inspect
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from maml_core.train import cost, evaluate, scripts
from maml_core.train.evaluate import Summary
from maml_core.train.race import TASKS, TUNING_TASKS, Leg, Mark, Marks, Race, leg_config, legs
from maml_core.train.scripts import command_line
from maml_core.train.starts import RATES, TUNING_SEED

TOLERANCE = 0.01  # relative: the last digits of other machines have a slice of steps to grow in


def commands(race: Race, steps: dict[str, int] | None = None) -> dict[str, str]:
    """For every entrant that trains, the command that makes the θ of seed 0; by the clock, after these `steps`."""
    lines = {}
    for leg in legs(race):
        if leg.seed == 0:
            config = leg_config(race, leg)
            line = command_line(config, (steps or {}).get(leg.entrant, config.iterations))
            lines[leg.entrant] = line.replace("run.safetensors", f"{leg.entrant}-0.safetensors")
    return lines


def marks_csv(race: Race, marks: Marks) -> str:
    """Every mark of every leg, one a row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [spec.name for spec in fields(Summary)]
    writer.writerow(["entrant", "seed", "steps", "gradients_per_task", "seconds", *names])
    for leg in legs(race):
        for mark in marks.get(leg, ()):
            writer.writerow([*leg, mark.steps, mark.gradients, round(mark.seconds, 3), *asdict(mark.error).values()])
    return out.getvalue()


def race_script(race: Race, marks: Marks) -> str:
    """The engine's own source, the entrants, and an assert for the first two marks of every entrant, seed 0."""
    modules = (*scripts.MODULES, evaluate, cost)
    imports = {line for module in modules for line in _imports(inspect.getsource(module))}
    known = {leg.entrant: marks.get(leg, ())[:2] for leg in legs(race) if leg.seed == 0}
    runs = "\n".join(_run(race, name, first) for name, first in known.items())
    return "\n".join(
        [
            _HEAD,
            *sorted(imports),
            *map(scripts._body, modules),
            _TAIL.format(
                runs=runs,
                steps=race.test_steps,
                shots=race.shots,
                tasks=TASKS,
                tuning=TUNING_TASKS,
                seed=TUNING_SEED,
                rates=RATES,
                tolerance=TOLERANCE,
            ),
        ]
    )


def _run(race: Race, name: str, marks: Sequence[Mark]) -> str:
    """One entrant as a line of the script."""
    written = scripts._written(leg_config(race, Leg(name, 0)))
    return f"    {name!r}: ({written}, { {mark.steps: mark.error.mean for mark in marks} }),"


def _imports(source: str) -> list[str]:
    """The imports from elsewhere that a module begins with."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return [ast.unparse(node) for node in nodes if not scripts._ours(node)]


_HEAD = '''"""A race of Through the Inner Loop in a single file: engine, entrants, and their first marks.

Needs PyTorch alone. Run it: python THIS_FILE.py. With --all each entrant goes on to its end.
"""

from __future__ import annotations

import sys
'''
_TAIL = """
# ---- the race: entrant -> its training (seed 0), and its errors on unseen tasks after so many steps

RUNS = {{
{runs}
}}
RATES = {rates}  # a network without an inner loop of its own adapts at the best of these


def error(config, theta, *, tasks={tasks}, seed=0):
    drawn = unseen(config, tasks=tasks, shots={shots}, seed=seed)
    return adaptation(config, theta, drawn, steps={steps})[-1].mean().item()


def judged(config, theta):
    if config.inner_steps:
        return config
    tried = [replace(config, inner_lr=rate) for rate in RATES]
    return min(tried, key=lambda each: error(each, theta, tasks={tuning}, seed={seed}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, (config, known) in RUNS.items():
        state = initial_state(config)
        for mark in sorted({{*known, *([config.iterations] if "--all" in sys.argv else [])}}):
            while int(state.step) < mark:
                state = meta_step(state, config)
            found = error(judged(config, state.theta), state.theta)
            print(name, "after", mark, "steps:", found)
            if mark in known:
                assert abs(found - known[mark]) <= {tolerance} * known[mark], (name, mark, found, known[mark])
    print("All that is known of the race came out again.")
"""
