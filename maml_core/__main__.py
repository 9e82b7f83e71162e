"""The command line: python -m maml_core train | evaluate | doctor.

Exit status: 0, or 2 for bad usage, 130 after Ctrl-C with a checkpoint saved, and 1 for everything else.
"""

import argparse
import json
import shutil
import signal
import sys
import sysconfig
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import torch

from maml_core.train.checkpoint import CheckpointError, load, save
from maml_core.train.config import PRESETS, Config, resolved
from maml_core.train.evaluate import evaluate
from maml_core.train.progress import Progress
from maml_core.train.step import Diverged, State, initial_state, training


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
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m maml_core", description="Meta-learn, and look at the result.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a network and save the run")
    _add_train_options(train)
    judge = commands.add_parser("evaluate", help="adapt a saved run to unseen tasks")
    judge.add_argument("run", metavar="FILE")
    judge.add_argument("--tasks", type=int, default=600, help="Unseen tasks.")
    judge.add_argument("--shots", type=int, help="Support examples per task; by default as in training.")
    judge.add_argument("--steps", type=whole_numbers, default=(1, 5, 10), help="Numbers of steps: 1,5,10.")
    doctor = commands.add_parser("doctor", help="say what this machine can do")
    for command in (train, judge, doctor):
        command.add_argument("--json", action="store_true", help="End with one line of JSON.")
    for command in (train, judge):
        command.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    return parser


def _add_train_options(train: argparse.ArgumentParser) -> None:
    """The fields of a Config, each with its own sentence, and where a run comes from and goes to."""
    train.add_argument("--preset", choices=list(PRESETS), help="Start from a named configuration.")
    train.add_argument("--resume", metavar="FILE", help="Go on with a saved run; only --iterations may change.")
    train.add_argument("--out", metavar="FILE", help="Where the run is saved; by default run.safetensors.")
    for spec in fields(Config):
        unit = f" In {spec.metadata['unit']}." if spec.metadata["unit"] else ""
        option, text = f"--{spec.name.replace('_', '-')}", spec.metadata["help"] + unit
        train.add_argument(option, type=_reader(spec), metavar="VALUE", help=text)


def _device(name: str) -> torch.device:
    """The device that was asked for. Raises UsageError if it is not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("There is no CUDA device here; use --device cpu or auto.")
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def _start(args: argparse.Namespace, device: torch.device) -> tuple[State, Config]:
    """A fresh training, or a saved one with perhaps more steps to go. Raises UsageError where they mix."""
    given = {spec.name: getattr(args, spec.name) for spec in fields(Config)}
    given = {name: value for name, value in given.items() if value is not None}
    if args.resume is None:
        config = resolved(replace(PRESETS[args.preset] if args.preset else Config(), **given))
        return initial_state(config, device=device), config
    if extra := sorted(set(given) - {"iterations"}) + ["preset"] * bool(args.preset):
        raise UsageError(f"--{extra[0].replace('_', '-')} cannot change in a resumed run; --iterations can.")
    state, config = load(args.resume, device=device)
    config = replace(config, **given)
    if int(state.step) > config.iterations:
        raise UsageError(f"The run has done {int(state.step)} steps already, more than {config.iterations}.")
    return state, config


def _out(args: argparse.Namespace) -> Path:
    """Where the run will be saved. Raises UsageError now rather than after hours of training."""
    out = Path(args.out or args.resume or "run.safetensors")
    if not out.parent.is_dir() or out.is_dir():
        raise UsageError(f"--out must name a file in a folder that exists, not {out}.")
    return out


def _train(args: argparse.Namespace) -> int:
    """Train until done, Ctrl-C or divergence; in each case the last good state is saved."""
    out, device = _out(args), _device(args.device)
    state, config = _start(args, device)
    progress = Progress(int(state.step), config.iterations)
    status, ending = 0, "Trained"
    try:
        for state in training(state, config):  # noqa: B020
            progress.tick(state)
    except KeyboardInterrupt:
        status, ending = 130, f"Stopped; go on with: python -m maml_core train --resume {out}. Did"
    except Diverged as error:
        status, ending, state = 1, f"{error} Did", error.state
    report = _train_report(state, config) | progress.close() | {"out": str(out)}
    _save_undisturbed(out, state, config)
    _tell(args, f"{ending} {int(state.step)} of {config.iterations} steps, saved to {out}.", report)
    return status


def _save_undisturbed(out: Path, state: State, config: Config) -> None:
    """Save, deaf to a second Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        save(out, state, config)
    finally:
        signal.signal(signal.SIGINT, before)


def _train_report(state: State, config: Config) -> dict[str, Any]:
    """The numbers of `train --json`."""
    loss = state.query_loss.mean().item()
    return {
        "algorithm": config.algorithm,
        "seed": config.seed,
        "iterations": int(state.step),
        "device": state.step.device.type,
        "path": "eager",
        "query_loss": loss if abs(loss) < float("inf") else None,
    }


def _evaluate(args: argparse.Namespace) -> int:
    """Adapt a saved run to unseen tasks and print the errors."""
    state, config = load(args.run, device=_device(args.device))
    report = evaluate(config, state.theta, tasks=args.tasks, shots=args.shots, steps=args.steps)
    lines = [f"Mean squared error on {report['tasks']} unseen tasks, {report['shots']} shots:"]
    for name, row in {config.algorithm: report["mse"], **report["baselines"]}.items():
        for step, numbers in row.items():
            shown = (f"{key} {'∞' if value is None else f'{value:.4g}'}" for key, value in numbers.items())
            lines.append(f"{name:>14} {step:>4} steps: {', '.join(shown)}")
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
    """Words for people; with --json they go to standard error and the numbers to standard output."""
    print(text, file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(json.dumps(report), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = _parser().parse_args(argv)
    command = {"train": _train, "evaluate": _evaluate, "doctor": _doctor}[args.command]
    try:
        return command(args)
    except (CheckpointError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        # What was typed is bad usage; a file that cannot be used is not.
        return 1 if isinstance(error, (CheckpointError, OSError)) else 2
    except KeyboardInterrupt:
        print("Stopped; there was nothing to save.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
