"""Lesson 2 in a browser: cutting, stepping forward and backward, linking, typing, the link that restores it all."""

import pytest

pytestmark = pytest.mark.browser
LESSON = "02_where_gradients_go"
EDITED = ".linked figure[data-panel=edited]"
LIT = "el => el.classList.contains('on')"


@pytest.fixture
def lesson(visit):
    one = visit()
    one.open(LESSON)
    one.reveal()
    return one


def choose(one, operation):
    """Pick an operation from the list, and wait until its program is drawn."""
    box = one.page.get_by_role("combobox", name="insert")
    box.click()
    one.page.get_by_role("option", name=operation, exact=True).click()
    one.page.locator(".linked figure b", has_text=f"with {operation}").wait_for()
    one.settle()


def test_the_first_screen_holds_question_controls_and_picture(visit):
    page = visit().open(LESSON)
    for locator in (page.locator("h1"), page.get_by_role("button", name="an error"), page.get_by_label("insert")):
        assert locator.first.bounding_box()["y"] < 300
    graph = page.locator(".linked figure").first.bounding_box()
    assert graph["y"] + graph["height"] <= 900


def test_choosing_an_operation_redraws_the_graph_and_the_verdict(lesson):
    page = lesson.page
    assert page.locator(f"{EDITED} g.node.k-kept").count() == 1
    choose(lesson, "detach()")
    assert page.locator(f"{EDITED} g.node.ghost").count() == 5
    assert page.locator(".linked figure[data-panel=written] g.node.k-cut").count() == 5
    page.get_by_text("does not require grad").wait_for()
    assert page.locator(".linked li.failed").inner_text().split("\n")[-1] == "✗ stops here"
    assert page.locator(".linked li.never").count() == 1


def test_the_line_can_be_chosen(lesson):
    lesson.page.get_by_text("loss", exact=True).first.click()
    lesson.page.locator(".linked .code", has_text="loss = loss.clone()").wait_for()


def test_an_edge_that_a_new_node_interrupts_is_a_ghost_in_one_graph_only(lesson):
    page = lesson.page
    edge = ".linked figure[data-panel={}] g.edge[data-from=x][data-to^=L5]"
    assert "ghost" in page.locator(edge.format("edited")).get_attribute("class")
    assert "ghost" not in page.locator(edge.format("written")).get_attribute("class")


def test_the_stepper_walks_forward_and_then_backward_and_gradients_arrive(lesson):
    page = lesson.page
    time = page.locator(".linked .play input")
    hidden = f"() => [...{ROOT}.querySelectorAll('{EDITED[8:]} g.node.waiting tspan')].filter(t => " + (
        "getComputedStyle(t).visibility === 'hidden').length"
    )
    time.focus()
    page.keyboard.press("Home")
    assert page.locator(".linked .play output").inner_text() == "1/6"
    assert page.evaluate(hidden) == 6
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator(".linked .play output").inner_text() == "6/6"
    assert page.locator(f"{EDITED} g.node.later").count() == 0
    page.keyboard.press("ArrowRight")
    assert page.locator(".linked .play output").inner_text() == "backward 1/6"
    assert page.evaluate(hidden) == 5
    assert "1 - y (line 7)" in page.locator(".linked .status").inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.locator(".linked .play output").inner_text() == "backward 4/6"
    assert "SubBackward0" in page.locator(".linked .status").inner_text()
    assert page.evaluate(hidden) == 2
    page.keyboard.press("Escape")
    assert page.evaluate(hidden) == 0


ROOT = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.linked')).find(Boolean)"


def test_playing_goes_through_both_directions(lesson):
    page = lesson.page
    time = page.locator(".linked .play input")
    time.focus()
    for _ in range(7):
        page.keyboard.press("ArrowLeft")
    page.locator(".linked [data-do=play]").click()
    page.locator(".linked .play output", has_text="backward").wait_for()
    page.locator(".linked .play output", has_text="12/12").wait_for()


def test_before_the_prediction_the_backward_walk_of_the_edited_program_is_not_sent(visit):
    one = visit()
    page = one.open(LESSON)
    gradients = page.locator(f"{EDITED} g.node tspan").all_text_contents()
    assert gradients
    assert all(text.strip() == "∂ ?" for text in gradients)


def test_a_failed_backward_pass_steps_only_as_far_as_it_came(visit):
    one = visit()
    page = one.open(f"{LESSON}?op=add_(1)&line=y")
    one.reveal()
    shown = page.locator(f"{EDITED} g.node tspan").all_text_contents()
    assert sum(text.strip() == "∂ –" for text in shown) == 2  # SubBackward0 and the leaf


def test_pointing_links_code_graph_algebra_and_numbers(lesson):
    page = lesson.page
    page.locator('.linked .code [data-key="L4c9-23"]').hover()
    assert page.locator(f"{EDITED} g.node.k-kept").evaluate(LIT)
    assert page.locator(".linked .detail tr.k-kept").evaluate(LIT)
    assert page.locator('.linked .algebra [data-ids^="L4c9-23"].on').count() >= 1
    assert "x_copy.clone() (line 4)" in page.locator(".linked .status").inner_text()


def test_the_keyboard_reaches_lines_and_nodes(lesson):
    page = lesson.page
    page.locator('.linked button.n[data-line="6"]').focus()
    assert page.locator(f"{EDITED} g.node.on").count() == 2  # the power and the product
    page.locator(f"{EDITED} g.node[tabindex='0']").focus()
    focused = f"{ROOT}.getRootNode().activeElement.dataset.id"
    start = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) != start
    page.keyboard.press("Escape")
    assert page.locator(".linked g.node.on").count() == 0


def test_switching_the_run_switches_code_and_algebra_without_the_server(lesson):
    page = lesson.page
    code, algebra = page.evaluate(
        f"""() => {{ const root = {ROOT};
        root.querySelector('button[data-run=written]').click();
        return [root.querySelector('.code').textContent, root.querySelector('.algebra').textContent]; }}"""
    )
    assert "clone" not in code
    assert "clone" not in algebra


def test_typing_an_expression_redraws_and_a_mistake_keeps_what_was_typed(lesson):
    page = lesson.page
    field = page.get_by_role("textbox", name="y", exact=True)
    field.fill("2 * x_copy**4 +")
    field.press("Enter")
    page.get_by_text("Something is missing").wait_for()
    assert field.input_value() == "2 * x_copy**4 +"
    assert "y = 2 * x_copy**4" in page.locator(".linked .code").inner_text()
    page.locator("[data-testid=stCode]", has_text="^").first.wait_for()
    field.fill("2 * x_copy**4 + x")
    field.press("Enter")
    page.locator(".linked .code", has_text="x_copy**4 + x").wait_for()
    lesson.settle()
    assert page.get_by_text("Something is missing").count() == 0


def test_a_link_restores_every_control(lesson, visit):
    page = lesson.page
    choose(lesson, "deepcopy()")
    page.get_by_role("textbox", name="y", exact=True).fill("x_copy**2 + w")
    page.get_by_role("textbox", name="y", exact=True).press("Enter")
    page.locator(".linked .code", has_text="x_copy**2 + w").wait_for()
    page.locator(".linked button[data-run=written]").click()
    page.wait_for_url("**run=written**")
    lesson.settle()
    copied = visit()
    copy = copied.open(page.url.split("/", 3)[3])
    copied.reveal()
    assert copy.locator(".linked .code").inner_text() == page.locator(".linked .code").inner_text()
    assert copy.locator(f"{EDITED} b").inner_text() == "with deepcopy()"
    assert copy.locator(".linked").get_attribute("data-run") == "written"


def test_the_script_can_be_saved(lesson):
    with lesson.page.expect_download() as download:
        lesson.page.get_by_role("button", name="Script that reproduces it").click()
    text = download.value.path().read_text()
    assert "x_copy = x_copy.clone()" in text
    assert LESSON in text


@pytest.mark.parametrize("operation", ["clone()", "detach()", "deepcopy()", "add_(1)"])
def test_a_phone_shows_the_edited_graph_whole(visit, operation):
    one = visit(width=390)
    page = one.open(f"{LESSON}?op={operation}")
    page.locator(EDITED).wait_for()
    one.reveal()
    assert not page.locator(".linked figure[data-panel=written]").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("element => element.scrollWidth") <= main.evaluate("element => element.clientWidth")
    assert page.locator(".linked .paths tfoot td:last-child").is_visible()  # below the product of each path
    table = page.get_by_test_id("stTable").nth(1)  # the map
    assert table.evaluate("table => table.querySelector('table').getBoundingClientRect().right") <= 390
