"""A thinned curve is a part of the whole one, and its smoothed loss that of the whole one."""

import math

import pytest

from maml_core.train.curve import MEMORY, MOST_POINTS, Thinned, smoothed


@pytest.mark.parametrize("count", [0, 1, 399, 400, 401, 1000, 12_345])
def test_every_point_is_a_loss_of_the_run_and_its_weighted_mean(count):
    losses = [math.sin(i) + 2 for i in range(count)]
    thinned = Thinned(10)
    for start in range(0, count, 7):
        thinned.add(losses[start : start + 7])
    curve, whole = thinned.curve(), list(smoothed(losses))
    assert len(curve.at) <= MOST_POINTS + 1
    assert all(raw == losses[at - 11] for at, raw in zip(curve.at, curve.raw, strict=True))
    assert curve.smooth == pytest.approx([whole[at - 11] for at in curve.at])
    assert not count or curve.at[-1] == 10 + count
    assert len(curve.at) > min(count, MOST_POINTS // 2) - 1


def test_the_smoothed_loss_is_its_formula():
    losses = [3.0, 1.0, 2.0]
    expected = (2 + MEMORY * 1 + MEMORY**2 * 3) / (1 + MEMORY + MEMORY**2)
    assert list(smoothed(losses))[-1] == pytest.approx(expected)
    assert list(smoothed([5.0] * 9)) == pytest.approx([5.0] * 9)
