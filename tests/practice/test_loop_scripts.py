"""The script that a reader takes away runs on its own and checks the numbers of the page."""

import json
import subprocess
import sys

import pytest

from maml_core.practice.loops.bench import BENCH, examine
from maml_core.practice.loops.scripts import loop_script

SAID = {  # one of each kind of check
    "load_state_dict": "degrees from it 50.4",
    "phi detached": "RuntimeError element 0 of tensors does not require grad",
    "eval() for the query": "the loss changes by",
    "by hand, Hessian-vector products": "degrees from it 5.7",
    "higher, defaults": "every p.grad is None",
    "torch.func, detach": "length against the meta-gradient 0.0",
}
# Runs scripts one after the other in one fresh interpreter, as importing torch for each would take a minute.
DRIVER = """
import contextlib, io, json, pathlib, runpy
said = {}
for path in sorted(pathlib.Path().glob("*.py")):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            runpy.run_path(str(path))
            end = "done"
        except BaseException as error:
            end = f"{type(error).__name__}: {error}"
    said[path.stem] = [end, out.getvalue()]
print(json.dumps(said))
"""
TITLES = list(BENCH)
MENDED = "functional_call, no options"


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """[how it ended, what it printed] of every loop's script, and of one whose loop does otherwise."""
    folder = tmp_path_factory.mktemp("scripts")
    for i, title in enumerate(TITLES):
        (folder / f"{i}.py").write_text(loop_script(BENCH[title], examine(title), "http://localhost/10?loop=x"))
    script = loop_script(BENCH[MENDED], examine(MENDED))
    otherwise = script.replace("list(phi.values()))\n", "list(phi.values()), create_graph=True)\n", 1)
    assert otherwise != script
    (folder / "otherwise.py").write_text(otherwise)
    done = subprocess.run([sys.executable, "-c", DRIVER], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("title", BENCH)
def test_a_script_runs_alone_and_finds_what_the_page_found(ends, title):
    end, said = ends[str(TITLES.index(title))]
    assert end == "done"
    assert SAID.get(title, "") in said


@pytest.mark.parametrize("title", BENCH)
def test_a_script_says_what_it_needs(title):
    script = loop_script(BENCH[title], examine(title))
    library = BENCH[title].library
    needs = f"PyTorch and {library}" if library.startswith(("higher", "torchopt")) else "only PyTorch"
    assert f"Needs {needs};" in script
    assert "maml_core" not in script


def test_a_script_notices_a_loop_that_does_otherwise(ends):
    assert ends["otherwise"][0].startswith("AssertionError")
