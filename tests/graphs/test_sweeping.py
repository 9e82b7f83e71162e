"""The home page's picture: one gradient lies on the true slope, the other does not."""

import pytest

from maml_core.graphs.sweeping import sweep_x
from tests.graphs.examples import lesson

MAML = {"c": 1, "alpha": 0.4}


def test_the_second_order_gradient_is_the_slope_everywhere():
    sweep = sweep_x(lesson("wave"), MAML, -3.0, 3.0, 25)
    assert sweep.at[0] == -3.0
    assert sweep.at[-1] == 3.0
    assert sweep.second_order[::4] == pytest.approx(sweep.slope, rel=1e-6, abs=1e-6)


def test_the_two_gradients_meet_where_the_curvature_is_zero():
    sweep = sweep_x(lesson("wave"), MAML, -3.0, 0.0, 2)
    assert sweep.first_order[1] == pytest.approx(sweep.second_order[1])  # sin″(0) = 0
    assert abs(sweep.first_order[0] - sweep.second_order[0]) > 1
