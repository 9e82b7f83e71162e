"""Support and query come from one task, and the task from (seed, step) alone."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maml_core.meta.bowls import bowl_loss, bowls
from maml_core.meta.tasks import FAMILIES, MOST_NUMBERS, lines, own_points, sinusoids


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_support_and_query_lie_on_the_curve_that_info_names(family):
    tasks = sinusoids(50, 7, seed=1, query_shots=3, dtype=torch.float64, **family._asdict())
    a, b, omega = (tasks.info[name][:, None, None] for name in ("amplitude", "phase", "frequency"))
    for batch in (tasks.support, tasks.query):
        torch.testing.assert_close(batch.y, a * torch.sin(omega * batch.x - b))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_draw_fills_its_range(family):
    tasks = sinusoids(4000, 5, seed=2, **family._asdict())
    for name, values in {**tasks.info, "x_range": tasks.query.x}.items():
        low, high = getattr(family, name)
        assert low <= values.min() <= low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) <= values.max() <= high


def test_predicting_zero_costs_what_the_paper_s_family_implies():
    tasks = sinusoids(40_000, 10, seed=4)
    assert tasks.query.y.square().mean().item() == pytest.approx(4.2517, abs=0.04)


def test_support_and_query_share_no_point():
    tasks = sinusoids(200, 20, seed=0)
    assert not (tasks.support.x == tasks.query.x.mT).any()


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 30),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
    st.integers(0, 10**6),
)
def test_a_task_does_not_depend_on_how_many_are_drawn_with_it(count, shots, query_shots, seed, step):
    many = sinusoids(30, 40, seed=seed, step=step)
    few = sinusoids(count, shots, seed=seed, step=step, query_shots=query_shots)
    assert torch.equal(few.support.x, many.support.x[:count, :shots])
    assert torch.equal(few.query.x, many.query.x[:count, :query_shots])


def test_another_step_is_another_meta_batch():
    first, second = (sinusoids(25, 10, seed=0, step=step) for step in (0, 1))
    assert not (first.info["amplitude"] == second.info["amplitude"]).any()


@pytest.mark.parametrize("dim", [1, 3])
def test_lines_are_linear_in_what_info_names(dim):
    tasks = lines(6, 4, seed=0, dim=dim, dtype=torch.float64)
    for batch in (tasks.support, tasks.query):
        assert batch.x.shape == (6, 4, dim)
        expected = (batch.x * tasks.info["weight"][:, None]).sum(-1) + tasks.info["bias"][:, None]
        torch.testing.assert_close(batch.y.squeeze(-1), expected)
        assert -1 <= batch.x.min() < batch.x.max() < 1


def test_lines_share_no_input_between_support_and_query():
    tasks = lines(50, 20, seed=0)
    assert not (tasks.support.x == tasks.query.x.mT).any()


def test_own_points_are_cut_where_the_reader_says():
    tasks = own_points(torch.arange(5.0), torch.arange(5.0) ** 2, shots=3)
    assert tasks.support.x.flatten().tolist() == [0, 1, 2]
    assert tasks.query.y.flatten().tolist() == [9, 16]


@pytest.mark.parametrize(
    ("x", "y", "shots", "sentence"),
    [
        ([0.0, 1.0], [0.0], 1, "two lists of one length"),
        ([0.0, 1.0], [0.0, 1.0], 2, "1 to 1 can be support, not 2"),
        ([0.0, math.nan], [0.0, 1.0], 1, "finite number"),
        ([1.0, 1.0], [2.0, 2.0], 1, "occurs twice"),
    ],
)
def test_own_points_that_make_no_task_are_refused_in_one_sentence(x, y, shots, sentence):
    with pytest.raises(ValueError, match=sentence):
        own_points(torch.tensor(x), torch.tensor(y), shots=shots)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"meta_batch": 0}, "meta_batch .* not 0"),
        ({"shots": 0}, "shots .* not 0"),
        ({"query_shots": MOST_NUMBERS + 1}, f"query_shots .* from 1 to {MOST_NUMBERS}"),
        ({"phase": (1.0, 0.0)}, "two finite ends"),
        ({"amplitude": (0.0, math.inf)}, "two finite ends"),
    ],
)
def test_counts_and_ranges_that_cannot_be_drawn_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        sinusoids(**{"meta_batch": 2, "shots": 2, "seed": 0, **changes})


@pytest.mark.parametrize("spectrum", [(2.0,), (3.0, 0.5, -1.0), tuple(range(1, 31))])
def test_a_bowl_has_the_spectrum_that_was_asked_for(spectrum):
    tasks = bowls(3, spectrum, seed=0, query_spectrum=tuple(2 * value for value in spectrum))
    expected = torch.tensor(sorted(spectrum), dtype=torch.float64)
    for batch, scale in ((tasks.support, 1), (tasks.query, 2)):
        torch.testing.assert_close(torch.linalg.eigvalsh(batch.x), scale * expected.expand(3, -1))


def test_a_bowl_is_zero_at_its_centre_and_half_its_curvature_one_unit_away():
    tasks = bowls(4, (2.0, 2.0), seed=1)
    centre = tasks.support.y.squeeze(-1)
    assert bowl_loss({"point": centre}, tasks.support).tolist() == [0, 0, 0, 0]
    away = centre + torch.tensor([1.0, 0.0])
    torch.testing.assert_close(bowl_loss({"point": away}, tasks.support), torch.ones(4, dtype=torch.float64))


def test_the_gap_separates_the_two_centres():
    near, far = (bowls(5, (1.0, 2.0), seed=0, gap=gap) for gap in (0.0, 0.5))
    assert torch.equal(near.support.y, near.query.y)
    assert ((far.support.y - far.query.y).abs() > 0).all()


@pytest.mark.parametrize("spectra", [((), ()), ((1.0,), (1.0, 2.0))])
def test_spectra_that_do_not_fit_are_refused(spectra):
    with pytest.raises(ValueError, match="two spectra of one length"):
        bowls(1, spectra[0], seed=0, query_spectrum=spectra[1])
