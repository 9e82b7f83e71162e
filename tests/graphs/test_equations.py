"""The algebra that is shown: well-formed, tied to real nodes, and with the engine's numbers in it."""

import re
import xml.etree.ElementTree as ET

import pytest

from maml_core.graphs.algebra import differentiate, solve
from maml_core.graphs.comparing import compare
from maml_core.graphs.equations import equations
from maml_core.graphs.expressions import parse
from maml_core.graphs.mathml import markup, mi
from tests.graphs.examples import BLOG, lesson


def rows_of(one, inputs=BLOG):
    recording = compare(one.program, inputs).second_order
    derivatives = differentiate(one.inner, one.outer)
    solution = solve(derivatives, inputs, inner_steps=one.inner_steps)
    return recording, equations(one, inputs, recording, derivatives, solution)


def text(pieces):
    plain = re.sub("<[^>]+>", "", "".join(pieces))
    return plain.replace("&InvisibleTimes;", "")


def test_the_sources_algebra_reads_as_on_paper():
    _, rows = rows_of(lesson())
    lines = [text(row.always) for row in rows]
    assert "Lin(x)=2−2x4=2−2·34=−160" in lines
    assert "g=L′in(x)=−8x3=−216" in lines
    assert "x′=cx−αg=2·3−0.4·(−216)=92.4" in lines
    assert "L″in(x)=−24x2=−216" in lines


def test_the_two_runs_part_in_the_factor_and_in_the_product():
    _, rows = rows_of(lesson())
    factor = next(row for row in rows if row.secret)
    assert (text(factor.second_order), text(factor.first_order)) == ("=2−0.4·(−216)=88.4", "=2")
    total = next(row for row in rows if "total" in "".join(row.second_order))
    assert text(total.second_order) == "=(−554.4)×88.4=−49008.96"
    assert text(total.first_order) == "=(−554.4)×2=−1108.8"


def test_every_piece_is_well_formed_and_points_to_recorded_nodes(any_lesson):
    recording, rows = rows_of(any_lesson)
    known = {node.id for node in recording.nodes}
    pointed = set()
    for row in rows:
        for piece in (*row.always, *row.second_order, *row.first_order):
            tree = ET.fromstring(
                f"<math>{piece.replace('&InvisibleTimes;', '').replace('&ExponentialE;', 'e')}</math>"
            )
            pointed |= {i for element in tree.iter() for i in element.get("data-ids", "").split()}
    assert pointed <= known
    assert {node.id for node in recording.nodes if node.parent and node.used} <= pointed


def test_terms_that_the_engine_made_are_marked_second_order():
    recording, rows = rows_of(lesson())
    second = {node.id for node in recording.nodes if node.parent}
    marked = re.findall(r'class="second" data-ids="([^"]*)"', "".join(p for row in rows for p in row.always))
    assert marked
    assert all(set(ids.split()) == second for ids in marked)


def test_a_large_number_is_bracketed_before_it_is_raised_to_a_power():
    _, rows = rows_of(lesson("quartic", 4))
    assert any("·(6.118805·10¹⁹)4" in text(row.always) or ")4" in text(row.always) for row in rows)
    assert not any(re.search(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]\d", text(row.always)) for row in rows)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2 * x", "2x"),
        ("2 * 3", "2·3"),
        ("x * (x + 1)", "x·(x+1)"),
        ("a - (b - c)", "a−(b−c)"),
        ("(a + b)**2", "(a+b)2"),
        ("-x**2", "−x2"),
        ("sqrt(x) * abs(x)", "x|x|"),
        ("a / (b + c)", "ab+c"),
        ("a - -b", "a−(−b)"),
    ],
)
def test_typed_expressions_keep_their_order_and_their_parentheses(typed, read):
    names = {name: mi(name) for name in "abcx"}
    assert text([markup(parse(typed, names), names)]) == read
