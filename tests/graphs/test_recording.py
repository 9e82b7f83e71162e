"""What a recording says is what PyTorch did: values, gradients, nodes, edges, bytes."""

import gc
import math
import threading
import weakref

import pytest
import torch

from maml_core.graphs.expressions import parse
from maml_core.graphs.programs import Assign, Backward, Clone, Gradient, InnerStep, Leaf, Program
from maml_core.graphs.recording import record
from maml_core.graphs.running import run
from maml_core.graphs.tracing import trace
from tests.graphs.examples import BLOG, lesson

SETTINGS = [(x, c, alpha) for x in (-1.5, 0.3, 3.0) for c in (1, 2) for alpha in (0.0, 0.4)]


def by_hand(create_graph, x=3.0, c=2, alpha=0.4):
    """The source's example as anyone would write it."""
    x = torch.tensor(x, requires_grad=True)
    x_prime = x.clone()
    inner_loss = 2 - 2 * x_prime**4
    (g,) = torch.autograd.grad(inner_loss, x_prime, create_graph=create_graph)
    x_prime = c * x_prime - alpha * g
    outer_loss = 1 - 3 * x_prime**2
    outer_loss.backward()
    return x, x_prime, outer_loss


def grad_fns(tensor):
    seen, waiting, edges = set(), [tensor.grad_fn], 0
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            children = [child for child, _ in node.next_functions if child is not None]
            edges += len(children)
            waiting += children
    return sorted(type(node).__name__ for node in seen), edges


def test_the_sources_numbers_come_out_to_the_last_float32_digit(blog):
    assert blog.first_order.gradients["x"] == pytest.approx(-1108.8, rel=1e-7)
    assert blog.second_order.gradients["x"] == -49008.96484375
    assert blog.first_order.results["x_new"] == pytest.approx(446.52, rel=1e-7)
    assert blog.second_order.results["x_new"] == 19606.5859375


def test_both_runs_compute_the_same_values(blog):
    for name in ("x_prime", "inner_loss", "g", "outer_loss"):
        assert blog.first_order.results[name] == blog.second_order.results[name]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("x", "c", "alpha"), SETTINGS)
def test_a_recorded_program_does_what_the_same_python_does(x, c, alpha, create_graph):
    recording = record(lesson().program, {"x": x, "c": c, "alpha": alpha}, create_graph=create_graph)
    leaf, x_prime, outer_loss = by_hand(create_graph, x, c, alpha)
    assert recording.gradients["x"] == leaf.grad.item()
    assert recording.results["x_prime"] == x_prime.item()
    names, edges = grad_fns(outer_loss)
    assert sorted(node.op for node in recording.nodes if node.used) == names
    assert len(recording.used_edges) == edges


@pytest.mark.parametrize("create_graph", [False, True])
def test_recording_changes_no_number(any_lesson, create_graph):
    inputs = {"x": 0.7, "c": 1, "alpha": 0.1}
    plain = run(any_lesson.program, inputs, create_graph=create_graph)
    recording = record(any_lesson.program, inputs, create_graph=create_graph)
    assert recording.gradients["x"] == plain["x"].grad.item()
    assert recording.results["outer_loss"] == plain["outer_loss"].item()


def test_every_drawn_node_has_a_record(any_lesson):
    """Also the guard for the two private functions of torch that recording.py uses."""
    seen, _, error = trace(any_lesson.program, BLOG, create_graph=True)
    assert error is None
    drawn = seen.walk([seen.output])
    assert drawn.keys() <= seen.nodes.keys()
    recording = record(any_lesson.program, BLOG, create_graph=True)
    assert recording.used_nodes == drawn.keys()
    assert all(node.op for node in recording.nodes)


def test_every_second_order_node_has_a_forward_parent(any_lesson):
    nodes = {node.id: node for node in record(any_lesson.program, BLOG, create_graph=True).nodes}
    second = [node for node in nodes.values() if node.parent is not None]
    assert second
    for node in second:
        parent = nodes[node.parent]
        assert parent.parent is None
        assert (parent.line, parent.start, parent.end, parent.step) == (node.line, node.start, node.end, node.step)


def test_without_create_graph_the_engine_makes_no_node(any_lesson):
    assert all(node.parent is None for node in record(any_lesson.program, BLOG, create_graph=False).nodes)


def test_values_stand_at_the_place_that_computed_them(blog):
    lines = {line.number: line.text for line in blog.second_order.lines}
    seen = {lines[v.line][v.start : v.end]: v.value for v in blog.second_order.values}
    assert seen["x_prime**4"] == 81
    assert seen["2 - 2 * x_prime**4"] == -160
    assert seen["c * x_prime"] == 6
    assert seen["alpha * g"] == pytest.approx(-86.4)
    assert seen["x.detach() - alpha * x.grad"] == 19606.5859375


def test_a_names_value_points_to_the_node_that_made_it(blog):
    lines = {line.number: line.text for line in blog.second_order.lines}
    nodes = {node.id: node for node in blog.second_order.nodes}
    g = next(v for v in blog.second_order.values if lines[v.line][v.start : v.end] == "g")
    assert nodes[g.node].op == "MulBackward0"
    assert nodes[g.node].parent is not None


def test_gradients_of_nodes_are_those_that_retain_grad_keeps(blog):
    x = torch.tensor(3.0, requires_grad=True)
    x_prime = x.clone()
    (g,) = torch.autograd.grad(2 - 2 * x_prime**4, x_prime, create_graph=True)
    updated = 2 * x_prime - 0.4 * g
    for tensor in (x_prime, g, updated):
        tensor.retain_grad()
    (1 - 3 * updated**2).backward()
    by_op = {node.op: node.gradient for node in blog.second_order.nodes if node.used and node.op != "MulBackward0"}
    assert by_op["CloneBackward0"] == x_prime.grad.item()
    assert by_op["SubBackward0"] == updated.grad.item()
    last = max((n for n in blog.second_order.nodes if n.parent), key=lambda n: n.id)
    assert last.gradient == g.grad.item()


def test_the_saved_bytes_are_those_of_the_tensors_the_nodes_hold():
    """Counted a second way: the `_saved_*` tensors of the live nodes, each storage once.

    Not the constants: the 2 of `2 * x` is kept as a float64 scalar that saved-tensor hooks never see.
    """
    for create_graph in (False, True):
        x = torch.tensor(3.0, requires_grad=True)
        x_prime = x.clone()
        inner_loss = 2 - 2 * x_prime**4
        (g,) = torch.autograd.grad(inner_loss, x_prime, create_graph=create_graph)
        x_prime = 2 * x_prime - 0.4 * g
        outer_loss = 1 - 3 * x_prime**2
        storages, waiting = {}, [outer_loss.grad_fn]
        while waiting:
            node = waiting.pop()
            for name in dir(node):
                value = getattr(node, name) if name.startswith("_saved_") else None
                if isinstance(value, torch.Tensor) and value.dtype == torch.float32:
                    storages[value.data_ptr()] = value.nbytes
            waiting += [child for child, _ in node.next_functions if child is not None]
        assert record(lesson().program, BLOG, create_graph=create_graph).saved_bytes == sum(storages.values())


def test_nothing_of_a_recording_stays_alive():
    """A hook that held its Trace would close a circle through C++ that no collector can see."""
    seen, _, _ = trace(lesson().program, BLOG, create_graph=True)
    alive = weakref.ref(seen)
    del seen
    gc.collect()
    assert alive() is None


def test_gradients_that_meet_are_added_by_a_node_of_their_own():
    one = InnerStep.parse("x_prime**2 + sin(x_prime)", "x_prime", inner_steps=1)
    recording = record(one.program, BLOG, create_graph=True)
    (merged,) = [node for node in recording.nodes if ".sum" in node.id]
    assert merged.op == "AddBackward0"
    assert merged.value == pytest.approx(2 * 3 + math.cos(3))


def test_a_derivative_that_is_constant_leaves_no_node_behind():
    one = InnerStep.parse("sin(x_prime**0)", "x_prime", inner_steps=1)
    recording = record(one.program, BLOG, create_graph=True)
    assert recording.error is None
    assert recording.gradients["x"] == 2


def test_a_recording_is_the_same_in_every_thread(any_lesson):
    """Sequence numbers differ from thread to thread; ids must not."""
    found = []
    here = record(any_lesson.program, {"x": 0.5, "c": 1, "alpha": 0.1}, create_graph=True)
    work = lambda: found.append(record(any_lesson.program, {"x": 0.5, "c": 1, "alpha": 0.1}, create_graph=True))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [here] * 4


def test_what_pytorch_refuses_is_a_result_in_its_own_words():
    constant = Program((Leaf("x"), Clone("y", "x"), Assign("loss", parse("2 + 1", set())), Backward("loss")))
    recording = record(constant, {"x": 1.0}, create_graph=True)
    assert "does not require grad" in recording.error
    assert recording.gradients["x"] is None
    assert recording.used_nodes == frozenset()


def test_a_gradient_of_something_unused_is_an_error_not_a_crash():
    statements = (
        Leaf("x"),
        Clone("y", "x"),
        Assign("loss", parse("x * x", {"x"})),
        Gradient("g", "loss", "y"),
        Backward("loss"),
    )
    assert "not have been used in the graph" in record(Program(statements), {"x": 1.0}, create_graph=False).error
