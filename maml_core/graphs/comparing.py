"""Two recordings of one program, create_graph=False and True: what only one of them has, and what it costs."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal, NamedTuple

from maml_core.graphs.programs import InnerStep, Program
from maml_core.graphs.recording import Recording, record

# common: in both graphs · kept: a forward node that only create_graph=True keeps on a path to the leaf ·
# second: made by the engine while it differentiated · aside: on no path from the output (the inner loss itself)
Kind = Literal["common", "kept", "second", "aside"]
Change = Literal["same", "longer", "shorter", "zero or turned", "not finite"]


class Counts(NamedTuple):
    """The size of one graph. `drawn_*` add what torchviz draws besides: the leaf, the output and their arrows."""

    nodes: int
    edges: int
    drawn_nodes: int
    drawn_edges: int
    saved_bytes: int


class Comparison(NamedTuple):
    """One program run twice."""

    first_order: Recording  # create_graph=False
    second_order: Recording  # create_graph=True
    kinds: dict[str, Kind]  # of every node of `second_order`

    @property
    def gradients(self) -> tuple[float, float]:
        """`x.grad` of both runs; nan where no gradient arrived."""
        runs = (self.first_order, self.second_order)
        first, second = (math.nan if run.gradients["x"] is None else run.gradients["x"] for run in runs)
        return first, second

    @property
    def change(self) -> Change:
        """What `create_graph=True` does to `x.grad`."""
        first, second = self.gradients
        if not (math.isfinite(first) and math.isfinite(second)):
            return "not finite"
        if math.isclose(first, second, rel_tol=1e-6):
            return "same"
        if first * second <= 0:
            return "zero or turned"
        return "longer" if abs(second) > abs(first) else "shorter"


def compare(program: Program, inputs: Mapping[str, float]) -> Comparison:
    """Record the program with `create_graph` off and on. float32, as a reader's own script would run."""
    first_order = record(program, inputs, create_graph=False)
    second_order = record(program, inputs, create_graph=True)
    return Comparison(first_order, second_order, kinds(first_order, second_order))


def kinds(first_order: Recording, second_order: Recording) -> dict[str, Kind]:
    """Which of the four kinds each node of the larger graph is."""
    common = first_order.used_nodes

    def kind(name: str, parent: str | None, used: bool) -> Kind:
        if not used:
            return "aside"
        if parent is not None:
            return "second"
        return "common" if name in common else "kept"

    return {node.id: kind(node.id, node.parent, node.used) for node in second_order.nodes}


def counts(recording: Recording) -> Counts:
    nodes, edges = len(recording.used_nodes), len(recording.used_edges)
    leaves = len(recording.gradients.keys() & recording.used_nodes)
    return Counts(nodes, edges, nodes + leaves + 1, edges + leaves + 1, recording.saved_bytes)


class Growth(NamedTuple):
    """Sizes of both graphs for one number of inner steps."""

    inner_steps: int
    first_order: Counts
    second_order: Counts


@lru_cache(maxsize=256)
def growth(lesson: InnerStep, *, up_to: int) -> tuple[Growth, ...]:
    """How both graphs grow from 1 to `up_to` inner steps: a matter of the program, not of its numbers."""
    inputs = {"x": 1.0, "c": 1, "alpha": 0.1}
    rows = []
    for inner_steps in range(1, up_to + 1):
        both = compare(replace(lesson, inner_steps=inner_steps).program, inputs)
        rows.append(Growth(inner_steps, counts(both.first_order), counts(both.second_order)))
    return tuple(rows)
