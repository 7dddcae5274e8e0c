"""Seconds until the app's first page is drawn, and until a change of the filter is, in a real chromium.

    python -m benchmarks.pages

A new server each time, so the first visit loads the audit; needs requirements-dev.txt and chromium.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.side_by_side import Measured

ROOT = Path(__file__).parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ROUNDS = 5
#: A page of one sentence and a button, for what Streamlit itself takes.
PLAIN = """import streamlit as st
count = st.session_state.get("count", 0)
if st.button("change"):
    st.session_state["count"] = count = count + 1
st.write(f"Changed {count} times.")
"""


def serve(app: Path = ROOT / "app.py") -> tuple[subprocess.Popen, str]:
    """A server on a free port of this machine, ready to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(app),
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return server, url
        except OSError:
            time.sleep(0.25)
    server.terminate()
    raise SystemExit("the app did not start")


def first_page(page: Page, url: str, selector: str = ".lw-card img") -> float:
    """Seconds from asking for the page to its pictures standing in it and the script's end."""
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(selector, timeout=60_000)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    return time.perf_counter() - began


def filter_change(page: Page, name: str) -> float:
    """Seconds from the click on an ethnicity to the new sentence and the script's end."""
    before = page.locator(".lw-headline").inner_text()
    pill = page.get_by_test_id("stMain").get_by_text(name, exact=True).first
    began = time.perf_counter()
    pill.click()
    page.wait_for_function("before => document.querySelector('.lw-headline')?.innerText !== before", arg=before)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    return time.perf_counter() - began


def plain_change(page: Page) -> float:
    """Seconds from the click on a button of `PLAIN` to the new sentence and the script's end."""
    count = page.locator("p", has_text="Changed").inner_text()
    button = page.get_by_role("button", name="change")
    began = time.perf_counter()
    button.click()
    page.wait_for_function(
        "count => [...document.querySelectorAll('p')].some(p => /Changed/.test(p.innerText) && p.innerText !== count)",
        arg=count,
    )
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    return time.perf_counter() - began


def measure(seconds: float) -> dict[str, Measured]:
    """First pages of new servers, and changes, of the app and of `PLAIN` in turns, until `seconds` are spent."""
    firsts: list[tuple[float, float]] = []
    changes: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        plain = Path(folder) / "plain.py"
        plain.write_text(PLAIN)
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        while not firsts or sum(map(sum, firsts)) < seconds:
            app_first, app_change = first_and_change(
                browser, ROOT / "app.py", ".lw-card img", lambda page: filter_change(page, "Black")
            )
            plain_first, plain_changed = first_and_change(browser, plain, "button", plain_change)
            firsts.append((app_first, plain_first))
            changes.append((app_change, plain_changed))
        browser.close()
    return {"first-page": Measured(tuple(firsts)), "filter": Measured(tuple(changes))}


def first_and_change(
    browser: Browser, app: Path, selector: str, change: Callable[[Page], float]
) -> tuple[float, float]:
    """Seconds of the first page of a new server of `app`, which stands when `selector` does, and of a change on it."""
    server, url = serve(app)
    try:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        first = first_page(page, url, selector)
        page.wait_for_timeout(500)
        seconds = change(page)
        page.close()
        return first, seconds
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    """Print medians of five new servers, and of ten filter changes."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    first, changes = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for _ in range(ROUNDS):
            server, url = serve()
            try:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                first.append(first_page(page, url))
                page.wait_for_timeout(500)
                changes += [filter_change(page, name) for name in ("Black", "White")]
                page.close()
            finally:
                server.terminate()
                server.wait(20)
        browser.close()
    print(f"first page of a new server  {statistics.median(first):.2f} s (of {', '.join(f'{t:.2f}' for t in first)})")
    print(f"filter change               {statistics.median(changes):.2f} s (slowest {max(changes):.2f})")


if __name__ == "__main__":
    main()
