"""Lesson 4 in a browser: θ moves by mouse, touch and keyboard; every move is exact and at once; PyTorch checks it."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LESSON = "04_inner_jacobian"
KNOB = ".landscape .knob"
METHODS = ("maml", "fomaml")
STARTS = {"rosenbrock": "−1.04", "two tasks": "−2.20", "ReLU net": "−1.10", "own": "−1.00"}
SHAFT = "el => Math.hypot(el.x2.baseVal.value - el.x1.baseVal.value, el.y2.baseVal.value - el.y1.baseVal.value)"


def checked(page):
    page.locator(".landscape .check.good").wait_for()


def says(page):
    return page.locator(".landscape .says").inner_text()


def drawn(page):
    """Until the last move is on the screen, however slow the machine."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def centre(page):
    box = page.locator(f"{KNOB} .dot").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_predict_then_drag_and_pytorch_checks_where_you_let_go(visit):
    one = visit()
    page = one.open(LESSON)
    assert page.locator(".landscape .map [data-arrow=fomaml]").count() > 0
    assert page.locator(".landscape .map [data-arrow=maml], .landscape .map .ellipse").count() == 0
    assert page.locator(".landscape .matrix.j").inner_text().split() == ["?"] * 4
    page.get_by_text("Derivation: one inner step").click()
    page.get_by_text("All entries at once").wait_for()
    assert page.locator(".katex-error").count() == 0
    one.reveal()
    page.locator(".landscape .map [data-arrow=maml]").first.wait_for()
    assert page.locator(".landscape .map .ellipse").count() == 1
    assert page.locator(".landscape .map").bounding_box()["y"] < 330  # question, controls and picture on one screen
    checked(page)
    before, (x, y) = says(page), centre(page)
    assert "turns the arrow by 99°" in before
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 40, steps=6)
    drawn(page)
    assert "where you let go" in page.locator(".landscape .check").inner_text()  # nothing was asked of the server
    expect(page.locator(".st-key-of_theta_answer")).to_have_css("opacity", "0.35")  # it is about the θ before
    during = says(page)
    assert during != before
    page.mouse.up()
    checked(page)
    expect(page.locator(".st-key-of_theta_answer")).to_have_css("opacity", "1")
    assert says(page) == during
    assert "theta=" in page.url
    theta = page.url.split("theta=")[1].split("&")[0].replace("%2C", ",").split(",")
    assert f"θ = ({float(theta[0]):.2f}".replace("-", "−") in during
    again = page.context.new_page()  # the link restores it
    again.goto(page.url)
    again.locator(".landscape .says").wait_for()
    assert again.locator(".landscape .says").inner_text().split(". One")[0] == during.split(". One")[0]
    again.close()
    page.locator(".landscape .map svg").click(position={"x": 300, "y": 120})
    expect(page.locator(".landscape .says")).not_to_have_text(during)
    checked(page)
    page.go_back()  # θ goes back too, on the map as in the sentences
    expect(page.locator(".landscape .says")).to_have_text(during)
    checked(page)


def test_a_corner_can_be_grabbed_and_neither_huge_nor_undefined_losses_break_the_picture(visit):
    """The visit fails on a console error, such as a circle of radius NaN."""
    one = visit()
    page = one.open(f"{LESSON}?theta=3,3")
    one.reveal()
    checked(page)
    circle, frame = (page.locator(f".landscape {s}").bounding_box() for s in (".circle >> nth=0", ".map svg"))
    assert circle["y"] >= frame["y"]
    assert circle["x"] + circle["width"] <= frame["x"] + frame["width"]  # all nudges are in sight
    x, y = centre(page)
    page.mouse.move(x + 1, y - 1)
    page.mouse.down()
    page.mouse.move(x - 100, y + 80, steps=4)
    page.mouse.up()
    checked(page)
    assert not says(page).startswith("θ = (3.00")
    for support, theta, told in (
        ("1e308*u*v", "1,1", "Not finite here, and not in PyTorch either: MAML. The rest agrees"),
        ("u**v", "-1,0.8", "Not finite here, and not in PyTorch either: MAML, FOMAML, φ, H, J."),
        ("log(u)", "-1,0.8", "slopes of a loss that has no value here"),
    ):
        page = one.open(f"{LESSON}?plane=own&support={quote(support)}&query=v**2&theta={theta}")
        page.get_by_role("button", name="just show me").click()
        expect(page.locator(".landscape .check.bad")).to_contain_text(told)
        assert ("slopes of nothing" if support == "log(u)" else "no exact gradient") in says(page)
        assert ("overflow" in says(page)) == support.startswith("1e308")


def test_what_is_not_drawn_to_scale_is_broken_and_the_legend_says_which_way(visit):
    one = visit()
    page = one.open(LESSON)
    one.reveal()
    checked(page)
    expect(page.locator(".landscape .breaks")).to_be_empty()
    page = one.open(f"{LESSON}?plane=own&support=500*u**2&query=u")  # J is −449 along u: FOMAML's arrow is a speck
    page.get_by_role("button", name="just show me").click()
    checked(page)
    expect(page.locator(".landscape .arrow[data-arrow=fomaml] .cut")).to_have_count(1)
    expect(page.locator(".landscape tr[data-arrow=fomaml] .bar .off")).to_have_count(1)
    expect(page.locator(".landscape .breaks")).to_have_text("broken: longer or shorter than drawn")
    page.locator(".landscape .true").check()
    expect(page.locator(".landscape .breaks")).to_have_text("broken: longer than drawn")  # the bar alone


def test_keys_clicks_true_lengths_hovering_saving_and_every_landscape(visit):
    one = visit()
    page = one.open(LESSON)
    one.reveal()
    checked(page)
    keys(page)
    lengths(page)
    rows(page)
    for plane, start in STARTS.items():
        page.get_by_role("button", name=plane, exact=True).or_(
            page.get_by_role("radio", name=plane, exact=True)
        ).click()
        expect(page.locator(".landscape .says")).to_contain_text(f"θ = ({start}")
        checked(page)
        assert page.locator(".landscape .task").count() == (2 if plane == "two tasks" else 1)
    mistyping(page)
    page.get_by_text("Show this step as code, graph, algebra and numbers").click()
    page.locator(".linked figure.active svg").wait_for()
    page.locator(".linked button[data-run=true]").click()
    page.locator('.linked .algebra [data-ids*=".d"]').last.hover()  # Jᵀ: the nodes that multiply by it light up
    assert page.locator(".linked figure[data-panel=true] g.node.k-second.on").count() > 5


def mistyping(page):
    """What is wrong with a loss stands below its field, and no field moves."""
    support, query = (page.get_by_role("textbox", name=f"{name} loss") for name in ("support", "query"))
    before = [field.bounding_box() for field in (support, query)]
    support.fill("hello")
    support.press("Enter")
    sentence = page.get_by_text("There is no “hello” here")
    sentence.wait_for()
    assert [field.bounding_box() for field in (support, query)] == before
    place = sentence.bounding_box()
    assert abs(place["x"] - before[0]["x"]) < 5
    assert 0 < place["y"] - before[0]["y"] - before[0]["height"] < 40


def keys(page):
    """Eleven presses, one question to the server."""
    page.locator(KNOB).focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator(".landscape .says")).to_contain_text("θ = (−1.10, 0.00)")  # 10/200 and 1/20 of a side of 6
    checked(page)
    assert page.locator(KNOB).get_attribute("aria-valuetext") == says(page)
    assert page.locator(".landscape .spoken").inner_text() == says(page)


def lengths(page):
    """A click brings θ there, and with true lengths the arrows are to scale."""
    page.locator(".landscape .map svg").click(position={"x": 300, "y": 120})
    checked(page)
    assert not says(page).startswith("θ = (−1.10")
    page.locator(".landscape .true").check()
    exact, first = [page.locator(f".landscape .arrow[data-arrow={n}] .shaft").evaluate(SHAFT) + 12 for n in METHODS]
    ratio = page.locator(".landscape tr[data-arrow=fomaml] .long").inner_text()
    assert first / exact == pytest.approx(float(ratio.strip("×")), rel=0.02)  # 12: the arrow's head


def rows(page):
    """Pointing at a method dims the others; the map can be saved."""
    page.locator(".landscape tr[data-arrow=fomaml]").hover()
    seen = [
        page.locator(f".landscape .arrow[data-arrow={n}]").evaluate("el => getComputedStyle(el).opacity")
        for n in METHODS
    ]
    assert seen == ["0.15", "1"]
    with page.expect_download() as download:
        page.locator(".landscape button.svg").click()
    assert "FOMAML" in download.value.path().read_text()


def test_on_a_phone_a_finger_drags_and_nothing_overflows(browser, address):
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    page = phone.new_page()
    page.goto(f"{address}/{LESSON}?inner_lr=0.8")
    page.get_by_role("button", name="just show me").click()
    checked(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".landscape .map").scroll_into_view_if_needed()
    x, y = centre(page)
    before, touch = says(page), page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for i in range(1, 9):
        touch.send(
            "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + 6 * i, "y": y + 5 * i}]}
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".landscape .says")).not_to_have_text(before)
    checked(page)
    assert "▲ turned round and stretched" in page.locator(".landscape .gains").inner_text()  # α·λ₁ = 2.56
    phone.close()
