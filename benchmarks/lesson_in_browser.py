"""How quick lesson 3 feels: medians of twenty in headless Chromium, written to benchmarks/RESULTS.md.

make bench
"""

import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PORT = 8599
ADDRESS = f"http://localhost:{PORT}"
LESSON = f"{ADDRESS}/03_create_graph"
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


class Timing(NamedTuple):
    """One row of the table, in milliseconds."""

    what: str
    goal: float
    times: list[float]


def main() -> None:
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "serve.py", f"--server.port={PORT}"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            _wait_for_health()
            healthy = time.perf_counter() - started
            starts = {"answers health checks": healthy} | _first_pages(browser, started)
            timings = _timings(browser)
    finally:
        server.terminate()
        server.wait(10)
    _write(starts, timings)


def _wait_for_health() -> None:
    while True:
        try:
            urllib.request.urlopen(f"{ADDRESS}/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)


def _first_pages(browser: Browser, started: float) -> dict[str, float]:
    """Seconds from the server's start until its first page, and then its first lesson, stand on a screen."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
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
    page = browser.new_page(viewport={"width": 1400, "height": 900})
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


def _write(starts: dict[str, float], timings: list[Timing]) -> None:
    """Replace this benchmark's section of RESULTS.md."""
    machine = (
        f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, headless Chromium beside"
    )
    lines = [
        "## Lesson 3 in a browser",
        f"{datetime.date.today()} · {machine} · `make bench`",
        "",
        f"| what | median of {REPEATS} | 95 % within | goal |",
        "|---|---|---|---|",
    ]
    for what, goal, times in timings:
        most = statistics.quantiles(times, n=20)[-1]
        lines.append(f"| {what} | {statistics.median(times):.1f} ms | {most:.1f} ms | {goal:g} ms |")
    lines += ["", "| from server start, one run | seconds |", "|---|---|"]
    lines += [f"| {what} | {seconds:.1f} |" for what, seconds in starts.items()]
    section = "\n".join(lines) + "\n"
    text = RESULTS.read_text() if RESULTS.exists() else "# Results\n\nOnly rows of one table compare.\n\n"
    kept = re.sub(r"## Lesson 3 in a browser\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL).rstrip()
    RESULTS.write_text(f"{kept}\n\n{section}")
    print(section)


if __name__ == "__main__":
    main()
