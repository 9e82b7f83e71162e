"""How quick the lessons feel: medians of twenty in headless Chromium, written to benchmarks/RESULTS.md.

python -m benchmarks.lessons_in_browser
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from playwright.sync_api import Browser, Page

from benchmarks.stage import ADDRESS, VIEWPORT, browsing, high, record, served

LESSON = f"{ADDRESS}/03_create_graph"
LESSONS = ("03_create_graph", "04_inner_jacobian", "05_k_steps", "06_shortcuts")
REPEATS = 20

# What the page is asked to time itself. Two animation frames after a change it is on the screen.
HELPERS = """
window.views = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.linked')).find(Boolean);
window.frame = () => new Promise(done => requestAnimationFrame(done));
window.painted = async start => { await frame(); await frame(); return performance.now() - start; };
window.line = () => views.querySelector('li code').textContent;
window.watch = () => { window.took = new Promise(done => addEventListener('keydown', async () => {
  const start = performance.now(), before = line();
  while (line() === before) await frame();
  done(await painted(start));
}, { once: true, capture: true })); };
window.toggle = () => {
  const start = performance.now();
  views.querySelector(`button[data-run=${views.dataset.run !== 'true'}]`).click();
  return painted(start);
};
// The work of one hover alone, style and layout included: a frame has 16 ms for all of it.
window.hover = i => {
  const nodes = views.querySelectorAll('figure[data-panel=true] g.node'), start = performance.now();
  nodes[i % nodes.length].dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: i }));
  views.querySelectorAll('g.node path').forEach(path => getComputedStyle(path).strokeWidth);
  views.getBoundingClientRect();
  return performance.now() - start;
};
"""

# The last moment at which the server said that it was done, once it has said nothing else for a while.
RESTS = """
window.watch = () => { window.took = new Promise(done => addEventListener('keydown', () => {
  const start = performance.now(), app = document.querySelector('[data-testid=stApp]');
  let quiet;
  new MutationObserver((_, watcher) => {
    clearTimeout(quiet);
    if (app.dataset.testScriptState !== 'notRunning') return;
    const took = performance.now() - start;
    quiet = setTimeout(() => { watcher.disconnect(); done(took); }, 300);
  }).observe(app, { attributes: true });
}, { once: true, capture: true })); };
"""


class Timing(NamedTuple):
    """One row of the table, in milliseconds."""

    what: str
    goal: float
    times: list[float]


def main() -> None:
    started = time.perf_counter()
    with browsing() as browser, served():
        starts = {"answers health checks": time.perf_counter() - started} | _first_pages(browser, started)
        timings = _timings(browser)
        rests = {name: [_at_rest(page, i) for i in range(REPEATS)] for name, page in _lessons(browser)}
    _write(starts, timings, rests)


def _first_pages(browser: Browser, started: float) -> dict[str, float]:
    """Seconds from the server's start until its first page, and then its first lesson, stand on a screen."""
    page = browser.new_page(viewport=VIEWPORT)
    page.goto(ADDRESS)
    page.locator(".js-plotly-plot").wait_for()
    first = time.perf_counter() - started
    page.goto(LESSON)
    page.locator(".linked svg").first.wait_for()
    page.close()
    return {"first page painted": first, "then the first lesson painted": time.perf_counter() - started}


def _timings(browser: Browser) -> list[Timing]:
    one, five = _open(browser, 1), _open(browser, 5)
    return [
        Timing("toggle create_graph, one inner step", 100, _repeat(lambda _: one.evaluate("toggle()"))),
        Timing("toggle create_graph, five inner steps", 100, _repeat(lambda _: five.evaluate("toggle()"))),
        Timing("hover a node, one inner step", 16, _repeat(lambda i: one.evaluate("hover", i))),
        Timing("hover a node, five inner steps", 16, _repeat(lambda i: five.evaluate("hover", i))),
        Timing("new x, one inner step, until painted", 300, _repeat(lambda i: _new_x(one, i))),
        Timing("new x, five inner steps, until painted", 500, _repeat(lambda i: _new_x(five, i))),
    ]


def _open(browser: Browser, inner_steps: int) -> Page:
    page = browser.new_page(viewport=VIEWPORT)
    page.goto(f"{LESSON}?losses=wave&c=1&inner_steps={inner_steps}")
    page.locator(".linked svg").first.wait_for()
    page.get_by_role("button", name="just show me").click()
    page.get_by_text("independent ways").first.wait_for()
    page.wait_for_timeout(1500)
    page.evaluate(HELPERS)
    return page


def _repeat(measure: Callable[[int], float]) -> list[float]:
    return [measure(i) for i in range(REPEATS)]


def _new_x(page: Page, i: int) -> float:
    """One key press in the slider; every x is new, so that nothing comes from a cache."""
    page.locator("[data-testid=stSlider] input").first.focus()
    page.evaluate("watch()")
    page.keyboard.press("ArrowLeft")
    took = page.evaluate("took")
    page.wait_for_timeout(400)  # the rest of the rerun, which the reader does not wait for
    return took


def _lessons(browser: Browser) -> Iterator[tuple[str, Page]]:
    for lesson in LESSONS:
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(f"{ADDRESS}/{lesson}")
        page.locator("[data-testid=stSlider] input").first.wait_for()
        page.wait_for_timeout(4000)
        page.evaluate(RESTS)
        yield lesson, page
        page.close()


def _at_rest(page: Page, i: int) -> float:
    """One key press in the first slider, there and back and beyond, until the server has nothing more to say."""
    page.locator("[data-testid=stSlider] input").first.focus()
    page.evaluate("watch()")
    page.keyboard.press("ArrowRight" if i % 4 < 3 else "ArrowLeft")
    took = page.evaluate("took")
    page.wait_for_timeout(300)
    return took


def _write(starts: dict[str, float], timings: list[Timing], rests: dict[str, list[float]]) -> None:
    lines = [f"| what | median of {REPEATS} | 95 % within | goal |", "|---|---|---|---|"]
    for what, goal, times in timings:
        lines.append(f"| {what} | {statistics.median(times):.1f} ms | {high(times):.1f} ms | {goal:g} ms |")
    lines += ["", "| from server start, one run | seconds |", "|---|---|"]
    lines += [f"| {what} | {seconds:.1f} |" for what, seconds in starts.items()]
    lines += ["", "| one key in a lesson's first slider, until the whole page is at rest | median | 95 % within |"]
    lines += ["|---|---|---|"]
    lines += [
        f"| {name} | {statistics.median(times):.0f} ms | {high(times):.0f} ms |" for name, times in rests.items()
    ]
    record("The lessons in a browser", "python -m benchmarks.lessons_in_browser", lines)


if __name__ == "__main__":
    main()
