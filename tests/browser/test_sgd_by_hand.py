"""Lesson 11 in a real browser: a run starts in a process of its own, another reader waits, Stop ends it."""

import os

import pytest

pytestmark = pytest.mark.browser

LESSON = "11_sgd_by_hand"


def workers():
    """The process ids of the timing workers on this machine."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as line:
                command = line.read()
        except OSError:
            continue
        if b"maml_core.practice.sgd_timing" in command and b"--watched" in command:
            found.append(process)
    return found


def gone(page, process):
    """Wait until that process has ended."""
    for _ in range(100):
        if process not in workers():
            return True
        page.wait_for_timeout(100)
    return False


def test_one_measures_one_waits_and_stop_stops(visit):
    before = set(workers())
    one, two = visit(), visit()
    first, second = (reader.open(LESSON) for reader in (one, two))
    first.get_by_role("button", name="Measure here").click()
    first.get_by_text("In a fresh interpreter").wait_for()
    mine = (set(workers()) - before).pop()
    second.get_by_role("button", name="Measure here").click()
    second.get_by_text("Waiting for one reader").wait_for()
    second.get_by_role("button", name="Stop").click()
    second.get_by_role("button", name="Measure here").wait_for()
    first.get_by_role("button", name="Stop").click()
    first.get_by_role("button", name="Measure here").wait_for()
    assert gone(first, mine)


def test_a_reader_who_leaves_measures_no_more(visit):
    before = set(workers())
    one = visit()
    page = one.open(LESSON)
    page.get_by_role("button", name="Measure here").click()
    page.get_by_text("In a fresh interpreter").wait_for()
    mine = (set(workers()) - before).pop()
    stay = visit().open()
    page.close()
    assert gone(stay, mine)


def test_the_picture_is_on_the_first_screen_and_the_slider_moves_it(visit):
    one = visit()
    page = one.open(LESSON)
    page.locator(".js-plotly-plot").first.wait_for()
    assert page.locator(".js-plotly-plot").first.bounding_box()["y"] < 600
    page.get_by_role("button", name="just show me").click()
    page.get_by_text("Where the time went").wait_for()
    page.get_by_text("And do they end in the same weights?").wait_for()
