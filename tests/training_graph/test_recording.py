"""The recorded graph is the one PyTorch walks, and the steps it came from are the engine's."""

import pytest
import torch

from maml_core.meta.algorithms import ALGORITHMS
from maml_core.meta.tasks import Batch, Tasks
from maml_core.train.config import Config, resolved
from maml_core.train.step import initial_state, loss_of, tasks_of
from maml_core.training_graph.recording import THETA, record_step

CONFIG = Config(hidden=(5, 5), meta_batch=3, inner_steps=2, initialisation="he")
WITHOUT = ("reptile", "imaml")


def recorded(algorithm):
    config = Config(algorithm, hidden=(5, 5), meta_batch=3, inner_steps=2, initialisation="he")
    return record_step(initial_state(config), config)


@pytest.fixture(scope="module")
def graphs():
    return {name: recorded(name) for name in ALGORITHMS}


def by_hand(create_graph):
    """All nodes behind the first task's query loss, by a plain walk of MAML written with autograd alone."""
    config = resolved(CONFIG)
    tasks = tasks_of(config, 0, "cpu")
    support, query = (Batch(batch.x[:1], batch.y[:1]) for batch in tasks[:2])
    theta = {name: leaf.clone().requires_grad_() for name, leaf in initial_state(config).theta.items()}
    phi = {name: leaf.expand(1, *leaf.shape) for name, leaf in theta.items()}
    for _ in range(2):
        gradients = torch.autograd.grad(
            loss_of(config)(phi, support).sum(), list(phi.values()), create_graph=create_graph
        )
        phi = {n: torch.add(p, g, alpha=-0.01) for (n, p), g in zip(phi.items(), gradients, strict=True)}
    root = loss_of(config)(phi, query).grad_fn
    nodes, arrows, waiting = {root}, 0, [root]
    while waiting:
        for source, _ in waiting.pop().next_functions:
            arrows += source is not None
            if source is not None and source not in nodes:
                nodes.add(source)
                waiting.append(source)
    return sorted(node.name() for node in nodes if not hasattr(node, "variable")), arrows


@pytest.mark.parametrize(("algorithm", "create_graph"), [("maml", True), ("fomaml", False)])
def test_the_nodes_are_those_that_a_walk_of_the_same_program_finds(graphs, algorithm, create_graph):
    graph = graphs[algorithm].tasks[0]
    names, arrows = by_hand(create_graph)
    assert sorted(node.op for node in graph.nodes if node.stage != THETA) == names
    assert len(graph.edges) == arrows


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_task_by_task_gives_the_engine_s_step(graphs, algorithm):
    assert graphs[algorithm].difference < 1e-4


@pytest.mark.parametrize("algorithm", sorted(set(ALGORITHMS) - set(WITHOUT)))
def test_the_leaves_are_theta_s_by_name(graphs, algorithm):
    leaves = {node.op for node in graphs[algorithm].tasks[0].nodes if node.stage == THETA}
    config = Config(algorithm, hidden=(5, 5))
    assert leaves == set(initial_state(config).theta)
    assert graphs[algorithm].reason == ""


@pytest.mark.parametrize("algorithm", WITHOUT)
def test_those_without_a_graph_from_theta_say_so(graphs, algorithm):
    assert f"{algorithm} leaves no graph" in graphs[algorithm].reason


def test_the_stages_come_in_the_order_of_the_inner_loop(graphs):
    stages = list(graphs["maml"].tasks[0].stages)
    assert stages == [THETA, "one φ per task", "forward 1", "update 1", "forward 2", "update 2", "query"]


def test_first_order_leaves_the_forward_passes_aside(graphs):
    first, second = graphs["fomaml"], graphs["maml"]
    assert not [stage for stage in first.tasks[0].stages if stage.startswith("forward")]
    assert first.aside > second.aside
    assert len(first.tasks[0].nodes) < len(second.tasks[0].nodes)


def test_no_more_tasks_are_recorded_than_can_be_looked_at():
    config = Config(hidden=(3,), meta_batch=40)
    graph = record_step(initial_state(config), config)
    assert (len(graph.tasks), graph.meta_batch) == (25, 40)


def test_tasks_are_a_namedtuple_of_batches_that_the_watching_loss_can_tell_apart():
    """`record_step` tells support from query by identity, so no algorithm may rebuild them."""
    config = resolved(CONFIG)
    drawn = tasks_of(config, 0, "cpu")
    seen = []

    def watched(params, batch):
        seen.append(batch)
        return loss_of(config)(params, batch)

    for algorithm in ALGORITHMS.values():
        seen.clear()
        task = Tasks(drawn.support, drawn.query, {})
        algorithm.function(watched, initial_state(config).theta, task, inner_lr=0.01, inner_steps=1)
        assert all(batch is task.support or batch is task.query for batch in seen)
        assert seen[-1] is task.query or algorithm is ALGORITHMS["imaml"]
