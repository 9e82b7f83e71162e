"""Lesson 1 in a browser: the ledger, the moments, what is freed, and an expression typed by hand."""

import pytest

pytestmark = pytest.mark.browser
PAGE = "01_backward_and_grad"
LIT = "el => el.classList.contains('on')"
LONG = "sin(cos(sin(cos(sin(cos(x1%2Bx2*x3**2))))))*exp(x1*x2)/sqrt(1%2Bx3**2)-tanh(x1*x3)"
CUT = "(boxes) => boxes.filter(box => box.scrollWidth > box.clientWidth).length"
TOO_WIDE = """nodes => nodes.filter(node => [...node.querySelectorAll('text')].some(
    text => text.getBBox().width > node.querySelector('path').getBBox().width)).length"""
PANEL = ".linked figure.active"


@pytest.fixture
def lesson(visit):
    one = visit()
    one.open(PAGE)
    one.reveal()
    return one


def cells(page, line):
    return page.locator(f'.linked li[data-line="{line}"] .cells span').all_inner_texts()


def moment(page, line):
    page.locator(".linked .switch button", has_text=f"line {line}").click()


def test_the_first_screen_holds_question_controls_and_picture(visit):
    page = visit().open(PAGE)
    for locator in (page.locator("h1"), page.get_by_role("button", name="twice that")):
        assert locator.bounding_box()["y"] < 320
    graph = page.locator(PANEL).bounding_box()
    assert graph["y"] + graph["height"] <= 900


def test_the_ledger_stands_beside_the_code(lesson):
    assert cells(lesson.page, 6) == ["7200", "5400", "4320", "28 B"]
    assert cells(lesson.page, 7) == ["14400", "10800", "8640", "0 B"]


def test_choosing_a_line_frees_the_graphs_in_turn_without_the_server(lesson):
    page = lesson.page
    freed = page.locator(f"{PANEL} g.node.freed")
    assert freed.count() == 12  # after the line that was predicted
    moment(page, 6)
    assert freed.count() == 6
    moment(page, 5)
    assert freed.count() == 0
    assert ".grad None" in page.locator(f'{PANEL} g.node[data-id="x1.leaf"]').text_content()
    moment(page, 7)
    assert freed.count() == 12
    assert ".grad 14400" in page.locator(f'{PANEL} g.node[data-id="x1.leaf"]').text_content()
    assert page.locator(".linked .algebra .total").first.text_content() == "14400"


def test_only_one_moment_is_shown_at_a_time(lesson):
    assert lesson.page.locator(".linked figure:visible").count() == 1


def test_lines_that_have_not_run_yet_are_pale(lesson):
    page = lesson.page
    moment(page, 6)
    assert page.locator(".linked li.not-yet .n").all_inner_texts() == ["7"]


def test_pointing_at_a_call_lights_its_graph_and_no_other(lesson):
    page = lesson.page
    page.locator('.linked li[data-line="6"] .n').hover()
    assert page.locator(f"{PANEL} g.node.k-first.on").count() == 6
    assert page.locator(f"{PANEL} g.node.k-second-output.on").count() == 0


def test_pointing_at_a_term_lights_the_nodes_of_both_graphs(lesson):
    page = lesson.page
    term = page.locator('.linked .algebra [data-ids="L4c9-14.0 L5c9-14.0"]').first
    box = term.bounding_box()
    term.hover(position={"x": box["width"] - 2, "y": 3})  # the exponent: x1 itself is another term
    lit = page.locator(f"{PANEL} g.node.on").evaluate_all("nodes => nodes.map(n => n.dataset.id)")
    assert sorted(lit) == ["L4c9-14.0", "L5c9-14.0"]
    assert page.locator('.linked .code [data-key="L5c9-14"]').evaluate(LIT)
    assert page.locator('.linked .detail [data-id="L4c9-14.0"]').evaluate(LIT)


def test_pointing_at_an_output_lights_the_node_that_made_it(lesson):
    page = lesson.page
    page.locator(f'{PANEL} g.node[data-id="y2"]').hover()
    assert page.locator(f'{PANEL} g.node[data-id="L5c5-30.0"]').evaluate(LIT)


def test_the_keyboard_reaches_lines_moments_and_nodes(lesson):
    page = lesson.page
    page.locator('.linked button[data-run="first"]').focus()
    page.keyboard.press("Enter")
    assert page.locator(PANEL).get_attribute("data-panel") == "first"
    page.locator('.linked button.n[data-line="4"]').focus()
    assert page.locator(f"{PANEL} g.node.k-first.on").count() == 6
    node = page.locator(f"{PANEL} g.node[tabindex='0']")
    node.focus()
    page.keyboard.press("ArrowDown")
    assert "value" in page.locator(".linked .status").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".linked g.node.on").count() == 0


def test_a_freed_graph_refuses_and_the_page_goes_on(lesson):
    page = lesson.page
    page.get_by_test_id("stButtonGroup").get_by_text("y1", exact=True).click()
    page.get_by_text("Trying to backward through the graph a second time").wait_for()
    failed = page.locator('.linked li[data-line="7"]')
    assert failed.locator("output").inner_text() == "RuntimeError"
    moment(page, 6)
    assert failed.locator("code").evaluate("code => getComputedStyle(code).opacity") == "1"
    assert page.locator("[data-testid=stException]").count() == 0
    page.get_by_test_id("stButtonGroup").get_by_text("True", exact=True).click()
    page.locator('.linked li[data-line="6"]', has_text="retain_graph=True").wait_for()
    assert cells(page, 7)[0] == "14400"


def test_an_own_expression_becomes_the_program(lesson):
    page = lesson.page
    page.get_by_text("own", exact=True).click()
    field = page.get_by_role("textbox", name="y1 = y2 =")
    field.fill("sin(x1) * x2")
    field.press("Enter")
    page.locator(".linked .code", has_text="y1 = torch.sin(x1) * x2").wait_for()
    field.fill("sin(x1 * x2")
    field.press("Enter")
    page.get_by_text("This parenthesis is never closed").wait_for()
    assert field.input_value() == "sin(x1 * x2"
    assert "y1 = torch.sin(x1) * x2" in page.locator(".linked .code").inner_text()


def test_a_link_restores_every_control_and_the_moment(lesson, visit):
    page = lesson.page
    page.get_by_text("mixed", exact=True).click()
    lesson.settle()
    page.get_by_test_id("stButtonGroup").get_by_text("zero", exact=True).click()
    page.locator('.linked li[data-line="8"]').wait_for()
    moment(page, 7)
    page.wait_for_url("**after=between**")
    lesson.settle()
    copied = visit()
    copy = copied.open(page.url.split("/", 3)[3])
    copied.reveal()
    assert copy.locator(".linked .code").inner_text() == page.locator(".linked .code").inner_text()


def test_on_a_phone_the_ledger_goes_below_its_line(visit):
    one = visit(width=390)
    page = one.open(PAGE)
    line = page.locator('.linked li[data-line="6"]')
    code, below = line.locator("code").bounding_box(), line.locator(".cells").bounding_box()
    assert below["y"] >= code["y"] + code["height"] - 1
    assert below["x"] + below["width"] <= 390


@pytest.mark.parametrize("width", [900, 390])
def test_every_choice_can_be_seen_on_a_narrow_screen(visit, width):
    page = visit(width=width).open(PAGE)
    group = "button => button.closest('[data-testid=stElementContainer]').getBoundingClientRect().right"
    buttons = page.get_by_test_id("stButtonGroup").get_by_role("radio").all()
    assert [button.inner_text() for button in buttons][5] == "own"
    for button in buttons:
        box = button.bounding_box()
        assert box["x"] + box["width"] <= min(width, button.evaluate(group)) + 1


def test_a_long_expression_is_cut_nowhere(visit):
    one = visit()
    page = one.open(f"{PAGE}?expression=own&y={LONG}")
    one.reveal()
    assert page.locator(".linked li code").evaluate_all(CUT) == 0
    assert page.locator(".linked .numbers .scroll").evaluate_all(CUT) == 0
    assert page.locator(f"{PANEL} g.node.freed").evaluate_all(TOO_WIDE) == 0
    assert "step" not in page.locator(".linked .numbers .detail thead").inner_text()


def test_the_script_can_be_saved(lesson):
    with lesson.page.expect_download() as download:
        lesson.page.get_by_role("button", name="Script that reproduces it").click()
    text = download.value.path().read_text()
    assert "14400.0" in text
    assert PAGE in text


def test_on_a_screen_the_ledger_stands_on_the_line_it_belongs_to(visit):
    page = visit().open(PAGE)
    line = page.locator('.linked li[data-line="6"]')
    code, beside = line.locator("code").bounding_box(), line.locator(".cells").bounding_box()
    assert beside["x"] > code["x"] + 200
    assert abs(beside["y"] - code["y"]) < 5
