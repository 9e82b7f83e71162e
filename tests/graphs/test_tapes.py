"""Op rows: nothing is lost, nothing is written twice. What a browser makes of them is tested in tests/plane."""

import json

import pytest

from maml_core.graphs.expressions import parse
from maml_core.graphs.tapes import tape

NAMES = ("u", "v")


def test_equal_parts_are_written_once():
    rows = tape(parse("(u - v)**2 + (u - v)**2", NAMES), NAMES)
    assert rows == (("x", 0), ("x", 1), ("-", 0, 1), ("c", 2.0), ("**", 2, 3), ("+", 4, 4))


def test_what_has_no_names_is_one_number():
    assert tape(parse("u * (2 + 1)", NAMES), NAMES) == (("x", 0), ("c", 3.0), ("*", 0, 1))


def test_a_bare_constant_is_a_tape_too():
    assert tape(parse("2**0.5", NAMES), NAMES) == (("c", 2**0.5),)


def test_infinity_and_nan_survive_json():
    rows = tape(parse("u + 1 / 0 + (-1)**0.5", NAMES), NAMES)
    assert [row[1] for row in json.loads(json.dumps(rows, allow_nan=False)) if row[0] == "c"] == ["Infinity", "NaN"]


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no 'v' among u"):
        tape(parse("u * v", NAMES), ("u",))
