"""How smooth the landscape is: frames while θ is dragged, and the wait for PyTorch after it is let go.

python -m benchmarks.landscape_in_browser    writes its section of benchmarks/RESULTS.md
"""

import statistics
from typing import NamedTuple

from playwright.sync_api import Page

from benchmarks.stage import ADDRESS, VIEWPORT, browsing, high, record, served

LESSON = f"{ADDRESS}/04_inner_jacobian"
PLANES = ("bowl", "rosenbrock", "two tasks", "ReLU net", "own")
FRAMES, RELEASES = 180, 24

# Every animation frame's callbacks are timed; a drag is one pointer event per frame, around a circle.
HELPERS = """
const raf = window.requestAnimationFrame.bind(window), costs = [];
const now = () => performance.now(), all = () => [...document.querySelectorAll('*')];
window.requestAnimationFrame = f => raf(t => { const start = now(); f(t); costs.push(now() - start); });
window.find = s => all().map(e => e.shadowRoot?.querySelector('.landscape ' + s)).find(Boolean);
const send = (type, x, y) => find('.knob').dispatchEvent(
  new PointerEvent(type, { clientX: x, clientY: y, pointerId: 1, bubbles: true }));
const middle = () => {
  const r = find('.knob .dot').getBoundingClientRect();
  return [r.x + r.width / 2, r.y + r.height / 2];
};
window.drag = async frames => {
  find('.knob').setPointerCapture = () => {};
  const [x, y] = middle(), intervals = [];
  send('pointerdown', x, y);
  costs.length = 0;
  let last = await new Promise(raf);
  for (let i = 1; i <= frames; i++) {
    const a = i / frames * 2 * Math.PI;
    send('pointermove', x + 70 * Math.sin(a), y - 70 + 70 * Math.cos(a));
    const time = await new Promise(raf);
    intervals.push(time - last);
    last = time;
  }
  const drawn = [...costs];
  return { intervals, drawn };
};
window.release = async i => {
  const [x, y] = middle();
  send('pointerdown', x, y);
  send('pointermove', x + (i % 2 ? 9 : -9), y + (i % 3) - 1);
  await new Promise(raf); await new Promise(raf);
  const line = find('.check'), start = now();
  const done = new Promise(ok => {
    const watch = new MutationObserver(() => {
      if (line.classList.contains('good')) { watch.disconnect(); ok(now() - start); }
    });
    watch.observe(line, { attributes: true, childList: true, characterData: true, subtree: true });
  });
  send('pointerup', x, y);
  return done;
};
"""


class Row(NamedTuple):
    """Milliseconds of one landscape."""

    plane: str
    intervals: list[float]
    drawn: list[float]
    releases: list[float]


def main() -> None:
    with served(), browsing() as browser:
        page = browser.new_page(viewport=VIEWPORT)
        page.add_init_script(HELPERS)
        rows = [_measure(page, plane) for plane in PLANES]
    _write(rows)


def _measure(page: Page, plane: str) -> Row:
    page.goto(f"{LESSON}?plane={plane.replace(' ', '+')}")
    page.get_by_role("button", name="just show me").click()
    page.locator(".landscape .check.good").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(2000)
    frames = page.evaluate("drag", FRAMES)
    page.evaluate("release", 0)
    releases = []
    for i in range(RELEASES):
        page.wait_for_timeout(1200)  # the rest of the page, which the reader does not wait for
        releases.append(page.evaluate("release", i))
    return Row(plane, frames["intervals"], frames["drawn"], releases)


def _write(rows: list[Row]) -> None:
    lines = [
        f"One pointer event per frame, {FRAMES} frames; {RELEASES} releases. Milliseconds, median / 95 % within.",
        "",
        "| landscape | frame to frame (goal 20) | recompute and redraw | release to PyTorch's check (goal 250) |",
        "|---|---|---|---|",
    ]
    for row in rows:
        cells = [f"{statistics.median(t):.1f} / {high(t):.1f}" for t in row[1:3]]
        waits = f"{statistics.median(row.releases):.0f} / {high(row.releases):.0f}"
        lines.append(f"| {row.plane} | {' | '.join(cells)} | {waits} |")
    record("The landscape in a browser", "python -m benchmarks.landscape_in_browser", lines)


if __name__ == "__main__":
    main()
