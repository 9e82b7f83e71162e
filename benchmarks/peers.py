"""One meta-gradient by this engine and by its peers: first all must agree, then all are timed in turn.

    OMP_NUM_THREADS=1 python -m benchmarks.peers [--repeats 15]

Second-order MAML, 25 tasks, 10 + 10 points, one inner step, float32, eager. Every round times each way once,
so that a disturbance of the machine meets all of them alike; a ratio is the median over rounds of the round's
ratio.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import higher
import torch
from torch import Tensor, nn

from maml_core.meta.algorithms import maml
from maml_core.meta.models import Loss, mlp, mlp_forward, mlp_loss
from maml_core.meta.modules import module_loss, module_params
from maml_core.meta.tasks import Batch, Tasks, sinusoids
from maml_core.meta.trees import Params, flatten

ALPHA = 0.01
TURN = 0.1  # seconds that each way is timed for in a round: as in a training, most of them warm
Way = Callable[[], Params]
Criterion = Callable[[Tensor, Tensor], Tensor]


def perceptron() -> nn.Module:
    """1-40-40-1, as in the paper."""
    return nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))


def convolutional() -> nn.Module:
    """Two layers of 32 channels on 28 × 28 pixels, halved by strides as in MAML's Omniglot network."""
    first, second = (nn.Conv2d(width, 32, 3, stride=2, padding=1) for width in (1, 32))
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.Linear(32 * 7 * 7, 5))


def pictures(tasks: int) -> Tasks:
    """Random pictures: 5 classes, 1 support and 3 query pictures each; what they show costs nothing."""
    noise = torch.Generator().manual_seed(0)

    def batch(shots: int) -> Batch:
        labels = torch.arange(5).repeat(shots).expand(tasks, -1)
        return Batch(torch.randn(tasks, 5 * shots, 1, 28, 28, generator=noise), labels)

    return Tasks(batch(1), batch(3), {})


def ours(loss: Loss, theta: Params, tasks: Tasks) -> Way:
    """This engine."""
    return lambda: maml(loss, theta, tasks, inner_lr=ALPHA, inner_steps=1).grads


def by_loop(theta: Params, tasks: Tasks) -> Way:
    """A Python loop over tasks with torch.autograd.grad, as most people write it."""

    def meta_gradient() -> Params:
        leaves = {name: leaf.clone().requires_grad_() for name, leaf in theta.items()}
        total = torch.zeros(())
        for xs, ys, xq, yq in zip(*tasks.support, *tasks.query, strict=True):
            inner = nn.functional.mse_loss(mlp_forward(leaves, xs), ys)
            gradient = torch.autograd.grad(inner, list(leaves.values()), create_graph=True)
            phi = {n: leaf - ALPHA * g for (n, leaf), g in zip(leaves.items(), gradient, strict=True)}
            total = total + nn.functional.mse_loss(mlp_forward(phi, xq), yq)
        found = torch.autograd.grad(total / len(tasks.support.x), list(leaves.values()))
        return dict(zip(leaves, found, strict=True))

    return meta_gradient


def by_higher(module: nn.Module, criterion: Criterion, tasks: Tasks) -> Way:
    """higher 0.2.1, with the one setting that gives second-order MAML."""
    optimiser = torch.optim.SGD(module.parameters(), lr=ALPHA)

    def meta_gradient() -> Params:
        module.zero_grad()
        for xs, ys, xq, yq in zip(*tasks.support, *tasks.query, strict=True):
            with higher.innerloop_ctx(module, optimiser, copy_initial_weights=False) as (fast, inner):
                inner.step(criterion(fast(xs), ys))
                (criterion(fast(xq), yq) / len(tasks.support.x)).backward()
        return {name: leaf.grad for name, leaf in module.named_parameters() if leaf.grad is not None}

    return meta_gradient


def contests() -> dict[str, dict[str, Way]]:
    """What is compared with what; the last way of each contest is the slowest, and the measure."""
    theta, sines, net = mlp(seed=0, initialisation="he"), sinusoids(25, 10, seed=0), perceptron()
    net.load_state_dict(theta)
    conv, images = convolutional(), pictures(4)
    mse, entropy = nn.functional.mse_loss, nn.functional.cross_entropy
    return {
        "1-40-40-1, 25 tasks": {
            "ours, MLP": ours(mlp_loss, theta, sines),
            "ours, nn.Module": ours(module_loss(net, mse), module_params(net), sines),
            "loop over tasks": by_loop(theta, sines),
            "higher": by_higher(net, mse, sines),
        },
        "conv net, 4 tasks": {
            "ours, nn.Module": ours(module_loss(conv, entropy), module_params(conv), images),
            "higher": by_higher(conv, entropy, images),
        },
    }


def require_equal(ways: dict[str, Way]) -> None:
    """Stop if any two ways give different gradients."""
    found = {name: flatten(way()) for name, way in ways.items()}
    expected = found["higher"]
    for name, vector in found.items():
        difference = ((vector - expected).norm() / expected.norm()).item()
        print(f"  {name}: relative difference to higher {difference:.1e}")
        if difference > 1e-5:
            raise SystemExit(f"{name} computes another vector: nothing to time.")


def seconds(way: Way, calls: int) -> float:
    """One call, averaged over several."""
    start = time.perf_counter()
    for _ in range(calls):
        way()
    return (time.perf_counter() - start) / calls


def main() -> None:
    """Check, time in turn, and print medians with the quartiles of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), {repeats} rounds")
    for title, ways in contests().items():
        print(title)
        require_equal(ways)
        calls = {name: max(3, round(TURN / seconds(way, 3))) for name, way in ways.items()}
        rounds = [{name: seconds(way, calls[name]) for name, way in ways.items()} for _ in range(repeats)]
        for name in ways:
            median = statistics.median(once[name] for once in rounds)
            against = (peer for peer in ("loop over tasks", "higher") if peer in ways and peer != name)
            print(f"  {name:16}{1e3 * median:8.2f} ms  " + ", ".join(ratio(rounds, name, p) for p in against))


def ratio(rounds: list[dict[str, float]], name: str, peer: str) -> str:
    """How many times as fast as `peer`: the median of the rounds' own ratios, and their quartiles."""
    low, middle, high = statistics.quantiles([once[peer] / once[name] for once in rounds], n=4)
    return f"{middle:.1f} × {peer} [{low:.1f} … {high:.1f}]"


if __name__ == "__main__":
    main()
