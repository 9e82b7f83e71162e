"""Every loop on the bench: what it computes is what its run says, and its repair computes the meta-gradient."""

import inspect
import threading
from importlib import metadata

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jacrev
from torch.testing import assert_close

from maml_core.meta.trees import flatten
from maml_core.practice.loops import with_libraries
from maml_core.practice.loops.bench import ALL, BENCH, SYMPTOMS, examine, examine_repaired
from maml_core.practice.loops.judging import DOUBLE, judge, marks
from maml_core.practice.loops.landmarks import LABELS, checked, landmarks
from maml_core.practice.loops.plain import no_create_graph, plain_maml
from maml_core.practice.loops.problem import ALPHA, STEPS, network, published
from maml_core.practice.loops.trying import attempt, direction, own_gradient

# What each must turn out to be, with the name of the vector; said once more here, so that a loop whose library
# changes its mind is noticed.
EXPECTED = {
    "load_state_dict": ("first order", "first order"),
    "functional_call, create_graph=True": ("exact", "exact"),
    "functional_call, no options": ("first order", "first order"),
    "functional_call, retain_graph=True": ("first order", "first order"),
    "g.detach() in the update": ("first order", "first order"),
    "a hook on every parameter": ("first order", "first order"),
    "phi detached": ("raises", ""),
    "phi detached, requires_grad_()": ("None", ""),
    "update under no_grad": ("raises", ""),
    "model() in every step": ("wrong", "one step"),
    "one set for both losses": ("wrong", "support as query"),
    "query prediction first": ("wrong", "no adaptation"),
    "clone().detach() at the start": ("None", ""),
    "deepcopy and .data": ("None", ""),
    "SGD on a deepcopy": ("None", ""),
    "SGD on the model": ("wrong", "late leak"),
    "p -= alpha * g": ("first order", "first order"),
    "backward() in every step": ("wrong", "leak"),
    "eval() for the query": ("wrong", ""),
    "higher, defaults": ("None", ""),
    "higher, copy_initial_weights=False": ("exact", "exact"),
    "higher, track_higher_grads=False": ("None", ""),
    "higher, grad_callback": ("first order", "first order"),
    "higher, grad at fmodel.parameters()": ("first order", "first order"),
    "higher, Adam": ("exact", "exact"),
    "torchopt, MetaSGD": ("exact", "exact"),
    "torchopt, stop_gradient": ("None", ""),
    "torch.func, grad of grad": ("exact", "exact"),
    "torch.func, detach": ("zero", ""),
    "torch.func, jacfwd": ("raises", ""),
    "by hand, Hessian-vector products": ("wrong", "wrong order"),
    "learn2learn's pattern": ("exact", "exact"),
    "learn2learn's pattern, first_order=True": ("first order", "first order"),
    "learn2learn's pattern, model() at the end": ("wrong", "no adaptation"),
}


def test_every_loop_on_the_bench_has_an_expectation():
    assert set(EXPECTED) == set(BENCH)
    assert {verdict for verdict, _ in EXPECTED.values()} == {
        "exact",
        "first order",
        "zero",
        "None",
        "wrong",
        "raises",
    }


@pytest.mark.parametrize("title", BENCH)
def test_the_run_says_what_a_loop_computes(title):
    finding = examine(title).finding
    assert (finding.verdict, finding.known_as) == EXPECTED[title]


@pytest.mark.parametrize("title", [title for title in BENCH if EXPECTED[title][0] != "exact"])
def test_the_repair_makes_it_exact(title):
    assert examine_repaired(title).finding.verdict == "exact"
    assert BENCH[title].repair.endswith((".", ")"))
    assert BENCH[title].source != BENCH[title].repaired_source


@pytest.mark.parametrize("title", [title for title in BENCH if EXPECTED[title][0] == "exact"])
def test_what_is_exact_needs_no_repair(title):
    assert BENCH[title].repaired is None
    with pytest.raises(ValueError, match="needs no repair"):
        examine_repaired(title)


@pytest.mark.parametrize("title", BENCH)
def test_an_exact_gradient_promises_the_slope_of_the_loss_and_a_cut_one_does_not(title):
    seen = examine(title)
    if seen.finding.verdict in ("exact",) or seen.finding.known_as in (
        "one step",
        "support as query",
        "no adaptation",
    ):
        assert seen.promised == pytest.approx(seen.slope, rel=1e-7)
    elif seen.promised is not None:
        assert seen.promised != pytest.approx(seen.slope, rel=1e-2)


@pytest.mark.parametrize("title", BENCH)
def test_symptoms_are_read_off_the_run(title):
    seen = examine(title)
    assert seen.symptoms
    assert set(seen.symptoms) <= set(SYMPTOMS)
    assert ("None" in seen.symptoms) == (seen.finding.verdict == "None")
    assert ("still" in seen.symptoms) == (seen.finding.verdict in ("None", "zero"))
    assert ("moved" in seen.symptoms) == (title == "p -= alpha * g")
    assert ("unadapted" in seen.symptoms) == (seen.finding.known_as == "no adaptation")


def test_every_symptom_has_a_loop():
    assert set().union(*(examine(title).symptoms for title in BENCH)) == set(SYMPTOMS)
    assert ALL not in SYMPTOMS.values()


@pytest.mark.parametrize("title", BENCH)
def test_the_code_shown_is_the_code_that_runs_and_its_name_tells_nothing(title):
    loop = BENCH[title]
    assert "def meta_step(model, support, query, alpha, steps):" in loop.source
    assert f"def {loop.run.__name__}(" not in loop.source
    assert all(line.strip() in loop.source for line in _lines_of(loop.run))


def _lines_of(function):
    return inspect.getsource(function).splitlines()[1:]


def test_threads_are_those_that_were_read():
    read = {
        *(f"facebookresearch/higher#{number}" for number in (30, 37, 54, 63, 90, 128, 129)),
        *(f"dragen1860/MAML-Pytorch#{number}" for number in (17, 26, 32, 63)),
        *(f"learnables/learn2learn#{number}" for number in (152, 153, 154, 169, 420)),
        *("hoyeoplee/MeLU#9", "tristandeleu/pytorch-maml#21", "metaopt/torchopt#218"),
    }
    used = {thread for loop in BENCH.values() for thread in loop.threads}
    assert used == read
    assert BENCH["load_state_dict"].links == {"hoyeoplee/MeLU#9": "https://github.com/hoyeoplee/MeLU/issues/9"}


def test_the_versions_on_the_page_are_those_that_run():
    for name in (with_libraries.HIGHER, with_libraries.TORCHOPT):
        library, version = name.split()
        assert metadata.version(library) == version


# ---- the reference itself ----


def test_the_meta_gradient_is_the_same_by_four_ways_one_of_which_takes_no_derivative():
    assert checked().agrees
    assert checked().difference < 1e-8
    assert len(checked().ways) == 4


def test_the_meta_gradient_is_what_torch_func_computes_of_the_same_lines():
    module, problem = network(published().theta), published()

    def loss(params, batch):
        return nn.functional.mse_loss(functional_call(module, params, batch.x), batch.y)

    def meta_loss(phi):
        for _ in range(STEPS):
            inner = grad(loss)(phi, problem.support)
            phi = {name: p - ALPHA * inner[name] for name, p in phi.items()}
        return loss(phi, problem.query)

    assert_close(landmarks()["exact"], flatten(jacrev(meta_loss)(problem.theta)), rtol=1e-10, atol=1e-12)


def test_landmarks_are_far_enough_apart_to_tell_in_float32():
    known = landmarks()
    assert set(known) == set(LABELS)
    names = list(known)
    assert min((known[a] - known[b]).norm() / known[b].norm() for a in names for b in names if a != b) > 0.05
    assert {mark.name: mark.degrees for mark in marks()}["exact"] == pytest.approx(0, abs=1e-9)


def test_the_leak_is_the_first_order_gradient_plus_reptiles():
    known = landmarks()
    assert_close(known["leak"], known["first order"] + known["reptile"])


# ---- the judge ----


def test_a_multiple_of_a_known_vector_is_recognised_with_its_factor():
    parts = _by_leaf(-2.5 * landmarks()["exact"])
    finding = judge(parts)
    assert (finding.verdict, finding.known_as) == ("wrong", "exact")
    assert finding.factor == pytest.approx(-2.5)
    assert finding.name == "−2.5 times the meta-gradient"
    assert (finding.degrees, finding.length) == (pytest.approx(180), pytest.approx(2.5))


FACTORS = {
    4: "4 times",
    9.99995: "10 times",
    1 / 3: "1/3 of",
    0.1: "1/10 of",
    -1: "−1 times",
    -0.5: "−1/2 of",
    1.01: "1.01 times",
    1234.5: "1234.5 times",
    1e90: "1·10⁹⁰ times",
    1e-90: "1·10⁻⁹⁰ times",
}


@pytest.mark.parametrize(("factor", "words"), FACTORS.items())
def test_a_factor_is_said_as_people_would(factor, words):
    assert judge(_by_leaf(factor * landmarks()["exact"])).name == f"{words} the meta-gradient"


def test_a_small_mistake_is_no_rounding():
    vector = landmarks()["exact"].clone()
    vector[3] *= 1 + 1e-6
    finding = judge(_by_leaf(vector))
    assert finding.verdict == "wrong"
    assert finding.known_as == ""
    assert DOUBLE < finding.difference < 1e-5


def test_none_and_zero_are_two_things():
    assert judge({}).verdict == "None"
    assert judge(_by_leaf(torch.zeros(25, dtype=torch.float64))).verdict == "zero"


def _by_leaf(vector):
    parts = vector.split([leaf.numel() for leaf in published().theta.values()])
    return {
        name: part.reshape(leaf.shape) for (name, leaf), part in zip(published().theta.items(), parts, strict=True)
    }


# ---- running strangers' code ----


def test_a_run_leaves_no_trace_and_repeats_itself():
    theta = {name: leaf.clone() for name, leaf in published().theta.items()}
    state = torch.get_rng_state()
    first, second = attempt(plain_maml, published().theta), attempt(plain_maml, published().theta)
    assert first.query_loss == second.query_loss
    assert all(torch.equal(first.gradient[name], second.gradient[name]) for name in theta)
    assert all(torch.equal(theta[name], leaf) for name, leaf in published().theta.items())
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_default_dtype() == torch.float32


def test_readers_at_once_get_the_same_as_one_alone():
    titles = [
        "torch.func, jacfwd",
        "higher, copy_initial_weights=False",
        "torchopt, MetaSGD",
        "torch.func, grad of grad",
    ]
    found, expected = [], {title: _bits(title) for title in titles}

    def read(title):
        found.extend(_bits(title) == expected[title] for _ in range(4))

    threads = [threading.Thread(target=read, args=(title,)) for title in titles for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 32


def _bits(title):
    loop = BENCH[title]
    trial = attempt(loop.repaired or loop.run, published().theta)
    return trial.error, flatten(trial.gradient).tolist()


def test_the_slope_of_its_own_loss_is_what_a_loop_is_held_to():
    v = direction()
    assert float(v.norm()) == pytest.approx(1)
    assert_close(own_gradient(no_create_graph), landmarks()["exact"], rtol=1e-6, atol=1e-8)
