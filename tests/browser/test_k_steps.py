"""Lesson 5 in a browser: the first screen, the measurement with its Stop, the link that restores it, the phone."""

import re

import pytest

pytestmark = pytest.mark.browser
LESSON = "05_k_steps"


def skip_question(one):
    """Answer the first question on the page that is still open."""
    answered = one.page.get_by_text("The answer:").count()
    one.page.get_by_role("button", name="just show me").first.click()
    one.page.get_by_text("The answer:").nth(answered).wait_for()
    one.settle()


def test_the_lesson_from_its_first_screen_to_a_measurement_that_stops_and_goes_on(visit):
    one = visit()
    page = one.open(f"{LESSON}?k_units=40&k_shots=200")  # the longest measurement: it must not end before the Stop
    for locator in (page.locator("h1"), page.get_by_role("button", name="not at all")):
        assert locator.bounding_box()["y"] < 300
    for chart in page.locator("[data-testid=stPlotlyChart]").all()[:2]:
        box = chart.bounding_box()
        assert box["y"] + box["height"] <= 900
    skip_question(one)
    page.get_by_text("independent ways give the same meta-gradient").wait_for()
    page.get_by_text("wrong =").wait_for()
    one.settle()
    page.get_by_role("button", name="just show me").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(re.compile(r"Stopped after \d+ of \d+ runs")).wait_for()
    page.get_by_role("button", name="Go on measuring").click()
    page.get_by_text("Measuring on this server").wait_for()
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text("Derivation: the product of k steps, in both layouts").click()
    page.locator(".katex .tag", has_text="ledger").wait_for()


def test_a_slider_moves_the_pictures_and_the_link_restores_them(visit):
    one = visit()
    page = one.open(f"{LESSON}?k_task=bowl&k_alpha=0.05")
    slider = page.get_by_role("slider", name="inner_steps, k")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**k_steps=6**")
    one.settle()
    page.locator("[data-testid=stPlotlyChart]").nth(1).get_by_text("step 5").wait_for()
    one.settle()  # the button comes long after the picture
    with page.expect_download() as download:
        page.get_by_role("button", name="Script that reproduces it").click()
    assert "inner_lr, inner_steps = 0.05, 6" in download.value.path().read_text()
    copied = visit()
    copy = copied.open(page.url.split("/", 3)[3])
    copy.locator("[data-testid=stPlotlyChart]").nth(1).get_by_text("step 5").wait_for()
    assert copy.get_by_role("radio", name="bowl").is_checked()


def test_a_phone_measures_to_the_end_and_nothing_scrolls_sideways(visit):
    one = visit(width=390)
    page = one.open(f"{LESSON}?k_units=4&k_shots=10")
    skip_question(one)
    skip_question(one)
    page.get_by_text("in float32 is 4 TB").wait_for(timeout=120_000)
    page.get_by_role("button", name="Stop").wait_for(state="hidden")
    for title in ("Derivation: the product of k steps, in both layouts", "Derivation: the stop-gradient identity"):
        page.get_by_text(title).click()
    one.settle()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("element => element.scrollWidth") <= main.evaluate("element => element.clientWidth")
