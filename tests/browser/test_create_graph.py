"""Lesson 3 in a browser: the four views answer each other, by pointer and by keyboard, without the server."""

import re

import pytest

from tests.browser.conftest import LESSON

pytestmark = pytest.mark.browser
POW = "L5c25-35.0"  # x_prime**4 on line 5, first inner step
LIT = "el => el.classList.contains('on')"


@pytest.fixture
def lesson(visit):
    one = visit()
    one.open(LESSON)
    one.reveal()
    return one


def lit(page, selector):
    """How many elements light up."""
    return page.locator(f".linked {selector}.on").count()


def in_one_frame(page, script):
    """Runs the script and whatever it triggers synchronously: no answer of a server can come in between."""
    return page.evaluate(f"() => {{ const root = {ROOT}; {script} }}")


ROOT = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.linked')).find(Boolean)"


def test_toggling_create_graph_needs_no_server(lesson):
    before, flag, total, shown = in_one_frame(
        lesson.page,
        """
        const total = () => root.querySelector('math .total').textContent;
        const before = total();
        root.querySelector('button[data-run=true]').click();
        const result = root.querySelector('li:nth-child(9) output');
        return [before, root.querySelector('.flag').textContent, total(), result.textContent];
        """,
    )
    assert before == "−1108.8"
    assert flag == "create_graph=True"
    assert total == "−49008.96"
    assert shown == "x.grad = −49008.96"


def test_ghosts_come_and_go_without_the_server(lesson):
    opacity = """
        const ghost = root.querySelector('figure[data-panel=false] .node.ghost');
        ghost.style.transition = 'none';
        const seen = () => +getComputedStyle(ghost).opacity;
        const before = seen();
        root.querySelector('[data-do=ghosts]').click();
        return [before > 0, seen() > 0];
    """
    assert in_one_frame(lesson.page, opacity) == [True, False]


def test_pointing_at_a_sub_expression_lights_its_node_its_row_and_its_term(lesson):
    page = lesson.page
    page.locator('.linked .code [data-key="L5c25-35"]').hover(position={"x": 55, "y": 8})
    assert page.locator(f'.linked figure[data-panel=true] g.node[data-id="{POW}"]').evaluate(LIT)
    assert page.locator(f'.linked .detail [data-id="{POW}"]').evaluate(LIT)
    assert page.locator(f'.linked .algebra [data-ids="{POW}"]').first.evaluate(LIT)
    assert "x_prime**4 (line 5, inner step 1); value 81" in page.locator(".linked .status").inner_text()
    # its derivatives, more softly
    assert page.locator(".linked figure[data-panel=true] g.node.kin").count() == 3


def test_pointing_at_a_second_order_node_lights_the_line_that_ran_and_the_forward_code(lesson):
    page = lesson.page
    page.locator(f'.linked figure[data-panel=true] g.node[data-id="{POW}.d1"]').hover()
    assert page.locator(".linked li.on .n").inner_text() == "6"
    assert page.locator('.linked .code [data-key="L5c25-35"]').first.evaluate(LIT)
    assert lit(page, ".algebra .second") >= 2
    assert "made by autograd.grad" in page.locator(".linked .status").inner_text()


def test_pointing_at_a_term_lights_the_engines_nodes(lesson):
    page = lesson.page
    page.locator(".linked .algebra .second").last.hover()
    assert lit(page, "figure[data-panel=true] g.node") == 3


def test_a_kind_in_the_legend_lights_all_of_its_kind(lesson):
    lesson.page.locator(".linked [data-kind=second]").hover()
    assert lit(lesson.page, "figure[data-panel=true] g.node.k-second") == 3
    assert lit(lesson.page, ".detail .k-second") == 3


def test_choosing_a_path_lights_it_in_the_graph(lesson):
    page = lesson.page
    page.locator(".linked button[data-run=true]").click()
    rows = page.locator(".linked .paths tbody tr")
    assert rows.count() == 2
    extra = page.locator(".linked .paths tr", has_text="only with create_graph=True")
    extra.click()
    assert lit(page, "figure[data-panel=true] g.node.k-second") == 3
    assert lit(page, "figure[data-panel=true] g.edge") >= 8
    assert not page.locator('.linked figure[data-panel=true] g.node[data-id="L7c14-25.0"]').evaluate(LIT)
    assert page.locator(".linked .paths tfoot").inner_text().split()[-1] == "−49008.96"


def test_a_click_keeps_the_light_and_escape_lets_go(lesson):
    page = lesson.page
    page.locator(f'.linked .detail [data-id="{POW}"]').click()
    page.mouse.move(5, 5)
    assert page.locator(f'.linked figure[data-panel=true] g.node[data-id="{POW}"]').evaluate(LIT)
    page.keyboard.press("Escape")
    assert lit(page, "g.node") == 0


def test_the_keyboard_reaches_lines_nodes_and_rows(lesson):
    page = lesson.page
    page.locator('.linked button.n[data-line="7"]').focus()
    assert lit(page, "figure[data-panel=true] g.node") == 3  # c·x, α·g, and their difference
    node = page.locator(".linked figure[data-panel=true] g.node[tabindex='0']")
    node.focus()
    focused = f"{ROOT}.getRootNode().activeElement.dataset.id"
    start = page.evaluate(focused)
    page.keyboard.press("ArrowUp")
    above = page.evaluate(focused)
    assert above != start
    assert page.locator(".linked figure[data-panel=true] g.node[tabindex='0']").count() == 1  # one stop for Tab
    assert page.locator(f'.linked figure[data-panel=true] g.node[data-id="{above}"]').evaluate(LIT)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert lit(page, "g.node") == 0
    page.locator(".linked .numbers .detail tr[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "L3c10-19.0"
    assert page.locator('.linked figure[data-panel=true] g.node[data-id="L3c10-19.0"]').evaluate(LIT)


def test_every_node_says_what_it_is(lesson):
    labels = lesson.page.locator(".linked figure[data-panel=true] g.node[role=button]").evaluate_all(
        "nodes => nodes.map(n => n.getAttribute('aria-label'))"
    )
    assert len(labels) >= 14
    assert any(label.startswith("CloneBackward0: x.clone() (line 3); value 3;") for label in labels)


def test_the_scrubber_builds_the_graph_in_the_order_of_creation(lesson):
    page = lesson.page
    time = page.locator(".linked .play input")
    time.focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    assert page.locator(".linked .play output").inner_text() == "5/14"
    assert page.locator(".linked figure[data-panel=true] g.node.later").count() > 5
    assert "RsubBackward1" in page.locator(".linked .status").inner_text()
    page.locator(".linked [data-do=play]").click()
    page.locator(".linked .play output", has_text=re.compile(r"^(7|8|9|1\d)/14$")).wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".linked g.node.later").count() == 0


def test_a_folded_step_opens_on_a_click_and_all_open_with_the_box(visit):
    one = visit()
    page = one.open(f"{LESSON}?inner_steps=3&losses=wave&c=1")
    folded = page.locator(".linked figure[data-panel=true] g.node[data-id^=step-]")
    assert [box.get_attribute("data-id") for box in folded.all()] == ["step-3", "step-2"]
    page.locator('.linked figure[data-panel=true] g.node[data-id="step-2"]').click()
    assert sorted(box.get_attribute("data-id") for box in folded.all()) == ["step-1", "step-3"]
    one.settle()
    page.get_by_label("unfold all 3 steps").check()
    assert folded.count() == 0
    assert page.locator(".linked .algebra .row").count() > 15


def test_a_link_restores_every_control_and_the_view(lesson, visit):
    page = lesson.page
    page.locator(".linked button[data-run=true]").click()
    page.get_by_label("ghosts of what is missing").uncheck()
    page.get_by_text("wave", exact=True).click()
    lesson.settle()
    page.locator("[data-testid=stSlider] input").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        lesson.settle()
    page.wait_for_url("**ghosts=false**")
    copied = visit()
    copy = copied.open(page.url.split("/", 3)[3])
    copied.reveal()  # what a reader has guessed is theirs, not the link's
    assert copy.locator(".linked .code").inner_text() == page.locator(".linked .code").inner_text()
    assert not copy.get_by_label("ghosts of what is missing").is_checked()
    assert copy.locator(".linked").get_attribute("data-run") == "true"


def test_the_link_in_the_popover_opens_the_same_state(lesson, visit):
    page = lesson.page
    page.locator(".linked button[data-run=true]").click()
    page.wait_for_url("**create_graph=true**")
    lesson.settle()
    page.get_by_role("button", name="Link to this state").click()
    link = page.locator("[data-testid=stCode]").last.inner_text().strip()
    copy = visit().open(link.split("/", 3)[3])
    assert copy.locator(".linked").get_attribute("data-run") == "true"


def test_zoom_and_choice_survive_a_change_of_the_inputs(lesson):
    page = lesson.page
    svg = page.locator(".linked figure[data-panel=true] svg")
    fitted = svg.get_attribute("viewBox")
    page.locator(".linked [data-do=in]").click()
    zoomed = svg.get_attribute("viewBox")
    assert zoomed != fitted
    page.locator(".linked button[data-run=true]").click()
    page.locator("[data-testid=stSlider] input").first.press("ArrowLeft")
    page.locator(".linked .code", has_text="torch.tensor(2.9").wait_for()
    assert svg.get_attribute("viewBox") == zoomed
    assert page.locator(".linked").get_attribute("data-run") == "true"
    page.locator(".linked [data-do=fit]").click()
    assert svg.get_attribute("viewBox") == fitted


@pytest.mark.parametrize("pause", [0, 250, 350, 420])
def test_a_toggle_is_not_undone_by_a_slider_that_moves_right_after(lesson, pause):
    page = lesson.page
    page.locator(".linked button[data-run=true]").click()
    page.wait_for_timeout(pause)
    page.locator("[data-testid=stSlider] input").first.press("ArrowLeft")
    page.locator(".linked .code", has_text="torch.tensor(2.9").wait_for()
    page.wait_for_url("**create_graph=true**")
    lesson.settle()
    assert page.locator(".linked").get_attribute("data-run") == "true"


def test_new_losses_in_the_middle_of_a_construction_start_it_afresh(lesson):
    page = lesson.page
    page.locator(f'.linked .detail [data-id="{POW}.d2"]').click()
    page.locator(".linked .play input").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("bowl", exact=True).click()
    page.locator(".linked .code", has_text="(x_prime - 1)**2").wait_for()
    lesson.settle()
    assert page.locator(".linked g.node.later").count() == 0
    assert not page.locator(".linked.lit").count()
    page.locator(".linked [data-kind=second]").hover()
    assert lit(page, "figure[data-panel=true] g.node.k-second") > 0


def test_after_playing_to_the_end_pointing_works_again(lesson):
    page = lesson.page
    time = page.locator(".linked .play input")
    time.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.locator(".linked [data-do=play]").click()
    page.locator(".linked .play output", has_text="14/14").wait_for()
    page.locator(".linked [data-kind=kept]").hover()
    assert lit(page, "figure[data-panel=true] g.node.k-kept") == 1


def test_typing_own_losses_redraws_all_views(visit):
    one = visit()
    page = one.open(f"{LESSON}?losses=own")
    field = page.get_by_role("textbox", name="inner loss, in x_prime")
    field.fill("x_prime**2 + cos(x_prime")
    field.press("Enter")
    page.get_by_text("This parenthesis is never closed").wait_for()
    assert "2 - 2 * x_prime**4" in page.locator(".linked .code").inner_text()
    field.fill("x_prime**2 + cos(x_prime)")
    field.press("Enter")
    page.locator(".linked .code", has_text="x_prime**2 + torch.cos(x_prime)").wait_for()
    page.locator(".linked g.node", has_text="∂ of all paths, added").first.wait_for()
    one.settle()
    assert "inner=x_prime" in page.url


def test_dragging_pans_both_graphs_alike_even_after_unfolding(visit):
    one = visit()
    page = one.open(f"{LESSON}?inner_steps=2")
    page.get_by_label("unfold all 2 steps").check()
    one.settle()
    box = page.locator(".linked figure[data-panel=true] .canvas").bounding_box()
    x, y = box["x"] + box["width"] - 20, box["y"] + box["height"] - 40
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=4)
    page.mouse.up()
    both = [svg.get_attribute("viewBox") for svg in page.locator(".linked .canvas svg").all()]
    assert both[0] == both[1]
    x_after, y_after, width, _ = map(float, both[0].split())
    scale = max(
        width / box["width"],
        page.locator(".linked .canvas svg").first.evaluate(
            "svg => svg.viewBox.baseVal.height / svg.getBoundingClientRect().height"
        ),
    )
    assert (x_after, y_after) == (pytest.approx(60 * scale, rel=0.05), pytest.approx(30 * scale, rel=0.05))


@pytest.mark.parametrize("kind", ["SVG", "PNG"])
def test_the_picture_can_be_saved(lesson, kind):
    with lesson.page.expect_download() as download:
        lesson.page.get_by_role("button", name=f"Save the picture as {kind}").click()
    data = download.value.path().read_bytes()
    assert download.value.suggested_filename == f"autograd-create_graph=False.{kind.lower()}"
    assert data.startswith(b"<svg" if kind == "SVG" else b"\x89PNG")
    assert len(data) > 10_000


def test_the_script_can_be_saved(lesson):
    with lesson.page.expect_download() as download:
        lesson.page.get_by_role("button", name="Script that reproduces it").click()
    text = download.value.path().read_text()
    assert "-49008.96484375" in text
    assert LESSON in text


def test_a_phone_shows_one_graph_and_switches_it_with_create_graph(visit):
    page = visit(width=390).open(LESSON)
    panel = ".linked figure[data-panel={}]"
    assert page.locator(panel.format("false")).is_visible()
    assert not page.locator(panel.format("true")).is_visible()
    page.locator(".linked button[data-run=true]").click()
    assert page.locator(panel.format("true")).is_visible()
    box = page.locator(f"{panel.format('true')} g.node[data-id='{POW}.d1'] text").nth(1).bounding_box()
    assert box["width"] > 30


def test_two_readers_do_not_meet(visit):
    one, two = visit(), visit()
    first, second = one.open(LESSON), two.open(f"{LESSON}?losses=bowl")
    one.reveal()
    first.locator(".linked button[data-run=true]").click()
    one.settle()
    second.locator("[data-testid=stSlider] input").first.press("ArrowLeft")
    second.locator(".linked .code", has_text="torch.tensor(2.9").wait_for()
    assert "(x_prime - 1)**2" in second.locator(".linked .code").inner_text()
    assert second.locator(".linked").get_attribute("data-run") == "false"
    assert second.get_by_role("button", name="just show me").is_visible()
