"""A run as something to take away: the command that repeats it, and a script that needs nothing but PyTorch."""

import ast
import inspect
from collections.abc import Sequence
from dataclasses import fields
from types import ModuleType

from maml_core.meta import algorithms, curvature, inner, models, sampling, solvers, tasks, trees
from maml_core.train import config as configs
from maml_core.train import step
from maml_core.train.config import Config, resolved

MODULES: tuple[ModuleType, ...] = (  # in the order in which they build on each other
    trees,
    sampling,
    tasks,
    models,
    inner,
    solvers,
    curvature,
    algorithms,
    configs,
    step,
)
MOST_ASSERTS = 50
TOLERANCE = 1e-3  # relative: losses of other machines and of CUDA part in their last digits, and then a little more


def command_line(config: Config, steps: int) -> str:
    """What makes the same θ as `steps` steps of this run; with one thread, as the workers have, to the last bit."""
    plain, full = Config(), resolved(config)
    words = ["OMP_NUM_THREADS=1 python -m maml_core train"]
    for spec in fields(Config):
        value = getattr(full, spec.name)
        if spec.name != "iterations" and value != getattr(plain, spec.name):
            words.append(f"--{spec.name.replace('_', '-')} {_argument(value)}")
    return " ".join([*words, f"--iterations {steps}", "--device cpu --out run.safetensors"])


def _argument(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def lab_script(config: Config, losses: Sequence[float], *, first: int = 0) -> str:
    """The engine's own source in one file, this configuration, and an assert for each of the run's first losses.

    A run that was imported after `first` steps has no losses of its first ones, so its script asserts none.
    """
    known = () if first else tuple(losses[:MOST_ASSERTS])
    return "\n".join(
        [
            _HEAD,
            _imports(),
            *map(_body, MODULES),
            _TAIL.format(config=_written(config), losses=known, tolerance=TOLERANCE),
        ]
    )


def first_losses(config: Config, steps: int = 5) -> tuple[float, ...]:
    """The mean query losses of a training's first steps, as many as are finite; computed here and now."""
    state, losses = step.initial_state(config), []
    for _ in range(steps):
        state = step.meta_step(state, config)
        if not state.finite:
            break
        losses.append(state.query_loss.mean().item())
    return tuple(losses)


def _written(config: Config) -> str:
    pairs = (f"    {spec.name}={getattr(config, spec.name)!r}," for spec in fields(Config))
    return "\n".join(["Config(", *pairs, ")"])


def _ours(node: ast.stmt) -> bool:
    """An import that one file does not need."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("maml_core", "__future__")


def _imports() -> str:
    """Every import from elsewhere, once."""
    parsed = [ast.parse(inspect.getsource(module)) for module in MODULES]
    nodes = [node for tree in parsed for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n".join(sorted({ast.unparse(node) for node in nodes if not _ours(node)}))


def _body(module: ModuleType) -> str:
    """A module without its imports; its docstring becomes a comment."""
    source = inspect.getsource(module)
    lines, skipped = source.splitlines(), set[int]()
    for node in ast.parse(source).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or isinstance(node, (ast.Import, ast.ImportFrom)):
            skipped |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
    kept = [line for number, line in enumerate(lines) if number not in skipped]
    title = (module.__doc__ or "").splitlines()[0]
    return f"\n# ---- {module.__name__}: {title}\n\n" + "\n".join(kept).strip("\n") + "\n"


_HEAD = '''"""One training of Through the Inner Loop in a single file: engine, configuration, and what it must give.

Needs PyTorch alone. Run it: python THIS_FILE.py
"""

from __future__ import annotations
'''
_TAIL = """
# ---- the run

CONFIG = {config}
LOSSES = {losses}  # the mean query loss of its first steps

if __name__ == "__main__":
    torch.set_num_threads(1)
    state = initial_state(CONFIG)
    for number, expected in enumerate(LOSSES, start=1):
        state = meta_step(state, CONFIG)
        loss = state.query_loss.mean().item()
        print(number, loss)
        assert abs(loss - expected) <= {tolerance} * max(abs(expected), 1e-3), (number, loss, expected)
    print(len(LOSSES), "losses are those of the run. Its end: for state in training(state, CONFIG): pass")
"""
