r"""The chain rule as a sum over paths: from the output to a leaf, each path the product of its local derivatives.

$$\frac{\partial L}{\partial x} = \sum_{\text{paths}} \; \prod_{a \to b \text{ on it}} \frac{\partial b}{\partial a}$$
"""

import math
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from maml_core.graphs.recording import Edge, Recording

MOST_PATHS = 64  # that are listed; the rest is counted and summed


class Path(NamedTuple):
    """`nodes` from the output to the leaf; `factors` are the local derivatives between them."""

    nodes: tuple[str, ...]
    factors: tuple[float, ...]

    @property
    def product(self) -> float:
        return math.prod(self.factors)


class Paths(NamedTuple):
    """The first MOST_PATHS paths to one leaf, the `number` of all, and what the unlisted ones add up to."""

    listed: tuple[Path, ...]
    number: int
    rest: float


def paths_to(leaf: str, recording: Recording) -> Paths:
    """All paths over which a gradient reaches `leaf` in the graph that the backward pass walked."""
    into: dict[str, list[Edge]] = {}
    for edge in recording.edges:
        if edge.used and edge.local is not None:
            into.setdefault(edge.target, []).append(edge)
    if leaf not in recording.used_nodes:
        return Paths((), 0, 0.0)
    output = next(node.id for node in reversed(recording.nodes) if node.used)
    listed = tuple(islice(_walk(output, leaf, into, (output,), ()), MOST_PATHS))
    count, total = _count_and_sum(output, leaf, into, {})
    return Paths(listed, count, total - sum(path.product for path in listed) if count > len(listed) else 0.0)


def _walk(
    node: str, leaf: str, into: dict[str, list[Edge]], nodes: tuple[str, ...], factors: tuple[float, ...]
) -> Iterator[Path]:
    if node == leaf:
        yield Path(nodes, factors)
    for edge in into.get(node, []):
        yield from _walk(edge.source, leaf, into, (*nodes, edge.source), (*factors, edge.local or 0.0))


def _count_and_sum(
    node: str, leaf: str, into: dict[str, list[Edge]], known: dict[str, tuple[int, float]]
) -> tuple[int, float]:
    """Number of paths from a node to the leaf and the sum of their products, each node visited once."""
    if node == leaf:
        return 1, 1.0
    if node not in known:
        parts = [(edge.local or 0.0, _count_and_sum(edge.source, leaf, into, known)) for edge in into.get(node, [])]
        known[node] = sum(count for _, (count, _) in parts), sum(local * total for local, (_, total) in parts)
    return known[node]
