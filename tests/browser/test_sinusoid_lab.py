"""Lesson 7 in a browser: a run is started, paused, stepped, left, reloaded, killed, taken away and brought back."""

import os
import re
import signal
import subprocess

import pytest

pytestmark = pytest.mark.browser
LESSON = "07_sinusoid_lab"
LONG = f"{LESSON}?lab_iterations=100000"


def step(page):
    """How many outer steps the page shows."""
    found = re.search(r"step ([\d\u202f]+) of", page.locator(".live .numbers").inner_text())
    return int(found[1].replace("\u202f", "")) if found else 0


def wait_for_step(page, least):
    page.wait_for_function(
        "least => +(document.querySelector('.live')?.dataset.drawn ?? '').split(' ')[1] >= least", arg=least
    )


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def words(page, text):
    page.locator(".live .words", has_text=text).wait_for()


def smoothed(page):
    return page.evaluate("document.querySelectorAll('.live .plot')[0].data[1].y")


@pytest.fixture
def lab(visit):
    one = visit()
    one.page.set_default_timeout(60_000)
    one.open(LONG)
    one.page.locator(".live .plot svg").first.wait_for()
    return one


def test_a_run_is_started_watched_paused_stepped_left_reloaded_and_stopped(lab):
    page = lab.page
    assert "trained beforehand" in page.locator(".live .words").inner_text()
    press(page, "Start")
    wait_for_step(page, 400)
    losses = smoothed(page)
    assert losses[-1] < losses[0] / 2

    # zoom and hover survive the updates
    page.evaluate("Plotly.relayout(document.querySelectorAll('.live .plot')[0], {'xaxis.range': [10, 50]})")
    box = page.locator(".live .plot").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for_step(page, step(page) + 200)
    assert page.evaluate("document.querySelectorAll('.live .plot')[0].layout.xaxis.range") == [10, 50]
    assert page.locator(".live .plot").first.locator(".hoverlayer .legend").count()

    # a control does not disturb it
    page.get_by_role("spinbutton", name="shots", exact=True).fill("7")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start again with these").wait_for()
    assert "shots 10 → 7" in page.locator("body").inner_text()
    before = step(page)

    # neither do another page and the way back, nor a reload
    page.locator("[data-testid=stPageLink] a").first.click()
    page.wait_for_url(lambda url: LESSON not in url)
    lab.settle()
    page.get_by_role("link", name="7 · The sinusoid lab").last.click()
    words(page, "Training")
    wait_for_step(page, before + 1)
    page.reload()
    words(page, "Training")
    wait_for_step(page, before + 2)

    press(page, "Pause")
    words(page, "Paused.")
    page.get_by_role("button", name="Resume").wait_for()
    lab.settle()
    at = step(page)
    press(page, "1 step")
    wait_for_step(page, at + 1)
    lab.settle()
    assert step(page) == at + 1
    press(page, "Resume")
    wait_for_step(page, at + 50)
    press(page, "Stop")
    words(page, "Stopped. The state of step")


def test_a_second_tab_has_its_own_run_and_a_copy_of_a_tab_takes_it_over(lab):
    page = lab.page
    press(page, "Start")
    wait_for_step(page, 20)
    other = lab.context.new_page()
    other.goto(f"{lab.address}/{LESSON}")
    words(other, "trained beforehand")
    token = page.evaluate("sessionStorage.getItem('inner-loop-reader')")
    assert token not in page.url
    other.add_init_script(f"sessionStorage.setItem('inner-loop-reader', '{token}')")
    other.reload()
    words(other, "Training")
    page.get_by_text("moved to another tab").wait_for()
    page.get_by_role("button", name="Bring it here").click()
    words(page, "Training")
    other.get_by_text("moved to another tab").wait_for()
    other.close()
    press(page, "Stop")
    words(page, "Stopped")


def worker_of(address):
    port = address.rsplit(":", 1)[1]
    servers = subprocess.run(["pgrep", "-f", f"server.port={port}"], capture_output=True, text=True).stdout.split()
    return [
        int(pid)
        for server in servers
        for pid in subprocess.run(
            ["pgrep", "-P", server, "-f", "train[.]worker"], capture_output=True, text=True
        ).stdout.split()
    ]


def test_a_killed_worker_is_told_of_and_replaced(lab):
    page = lab.page
    press(page, "Start")
    wait_for_step(page, 50)
    for worker in worker_of(lab.address):
        os.kill(worker, signal.SIGKILL)
    words(page, "killed by signal 9")
    wait_for_step(page, step(page) + 50)
    words(page, "Training.")
    press(page, "Stop")
    words(page, "Stopped")


def test_a_run_is_taken_away_and_brought_back(lab, tmp_path):
    page = lab.page
    press(page, "100 steps")
    words(page, "Paused.")
    wait_for_step(page, 100)
    page.get_by_role("button", name="Export, import").click()
    page.get_by_text("The run at step 100.").wait_for()
    files = {}
    for label in ("θ and its configuration", "The loss curve as CSV", "A script that repeats it"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        files[download.value.suggested_filename] = download.value.path().read_bytes()
    assert set(files) == {"maml-100.safetensors", "maml-100.csv", "maml-100.py"}
    assert files["maml-100.csv"].count(b"\n") == 101
    assert "--iterations 100 " in page.locator("code", has_text="maml_core train").first.inner_text()
    page.keyboard.press("Escape")
    press(page, "Reset")
    words(page, "trained beforehand")
    page.get_by_role("button", name="Export, import").click()
    saved = tmp_path / "maml-100.safetensors"
    saved.write_bytes(files[saved.name])
    page.locator("input[type=file]").set_input_files(saved)
    words(page, "Paused.")
    page.keyboard.press("Escape")
    press(page, "1 step")
    wait_for_step(page, 101)
    lab.settle()
    assert "step 101 of" in page.locator(".live .numbers").inner_text()


def test_what_is_taken_away_while_it_trains_is_the_run_at_that_moment(lab):
    page = lab.page
    press(page, "Start")
    wait_for_step(page, 100)
    taken = []
    for _ in range(2):
        page.get_by_role("button", name="Export, import").click()
        taken.append(int(re.sub(r"\D", "", page.get_by_text("when you opened this").inner_text())))
        page.keyboard.press("Escape")
        wait_for_step(page, taken[-1] + 500)
    assert 1 < taken[0] < taken[1]
    press(page, "Stop")
    words(page, "Stopped")


def test_the_first_screen_holds_question_controls_buttons_and_pictures(visit):
    page = visit().open(LESSON)
    page.locator(".live .plot svg").first.wait_for()
    assert page.get_by_role("button", name="Start").bounding_box()["y"] < 300
    for plot in page.locator(".live .plot").all():
        box = plot.bounding_box()
        assert box["y"] + box["height"] <= 900
