"""Lesson 9 in a real browser: an attempt is chosen and guessed, the picture follows, a phone shows it whole."""

import pytest

pytestmark = pytest.mark.browser

LESSON = "09_any_module"


def test_an_attempt_is_guessed_and_the_picture_follows(visit):
    one = visit()
    page = one.open(LESSON)
    page.locator(".js-plotly-plot").wait_for()
    assert page.locator(".js-plotly-plot").bounding_box()["y"] < 700  # question, controls, picture on one screen
    page.get_by_role("button", name="nothing: an error").click()
    page.get_by_text("and so it is").wait_for()
    page.get_by_text("never got as far as").first.wait_for()
    page.get_by_text("6 functional_call").first.click()
    page.get_by_role("button", name="another vector").click()
    page.get_by_text("away from the meta-gradient").wait_for()
    page.wait_for_url("**attempt=6*")
    one.settle()
    page.get_by_text("dropout", exact=True).first.click()
    page.get_by_text("a new mask every time").first.wait_for()
    one.settle()
    with page.expect_download() as download:
        page.get_by_role("button", name="Script that reproduces it").click()
    assert "def functional(" in download.value.path().read_text()


def test_an_error_is_a_result_on_a_phone(visit):
    one = visit(width=390, theme="dark")
    page = one.open(f"{LESSON}?attempt=3+allow+unused&network=OmniglotCNN&topic=in+place")
    page.get_by_role("button", name="just show me").click()
    page.get_by_text("can't multiply sequence by non-int").first.wait_for()
    one.settle()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
