"""The browser that every browser test gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PAGE = "data:text/html,<title>here</title><p>text</p>"


def test_it_opens_pages_in_a_theme_and_width(visit):
    seen = visit(PAGE, width=360, theme="dark")
    assert seen.page.title() == "here"
    assert seen.page.evaluate("innerWidth") == 360
    assert seen.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


def test_it_notes_what_goes_wrong(visit):
    seen = visit("data:text/html,<script>console.error('first');throw new Error('second')</script>")
    assert [problem.split(":")[0] for problem in seen.problems] == ["console error", "exception"]
    seen.expected += ["first", "second"]


def _run_without_browser(tmp_path, **variables):
    (tmp_path / "test_page.py").write_text("def test_looks(visit):\n    visit('about:blank')\n")
    (tmp_path / "conftest.py").write_text(
        "import tests.system.browser as browser\n"
        "browser.installed = lambda: None\n"
        "browser._from_distribution = browser._from_playwright = lambda: False\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.system.browser", "-p", "no:django"]
    return subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_names_what_did_not_run_on_the_last_lines(tmp_path):
    done = _run_without_browser(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2:] == [
        "NOT RUN, no browser could be had: 1 tests",
        "  test_page.py::test_looks",
    ]


def test_it_fails_in_ci_without_a_browser(tmp_path):
    done = _run_without_browser(tmp_path, CI="true")
    assert done.returncode == 1
    assert "no browser: " in done.stdout
