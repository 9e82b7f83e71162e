"""Every page, in both themes and at both widths: clean, whole, from this server alone."""

import pytest

from pages.ui.syllabus import LESSONS
from tests.browser.conftest import LESSON, PICTURES, Visit, served

pytestmark = pytest.mark.browser
PAGES = ["", "glossary", *(lesson.name for lesson in LESSONS)]


def test_a_deep_link_is_the_first_request_of_a_fresh_server(browser):
    with served() as address:
        visit = Visit(browser, address)
        page = visit.open(LESSON)
        assert page.locator("h1").inner_text() == "3 · One argument: create_graph"
        assert page.get_by_role("link", name="Home").first.is_visible()
        assert not page.get_by_text("Page not found").count()
        assert page.locator(".linked svg").count() == 2
        visit.context.close()
        assert visit.troubles == []


@pytest.mark.parametrize(("width", "theme"), [(1400, "light"), (390, "dark")])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "home")
def test_a_page_is_clean_in_both_themes_and_at_both_widths(visit, path, theme, width):
    page = visit(width=width, theme=theme).open(path)
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("element => element.scrollWidth") <= main.evaluate("element => element.clientWidth")
    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == "rgb(23, 22, 20)"
    assert dark == (theme == "dark")


def test_the_first_screen_of_the_lesson_holds_question_controls_and_picture(visit):
    page = visit().open(LESSON)
    for locator in (page.locator("h1"), page.get_by_role("button", name="larger, same sign")):
        assert locator.bounding_box()["y"] < 300
    graph = page.locator(".linked figure").first.bounding_box()
    assert graph["y"] + graph["height"] <= 900


def test_home_leads_into_the_lesson(visit):
    one = visit()
    page = one.open()
    page.locator(".linked figure.active svg").wait_for()  # home has the views as well
    page.get_by_role("button", name="Start: see why they part").click()
    page.get_by_role("heading", name="3 · One argument: create_graph").wait_for()
    page.locator(".linked figure.active svg").wait_for()
    one.settle()
    assert f"/{LESSON}" in page.url
    assert "sin(2 * x_prime)" in page.locator(".linked .code").inner_text()


def test_the_way_back_finds_the_controls_as_they_were_left_and_a_link_says_otherwise(visit):
    one = visit()
    page = one.open("03_create_graph?x=1.5&ghosts=false")
    by_its_link = page.get_by_role("link", name="3 · One argument: create_graph").first.click
    for come_back in (page.go_back, by_its_link):
        page.get_by_role("link", name="Home").click()
        page.get_by_role("heading", name="Through the Inner Loop").wait_for()
        one.settle()
        come_back()
        page.locator(PICTURES["03"]).first.wait_for()
        page.wait_for_url("**/03_create_graph?*x=1.5*")
        page.get_by_text("x = torch.tensor(1.5").first.wait_for()
        assert not page.get_by_role("checkbox", name="ghosts").is_checked()
        assert page.title() == "3 · One argument: create_graph · Through the Inner Loop"
    page.goto(f"{one.address}/03_create_graph?c=1")
    page.get_by_text("x = torch.tensor(3.0").first.wait_for()
