"""What axe-core finds on every page, in light and in dark.

    npm pack axe-core && tar xzf axe-core-*.tgz package/axe.min.js
    python -m benchmarks.accessibility --axe package/axe.min.js

A server of this machine is started and ended; needs requirements-dev.txt, chromium, and axe-core's script.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.pages import FLAGS, serve
from ui.shell.navigation import PAGES

#: Impacts that no page may have, and all, the worst first.
SERIOUS = ("critical", "serious")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  rule => rule.nodes.map(node => [rule.impact, rule.id, node.html.slice(0, 120)]))"""


def findings(browser: Browser, url: str, page: str, scheme: str, axe: str) -> list[tuple[str, str, str]]:
    """Impact, rule and element of each finding on a page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    try:
        opened = context.new_page()
        opened.goto(f"{url}/{page}")
        opened.wait_for_selector(".lw-headline, [data-testid='stAlert']", timeout=60_000)
        opened.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        opened.wait_for_timeout(500)
        opened.evaluate(axe)
        return [tuple(one) for one in opened.evaluate(RUN)]
    finally:
        context.close()


def main() -> None:
    """Print the findings page by page, and how many are serious."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axe", type=Path, required=True, help="axe-core's axe.min.js")
    parser.add_argument("--pages", nargs="*", default=[entry.file for entry in PAGES])
    asked = parser.parse_args()
    axe, serious = asked.axe.read_text(encoding="utf-8"), 0
    server, url = serve()
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for page in asked.pages:
                for scheme in ("light", "dark"):
                    found = findings(browser, url, page, scheme, axe)
                    counts = Counter((impact, rule) for impact, rule, _ in found)
                    words = ", ".join(f"{rule} ({impact}) × {n}" for (impact, rule), n in counts.items())
                    print(f"{page}, {scheme}: {words or 'nothing'}", flush=True)
                    for impact, rule, element in found:
                        if impact in SERIOUS:
                            serious += 1
                            print(f"  {rule}: {element}")
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    print(f"{len(asked.pages)} pages in two themes, {serious} findings that are serious or worse")


if __name__ == "__main__":
    main()
