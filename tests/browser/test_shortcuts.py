"""Lesson 6 in a browser: the map on the first screen, the prediction, a sweep that is stopped, phone and dark."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LESSON = "06_shortcuts"


def checked(page):
    page.locator(".landscape .check.good").wait_for()


def wide(page):
    """How far the page sticks out to the right."""
    return page.evaluate(
        "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth; }"
    )


def test_map_prediction_drag_and_sweep(visit):
    one = visit()
    page = one.open(f"{LESSON}?sweep=m")
    checked(page)
    box = page.locator(".landscape .map").bounding_box()
    assert box["y"] + box["height"] < 900  # question, controls and picture on one screen
    assert page.locator(".landscape .side tbody tr, .landscape .side [data-row]").count() >= 8
    before = page.locator(".landscape .side").inner_text()
    page.locator(".landscape .knob").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".landscape .side")).not_to_have_text(before, use_inner_text=True)
    page.wait_for_url("**theta=**")
    checked(page)
    assert page.locator(".js-plotly-plot .legendtext", has_text="lead changes").count() == 0
    one.reveal()
    page.locator(".js-plotly-plot .legendtext", has_text="lead changes").wait_for()
    page.get_by_text("Closest in angle: first").wait_for()
    page.get_by_text("The one crossing").click()


def test_a_sweep_can_be_stopped_and_goes_on(visit):
    one = visit()
    page = one.open(
        f"{LESSON}?inner_steps=20&m=20&cg=20&sweep=alpha"
    )  # the longest sweep: Stop must come before its end
    page.get_by_role("button", name="just show me").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped after").wait_for()
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Stopped after").wait_for(state="hidden")
    page.get_by_role("button", name="Stop").wait_for(state="hidden", timeout=90000)
    page.get_by_text("Closest in angle:").wait_for()


def test_on_a_phone_in_the_dark_nothing_sticks_out(visit):
    one = visit(width=390, theme="dark")
    page = one.open(f"{LESSON}?sweep=m")
    one.reveal()
    page.locator(".js-plotly-plot .legendtext", has_text="lead changes").wait_for()
    assert wide(page) <= 0
