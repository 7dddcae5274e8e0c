"""What axe-core, a screen reader's tree and the Tab key find on every page, in light and dark, wide and on a telephone.

    npm pack axe-core && tar xzf axe-core-*.tgz package/axe.min.js
    python -m benchmarks.accessibility --axe package/axe.min.js

A table of pages and findings by impact comes last. Without
--axe its part is left out. No screen reader is run: `unnamed` is what chromium would tell one, controls, images
and charts that have no name. `keyboard` presses Tab from a page's beginning to its end: what holds the focus, what
shows no sign of it, and what it never comes to. A server of this machine is started and ended; needs
requirements-dev.txt and chromium.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.load import end
from benchmarks.pages import FLAGS, serve
from ui.shell.navigation import PAGES

#: Impacts that no page may have, and all, the worst first.
SERIOUS = ("critical", "serious")
IMPACTS = (*SERIOUS, "moderate", "minor")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  rule => rule.nodes.map(node => [rule.impact, rule.id, node.html.slice(0, 120)]))"""
#: Pixels of a window's width: a desk's, where names and the Tab key are looked at too, and a telephone's.
WIDTHS = (1440, 390)
#: Milliseconds that a page may take, and for which nothing of it may change before it counts as drawn.
PATIENCE, STILL = 300_000, 1500
#: Whether a page is drawn: its run has ended, nothing is left of the run before (Streamlit fades it), nothing is waited
#: for or moves, the menu's items have their roles (`ui.shell.screen`), and for a while nothing has changed.
DRAWN = """still => {
  const waits = "[data-stale='true'], [data-testid='stSkeleton'], [data-testid='stSpinner'], "
    + "[data-testid='stSidebarNavItems'] li:not([role])";
  const ready = document.querySelector("[data-testid='stApp'][data-test-script-state='notRunning']")
    && !document.querySelector(waits) && document.getAnimations().every(moving => moving.playState !== "running");
  const now = document.querySelectorAll("*").length + " " + document.body.innerText.length;
  if (!ready || window.lwStill?.[0] !== now) window.lwStill = [now, performance.now()];
  return Boolean(ready) && performance.now() - window.lwStill[1] > still;
}"""
#: Roles, as chromium calls them, that say nothing without a name.
NAMED = {
    "button", "link", "checkbox", "radio", "combobox", "textbox", "searchbox", "slider", "spinbutton", "switch", "tab",
    "image", "grid", "table", "dialog",
}  # fmt: skip
#: Presses of Tab on one page, and on one element, after which they are taken never to end.
PRESSES, STAYS = 1500, 60
#: How an element looks with what is in it and around it; beside it too where it is a hidden `input` of what is shown.
LOOK = """() => {window.lwLook = one => {
  const parts = [one, ...[...one.querySelectorAll("*")].slice(0, 30)];
  for (let up = one.parentElement, n = 0; up && n < 8; up = up.parentElement, n++) parts.push(up);
  if (one.tagName === "INPUT") for (const beside of one.parentElement.children) parts.push(beside, ...beside.children);
  return parts.map(part => {
    const style = getComputedStyle(part);
    return ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor", "backgroundColor", "color",
      "textDecoration", "opacity", "filter"].map(name => style[name]).join();
  }).join(";");
};}"""
#: The number and the beginning of the element that has the focus, or none; and whether the one that had it before looks
#: otherwise now.
FOCUSED = """() => {
  for (const moving of document.getAnimations()) { try { moving.finish(); } catch {} }
  const before = window.lwBefore, changed = before ? window.lwLook(before[0]) !== before[1] : true;
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return [null, "", changed];
  window.lwStops ??= 0;
  one.lwStop ??= ++window.lwStops;
  window.lwBefore = [one, window.lwLook(one)];
  return [one.lwStop, one.outerHTML.slice(0, 120), changed];
}"""
#: Wait for what is drawn by script, which follows the focus a moment later: on a busy machine after a picture or two.
FOLLOWED = """() => new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done), 30))))"""
#: Controls in sight that Tab should come to. Within a group of buttons arrows choose, and Tab comes to one of them.
MISSED = """() => [...document.querySelectorAll(
  "a[href], button, input, select, textarea, [tabindex='0']")].filter(one => one.tabIndex >= 0 && !one.disabled
  && !one.lwStop && one.offsetParent && getComputedStyle(one).visibility === "visible"
  && !["radio", "tab"].includes(one.type) && !["radio", "tab"].includes(one.getAttribute("role"))
  && ![...(one.closest("[role=toolbar], [role=radiogroup], [role=tablist], [data-testid=stButtonGroup]")
    ?.querySelectorAll("*") ?? [])].some(other => other.lwStop)
  && !one.closest("[inert]")).map(one => one.outerHTML.slice(0, 120))"""


@dataclass
class Tabbed:
    """What pressing Tab came to: how many stops, whether it came to the page's end, and what is wrong."""

    stops: int = 0
    ended: bool = False
    unseen: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


@dataclass
class Row:
    """A page: axe-core's findings by impact in all themes and widths, parts that need a name, those without, Tab."""

    page: str
    found: Counter[str] = field(default_factory=Counter)
    named: int = 0
    nameless: int = 0
    tabbed: Tabbed = field(default_factory=Tabbed)

    @property
    def serious(self) -> int:
        return sum(self.found[impact] for impact in SERIOUS)

    @property
    def others(self) -> int:
        return self.nameless + len(self.tabbed.unseen) + len(self.tabbed.missed) + (not self.tabbed.ended)

    def cells(self) -> list[object]:
        tab = self.tabbed
        counts = [self.found[impact] for impact in IMPACTS]
        return [self.page, *counts, self.named, self.nameless, tab.stops, len(tab.unseen), len(tab.missed)]


HEAD = ("page", *IMPACTS, "named", "without a name", "Tab stops", "without a sign", "passed over")


def table(rows: list[Row]) -> str:
    """A row a page, in Markdown."""
    lines = [HEAD, ["---", *["---:"] * (len(HEAD) - 1)], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def opened(browser: Browser, url: str, page: str, scheme: str, width: int = WIDTHS[0]) -> Page:
    """A page in a context of its own, once it is drawn."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    drawn_page = context.new_page()
    drawn_page.goto(f"{url}/{page}", timeout=PATIENCE)
    drawn_page.wait_for_selector(".lw-headline, [data-testid='stAlert']", timeout=PATIENCE)
    drawn_page.wait_for_function(DRAWN, arg=STILL, polling=200, timeout=PATIENCE)
    return drawn_page


def findings(page: Page, axe: str) -> list[tuple[str, str, str]]:
    """Impact, rule and element of each of axe-core's findings."""
    page.evaluate(axe)
    return [tuple(violation) for violation in page.evaluate(RUN)]


def unnamed(page: Page) -> tuple[int, list[str]]:
    """How many parts of a page need a name for a screen reader, and those that have none in chromium's tree."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    needing = [node for node in nodes if not node.get("ignored") and node.get("role", {}).get("value") in NAMED]
    without = []
    for node in needing:
        if not str(node.get("name", {}).get("value", "")).strip():
            try:
                markup = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})["outerHTML"]
            except Exception:  # gone since
                markup = ""
            without.append(f"{node['role']['value']}: {markup[:120]}")
    return len(needing), without


def keyboard(page: Page) -> Tabbed:
    """Press Tab until the page's end; nothing else is pressed, so nothing opens.

    A table keeps the focus for a press a column; what keeps it for `STAYS` is taken never to give it back.
    """
    tabbed, last, first, stays = Tabbed(), (None, ""), None, 0
    page.evaluate(LOOK)
    for _ in range(PRESSES):
        page.keyboard.press("Tab")
        page.evaluate(FOLLOWED)
        number, element, changed = page.evaluate(FOCUSED)
        if number is not None and number == last[0]:
            stays += 1
            if stays < STAYS:
                continue
            tabbed.unseen.append(f"holds the focus: {element}")
            break
        if last[0] is not None and not changed:
            tabbed.unseen.append(last[1])
        if number is None or number == first:
            tabbed.ended = True
            break
        first, last, stays = first or number, (number, element), 0
        tabbed.stops = max(tabbed.stops, number)
    tabbed.missed = page.evaluate(MISSED)
    return tabbed


def read(page: Page, row: Row, scheme: str, axe: str | None, width: int = WIDTHS[0]) -> str:
    """Lines on one page in one theme and width; what they tell is added to its row."""
    lines, name = [], row.page
    if axe:
        violations = findings(page, axe)
        counts = Counter((impact, rule) for impact, rule, _ in violations)
        words = ", ".join(f"{rule} ({impact}) × {n}" for (impact, rule), n in counts.items())
        lines.append(f"{name}, {scheme}, {width} px: axe-core: {words or 'nothing'}")
        lines += [f"  {rule}: {element}" for impact, rule, element in violations if impact in SERIOUS]
        row.found.update(impact for impact, _, _ in violations)
    if scheme == "light" and width == WIDTHS[0]:
        count, without = unnamed(page)
        tabbed = keyboard(page)
        row.named, row.nameless, row.tabbed = count - len(without), len(without), tabbed
        lines.append(
            f"{name}: {count} parts need a name, {len(without)} have none; Tab stops {tabbed.stops} times, "
            f"{'comes to the end' if tabbed.ended else 'does not come to the end'}, "
            f"{len(tabbed.unseen)} stops show no sign, {len(tabbed.missed)} controls are passed over"
        )
        lines += [f"  without a name: {element_words}" for element_words in without]
        lines += [f"  no sign of the focus: {element_words}" for element_words in tabbed.unseen]
        lines += [f"  passed over: {element_words}" for element_words in tabbed.missed]
    return "\n".join(lines)


def main() -> None:
    """Print the findings page by page, and how many there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axe", type=Path, help="axe-core's axe.min.js")
    parser.add_argument("--pages", nargs="*", default=[entry.file for entry in PAGES])
    options = parser.parse_args()
    axe = options.axe.read_text(encoding="utf-8") if options.axe else None
    rows = [Row(name) for name in options.pages]
    looks = list(itertools.product(WIDTHS, ("light", "dark"))) if axe else [(WIDTHS[0], "light")]
    server, url = serve()
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for row, (width, scheme) in itertools.product(rows, looks):
                page = opened(browser, url, row.page, scheme, width)
                print(read(page, row, scheme, axe, width), flush=True)
                page.context.close()
            browser.close()
    finally:
        end(server)
    print(table(rows))
    if axe:
        serious = sum(row.serious for row in rows)
        print(
            f"{len(rows)} pages, two themes, {len(WIDTHS)} widths: {serious} findings of axe-core are serious or worse"
        )
    print(f"{len(rows)} pages, {sum(row.others for row in rows)} findings of names and of the keyboard")


if __name__ == "__main__":
    main()
