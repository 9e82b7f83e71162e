"""Folding hides boxes and loses none: every picture accounts for every node."""

import re
import shutil
import subprocess

import pytest

from maml_core.train.config import Config
from maml_core.train.step import initial_state
from maml_core.training_graph.folding import fold
from maml_core.training_graph.recording import record_step

CONFIG = Config(hidden=(5, 5), meta_batch=10, inner_steps=2)


@pytest.fixture(scope="module")
def graph():
    return record_step(initial_state(CONFIG), CONFIG)


def counted(dot):
    return [int(number) for number in re.findall(r"(\d+) nodes(?: each)?\"", dot)]


def test_closed_it_is_theta_the_tasks_and_the_mean(graph):
    picture = fold(graph)
    size = len(graph.tasks[0].nodes) - 6
    assert counted(picture.dot) == [size] * 7
    assert "4 more tasks" in picture.dot
    assert "mean of 10 query losses" in picture.dot
    assert f"10 tasks of {size} nodes" in picture.words


def test_a_small_meta_batch_has_a_box_per_task():
    config = Config(hidden=(3,), meta_batch=7)
    dot = fold(record_step(initial_state(config), config)).dot
    assert "more tasks" not in dot
    assert dot.count('label="task ') == 7


def test_an_open_task_shows_its_stages_with_all_its_nodes(graph):
    picture = fold(graph, task=2)
    *stages, others = counted(picture.dot)
    assert sum(stages) == others == len(graph.tasks[2].nodes) - 6
    assert picture.words.startswith("Task 3 of 10")


@pytest.mark.parametrize("stage", ["θ", "forward 1", "update 2", "query"])
def test_an_open_stage_shows_each_of_its_nodes(graph, stage):
    dot = fold(graph, task=0, stage=stage).dot
    nodes = [node for node in graph.tasks[0].nodes if node.stage == stage]
    for node in nodes:
        assert f'"{node.id}" [label="{node.op}"' in dot
    drawn = sum(counted(dot)[:-1]) + len(nodes) + (0 if stage == "θ" else 6)
    assert drawn == len(graph.tasks[0].nodes)


def test_the_arrows_of_a_closed_task_are_counted(graph):
    dot = fold(graph, task=0).dot
    assert '"θ" -> "one φ per task" [label="6"]' in dot


@pytest.mark.skipif(not shutil.which("dot"), reason="needs graphviz")
@pytest.mark.parametrize("opened", [{}, {"task": 0}, {"task": 0, "stage": "update 1"}])
def test_graphviz_can_read_every_picture(graph, opened):
    run = subprocess.run(["dot", "-Tsvg"], input=fold(graph, **opened).dot.encode(), capture_output=True, check=True)
    assert not run.stderr
    assert b"<svg" in run.stdout


def test_what_is_not_there_cannot_be_opened(graph):
    with pytest.raises(ValueError, match="tasks 1 to 10"):
        fold(graph, task=10)
    with pytest.raises(ValueError, match="must be one of"):
        fold(graph, task=0, stage="backward 9")
