"""The command line: python -m maml_core train | evaluate | doctor.

Exit status: 0, or 2 for bad usage, 130 after Ctrl-C with a checkpoint saved, and 1 for everything else.
"""

import argparse
import json
import shutil
import signal
import sys
import sysconfig
import time
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from maml_core.train.checkpoint import CheckpointError, load, save
from maml_core.train.config import PRESETS, Config, resolved
from maml_core.train.evaluate import evaluate
from maml_core.train.step import Diverged, State, initial_state, training

WARM_UP = 20  # steps before the clock of the rate starts
LINES = 20  # lines of progress where there is no terminal


class UsageError(ValueError):
    """What was asked for cannot be meant."""


def whole_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a list like 1,5,10."""
    return tuple(int(part) for part in text.split(",") if part)


def _reader(spec: "Field[Any]") -> Any:  # noqa: ANN401
    """What turns the text of an option into the type of its field."""
    kind = str(spec.type)
    if kind.startswith("tuple"):
        return whole_numbers
    return int if "int" in kind else float if "float" in kind else str


def _parser() -> argparse.ArgumentParser:
    """All commands and options; those of a Config explain themselves with its own sentences."""
    parser = argparse.ArgumentParser(
        prog="python -m maml_core", description="Meta-learn, and look at the result."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a network and save the run")
    train.add_argument("--preset", choices=list(PRESETS), help="Start from a named configuration.")
    train.add_argument(
        "--resume", metavar="FILE", help="Go on with a saved run; only --iterations may change."
    )
    train.add_argument("--out", default="run.safetensors", metavar="FILE", help="Where the run is saved.")
    for spec in fields(Config):
        unit = f" In {spec.metadata['unit']}." if spec.metadata["unit"] else ""
        option, text = f"--{spec.name.replace('_', '-')}", spec.metadata["help"] + unit
        train.add_argument(option, type=_reader(spec), metavar="VALUE", help=text.replace("%", "%%"))
    judge = commands.add_parser("evaluate", help="adapt a saved run to unseen tasks")
    judge.add_argument("run", metavar="FILE")
    judge.add_argument("--tasks", type=int, default=600, help="Unseen tasks.")
    judge.add_argument("--shots", type=int, help="Support examples per task; by default as in training.")
    judge.add_argument(
        "--steps", type=whole_numbers, default=(1, 5, 10), help="Numbers of steps, e.g. 1,5,10."
    )
    doctor = commands.add_parser("doctor", help="say what this machine can do")
    for command in (train, judge, doctor):
        command.add_argument(
            "--json", action="store_true", help="End with one line of JSON on standard output."
        )
    for command in (train, judge):
        command.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    return parser


def _device(name: str) -> torch.device:
    """The device that was asked for. Raises UsageError if it is not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("There is no CUDA device here; use --device cpu or auto.")
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def _start(args: argparse.Namespace, device: torch.device) -> tuple[State, Config]:
    """A fresh training, or a saved one with perhaps more iterations to go."""
    given = {spec.name: getattr(args, spec.name) for spec in fields(Config)}
    given = {name: value for name, value in given.items() if value is not None}
    if args.resume is None:
        config = resolved(replace(PRESETS[args.preset] if args.preset else Config(), **given))
        return initial_state(config, device=device), config
    if extra := sorted(set(given) - {"iterations"}) + ["preset"] * bool(args.preset):
        raise UsageError(
            f"--{extra[0].replace('_', '-')} cannot change in a resumed run; only --iterations can."
        )
    state, config = load(args.resume, device=device)
    return state, replace(config, **given)


class _Progress:
    """A bar on a terminal, plain lines elsewhere, both on standard error; and the clock of the rate."""

    def __init__(self, done: int, total: int) -> None:
        self.first, self.done, self.total = done, done, total
        self.every = max(1, (total - done) // LINES)
        self.began = self.clock = time.perf_counter()
        self.bar = tqdm(total=total, initial=done, unit="step") if sys.stderr.isatty() else None

    def tick(self, state: State) -> None:
        """One more step is done."""
        self.done += 1
        if self.done - self.first == self.warm_up:
            self.clock = time.perf_counter()
        if (self.done - self.first) % self.every and self.done != self.total:
            if self.bar is not None:
                self.bar.update()
            return
        text = f"query loss {state.query_loss.mean().item():.4f}"
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update()
        else:
            print(f"{self.done}/{self.total} steps, {text}", file=sys.stderr, flush=True)

    @property
    def warm_up(self) -> int:
        """Steps that the rate leaves out: less than half of a short run."""
        return min(WARM_UP, (self.total - self.first) // 2)

    def report(self) -> dict[str, Any]:
        """Seconds and steps per second, and what was measured."""
        now = time.perf_counter()
        if self.bar is not None:
            self.bar.close()
        counted = self.done - self.first - self.warm_up
        rate = counted / (now - self.clock) if counted > 0 else None
        how = f"wall clock of steps {self.first + self.warm_up + 1} to {self.done}, drawing of tasks included"
        seconds = round(now - self.began, 3)
        return {
            "seconds": seconds,
            "iterations_per_second": rate,
            "rate_measured": how if rate else "too few steps",
        }


def _train(args: argparse.Namespace) -> int:
    """Train until done, Ctrl-C or divergence; in each case the last good state is saved."""
    out, device = Path(args.out), _device(args.device)
    if not out.parent.is_dir() or out.is_dir():
        raise UsageError(f"--out must name a file in a folder that exists, not {args.out}.")
    state, config = _start(args, device)
    progress = _Progress(int(state.step), config.iterations)
    status, ending = 0, f"Trained {config.iterations} steps."
    try:
        for state in training(state, config):  # noqa: B020
            progress.tick(state)
    except KeyboardInterrupt:
        status, ending = 130, f"Stopped after {int(state.step)} of {config.iterations} steps."
    except Diverged as error:
        status, ending, state = 1, str(error), error.state
    timing = progress.report()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not spoil the file
    save(out, state, config)
    again = f" Go on with: python -m maml_core train --resume {out}" if status == 130 else ""
    _tell(
        args,
        f"{ending} Saved to {out}.{again}",
        _train_report(state, config, device) | timing | {"out": str(out)},
    )
    return status


def _train_report(state: State, config: Config, device: torch.device) -> dict[str, Any]:
    """The numbers of `train --json`."""
    loss = state.query_loss.mean().item()
    return {
        "algorithm": config.algorithm,
        "seed": config.seed,
        "iterations": int(state.step),
        "device": device.type,
        "path": "eager",
        "query_loss": loss if abs(loss) < float("inf") else None,
    }


def _evaluate(args: argparse.Namespace) -> int:
    """Adapt a saved run to unseen tasks and print the errors."""
    state, config = load(args.run, device=_device(args.device))
    report = evaluate(config, state.theta, tasks=args.tasks, shots=args.shots, steps=args.steps)
    rows: dict[str, Any] = {config.algorithm: report["mse"], **report["baselines"]}  # type: ignore[dict-item]
    lines = [f"mean squared error on {report['tasks']} unseen tasks, {report['shots']} shots"]
    for name, row in rows.items():
        for step, s in row.items():
            lines.append(f"{name:>14} {step:>4} steps  " + "  ".join(f"{k} {v}" for k, v in s.items()))
    _tell(args, "\n".join(lines), report)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    """Say what this machine can do, one line each."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    compiler = shutil.which("g++")
    found = {
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "compiler": compiler if compiler and header.exists() else None,
        "dot": shutil.which("dot"),
    }
    lacking = {"compiler": "no g++ with Python.h: training stays eager", "dot": "no graphviz: no drawings"}
    _tell(args, "\n".join(f"{name}: {value or lacking[name]}" for name, value in found.items()), found)
    return 0


def _tell(args: argparse.Namespace, text: str, report: dict[str, Any]) -> None:
    """Words for people; with --json they go to standard error, and the numbers are the last line of
    output.
    """
    print(text, file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(json.dumps(report), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = _parser().parse_args(argv)
    command = {"train": _train, "evaluate": _evaluate, "doctor": _doctor}[args.command]
    try:
        return command(args)
    except (CheckpointError, OSError) as error:
        status = 1
        print(f"error: {error}", file=sys.stderr)
    except ValueError as error:
        status = 2
        print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
