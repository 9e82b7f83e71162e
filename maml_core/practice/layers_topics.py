"""The cases of `layers` by topic: on which network, what they are to find out, and what each outcome teaches."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from maml_core.practice import layers
from maml_core.practice.networks import Task

Code = Callable[[nn.Sequential, Task], Tensor]


class Case(NamedTuple):
    """What is tried, its lines, and what its outcome teaches."""

    title: str
    code: Code
    lesson: str


class Topic(NamedTuple):
    """Cases on one network. `question`: what they are to find out."""

    build: Callable[[], nn.Sequential]
    question: str
    cases: tuple[Case, ...]


def _with(part: Callable[[], nn.Module]) -> Callable[[], nn.Sequential]:
    return lambda: nn.Sequential(nn.Linear(6, 16), part(), nn.Tanh(), nn.Linear(16, 5))


TOPICS = {
    "clones": Topic(
        _with(nn.Identity),
        "The sketch takes care to clone the parameters before the inner loop, and what it calls a clone is the "
        "parameter itself. Does that matter?",
        (
            Case(
                "nothing copied",
                layers.nothing_copied,
                "φ = φ − αg makes a new tensor in every step, so θ stays as it is without any copy.",
            ),
            Case("clone()", layers.cloned, "A clone is one more node on the way back to θ, with derivative 1."),
            Case(
                "detach().clone()",
                layers.detached,
                "A copy without history is a new θ of its own: the gradient stops there.",
            ),
        ),
    ),
    "BatchNorm": Topic(
        _with(lambda: nn.BatchNorm1d(16, affine=False)),
        "In training BatchNorm normalises by the batch before it and, aside, writes a running average into its "
        "buffers. In evaluation it normalises by that average. Which of the two does the meta-gradient survive?",
        (
            Case(
                "train()",
                layers.in_training,
                "The statistics of the batch are part of the graph, so the gradient is exact. But every forward pass "
                "of the inner loop also moved the running averages, in place, and nobody asked for that.",
            ),
            Case("eval()", layers.in_evaluation, "The averages are constants. Exact, of another function."),
            Case(
                "adapt in train(), judge in eval()",
                layers.train_then_evaluate,
                "The query loss now depends on averages that depend on θ, and they were written without a graph: "
                "autograd cannot see that path. The memory also makes the same call give two answers.",
            ),
            Case(
                "train() under vmap",
                layers.under_vmap,
                "Two tasks side by side would write into one buffer at once. PyTorch refuses, and names the repair.",
            ),
            Case(
                "no running statistics, under vmap",
                layers.without_statistics,
                "Without that memory the tasks run side by side. (Sharing one average between tasks rarely means "
                "anything in meta-learning anyway.)",
            ),
        ),
    ),
    "dropout": Topic(
        _with(lambda: nn.Dropout(0.5)),
        "Dropout draws a new mask in every forward pass. A gradient belongs to one draw. What does a finite "
        "difference see, which needs two evaluations of one function?",
        (
            Case(
                "a new mask every time",
                layers.in_training,
                "Two evaluations, two functions: the difference between them is divided by the tiny nudge. The "
                "gradient is right for the masks it was computed with; nothing can check it.",
            ),
            Case(
                "the same seed every time",
                layers.with_a_seed,
                "With the masks held fixed it is one function again, and autograd has its slope.",
            ),
            Case("eval()", layers.in_evaluation, "No masks: a deterministic network."),
            Case(
                "train() under vmap",
                layers.under_vmap,
                "vmap wants to be told whether the tasks share a mask (randomness='same') or not ('different').",
            ),
        ),
    ),
    "in place": Topic(
        _with(nn.Identity),
        "Autograd keeps the tensors that a derivative needs. What if the inner loop writes over them?",
        (
            Case("a leaf, sub_", layers.leaf_in_place, "PyTorch refuses to lose the value of a leaf."),
            Case(
                "a leaf, sub_ under no_grad",
                layers.leaf_without_grad,
                "θ itself was overwritten, so the next call starts elsewhere, and the step is in no graph. This is "
                "where a real clone would have mattered.",
            ),
            Case(
                "a clone, sub_",
                layers.clone_in_place,
                "The second derivative needs the weights from before the step; the version counter notices.",
            ),
            Case(
                "a clone, .data.sub_",
                layers.clone_data_in_place,
                "`.data` goes around the version counter: no error, and a wrong gradient.",
            ),
            Case(
                "ReLU(inplace=True)",
                layers.activation_in_place,
                "Harmless here: ReLU's derivative needs only its output, and the layer before it does not need it.",
            ),
            Case(
                "the input, add_",
                layers.input_in_place,
                "The gradient is right, and the support set is no longer what it was.",
            ),
        ),
    ),
}
