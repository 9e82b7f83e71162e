"""The default race as it came out once, so that a page can show it before anybody runs it again.

python -m maml_core.train.recorded_race      # writes assets/race.json; about 15 seconds
"""

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from time import perf_counter

from maml_core.train.evaluate import Summary
from maml_core.train.race import Leg, Mark, Marks, Race, leg_config, legs, measure, next_target
from maml_core.train.step import initial_state, meta_step

PATH = Path(__file__).parents[2] / "assets" / "race.json"
COMMAND = "python -m maml_core.train.recorded_race"


def run_leg(race: Race, leg: Leg, *, most: int | None = None) -> tuple[Mark, ...]:
    """A leg from its start to its end, or for `most` marks, here and now. Raises ArithmeticError if it diverges."""
    config = leg_config(race, leg)
    state, marks, seconds = initial_state(config), [], 0.0
    while (target := next_target(race, leg, marks)) is not None and len(marks) != most:
        began = perf_counter()
        while int(state.step) < target:
            state = meta_step(state, config)
            if not state.finite:
                raise ArithmeticError(f"{leg.entrant}, seed {leg.seed}, diverged at step {int(state.step) + 1}.")
        seconds += perf_counter() - began
        marks.append(measure(race, leg, state, seconds))
    return tuple(marks)


def as_json(race: Race, marks: Marks) -> str:
    rows = [[*leg, [[*mark[:3], asdict(mark.error)] for mark in leg_marks]] for leg, leg_marks in marks.items()]
    return json.dumps({"command": COMMAND, "race": asdict(race), "legs": rows}) + "\n"


@lru_cache
def recorded() -> tuple[Race, dict[Leg, tuple[Mark, ...]]]:
    """The race in assets/race.json and its marks."""
    data = json.loads(PATH.read_text())
    race = Race(**{**data["race"], "entrants": tuple(data["race"]["entrants"])})
    marks = {
        Leg(entrant, seed): tuple(
            Mark(steps, spent, seconds, Summary(**error)) for steps, spent, seconds, error in leg_marks
        )
        for entrant, seed, leg_marks in data["legs"]
    }
    return race, marks


if __name__ == "__main__":
    PATH.write_text(as_json(Race(), {leg: run_leg(Race(), leg) for leg in legs(Race())}))
