r"""What looking back through the last m steps alone loses, and what it saves.

$$v_{k-m} = (I - \alpha H_{k-m}) \cdots (I - \alpha H_{k-1})\, \nabla \mathcal L^q(\phi_k)$$

is the gradient with respect to the stop $\phi_{k-m}$; truncation hands it to θ as it is. Shaban et al. (2019),
https://arxiv.org/abs/1810.10667
"""

from dataclasses import replace
from typing import NamedTuple

from maml_core.meta.costs import counted, priced
from maml_core.meta.shortcuts import Row, Setting, compared, problem_of


class Truncation(NamedTuple):
    """One m: where the truncated gradient points, and the bytes that autograd kept for it."""

    last: int
    row: Row
    peak_bytes: int


def truncations(setting: Setting) -> tuple[Truncation, ...]:
    """A handful of m from 0, which is first-order MAML, to k, which is MAML."""
    return tuple(_truncation(replace(setting, last=last)) for last in chosen(setting.inner_steps))


def chosen(inner_steps: int) -> list[int]:
    """Both ends with their neighbours, and the middle."""
    return sorted({0, 1, inner_steps // 2, inner_steps - 1, inner_steps})


def _truncation(setting: Setting) -> Truncation:
    (row,) = compared(setting, ("truncated",))
    usual = priced(setting)
    return Truncation(setting.last, row, counted("truncated", usual, problem_of(usual)).peak_bytes)
