"""A real server and a real browser: Debian's chromium, driven by Playwright."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
LESSON = "03_create_graph"
PICTURES = dict.fromkeys(("01", "02", "03"), ".linked figure.active svg") | dict.fromkeys(
    ("04", "06"), ".landscape .dot"
)
# On a deep link Streamlit's frontend first asks whether it lives below the page's own path; the 404 is its answer.
PROBES = ("/_stcore/health", "/_stcore/host-config")


@contextmanager
def served():
    """A fresh server; yields its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "serve.py", f"--server.port={port}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as log:  # a pipe that nobody reads would fill and stop the server
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield _answering(f"http://localhost:{port}", process, log)
        finally:
            process.terminate()
            process.wait(10)


def _answering(address, process, log):
    """The address, once the server there is healthy."""
    for _ in range(900):
        if process.poll() is not None:
            log.seek(0)
            pytest.fail(log.read().decode())
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return address
        except OSError:
            time.sleep(0.2)
    pytest.fail("The server did not become healthy within three minutes.")


@pytest.fixture(scope="session")
def address():
    with served() as where:
        yield where


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium")
    assert chromium, "The browser tests need Debian's chromium: `make setup` installs it."
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=arguments)


class Visit:
    """A page that remembers what went wrong on it."""

    def __init__(self, browser, address, *, width=1400, theme="light"):
        self.address = address
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        self.page = self.context.new_page()
        self.troubles = []
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message):
        probe = any(message.location.get("url", "").endswith(path) for path in PROBES)
        if message.type == "error" and not probe:
            self.troubles.append(f"console: {message.text}")

    def _request(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.troubles.append(f"request to another host: {request.url}")

    def open(self, path=""):
        self.page.goto(f"{self.address}/{path}")
        self.page.locator("h1").first.wait_for()
        self.settle()
        if path[:2] in PICTURES:  # a component mounts after the server has finished
            self.page.locator(PICTURES[path[:2]]).first.wait_for()
        return self.page

    def settle(self):
        """Until the server has nothing more to say, and has not had for a moment: one answer may ask for the next."""
        quiet = self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
        while True:
            quiet.wait_for()
            self.page.wait_for_timeout(150)
            if quiet.count():
                return

    def reveal(self):
        self.page.get_by_role("button", name="just show me").click()
        self.page.get_by_text("independent ways").first.wait_for()
        self.settle()


@pytest.fixture
def visit(browser, address):
    visits = []

    def start(**options):
        visits.append(Visit(browser, address, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()
        assert one.troubles == []
