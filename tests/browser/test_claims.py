"""Lesson 12 and the glossary's links in a real browser."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_all_claims_stand_on_the_first_screen_and_a_line_opens_judges_and_stays_open(visit):
    one = visit()
    page = one.open("12_claims")
    lines = page.locator(".st-key-claims summary")
    lines.nth(44).wait_for()
    assert max(line.bounding_box()["y"] + line.bounding_box()["height"] for line in lines.all()) <= 900
    assert not any(line.evaluate("line => line.scrollWidth > line.clientWidth") for line in lines.locator("p").all())
    lines.nth(6).click()
    page.get_by_role("button", name="False", exact=True).dblclick()
    page.get_by_text("Right: you said false").wait_for()
    page.locator(".st-key-run-all").get_by_text("1 false").wait_for()
    one.settle()
    assert page.locator(".st-key-claims details[open]").count() == 1
    page.locator(".st-key-claims").get_by_role("link", name="Lesson 3 explains it").click()
    page.locator(".linked figure.active svg").wait_for()


def test_a_term_in_the_prose_leads_to_its_entry_and_tells_its_meaning(visit):
    page = visit().open("12_claims")
    link = page.locator("p a[href^='glossary#']").first
    assert link.get_attribute("title").startswith("Model-agnostic meta-learning")
    with page.context.expect_page() as opened:  # in a tab of its own: this one keeps what was done on it
        link.click()
    entry = opened.value.locator("#maml")
    entry.wait_for()
    opened.value.wait_for_function("document.querySelector('#maml').getBoundingClientRect().top < innerHeight")
