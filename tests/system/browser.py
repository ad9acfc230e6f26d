"""A browser for tests: the installed one, else the distribution's, else Playwright's own.

Fixtures: ``chromium`` (a running browser, one per module) and ``visit`` (opens pages, each with a record of
what went wrong in it; the test fails when anything did). Where no browser can be had, the tests that need
one are skipped, named on the last lines of the run, and with ``CI=true`` failed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_BROWSER = "no browser: "
INSTALL_S = 600
PATIENCE_MS = 30_000
"""How long a page may take to become what a test expects, on a machine that others use too."""
FLAGS = ("--disable-dev-shm-usage", "--disable-gpu")


def installed() -> str | None:
    """A Chromium or Chrome on this machine that starts, or Playwright's own when it was downloaded."""
    places = [shutil.which(name) for name in NAMES]
    with sync_playwright() as playwright:
        places.append(playwright.chromium.executable_path)
    return next((place for place in places if place and Path(place).exists() and _starts(place)), None)


def bring() -> str | None:
    """The browser, installed first when there is none; ``None`` when none can be had.

    One process of a test run installs; the others wait for it, and nobody tries a second time.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with Path(tempfile.gettempdir(), "coord-test-browser.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = installed()
        lock.seek(0)
        if found or lock.read() == run:
            return found
        for install in (_from_distribution, _from_playwright):
            if install() and (found := installed()):
                return found
        lock.truncate(0)
        lock.write(run)
    return None


def _starts(program: str) -> bool:
    # Ubuntu's package is a script that asks for a snap: being there is not enough.
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return shown.returncode == 0 and b"hrom" in shown.stdout


def _from_distribution() -> bool:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    package = [apt, "install", "-y", "-q", "--no-install-recommends", "chromium"]
    return _run([apt, "update", "-q"], environ) and _run(package, environ)


def _from_playwright() -> bool:
    with_libraries = ["--with-deps"] if os.geteuid() == 0 and shutil.which("apt-get") else []
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return _run([*command, *with_libraries], dict(os.environ)) or _run(command, dict(os.environ))


def _run(command: list[str], environ: dict[str, str]) -> bool:
    try:
        done = subprocess.run(command, env=environ, capture_output=True, timeout=INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@dataclass
class Visit:
    """A page in a context of its own, and everything that went wrong in it."""

    page: Page
    context: BrowserContext
    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, origin: str) -> None:
        """Note console errors, uncaught exceptions, CSP violations and requests to other hosts."""
        self.page.on("console", lambda message: self._console(message))
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("request", lambda request: self._request(request.url, origin))

    def unexpected(self) -> list[str]:
        """The problems that the test did not say it expects."""
        return [one for one in self.problems if not any(part in one for part in self.expected)]

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, url: str, origin: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != urlsplit(origin).netloc:
            self.problems.append(f"request to another host: {url}")


@pytest.fixture(scope="session")
def browser_program() -> str:
    """The path of a browser. Skips the test when there is none; fails it in CI."""
    program = bring()
    if program is None:
        reason = f"{NO_BROWSER}install Chromium or Chrome, or let Playwright download one"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture(scope="module")
def chromium(browser_program: str) -> Iterator[Browser]:
    """A running headless browser. It occupies the module's event loop: no async tests beside it."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser_program, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address: ``visit(url, width=360, theme="dark", cookies=[…])``.

    At the end of the test, no visited page may have logged an error, violated its CSP or asked another host.
    """
    visits: list[Visit] = []

    def open_page(
        url: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        cookies: list[Any] | None = None,
        script: bool = True,
    ) -> Visit:
        options: Any = {"color_scheme": theme, "viewport": {"width": width, "height": height}}
        context = chromium.new_context(java_script_enabled=script, **options)
        context.add_cookies(cookies or [])
        seen = Visit(context.new_page(), context)
        seen.watch(url)
        visits.append(seen)
        seen.page.goto(url)
        return seen

    yield open_page
    problems = [problem for seen in visits for problem in seen.unexpected()]
    for seen in visits:
        seen.context.close()
    assert not problems, problems


def pytest_unconfigure(config: pytest.Config) -> None:
    """Name the tests that did not run for want of a browser, after everything else was printed."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    missed = [
        report.nodeid
        for report in reporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NO_BROWSER in report.longrepr[2]
    ]
    if missed:
        reporter.write_line(f"NOT RUN, no browser could be had: {len(missed)} tests", red=True)
        for nodeid in missed:
            reporter.write_line(f"  {nodeid}", red=True)
