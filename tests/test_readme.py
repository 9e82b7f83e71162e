"""What the README promises is true."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_readmes_program_prints_what_its_comment_says():
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (promised,) = re.findall(r"# (\(.*\))$", program, flags=re.MULTILINE)
    assert done.stdout.splitlines()[0] == promised


def test_the_readmes_commands_are_targets():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_the_readmes_files_exist():
    for path in re.findall(r"`((?:docs|benchmarks|\.ci)/[\w./]*|[A-Z]+\.md)`", README):
        assert (ROOT / path).exists(), path
