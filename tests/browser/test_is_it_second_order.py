"""Lesson 10 in a browser: guessing, browsing, filtering, a file from a stranger, the link that restores it all."""

import io
import json

import pytest
import torch

from maml_core.meta.trees import unflatten
from maml_core.practice.loops.landmarks import landmarks
from maml_core.practice.loops.problem import as_json, published

pytestmark = pytest.mark.browser
LESSON = "10_is_it_second_order"


def choose(one, control, option):
    one.page.get_by_role("combobox", name=control).click()
    one.page.get_by_role("option", name=option, exact=True).click()
    one.settle()


def test_a_visit_guesses_filters_and_leaves_a_link(visit):
    one = visit()
    page = one.open(LESSON)
    for locator in (page.locator("h1"), page.get_by_role("button", name="None", exact=True)):
        assert locator.first.bounding_box()["y"] < 300
    picture = page.locator("[data-testid=stPlotlyChart]").first.bounding_box()
    assert picture["y"] + picture["height"] <= 900
    page.get_by_text("Reptile", exact=True).wait_for()  # the picture is drawn
    assert page.get_by_text("this loop", exact=True).count() == 0

    page.get_by_role("button", name="the first-order gradient").click()
    page.get_by_text("and so it is").wait_for()
    one.settle()
    page.get_by_text("this loop", exact=True).first.wait_for()
    page.get_by_text("The repair, line by line").click()
    page.get_by_text("+    phi = dict(model.named_parameters())").wait_for()
    assert page.get_by_role("link", name="hoyeoplee/MeLU#9").get_attribute("href").endswith("/issues/9")

    choose(one, "symptom", "my gradient is zero")
    page.locator("[data-testid=stCode]", has_text="torch.func.grad_and_value").first.wait_for()
    page.get_by_text("Every number in").wait_for()  # a symptom gives the answer away, so nothing is asked
    page.get_by_text("1 of 1 predictions right").wait_for()
    page.wait_for_url("**symptom=**")
    one.settle()
    copy = visit().open(page.url.split("/", 3)[3])
    copy.locator("[data-testid=stCode]", has_text="torch.func.grad_and_value").first.wait_for()

    with page.expect_download() as script:
        page.get_by_role("button", name="Script that reproduces it").click()
    assert "def meta_step" in script.value.path().read_text()


def test_a_stranger_s_files_are_judged_or_refused(visit):
    one = visit(width=390, theme="dark")
    page = one.open(LESSON)
    with page.expect_download() as download:
        page.get_by_role("button", name="problem.json").click()
    assert download.value.path().read_text() == as_json()

    leaves = unflatten(landmarks()["first order"], published().theta)
    answer = json.dumps({name: leaf.tolist() for name, leaf in leaves.items()}).encode()
    upload(one, "meta_gradient.json", answer)
    page.get_by_text("this is ∇L_q(φ), to float64's rounding").wait_for()

    pickled = io.BytesIO()
    torch.save(leaves, pickled)
    upload(one, "meta_gradient.safetensors", pickled.getvalue())
    page.get_by_text("This is a pickle").wait_for()
    upload(one, "huge.json", b" " * 1_100_000)
    page.get_by_text("This is about meta_gradient.safetensors, the last file that was taken.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def upload(one, name, data):
    field = one.page.locator("input[type=file]")
    field.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})
    one.settle()
