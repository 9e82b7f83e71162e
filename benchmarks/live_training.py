"""How live the lab is: times from click to picture, rates, CPU, leaks. Written to benchmarks/RESULTS.md.

python -m benchmarks.live_training
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks import lessons_in_browser
from benchmarks.stage import ADDRESS, ENVIRONMENT, ROOT, VIEWPORT, browsing, record, served
from maml_core.train.config import PRESETS
from maml_core.train.limits import Limits
from maml_core.train.pool import Pool

LAB = f"{ADDRESS}/07_sinusoid_lab?lab_iterations=150000"
REPEATS, SECONDS, CYCLES = 7, 5.0, 1000
LOSS = "document.querySelector('.live .plot')"

# What the page times itself: from the click to the frame in which the thing is there.
HELPERS = f"""
window.frame = () => new Promise(done => requestAnimationFrame(done));
window.button = name =>
  [...document.querySelectorAll('button:not(:disabled)')].find(b => b.innerText.trim().endsWith(name));
window.clicked = async (name, there) => {{
  while (!button(name)) await frame();
  const start = performance.now();
  button(name).click();
  while (!there()) await frame();
  await frame();
  return performance.now() - start;
}};
window.points = () => {LOSS}?.data?.[0]?.x?.length ?? 0;
window.said = text => document.querySelector('.live .words')?.textContent.startsWith(text);
"""


def main() -> None:
    rows = [("load before", f"{os.getloadavg()[0]:.1f}", "")]
    with served() as server, browsing() as browser:
        context = browser.new_context(viewport=VIEWPORT)
        lab = _lab(context)
        rows += _clicks(lab)
        rows += _rates(lab)
        rows += _beside(browser, lab)
        rows += _cpu(server, lab)
    rows += _cycles()
    _write([*rows, ("load after", f"{os.getloadavg()[0]:.1f}", "")])


def _lab(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(LAB)
    page.locator(".live .plot svg").first.wait_for()
    page.wait_for_timeout(1500)
    page.evaluate(HELPERS)
    return page


def _clicks(lab: Page) -> list[tuple[str, str, str]]:
    starts, stops = [], []
    for _ in range(REPEATS):
        starts.append(lab.evaluate("clicked('Start', () => points() > 0)"))
        lab.wait_for_timeout(1500)
        stops.append(lab.evaluate("clicked('Stop', () => said('Stopped'))"))
        lab.wait_for_timeout(800)
        lab.evaluate("clicked('Reset', () => said('Nothing'))")
        lab.wait_for_timeout(800)
    return [
        ("click Start → first point drawn", _median(starts), "≤ 500 ms"),
        ("click Stop → “Stopped” on the page", _median(stops), "≤ 300 ms"),
    ]


def _median(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} ms ({min(times):.0f} … {max(times):.0f}, {len(times)} times)"


def _rates(lab: Page) -> list[tuple[str, str, str]]:
    """The same training from the command line, as nice as a worker, and in the watched page, in turns."""
    ratios, here, there = [], [], []
    for _ in range(3):
        there.append(_command_line())
        lab.evaluate("clicked('Start', () => points() > 0)")
        lab.wait_for_timeout(1000)
        before, began = _step(lab), time.perf_counter()
        lab.wait_for_timeout(SECONDS * 1000)
        here.append((_step(lab) - before) / (time.perf_counter() - began))
        lab.evaluate("clicked('Stop', () => said('Stopped'))")
        lab.wait_for_timeout(500)
        lab.evaluate("clicked('Reset', () => said('Nothing'))")
        lab.wait_for_timeout(500)
        ratios.append(here[-1] / there[-1])
    shown = ", ".join(f"{a:.0f} / {b:.0f}" for a, b in zip(here, there, strict=True))
    return [
        (
            "steps/s in the page / on the command line (nice 10)",
            f"{statistics.median(ratios):.2f} ({shown})",
            "≥ 0.70",
        )
    ]


def _step(lab: Page) -> int:
    return int(lab.evaluate("document.querySelector('.live').dataset.drawn.split(' ')[1]"))


def _command_line() -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = ["nice", "-n", "10", sys.executable, "-m", "maml_core", "train", "--preset", "tour", "--json"]
        command += ["--iterations", "3000", "--out", f"{folder}/run.safetensors"]
        done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["iterations_per_second"]


def _beside(browser: Browser, lab: Page) -> list[tuple[str, str, str]]:
    """Another reader's slider on lesson 3, without and with one training on a watched page."""
    page = browser.new_context(viewport=VIEWPORT).new_page()
    page.goto(f"{ADDRESS}/03_create_graph?losses=wave&c=1")
    page.locator(".linked svg").first.wait_for()
    page.wait_for_timeout(1500)
    page.evaluate(lessons_in_browser.HELPERS)
    alone = [_slide(page) for _ in range(15)]
    lab.evaluate("clicked('Start', () => points() > 0)")
    lab.wait_for_timeout(1000)
    beside = [_slide(page) for _ in range(15)]
    lab.evaluate("clicked('Stop', () => said('Stopped'))")
    page.context.close()
    return [
        ("another reader's slider, nothing training", _median(alone), ""),
        ("another reader's slider beside one training", _median(beside), "≤ 300 ms"),
    ]


def _slide(page: Page) -> float:
    page.locator("[data-testid=stSlider] input").first.focus()
    page.evaluate("watch()")
    page.keyboard.press("ArrowLeft")
    took = page.evaluate("took")
    page.wait_for_timeout(300)
    return took


def _cpu(server: int, lab: Page) -> list[tuple[str, str, str]]:
    """Cores that the server process uses while one page follows a run, less what it uses at rest."""
    idle = _cores(server, lab)
    lab.evaluate("clicked('Resume', () => said('Training'))")
    lab.wait_for_timeout(1000)
    live = _cores(server, lab)
    lab.evaluate("clicked('Stop', () => said('Stopped'))")
    return [("server CPU for one live page", f"{live - idle:.3f} cores (at rest {idle:.3f})", "≤ 0.15")]


def _cores(pid: int, lab: Page) -> float:
    before, began = _ticks(pid), time.perf_counter()
    lab.wait_for_timeout(SECONDS * 1000)
    return (_ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / (time.perf_counter() - began)


def _ticks(pid: int) -> int:
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))


def _cycles() -> list[tuple[str, str, str]]:
    """Start and stop with a real worker, a thousand times."""
    pool = Pool(Limits(workers=1))
    token = pool.admit("benchmark")
    pool.start(token, "lab", PRESETS["tour"], steps=1)
    _until(lambda: not _live(pool, token))
    before = _held()
    began = time.perf_counter()
    for cycle in range(CYCLES):
        pool.start(token, "lab", PRESETS["tour"])
        (pool.stop, pool.pause, pool.reset)[cycle % 3](token, "lab")
    took, after = time.perf_counter() - began, _held()
    pool.close()
    what = f"{after[0] - before[0]:+} open files, {after[1] - before[1]:+} threads, {after[2] - before[2]:+.1f} MiB"
    return [(f"{CYCLES} starts and stops, {took / CYCLES * 1000:.0f} ms each", what, "nothing")]


def _live(pool: Pool, token: str) -> bool:
    run = pool.snapshot(token, "lab")
    return run is not None and run.live


def _held() -> tuple[int, int, float]:
    """Open files, threads and resident memory of this process."""
    status = Path("/proc/self/status").read_text()
    threads = re.search(r"Threads:\s+(\d+)", status)
    memory = re.search(r"VmRSS:\s+(\d+)", status)
    assert threads is not None
    assert memory is not None
    return len(os.listdir("/proc/self/fd")), int(threads[1]), int(memory[1]) / 1024


def _until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)


def _write(rows: list[tuple[str, str, str]]) -> None:
    lines = ["| what | measured | goal |", "|---|---|---|"]
    lines += [f"| {what} | {value} | {goal} |" for what, value, goal in rows]
    record("The sinusoid lab, live", "python -m benchmarks.live_training", lines)


if __name__ == "__main__":
    main()
