"""What the browser benchmarks share: a fresh server, a browser, the machine in words, and a section of RESULTS.md."""

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PORT = int(os.environ.get("PORT", "8598"))
ADDRESS = f"http://localhost:{PORT}"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
VIEWPORT: ViewportSize = {"width": 1400, "height": 900}


@contextmanager
def served() -> Iterator[int]:
    """A fresh server that answers health checks; yields its process id."""
    command = [sys.executable, "-m", "streamlit", "run", "serve.py", f"--server.port={PORT}"]
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    try:
        while not _healthy():
            if process.poll() is not None:
                raise SystemExit("The server did not start; is its port taken? PORT=… chooses another.")
            time.sleep(0.02)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _healthy() -> bool:
    try:
        urllib.request.urlopen(f"{ADDRESS}/_stcore/health", timeout=1).close()
        return True
    except OSError:
        return False


@contextmanager
def browsing() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


def high(times: Sequence[float]) -> float:
    """The 95th percentile; the default method would go beyond the slowest."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def yardstick() -> float:
    """Milliseconds that this machine takes for a million additions in Python: the median of nine."""
    return statistics.median(_additions() for _ in range(9)) * 1e3


def _additions() -> float:
    began, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return time.perf_counter() - began


def record(title: str, command: str, lines: Sequence[str]) -> None:
    """Replace one section of RESULTS.md. The yardstick, because a shared machine has its slow hours."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}"
    told = f"{machine}, headless Chromium beside; a million additions in Python took {yardstick():.0f} ms"
    section = "\n".join([f"## {title}", f"{datetime.date.today()} · {told} · `{command}`", "", *lines]) + "\n"
    kept = re.sub(rf"## {title}\n.*?(?=\n## |\Z)", "", RESULTS.read_text(), flags=re.DOTALL).rstrip()
    RESULTS.write_text(f"{kept}\n\n{section}")
    print(section)
