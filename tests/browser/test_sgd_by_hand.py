"""Lesson 11 in a real browser: a run starts in a process of its own, another reader waits, Stop ends it."""

import os

import pytest

pytestmark = pytest.mark.browser

LESSON = "11_sgd_by_hand"
LONG = f"{LESSON}?repetitions=99"  # a run that cannot end before it has been looked at
MINE = (b"maml_core.practice.sgd_timing", b"--watched", b"--repetitions\0" + b"99")


def workers():
    """The process ids of this file's timing workers; other tests measure meanwhile, but nothing 99 times."""
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as line:
                command = line.read()
        except OSError:
            continue
        if all(word in command for word in MINE):
            found.add(process)
    return found


def until(page, count):
    """Wait until that many workers run."""
    for _ in range(200):
        if len(workers()) == count:
            return True
        page.wait_for_timeout(100)
    return False


def test_one_measures_one_waits_and_stop_stops(visit):
    one, two = visit(), visit()
    first, second = (reader.open(LONG) for reader in (one, two))
    first.get_by_role("button", name="Measure here").click()
    first.get_by_text("In a fresh interpreter").wait_for()
    assert until(first, 1)
    second.get_by_role("button", name="Measure here").click()
    second.get_by_text("Waiting for one reader").wait_for()
    assert until(second, 1)
    second.get_by_role("button", name="Stop").click()
    second.get_by_role("button", name="Measure here").wait_for()
    first.get_by_role("button", name="Stop").click()
    first.get_by_role("button", name="Measure here").wait_for()
    assert until(first, 0)


def test_a_reader_who_leaves_measures_no_more(visit):
    page = visit().open(LONG)
    page.get_by_role("button", name="Measure here").click()
    page.get_by_text("In a fresh interpreter").wait_for()
    assert until(page, 1)
    stay = visit().open()
    page.close()
    assert until(stay, 0)


def test_the_picture_is_on_the_first_screen_and_the_slider_moves_it(visit):
    one = visit()
    page = one.open(LESSON)
    page.locator(".js-plotly-plot").first.wait_for()
    assert page.locator(".js-plotly-plot").first.bounding_box()["y"] < 600
    page.get_by_role("button", name="just show me").click()
    page.get_by_text("Where the time went").wait_for()
    page.get_by_text("And do they end in the same weights?").wait_for()
