"""Run a program on PyTorch, statement by statement, telling a watcher what happens."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maml_core.graphs.operations import OPERATIONS
from maml_core.graphs.programs import (
    Apply,
    Assign,
    Backward,
    Blank,
    Clear,
    Clone,
    Constants,
    Descend,
    Gradient,
    Gradients,
    InnerGradients,
    Leaf,
    NoGrad,
    Program,
    Repeat,
    Statement,
)

Number = Tensor | float


class Watch(NamedTuple):
    """Who is told what while a program runs."""

    computed: Callable[[int, int, int | None, Number], None]  # line, index of the span, step, value
    before_backward: Callable[[Tensor], None]
    after: Callable[[int, Mapping[str, Number]], None] = lambda *_: None  # line that ran or failed, names so far
    entered: Callable[[int, dict[str, Number]], None] = lambda number, env: None  # line, what the names hold so far


def ignore(*_: object) -> None:
    return None


BLIND = Watch(computed=ignore, before_backward=ignore)


def run(
    program: Program,
    inputs: Mapping[str, float],
    *,
    create_graph: bool,
    dtype: torch.dtype = torch.float32,
    watch: Watch = BLIND,
    frozen: Mapping[int, float] | None = None,
) -> dict[str, Number]:
    """Execute the program; returns the final value of every name.

    `frozen` maps an inner step to the number its gradient is replaced by, which is what `create_graph=False`
    means to the outer derivative. Raises what PyTorch raises.
    """
    env: dict[str, Number] = {}
    shielded = False  # a with-block holds one statement, the next
    for number, statement, step in program.schedule():
        watch.entered(number, env)

        def done(index: int, value: Number, number: int = number, step: int | None = step) -> None:
            watch.computed(number, index, step, value)

        try:
            if isinstance(statement, Leaf):
                leaf = torch.tensor(inputs[statement.target], dtype=dtype, requires_grad=True)
                env[statement.target] = leaf
                done(0, leaf)
            elif isinstance(statement, Gradient) and frozen is not None:
                env[statement.target] = frozen[step or 0]
            elif isinstance(statement, Backward | Gradients):
                output = _tensor(env[statement.output])
                watch.before_backward(output)
                env.update(_differentiate(statement, output, env))
            else:
                with torch.no_grad() if shielded else contextlib.nullcontext():
                    _compute(statement, env, inputs, create_graph, done)
        finally:
            watch.after(number, env)
        shielded = isinstance(statement, NoGrad)
    return env


def _differentiate(statement: Backward | Gradients, output: Tensor, env: Mapping[str, Number]) -> dict[str, Number]:
    """Start the engine; what it returns, by name."""
    if isinstance(statement, Backward):
        output.backward(retain_graph=statement.retain_graph)
        return {}
    leaves = [_tensor(env[name]) for name in statement.wrt]
    returned = torch.autograd.grad(output, leaves, retain_graph=statement.retain_graph)
    return dict(zip(statement.targets, returned, strict=True))


def _compute(
    statement: Statement,
    env: dict[str, Number],
    inputs: Mapping[str, float],
    create_graph: bool,
    done: Callable[[int, Number], None],
) -> None:
    match statement:
        case Constants(targets):
            env.update({name: inputs[name] for name in targets})
        case Clone(target, source):
            env[target] = _tensor(env[source]).clone()
            done(0, env[target])
        case Assign(target, expression):
            env[target] = expression.evaluate(env, done)
        case Gradient(target, output, wrt):
            (env[target],) = torch.autograd.grad(_tensor(env[output]), _tensor(env[wrt]), create_graph=create_graph)
            done(0, env[target])
        case InnerGradients(targets, output, wrt):
            leaves = [_tensor(env[name]) for name in wrt]
            found = torch.autograd.grad(_tensor(env[output]), leaves, create_graph=create_graph)
            for i, (target, gradient) in enumerate(zip(targets, found, strict=True)):
                env[target] = gradient
                done(i, gradient)
        case Descend(target, leaf, rate):
            leaf_tensor = _tensor(env[leaf])
            gradient: Any = leaf_tensor.grad if leaf_tensor.is_leaf else None  # asking any other makes PyTorch warn
            env[target] = leaf_tensor.detach() - env[rate] * gradient  # with None this is Python's own TypeError
            done(0, env[target])
        case Apply(target, operation):
            env[target] = OPERATIONS[operation].apply(_tensor(env[target]))
            done(0, env[target])
        case Clear(leaves, to_none):
            _clear([_tensor(env[leaf]) for leaf in leaves], to_none)
        case Repeat() | NoGrad() | Blank():
            pass  # the schedule goes on inside


def _clear(leaves: list[Tensor], to_none: bool) -> None:
    for leaf in leaves:
        if to_none:
            leaf.grad = None
        elif leaf.grad is not None:
            leaf.grad.zero_()


def _tensor(value: Number) -> Tensor:
    """Constants have no graph; PyTorch's own words about that are raised where they are used."""
    return value if isinstance(value, Tensor) else torch.tensor(value)


def plain(value: Number) -> float:
    return float(value.detach()) if isinstance(value, Tensor) else float(value)
