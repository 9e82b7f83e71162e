"""Layers with a memory, with dice, writes in place, clones: each case's outcome, and the repair that changes it."""

import math

import pytest

from maml_core.practice.layers_topics import TOPICS
from maml_core.practice.layers_tried import try_topic, warm_up

KINDS = {
    "clones": {"nothing copied": "agrees", "clone()": "agrees", "detach().clone()": "none"},
    "BatchNorm": {
        "train()": "agrees",
        "eval()": "agrees",
        "adapt in train(), judge in eval()": "parts",
        "train() under vmap": "raises",
        "no running statistics, under vmap": "agrees",
    },
    "dropout": {
        "a new mask every time": "parts",
        "the same seed every time": "agrees",
        "eval()": "agrees",
        "train() under vmap": "raises",
    },
    "in place": {
        "a leaf, sub_": "raises",
        "a leaf, sub_ under no_grad": "parts",
        "a clone, sub_": "raises",
        "a clone, .data.sub_": "parts",
        "ReLU(inplace=True)": "agrees",
        "the input, add_": "agrees",
    },
}


def found(topic):
    """A topic's cases by title."""
    return dict(zip([case.title for case in TOPICS[topic].cases], try_topic(topic), strict=True))


@pytest.mark.parametrize("topic", TOPICS)
def test_each_case_comes_out_as_its_sentence_says(topic):
    assert {title: one.kind for title, one in found(topic).items()} == KINDS[topic]


def twice(topic, title):
    first, second = found(topic)[title].losses
    return first == second


def test_what_has_a_memory_answers_differently_the_second_time():
    assert not twice("BatchNorm", "adapt in train(), judge in eval()")
    assert not twice("dropout", "a new mask every time")
    assert not twice("in place", "a leaf, sub_ under no_grad")
    assert not twice("in place", "the input, add_")
    assert twice("BatchNorm", "train()")
    assert twice("dropout", "the same seed every time")
    assert twice("in place", "a clone, .data.sub_")


def test_batchnorm_in_training_moves_its_averages_although_its_gradient_is_exact():
    assert found("BatchNorm")["train()"].memory > 0
    assert found("BatchNorm")["eval()"].memory == 0


def test_without_its_memory_batchnorm_under_vmap_is_batchnorm_in_training():
    alone, together = (found("BatchNorm")[title].slope for title in ("train()", "no running statistics, under vmap"))
    assert math.isclose(alone, together, rel_tol=1e-10)


def test_a_clone_changes_no_digit_that_matters():
    assert found("clones")["clone()"] == found("clones")["nothing copied"]


def test_with_new_masks_the_difference_is_divided_by_the_nudge():
    new = found("dropout")["a new mask every time"]
    assert abs(new.nudged) > 100 * abs(new.slope)


@pytest.mark.parametrize(
    ("topic", "title", "words"),
    [
        ("BatchNorm", "train() under vmap", "track_running_stats"),
        ("dropout", "train() under vmap", "randomness"),
        ("in place", "a leaf, sub_", "leaf Variable"),
        ("in place", "a clone, sub_", "modified by an inplace operation"),
    ],
)
def test_a_refusal_is_in_pytorch_s_words(topic, title, words):
    assert words in found(topic)[title].words


def test_a_topic_is_tried_once_and_before_a_reader_asks():
    try_topic.cache_clear()
    warm_up()
    assert try_topic.cache_info().currsize == len(TOPICS)
    assert try_topic("dropout") is try_topic("dropout")
