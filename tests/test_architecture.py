"""Who may import whom, read from the source: docs/architecture.md as a test."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = sorted((ROOT / "maml_core").rglob("*.py"))
PAGES = sorted(path for path in (ROOT / "pages").glob("*.py"))
FURNITURE = sorted((ROOT / "pages" / "ui").glob("*.py"))
CODE = [*ENGINE, *PAGES, *FURNITURE, ROOT / "app.py", ROOT / "serve.py"]


def imports(path):
    """Every module that a file names in an import, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(path):
    return {name.split(".")[0] for name in imports(path)}


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_the_engine_knows_no_page_and_no_web(path):
    assert not roots(path) & {"streamlit", "plotly", "pages", "app", "serve"}


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_the_rooms_of_the_engine_do_not_reach_into_each_other(path):
    room = path.relative_to(ROOT / "maml_core").parts[0]
    forbidden = {
        "graphs": {"meta", "plane", "train", "practice"},
        "meta": {"graphs", "plane", "train", "practice"},
        "plane": {"train", "practice"},
        "train": {"graphs", "plane", "practice", "training_graph"},
        "practice": {"graphs"},
        "training_graph": {"graphs", "plane", "practice"},
    }.get(room, set())
    assert not {f"maml_core.{other}" for other in forbidden} & {".".join(i.split(".")[:2]) for i in imports(path)}


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_only_drawing_knows_torchviz_and_graphviz(path):
    if path.name != "drawing.py":
        assert not roots(path) & {"torchviz", "graphviz"}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_asks_the_engine_and_draws_with_the_furniture(path):
    standard = {"functools", "collections", "typing", "pathlib"}
    assert roots(path) <= {"streamlit", "maml_core", "pages"} | standard


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_is_a_hundred_lines_at_most_and_says_which_lesson_it_is(path):
    text = path.read_text()
    assert text.count("\n") <= 101
    assert re.match(r'"""(Lesson \d+\.|Home:|Glossary)', text)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_does_no_arithmetic(path):
    operators = (ast.Mult, ast.Div, ast.Sub, ast.Pow, ast.Mod)
    found = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.BinOp)]
    assert not [n for n in found if isinstance(n.op, operators)]


@pytest.mark.parametrize("path", FURNITURE, ids=name)
def test_plotly_is_known_to_charts_alone(path):
    if not path.name.startswith("charts"):
        assert "plotly" not in roots(path)
    else:
        assert "streamlit" not in roots(path)


@pytest.mark.parametrize("path", CODE, ids=name)
def test_nothing_is_evaluated_or_unpickled(path):
    calls = {
        n.func.id
        for n in ast.walk(ast.parse(path.read_text()))
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not calls & {"eval", "exec", "compile"}
    assert not roots(path) & {"pickle", "dill", "shelve"}


def test_the_palette_is_one_palette():
    """The charts' colours are the named colours that prose and components use."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for mode in ("light", "dark"):
        named = [theme[mode][f"{colour}Color"] for colour in ("blue", "violet", "orange", "green", "red")]
        assert theme[mode]["chartCategoricalColors"] == named


def test_every_lesson_file_is_in_the_syllabus():
    from pages.ui.syllabus import LESSONS

    assert {path.stem for path in PAGES} - {"home", "glossary"} == {lesson.name for lesson in LESSONS}


def test_ci_runs_what_the_readme_says():
    assert "make test" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().split("\n")[-2] == "make test"
