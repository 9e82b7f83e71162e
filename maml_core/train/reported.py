"""Numbers that papers report, with the setting each belongs to, so that like is compared with like."""

from typing import NamedTuple

from maml_core.train.config import Config, resolved

FINN = "Finn, Abbeel & Levine 2017, arXiv 1703.03400"
LI = "Li et al. 2017, arXiv 1707.09835"
NETWORK, INNER = (40, 40), (0.01, 1)


class Reported(NamedTuple):
    """One mean squared error as published: trained on `shots` points, measured on others after `steps` steps."""

    algorithm: str  # or "pretrained"
    family: str
    shots: int
    test_shots: int
    steps: int
    value: float
    iterations: int
    source: str


def _by_steps(algorithm: str, values: dict[int, float]) -> list[Reported]:
    return [Reported(algorithm, "sinusoid", 5, 5, steps, value, 70_000, FINN) for steps, value in values.items()]


def _by_shots(algorithm: str, values: dict[int, float]) -> list[Reported]:
    return [Reported(algorithm, "frequency", 5, shots, 1, value, 60_000, LI) for shots, value in values.items()]


REPORTED = (
    *_by_steps("maml", {1: 0.67, 5: 0.38, 10: 0.35}),
    *_by_steps("pretrained", {1: 2.41, 5: 2.23, 10: 2.19}),
    *_by_shots("maml", {5: 1.13, 10: 0.85, 20: 0.71}),
    *_by_shots("meta-sgd", {5: 0.90, 10: 0.63, 20: 0.50}),
)


class Match(NamedTuple):
    """What papers report for this training, or the one sentence that says why nothing is comparable."""

    rows: tuple[Reported, ...]
    reason: str


def reported(config: Config) -> Match:
    """The published numbers whose method, family, network, shots and inner loop are those of `config`."""
    full = resolved(config)
    method = "pretrained" if full.algorithm == "maml" and full.inner_steps == 0 else full.algorithm
    rows = tuple(row for row in REPORTED if row.algorithm == method)
    alike = tuple(row for row in rows if (row.family, row.shots) == (full.family, full.shots))
    if not rows:
        return Match((), f"No paper that this page knows reports {method} on sinusoids in numbers.")
    if not alike:
        settings = " and ".join(sorted({f"{row.family}, {row.shots} points" for row in rows}))
        return Match((), f"The papers trained {method} on {settings}; this is {full.family}, {full.shots} points.")
    return Match((), reason) if (reason := _other_setting(method, full)) else Match(alike, "")


def _other_setting(method: str, full: Config) -> str:
    """What differs from the published setting apart from family and points, or nothing."""
    if full.hidden != NETWORK or full.activation != "relu":
        return "The published networks are 1-40-40-1 with ReLU; this one is another."
    if method == "maml" and (full.inner_lr, full.inner_steps) != INNER:
        return "Published MAML takes one inner step of α = 0.01 in training; this takes another."
    if method == "meta-sgd" and full.inner_steps != 1:
        return "Published Meta-SGD takes one inner step in training; this takes another number."
    return ""
