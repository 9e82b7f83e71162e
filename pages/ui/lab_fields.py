"""The lab's controls as data: which fields of a training they are, what they are called and what they may be."""

from dataclasses import Field, fields
from typing import Any

from maml_core.train.config import Config

FIRST = "tour"
WHY = {
    "tour": "enough to see it work, in about half a minute",
    "paper": "Finn, Abbeel & Levine (2017): 70 000 steps, 5 points a task",
    "fomaml": "the paper's setting without second derivatives",
    "reptile": "Nichol, Achiam & Schulman (2018): their network and family, at rates that are stable here",
    "meta-sgd": "Li et al. (2017): the frequency varies too, and every weight learns a rate of its own",
    "phase-only": "any phase from 0 to 2π",
}
SPECS: dict[str, "Field[Any]"] = {spec.name: spec for spec in fields(Config)}
MAIN = ("inner_lr", "inner_steps", "shots", "iterations")
OTHERS = (
    "family",
    "meta_batch",
    "query_shots",
    "outer_lr",
    "outer",
    "seed",
    "hidden",
    "activation",
    "initialisation",
)
OWN = ("inner_lr", "inner_steps", "outer_lr")  # every algorithm has its own
LABELS = {
    "inner_lr": "α, inner_lr",
    "outer_lr": "β, outer_lr",
    "pull": "λ, pull",
    "leap_lr": "β of the leap, leap_lr",
    "meta_batch": "tasks a step, meta_batch",
}
LOOKING = ("lab_steps", "lab_look", "lab_statistic", "points")  # parameters of what is shown beside the run
MOST_INNER_STEPS = 100  # in a page; the command line allows more


def key(name: str) -> str:
    """A control's key and URL parameter."""
    return f"lab_{name}"


def limits(name: str, most_iterations: int) -> tuple[type, Any, Any]:
    """Whole number or not, and the two ends that a page allows."""
    kind = int if "int" in str(SPECS[name].type) else float
    low, high = map(kind, SPECS[name].metadata["allowed"])
    return kind, low, {"iterations": most_iterations, "inner_steps": MOST_INNER_STEPS}.get(name, high)


def allowed(name: str, most_iterations: int) -> str:
    """What a control's value must be."""
    options = tuple(WHY) if name == "preset" else SPECS[name].metadata["allowed"]
    if isinstance(options[0], str):
        return f"it must be {' or '.join(options)}"
    kind, low, high = limits(name, most_iterations)
    if kind is int:
        return f"it must be a whole number from {low} to {high}"
    return f"it must be a number from {low:g} to {high:g}"
