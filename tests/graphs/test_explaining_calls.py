"""Equations, picture and script of lesson 1 say what the ledger says."""

import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from maml_core.graphs.drawing import draw_outputs
from maml_core.graphs.explaining_calls import explain_calls
from maml_core.graphs.expressions import ExpressionError
from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.ledger_script import ledger_script
from maml_core.graphs.two_calls import BETWEEN, CALLS, EXAMPLES, FIRST, LEAVES, SECOND, TwoCalls, read

BLOG = {"x1": 3.0, "x2": 4.0, "x3": 5.0}
SETTINGS = [
    ("product", {}, BLOG),
    ("product", {"first": "autograd.grad"}, BLOG),
    ("product", {"again": True}, BLOG),
    ("product", {"again": True, "retain_graph": True}, BLOG),
    ("product", {"between": "zero"}, {"x1": -2.5, "x2": 0.1, "x3": 10.0}),
    ("product", {"between": "None", "second": "autograd.grad"}, BLOG),
    ("product", {"first": "autograd.grad", "second": "autograd.grad", "again": True}, BLOG),
    ("sum", {"again": True}, BLOG),
    ("mixed", {"again": True}, BLOG),
    ("no x3", {"first": "autograd.grad"}, BLOG),
    ("no x3", {"between": "zero"}, BLOG),
    ("kink", {}, BLOG),
    ("log(x1) / 0 + 2**x2", {}, {"x1": -3.0, "x2": 4.0, "x3": 5.0}),
    ("x2", {"again": True}, BLOG),
]
SVG = "{http://www.w3.org/2000/svg}"


def random_text(chance, depth):
    if depth == 0 or chance.random() < 0.1:
        return chance.choice(["x1", "x2", "x3", "2", "0.5", "0"])
    kind = chance.random()
    if kind < 0.35:
        return f"{chance.choice(list(FUNCTIONS))}({random_text(chance, depth - 1)})"
    if kind < 0.45:
        return f"({random_text(chance, depth - 1)})**{chance.choice(['2', '3', 'x1', '-1', '0.5'])}"
    return f"({random_text(chance, depth - 1)} {chance.choice('+-*/')} {random_text(chance, depth - 1)})"


def random_programs(count):
    chance, found = random.Random(20), []
    while len(found) < count:
        try:
            expression = read(random_text(chance, chance.choice([2, 4, 6])))
        except ExpressionError:
            continue
        if expression.names:
            calls = chance.choice(CALLS), chance.choice(CALLS), chance.choice(BETWEEN)
            inputs = {leaf: round(chance.uniform(-10, 10), 1) for leaf in LEAVES}
            found.append((TwoCalls(expression, *calls, chance.random() < 0.5, chance.random() < 0.5), inputs))
    return found


def explained(name, setting, inputs):
    text = EXAMPLES[name].text if name in EXAMPLES else name
    return explain_calls(TwoCalls(read(text), **setting), inputs)


def plain(pieces):
    text = re.sub(r"<[^>]+>", "", "".join(pieces))
    return text.replace("&InvisibleTimes;", "·")


def titles(svg, kind):
    groups = ET.fromstring(svg).iter(f"{SVG}g")
    return [group.find(f"{SVG}title").text for group in groups if group.get("class") == kind]


def test_a_dozen_scripts_run_and_their_asserts_hold(tmp_path):
    done = run_all(tmp_path, [explained(*setting) for setting in SETTINGS])
    assert done.returncode == 0, done.stderr
    assert "([14400.0, 10800.0, 8640.0], [], 0)" in done.stdout
    assert "Trying to backward through the graph a second time" in done.stdout


def test_the_scripts_of_thirty_random_programs_run_and_their_asserts_hold(tmp_path):
    done = run_all(tmp_path, [explain_calls(*program) for program in random_programs(30)])
    assert done.returncode == 0, done.stderr


def run_all(folder, ones):
    """One process for all: importing torch is most of the time."""
    for i, one in enumerate(ones):
        (folder / f"script_{i}.py").write_text(ledger_script(one, "http://localhost/01?x1=3"))
    (folder / "all.py").write_text("\n".join(f"import script_{i}" for i in range(len(ones))))
    return subprocess.run([sys.executable, folder / "all.py"], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("setting", "wrong", "right"),
    [
        ({}, "tensor(3.0", "tensor(3.5"),
        ({}, "y2.backward()", "y2.backward(retain_graph=True)"),  # the bytes betray it
        ({"again": True}, "    y1.backward()\n    note()", "    y1.backward(retain_graph=True)\n    note()"),
    ],
)
def test_a_changed_script_fails_its_asserts(tmp_path, setting, wrong, right):
    script = ledger_script(explained("product", setting, BLOG))
    assert wrong in script
    (tmp_path / "changed.py").write_text(script.replace(wrong, right, 1))
    done = subprocess.run([sys.executable, tmp_path / "changed.py"], capture_output=True, text=True, timeout=120)
    assert "AssertionError" in done.stderr


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_scripts_lines_are_the_pages_lines(setting):
    one = explained(*setting)
    script = ledger_script(one)
    for line in one.ledger.lines[: len(one.ledger.entries)]:
        assert f" {line.text}\n" in script


def test_the_equations_put_the_numbers_in():
    rows = explained("product", {}, BLOG).equations
    assert plain(rows[0].always) == "y=3·x12·x22·x32=3·32·42·52=10800"
    assert plain(rows[1].always) == "∂y∂x1=6·x1·x22·x32=6·3·42·52=7200"
    assert plain(rows[-3].after[6]) == "=7200"
    assert plain(rows[-3].after[7]) == "=7200+7200=14400"


def test_the_equation_of_a_freed_graph_shows_what_did_arrive():
    rows = explained("mixed", {"again": True}, BLOG).equations
    assert [plain(row.after[7]) for row in rows[-3:]] == ["=1+1=2", "=5", "=4"]


def test_terms_are_tied_to_the_nodes_of_both_graphs():
    one = explained("product", {}, BLOG)
    tied = re.findall('data-ids="([^"]*)"', "".join(one.equations[0].always))
    nodes = {node.id for node in one.ledger.nodes}
    assert {name for ids in tied for name in ids.split()} == nodes
    assert "L4c9-14.0 L5c9-14.0" in tied


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_node_is_drawn_once_and_the_graphs_meet_in_the_leaves_only(name):
    one = explained(name, {}, BLOG)
    svg = one.drawing.layouts["1"]
    tensors = {f"{leaf}.leaf" for leaf in LEAVES} | {FIRST, SECOND}
    drawn = titles(svg, "node")
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == {node.id for node in one.ledger.nodes} | tensors
    edges = [title.split("->") for title in titles(svg, "edge")]
    assert not [edge for edge in edges if {end[:2] for end in edge} == {"L4", "L5"}]
    assert [FIRST, SECOND] not in edges


def test_y1_stands_left_of_y2():
    svg = ET.fromstring(explained("product", {}, BLOG).drawing.layouts["1"])
    at = {
        group.find(f"{SVG}title").text: float(re.findall(r"-?[\d.]+", group.find(f"{SVG}path").get("d"))[0])
        for group in svg.iter(f"{SVG}g")
        if group.get("class") == "node"
    }
    assert at[FIRST] < at[SECOND]
    assert at["x1.leaf"] < at["x2.leaf"] < at["x3.leaf"]


def test_an_output_that_is_a_leaf_is_drawn_as_that_leaf():
    drawing = draw_outputs(TwoCalls(read("x1")).graphs, (FIRST, SECOND))
    assert set(titles(drawing.layouts["1"], "node")) == {f"{leaf}.leaf" for leaf in LEAVES}


def test_the_question_is_about_a_leaf_that_matters():
    one = explained("x2 * x3", {}, BLOG)
    assert one.decisive.leaf == "x2"
    assert one.outcome == "twice"
