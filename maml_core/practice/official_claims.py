"""Claims 35 to 40, about "official" first-order MAML with higher; 38's training lives in `one_task_claim`.

Source: "How is first-order MAML implemented officially using the higher library in PyTorch?", a Q&A of 2025.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import higher
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.func import grad as func_grad
from torch.nn.functional import mse_loss
from torch.utils._python_dispatch import TorchDispatchMode

from maml_core.claims import Claim
from maml_core.meta.algorithms import fomaml, maml
from maml_core.meta.models import mlp_loss
from maml_core.meta.tasks import FAMILIES, Tasks, lines, sinusoids
from maml_core.meta.trees import flatten
from maml_core.numerals import numeral
from maml_core.practice.loops.judging import relative
from maml_core.practice.one_task_claim import ALPHA, STEPS, source_tasks, source_theta

SAME = 1e-9  # relative, in float64


def _linear() -> nn.Module:
    model = nn.utils.skip_init(nn.Linear, 1, 1, dtype=torch.float64)
    return _loaded(model, source_theta((1, 1), dtype=torch.float64), prefix="0.")


def _loaded(model: nn.Module, theta: dict[str, Tensor], *, prefix: str = "") -> nn.Module:
    model.load_state_dict({name.removeprefix(prefix): leaf for name, leaf in theta.items()})
    return model


def claim_35() -> Claim:
    errors = []
    for options in ({"lr": ALPHA}, {}):  # as printed; and once the argument it does not know is gone
        try:
            with higher.innerloop_ctx(_linear(), torch.optim.SGD, **options):  # pyright: ignore[reportArgumentType]
                errors.append("")
        except (TypeError, ValueError) as error:
            errors.append(f"{type(error).__name__}: {error}".rstrip("."))
    said = (
        f"As printed it stops with {errors[0]}. Without lr it stops with {errors[1]}: it needs an optimizer instance."
    )
    return Claim(35, "false" if errors[0] else "true", said)


def _meta_train(model: nn.Module, *, iterations: int, copy: bool) -> tuple[int, float]:
    """The source's linear example with an optimizer instance; gradients that were None, and how far θ moved."""
    start, none = flatten(dict(model.named_parameters())).detach(), 0
    inner, outer = torch.optim.SGD(model.parameters(), lr=ALPHA), torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(iterations):
        outer.zero_grad()
        for xs, ys, xq, yq in _each(lines(5, 10, seed=0, step=step, dtype=torch.float64)):
            with higher.innerloop_ctx(model, inner, copy_initial_weights=copy) as (fmodel, diffopt):
                diffopt.step(mse_loss(fmodel(xs), ys))
                (mse_loss(fmodel(xq), yq) / 5).backward()
        none += sum(p.grad is None for p in model.parameters())
        outer.step()
    return none, float((flatten(dict(model.named_parameters())).detach() - start).norm())


def _each(tasks: Tasks) -> list[tuple[Tensor, ...]]:
    return list(zip(*tasks.support, *tasks.query, strict=True))


def claim_36() -> Claim:
    default_none, default_moved = _meta_train(_linear(), iterations=10, copy=True)
    none, moved = _meta_train(_linear(), iterations=10, copy=False)
    trains, stays = none == 0 and moved > 0, default_none > 0 and default_moved == 0
    said = (
        f"After 10 outer steps θ has moved by {numeral(moved, 3)} with copy_initial_weights=False, and by "
        f"{numeral(default_moved, 3)} with the default, where every gradient was None and nothing complained."
    )
    return Claim(36, ("half" if stays else "true") if trains else "false", said)


def _network() -> nn.Module:
    """1-64-1 with ReLU, as in the source, in float64."""
    first, last = (nn.utils.skip_init(nn.Linear, *pair, dtype=torch.float64) for pair in ((1, 64), (64, 1)))
    return _loaded(nn.Sequential(first, nn.ReLU(), last), source_theta(dtype=torch.float64))


def claim_37() -> Claim:
    model, tasks = _network(), source_tasks(5, seed=0, dtype=torch.float64)
    inner = torch.optim.SGD(model.parameters(), lr=ALPHA)
    for xs, ys, xq, yq in _each(tasks):
        with higher.innerloop_ctx(model, inner, copy_initial_weights=False) as (fmodel, diffopt):
            for _ in range(STEPS):
                diffopt.step(mse_loss(fmodel(xs), ys))
            (mse_loss(fmodel(xq), yq) / 5).backward()
    found = flatten({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    theta = {name: p.detach() for name, p in model.named_parameters()}
    second, first = (
        flatten(run(mlp_loss, theta, tasks, inner_lr=ALPHA, inner_steps=STEPS).grads) for run in (maml, fomaml)
    )
    to_second, to_first = relative(found, second), relative(found, first)
    said = f"It differs from the first-order gradient by {numeral(to_first, 2)} of its length, and from second-order"
    return Claim(37, "true" if to_first < SAME else "false", f"{said} MAML's by {numeral(to_second, 2)}.")


class _Operations(TorchDispatchMode):
    """Counts what PyTorch executes, one operation after the other, while it is open."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        self.count += 1
        return func(*args, **(kwargs or {}))


def claim_39() -> Claim:
    """Work in parallel is fewer operations on larger tensors: a count that no busy machine can blur."""
    model, tasks = _network(), source_tasks(5, seed=0, dtype=torch.float64)
    ways = {name: _way(name, model, tasks) for name in ("added", "stacked", "vmap")}
    counts = {name: _operations(way) for name, way in ways.items()}
    rounds = [{name: _seconds(way) for name, way in ways.items()} for _ in range(5)]
    speed = {name: statistics.median(once["added"] / once[name] for once in rounds) for name in counts}
    parallel = 2 * counts["stacked"] < counts["added"] + counts["vmap"]  # nearer to vmap than to the loop
    said = (
        f"For 5 tasks, added losses take {counts['added']} operations one after the other, stacked ones "
        f"{counts['stacked']}, vmap {counts['vmap']}. Timed in turn, stacked ran at {numeral(speed['stacked'], 3)} "
        f"times the speed of added, vmap at {numeral(speed['vmap'], 3)} times: medians of 5 rounds, here and now."
    )
    return Claim(39, "true" if parallel else "false", said)


def _operations(way: Callable[[], object]) -> int:
    with _Operations() as running:
        way()
    return running.count


def _way(name: str, model: nn.Module, tasks: Tasks) -> Callable[[], object]:
    theta = {name: p.detach() for name, p in model.named_parameters()}

    def task_loss(params: dict[str, Tensor], xs: Tensor, ys: Tensor, xq: Tensor, yq: Tensor) -> Tensor:
        for _ in range(STEPS):
            grads = func_grad(lambda phi: mse_loss(functional_call(model, phi, (xs,)), ys))(params)
            params = {leaf: p - ALPHA * grads[leaf] for leaf, p in params.items()}
        return mse_loss(functional_call(model, params, (xq,)), yq)

    def meta_loss(params: dict[str, Tensor]) -> Tensor:
        if name == "vmap":
            return vmap(task_loss, in_dims=(None, 0, 0, 0, 0))(params, *tasks.support, *tasks.query).mean()
        losses = [task_loss(params, *task) for task in _each(tasks)]
        return torch.stack(losses).mean() if name == "stacked" else sum(losses, torch.zeros(())) / 5

    return lambda: func_grad(meta_loss)(theta)


def _seconds(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def claim_40() -> Claim:
    ours, paper = (
        sinusoids(1000, 10, seed=0, **FAMILIES[name]._asdict()) for name in ("amplitude-frequency", "sinusoid")
    )
    same = all(torch.equal(ours.info[name], paper.info[name]) for name in ours.info)
    said = "; ".join(
        f"{title} {_ranges(tasks)}"
        for title, tasks in (("1000 of its tasks have", ours), ("1000 of the paper's", paper))
    )
    return Claim(40, "true" if same else "false", f"{said}.")


def _ranges(tasks: Tasks) -> str:
    drawn = {**tasks.info, "x": tasks.support.x}
    return ", ".join(
        f"{name} {numeral(float(v.min()), 2)} to {numeral(float(v.max()), 2)}" for name, v in drawn.items()
    )
