"""The forty-five claims under test: what each source says, in our words, and which lesson explains it.

What a run says about a claim is a `Claim`; the programs that run them are in `maml_core.catalogue`.
"""

from typing import Literal, NamedTuple

Verdict = Literal["true", "half", "false"]


class Row(NamedTuple):
    """One claim: its source's key, its lesson's number, what it says, and the verdict of our own runs so far."""

    source: str
    lesson: int
    sentence: str
    found: Verdict


class Claim(NamedTuple):
    """What a run here and now says about a claim, and what that run measured."""

    number: int
    verdict: Verdict
    evidence: str

    @property
    def row(self) -> Row:
        return TABLE[self.number]


SOURCES = {
    "blog notes": "Some notes from implementing model agnostic meta learning (blog notes, January 2025)",
    "interactive-maml": "An Interactive Introduction to Model-Agnostic Meta-Learning (interactive-maml.github.io)",
    "detaching Q&A": "Can detaching gradient ‘data’ implement first-order MAML using PyTorch's higher library? (Q&A)",
    "official Q&A": "How is first-order MAML implemented officially using the higher library in PyTorch? (Q&A)",
    "forum": "Lazy MAML, many small steps and one leap (a question in the PyTorch forum)",
}

TABLE: dict[int, Row] = {
    1: Row(
        "blog notes",
        1,
        "backward() on two equal y = 3·x₁²·x₂²·x₃² at (3, 4, 5): x₁.grad is None, then 7200, then 14400.",
        "true",
    ),
    2: Row(
        "blog notes",
        1,
        "For the same y, autograd.grad leaves x₁.grad alone: None, None, and 7200 only after a backward().",
        "true",
    ),
    3: Row(
        "blog notes",
        2,
        "x_copy = clone(x) − 2 and loss = 1 − 2·x_copy⁴, at x = 3: after one step of SGD with lr 0.4, x is 6.2 and "
        "x_copy is still 1.",
        "true",
    ),
    4: Row("blog notes", 2, "In the example of claim 3, the gradient would be −216 without the − 2.", "true"),
    5: Row(
        "blog notes",
        3,
        "With x′ = 2x − 0.4·g, g from a quartic loss, at x = 3: create_graph=False gives x.grad −1108.800048828125, "
        "and x becomes 446.52001953125.",
        "true",
    ),
    6: Row(
        "blog notes",
        3,
        "In the example of claim 5 create_graph=True gives x.grad −49008.96484375 and x 19606.5859375.",
        "true",
    ),
    7: Row("blog notes", 3, "In the example of claim 5, with create_graph=True, dx′/dx “is no longer 1”.", "false"),
    8: Row(
        "blog notes",
        3,
        "In the example of claim 5 the inner gradient is “2 · d(inner_loss)/dx”, for the factor 2 in the update.",
        "false",
    ),
    9: Row("blog notes", 3, "create_graph=False “is not what the MAML algorithm is”.", "half"),
    10: Row("blog notes", 3, "torchviz draws an extra branch at CloneBackward0.", "true"),
    11: Row("blog notes", 9, "The generic MAML code for an nn.Module runs as printed.", "false"),
    12: Row("blog notes", 9, "Once it runs, the loss falls, so it works.", "false"),
    13: Row("blog notes", 9, "functional_call with φ chained from step to step gives MAML's meta-gradient.", "true"),
    14: Row("blog notes", 11, "A hand-written loop is about twice as fast as torch.optim.SGD.", "false"),
    15: Row("blog notes", 11, "Comparing the two models proves that both loops end in the same weights.", "half"),
    16: Row("interactive-maml", 4, "The Jacobian of one inner step, ∂φ/∂θ, is I − αH.", "true"),
    17: Row(
        "interactive-maml",
        5,
        "The Jacobian of k steps is the product of the factors I − αH, in the order printed, first step first.",
        "half",
    ),
    18: Row(
        "interactive-maml", 5, "The memory of the Jacobian method does not grow with the number of steps.", "true"
    ),
    19: Row(
        "interactive-maml",
        2,
        "The gradient of L_q(φ) with respect to θ is that of the dot product of φ with ∇L_q(φ), if the latter is "
        "treated as a constant.",
        "true",
    ),
    20: Row("interactive-maml", 5, "The memory of the backpropagated form grows linearly with the steps.", "true"),
    21: Row(
        "interactive-maml", 5, "Backpropagation through the loop “can't employ an iterative calculation”.", "false"
    ),
    22: Row("interactive-maml", 5, "Minimising the dot product is equivalent to minimising the test loss.", "half"),
    23: Row("interactive-maml", 4, "What MAML minimises is the expectation of ∇L.", "false"),
    24: Row("interactive-maml", 4, "The update rule U does not depend on the task.", "half"),
    25: Row("detaching Q&A", 10, "`with higher.monkeypatch(…) as fmodel:` makes a functional model.", "false"),
    26: Row("detaching Q&A", 10, "A torch.optim.SGD over fmodel.parameters() takes the inner step.", "false"),
    27: Row(
        "detaching Q&A",
        10,
        "SGD over fmodel, made to run with copy_initial_weights=True, brings the model a meta-gradient.",
        "false",
    ),
    28: Row(
        "detaching Q&A",
        10,
        "SGD over fmodel, made to run with copy_initial_weights=False, gives a meta-gradient of MAML.",
        "false",
    ),
    29: Row(
        "detaching Q&A",
        10,
        "fmodel.zero_grad(set_to_none=True) keeps inner gradients from leaking into the meta-gradient.",
        "false",
    ),
    30: Row(
        "detaching Q&A",
        10,
        "With an explicit update, autograd.grad and no create_graph, it is first-order MAML.",
        "true",
    ),
    31: Row(
        "detaching Q&A", 10, "In an explicit update φ = θ − α·g, detaching g would break the backward pass.", "false"
    ),
    32: Row("detaching Q&A", 10, "Not detaching anything is how first-order MAML is done with higher.", "false"),
    33: Row("detaching Q&A", 10, "Detaching the adapted parameters destroys the meta-gradient.", "half"),
    34: Row("detaching Q&A", 10, "torchmeta is a useful framework for first-order MAML today.", "false"),
    35: Row("official Q&A", 10, "`innerloop_ctx(model, optim.SGD, lr=…)` opens the inner loop.", "false"),
    36: Row(
        "official Q&A", 10, "The Q&A's training loop with higher, repaired until it runs, trains the model.", "half"
    ),
    37: Row("official Q&A", 10, "With higher, diffopt.step makes the training loop first-order MAML.", "false"),
    38: Row("official Q&A", 10, "In the Q&A's training loop, support and query sets come from one task.", "false"),
    39: Row(
        "official Q&A",
        10,
        "torch.stack(losses).mean() over a loop of tasks makes the tasks run in parallel.",
        "false",
    ),
    40: Row("official Q&A", 10, "The Q&A's sine waves are the sinusoid benchmark of the MAML paper.", "false"),
    41: Row("forum", 6, "The derived gradient of the leap is φ − θ.", "half"),
    42: Row(
        "forum", 6, "Putting that constant in the gradient's place in a hook keeps the second-order term.", "false"
    ),
    43: Row("forum", 6, "One vector-Jacobian product through a single step gives the leap's meta-gradient.", "true"),
    44: Row("forum", 6, "With one inner step, the leap must equal MAML.", "true"),
    45: Row("forum", 6, "With more steps, the leap is closer to MAML than the first-order gradient is.", "true"),
}
