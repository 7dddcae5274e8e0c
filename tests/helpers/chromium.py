"""A real chromium for the tests, and the app served to it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.shipped import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWN = '[data-testid="stApp"][data-test-script-state="notRunning"]'
#: Of elements, those whose text has less contrast than 4.5 to 1 with the app's ground (WCAG 2.2, 1.4.3).
FAINT = """elements => elements.filter(element => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = rgb => rgb.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  let alpha = 1;
  for (let one = element; one; one = one.parentElement) alpha *= Number(getComputedStyle(one).opacity);
  const ground = numbers(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
  const text = numbers(getComputedStyle(element).color);
  alpha *= text[3] ?? 1;
  const seen = text.slice(0, 3).map((v, n) => alpha * v + (1 - alpha) * ground[n]);
  const [low, high] = [light(seen), light(ground)].sort((a, b) => a - b);
  return element.innerText.trim() && element.offsetParent && (high + 0.05) / (low + 0.05) < 4.5;
}).map(element => element.innerText)"""


def chromium_or_skip() -> str:
    """The path of chromium. Without one the test is skipped on a user's machine, and fails in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium, and CI must not skip the browser tests")
        pytest.skip("needs chromium: install it with the system's package manager")
    return CHROMIUM


@contextmanager
def chromium() -> Iterator[object]:
    """A running chromium, driven by playwright."""
    path = chromium_or_skip()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def served(log: Path, script: str = "app.py", **environment: str) -> Iterator[str]:
    """The address of the app, or another script, on a free port of this machine; it is ended by its own process id.

    `environment` are variables that are set for it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                    break
                except OSError:
                    assert server.poll() is None, log.read_text()
                    time.sleep(0.25)
            yield url
        finally:
            server.terminate()
            server.wait(20)


def visit(browser, url: str, width: int = 1440, first: str = ""):
    """A page of the app once drawn, and the list that collects its console errors.

    `first` is what shows that it is drawn, where that is no headline.
    """
    context = browser.contexts[0] if browser.contexts else browser.new_context()
    page = context.new_page()  # pages of one context share its cache of the app's scripts
    page.set_viewport_size({"width": width, "height": 900})
    errors: list[str] = []
    # Streamlit asks for /PAGE/_stcore/… once on a deep link and gets a 404: not ours.
    page.on(
        "console",
        lambda m: errors.append(m.text) if m.type == "error" and "/_stcore/" not in m.location.get("url", "") else None,
    )
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(url)
    if first:
        page.wait_for_selector(first, timeout=60_000)
    else:
        wait(page)
    return page, errors


def wait(page) -> None:
    """Returns once the page is drawn and its script rests."""
    for _ in range(2):  # a click's run may begin a moment after it, and follow one that has just ended
        page.wait_for_selector(".lw-headline, [data-testid='stAlert'], [data-testid='stException']", timeout=90_000)
        page.wait_for_selector(DRAWN, timeout=60_000)
        page.wait_for_timeout(200)


def wait_for_figure(page, value: str) -> None:
    """Returns once a figure of the page is just this value: a page may rest for a moment before it is drawn."""
    shown = page.get_by_test_id("stMetricValue").filter(has_text=re.compile(rf"^\s*{re.escape(value)}\s*$"))
    shown.first.wait_for(timeout=60_000)


def boxes(page) -> list[str]:
    """The texts of all error boxes on the page."""
    return page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]').all_inner_texts()
