"""Lesson 8 in a browser: the bet, the default race to its end, a race that is stopped or found again, a phone."""

import re

import pytest

pytestmark = pytest.mark.browser
LESSON = "08_race"
LONG = 180_000  # ms: the default race takes thirteen seconds on two idle cores
TRAINED = re.compile(r"· (?!0\.0 s)")  # some leg has come to its first mark


def sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_default_race_is_bet_on_run_to_its_end_and_left_and_found_again(visit):
    one = visit()
    page = one.open(LESSON)
    page.get_by_text("Recorded earlier").wait_for()
    page.get_by_role("button", name="maml", exact=True).last.click()
    page.get_by_text("ends lowest with every seed").first.wait_for()
    one.settle()
    page.get_by_role("button", name="Start").click()
    page.locator(".live .numbers", has_text="of 9 legs").wait_for()
    page.locator(".live .scatterlayer .trace").first.wait_for(state="attached")
    one.settle()
    page.get_by_role("link", name="The sinusoid lab").last.click()
    page.locator("h1", has_text="The sinusoid lab").wait_for()
    one.settle()
    page.get_by_role("link", name="The race").last.click()
    page.locator(".live .words", has_text="Racing").wait_for()
    page.locator(".live .words", has_text="All legs are at their end").wait_for(timeout=LONG)
    page.locator("[data-testid=stTable]").wait_for()
    assert page.get_by_text("maml ends lowest with every seed").count()
    with page.expect_download() as download:
        page.get_by_role("button", name="All marks as CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert len(rows) == 1 + 9 * 11


def test_a_race_is_stopped_on_a_phone_and_a_link_brings_its_set_up_without_its_result(visit):
    one = visit(width=390)
    page = one.open(f"{LESSON}?entrants=fomaml&entrants=anil&race_iterations=2000&race_seeds=2&equal=iterations")
    assert not sideways(page)
    page.get_by_role("button", name="Start").click()
    page.locator(".live .numbers", has_text=TRAINED).wait_for(timeout=LONG)
    page.get_by_role("button", name="Stop").click()
    page.locator("[data-testid=stTable]").wait_for()
    one.settle()
    assert page.locator(".live .words").inner_text() == "Stopped; what has been run stays."
    assert not sideways(page)
    address = page.url.split("/")[-1]
    page.get_by_role("link", name="The sinusoid lab").last.click()
    page.locator("h1", has_text="The sinusoid lab").wait_for()
    one.settle()
    page.get_by_role("link", name="The race").last.click()
    page.locator("[data-testid=stSlider]", has_text="outer steps").get_by_text("2000", exact=True).wait_for()
    page.wait_for_url("**race_iterations=2000**")
    two = visit().open(address)
    two.get_by_text("Recorded earlier").wait_for()
    two.locator("[data-testid=stSlider]", has_text="outer steps").get_by_text("2000", exact=True).wait_for()


def test_a_race_is_found_again_after_a_reload_and_goes_where_its_reader_goes(visit):
    one = visit()
    page = one.open(f"{LESSON}?entrants=fomaml&entrants=anil&race_iterations=10000&race_seeds=1")
    page.get_by_role("button", name="Start").click()
    page.locator(".live .numbers", has_text="of 2 legs").wait_for()
    one.settle()
    for _ in range(2):
        page.reload()
        page.locator(".live .words", has_text="Racing").wait_for()
        one.settle()
    with one.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")  # what "duplicate tab" does: the storage goes with it
    other = opened.value
    other.locator(".live .words", has_text="Racing").wait_for()
    page.bring_to_front()
    page.get_by_text("This run moved to another tab of yours.").wait_for()
    page.get_by_role("button", name="Bring it here").click()
    page.locator(".live .words", has_text="Racing").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".live .words", has_text="Stopped").wait_for()
    other.close()
    one.settle()
    page.reload()
    page.locator(".live .words", has_text="Stopped").wait_for()


def test_a_race_that_is_run_again_has_its_table_again(visit):
    one = visit()
    page = one.open(f"{LESSON}?entrants=fomaml&entrants=anil&race_iterations=300&race_seeds=1")
    for label in ("Start", "Run it again"):
        page.get_by_role("button", name=label).click()
        page.locator(".live .words", has_text="Racing").wait_for()
        page.locator(".live .words", has_text="All legs are at their end").wait_for(timeout=LONG)
        page.locator("[data-testid=stTable]").wait_for()
        one.settle()
