"""The numbers are right in distribution, and two seeds never run through the same tasks."""

import math

import pytest
import torch

from maml_core.meta.sampling import LARGEST, mix, normal, uniform

STEPS, DRAWS = 2000, 550


@pytest.fixture(scope="module")
def draws():
    return uniform(0, torch.arange(STEPS).unsqueeze(-1), torch.arange(DRAWS)).double()


def chi_square(cells, bins):
    """How many standard deviations χ² of these cell numbers is away from its mean."""
    expected = cells.numel() / bins
    statistic = ((torch.bincount(cells.flatten(), minlength=bins) - expected) ** 2 / expected).sum().item()
    return (statistic - (bins - 1)) / math.sqrt(2 * (bins - 1))


def z_of_correlation(x, y):
    return ((x - 0.5) * (y - 0.5)).mean().item() * 12 * math.sqrt(x.numel())


def test_the_mean_and_variance_are_those_of_the_uniform_distribution(draws):
    n = draws.numel()
    assert abs(draws.mean().item() - 0.5) * math.sqrt(12 * n) < 3
    assert abs(draws.var().item() * 12 - 1) < 4 * math.sqrt(0.8 / n)  # kurtosis of the uniform: 1.8


@pytest.mark.parametrize("bins", [256, 4096])
def test_every_cell_is_hit_equally_often(draws, bins):
    assert abs(chi_square((draws * bins).long(), bins)) < 3.5


@pytest.mark.parametrize("shift", ["next draw", "next step"])
def test_pairs_of_neighbours_fill_the_square(draws, shift):
    x, y = (draws[:, :-1], draws[:, 1:]) if shift == "next draw" else (draws[:-1], draws[1:])
    assert abs(chi_square((x * 64).long() * 64 + (y * 64).long(), 4096)) < 3.5


def test_no_lag_shows_a_correlation(draws):
    worst = 0.0
    for lag in range(1, 65):
        worst = max(worst, abs(z_of_correlation(draws[:, :-lag], draws[:, lag:])))
        worst = max(worst, abs(z_of_correlation(draws[:-lag], draws[lag:])))
    assert worst < 4.2  # the largest of 128 standard normals


def test_small_seeds_are_uncorrelated():
    streams = [uniform(s, torch.arange(64).unsqueeze(-1), torch.arange(DRAWS)).double() for s in range(20)]
    pairs = [(x, y) for i, x in enumerate(streams) for y in streams[:i]]
    assert max(abs(z_of_correlation(x, y)) for x, y in pairs) < 4.2


def seeds_that_one_key_would_confuse():
    """Pairs of seeds whose first keys differ in low bits only, with that difference."""
    salt, seeds = 0x3C6EF372, torch.arange(60_000)
    keys, order = mix(seeds ^ salt).sort()
    near = ((keys[1:] ^ keys[:-1]) < 2**16).nonzero().flatten()[:500]
    return order[near].tolist(), order[near + 1].tolist(), (keys[1:] ^ keys[:-1])[near].tolist()


def test_seeds_that_one_key_would_confuse_share_no_step():
    first, second, differences = seeds_that_one_key_would_confuse()
    steps, index = torch.arange(32).unsqueeze(-1), torch.arange(4)
    shared = 0
    for one, other, difference in zip(first, second, differences, strict=True):
        shared += (uniform(one, steps, index) == uniform(other, steps ^ difference, index)).sum().item()
    assert len(first) == 500
    assert shared <= 1  # 64 000 comparisons of 24 bits


def test_one_key_alone_would_share_every_step():
    first, second, differences = seeds_that_one_key_would_confuse()
    steps = torch.arange(32)
    for one, other, difference in zip(first, second, differences, strict=True):
        ours, theirs = mix(one ^ 0x3C6EF372), mix(other ^ 0x3C6EF372)
        assert torch.equal(mix(steps ^ ours), mix(steps ^ difference ^ theirs))


def test_no_two_of_many_seeds_share_a_step():
    seeds, steps = 400, torch.arange(500).unsqueeze(-1)
    words = torch.stack([(uniform(s, steps, torch.arange(2)) * 2**24).long() for s in range(seeds)])
    names = words[..., 0] * 2**24 + words[..., 1]  # 48 bits for each (seed, step)
    assert len(names.unique()) == seeds * 500


def test_mixing_loses_no_word():
    assert len(mix(torch.arange(2**20)).unique()) == 2**20


def test_an_int_and_a_tensor_mix_alike():
    assert mix(123456789) == mix(torch.tensor(123456789)).item()


def test_a_step_given_as_a_tensor_is_the_same_step():
    index = torch.arange(100)
    assert torch.equal(uniform(7, 5, index), uniform(7, torch.tensor(5), index))


def test_normal_numbers_have_the_moments_of_a_gaussian():
    z = normal(3, torch.arange(200).unsqueeze(-1), torch.arange(1000))
    n = z.numel()
    assert abs(z.mean().item()) * math.sqrt(n) < 3
    assert abs(z.var().item() - 1) < 4 * math.sqrt(2 / n)
    assert abs((z**4).mean().item() - 3) < 4 * math.sqrt(96 / n)


@pytest.mark.parametrize("number", [-1, LARGEST + 1])
def test_a_seed_or_step_out_of_range_is_named(number):
    with pytest.raises(ValueError, match=f"seed must be .* from 0 to {LARGEST}, not {number}"):
        uniform(number, 0, torch.arange(1))
    with pytest.raises(ValueError, match=f"step must be .* from 0 to {LARGEST}, not {number}"):
        uniform(0, number, torch.arange(1))
