"""The prices of the three ways back: counted, fitted, and the fits held against counts at other sizes."""

import pytest

from maml_core.meta import prices
from maml_core.meta.models import mlp
from maml_core.meta.prices import FIT_STEPS, FLOAT, STEPS, Price, Sample, fitted_bytes, growing, plan, price, weights

SHOTS = 10


@pytest.fixture(scope="module")
def counted():
    """The slices to which the bytes are fitted."""
    return [price(sample) for sample in plan(4, SHOTS) if sample.inner_steps in FIT_STEPS]


def test_the_weights_are_those_of_the_network():
    for width in (1, 5, 40):
        assert weights(width) == sum(leaf.numel() for leaf in mlp((1, width, width, 1), seed=0).values())


@pytest.mark.parametrize("width", [4, 16, 40])
def test_a_plan_covers_every_way_and_leaves_out_what_takes_too_long(width):
    samples = plan(width, SHOTS)
    assert len(samples) == len(set(samples))
    for way in ("unrolled", "iterates"):
        assert {Sample(way, width, k, SHOTS) for k in STEPS} <= set(samples)
    for sample in samples:
        assert sample.way != "jacobians" or sample.inner_steps * weights(sample.width) <= prices.MOST_PRODUCTS


@pytest.mark.parametrize(("way", "width", "steps"), [("unrolled", 60, 3), ("iterates", 60, 3), ("jacobians", 9, 1)])
def test_the_fitted_bytes_are_exact_at_sizes_that_were_not_measured(counted, way, width, steps):
    found = price(Sample(way, width, steps, SHOTS))
    assert fitted_bytes(counted, way, width, SHOTS).at(steps) == pytest.approx(found.peak_bytes, rel=1e-9)


def test_a_million_weights_take_terabytes_as_a_jacobian(counted):
    width = prices.MILLION_WIDTH
    n = weights(width)
    assert abs(n - 1e6) < 2 * width
    found = fitted_bytes(counted, "jacobians", width, SHOTS)
    assert found.at(20) == pytest.approx(2 * FLOAT * n**2, rel=1e-4)  # the factor and the product
    assert found.per_step == pytest.approx(0, abs=1)
    assert fitted_bytes(counted, "iterates", width, SHOTS).per_step == pytest.approx(FLOAT * n)


def test_a_slice_of_time_holds_at_least_one_sample():
    samples = plan(4, SHOTS)
    assert [row.sample for row in prices.some(samples, 0.0)] == list(samples[:1])
    assert [row.sample for row in prices.some(samples[:3], 60.0)] == list(samples[:3])
    assert prices.some((), 1.0) == ()


def test_a_fit_without_its_samples_is_refused():
    with pytest.raises(ValueError, match="have not been measured yet"):
        fitted_bytes([], "unrolled", 8, SHOTS)


def test_a_way_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="must be one of jacobians, unrolled, iterates, not 'sideways'"):
        price(Sample("sideways", 4, 1, SHOTS))


def test_what_grows_is_the_loop_and_the_list_of_stops():
    found = growing(SHOTS)
    assert found["jacobians"] == 0
    assert found["iterates"] == FLOAT * weights(4)
    assert found["unrolled"] > found["iterates"]


def test_seconds_per_step_are_those_measured_or_those_of_one_product():
    rows = [
        Price(Sample("unrolled", 8, 2, SHOTS), 0.2, 0, 0),
        Price(Sample("unrolled", 8, 3, SHOTS), 0.3, 0, 0),
        Price(Sample("unrolled", 4, 3, SHOTS), 9.0, 0, 0),
        Price(Sample("jacobians", 4, 2, SHOTS), 2 * weights(4) * 0.001, 0, 0),
    ]
    assert prices.seconds_per_step(rows, "unrolled", 8) == pytest.approx(0.1)
    assert prices.seconds_per_step(rows, "jacobians", 40) == pytest.approx(weights(40) * 0.001)
