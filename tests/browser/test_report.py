"""The report in a real chromium with the network off: it is drawn, asks for nothing, and runs nothing from names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from core.audit.folder import open_audit
from core.present.card import Section
from core.present.report import report_of, write_report
from core.present.report.blocks import Grid, Pair, Side, data_uri
from core.present.report.build import render
from tests.helpers.reports import HOSTILE, PLAIN, hostile_audit, hostile_info, report
from tests.helpers.shipped import AUDIT, MODEL, shipped_or_skip

pytestmark = pytest.mark.browser
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
TAGS = "[...document.querySelectorAll('*')].map(e => [e.tagName, ...e.getAttributeNames()].join(' '))"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shipped_or_skip()
    file = tmp_path_factory.mktemp("report") / "report.html"
    write_report(file, report_of(MODEL, open_audit(AUDIT), timestamp=datetime(2026, 1, 2, tzinfo=UTC)))
    return file


def visit(browser, file: Path, **settings: object):
    """A page opened from a file with the network off, and what went wrong: requests, messages, dialogs."""
    context = browser.new_context(**settings)
    context.set_offline(True)
    wrong: list[str] = []
    address = file.as_uri()

    def route(request_route) -> None:
        if request_route.request.url == address:
            request_route.continue_()
        else:
            wrong.append(request_route.request.url)
            request_route.abort()

    context.route("**/*", route)
    page = context.new_page()
    page.on("request", lambda r: wrong.append(r.url) if r.url != address and not r.url.startswith("data:") else None)
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    page.wait_for_timeout(100)
    return page, wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_opens_offline_and_is_drawn(browser, shipped: Path, width: int, scheme: str) -> None:
    page, wrong = visit(browser, shipped, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert wrong == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    boxes = page.evaluate("[...document.querySelectorAll('.chart .row:not(.axis) svg')].map(s => {"
                          "const box = s.getBoundingClientRect();"
                          "return [box.width, box.height, s.querySelectorAll('circle').length]})")  # fmt: skip
    assert len(boxes) > 40
    assert all(wide > 100 and high > 10 and dots for wide, high, dots in boxes)
    pictures = page.evaluate("[...document.images].map(i => i.complete && i.naturalWidth)")
    assert len(pictures) > 35
    assert all(pictures)
    ink, paper = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (light[0] < light[1]) == (scheme == "light"), "the style sheet passed the policy"
    page.context.close()


def test_what_stands_for_a_missing_average_takes_no_more_room_than_one(browser, tmp_path: Path) -> None:
    face = (data_uri(Image.new("RGB", (112, 112), "grey")), "Average face", "face, mean of 225")
    why = "not shown: with the maps below it, one could work out that of under 11 faces"
    sides = Side("correct", 225, face, face), Side("incorrect", 86, face, why)
    grid = Section("grid", "Grid", (Grid((Pair("Women", "72.3 % correct", sides),)),))
    file = tmp_path / "report.html"
    file.write_text(render(title="a", facts=[], headline=[], warnings=[], sections=[grid]), encoding="utf-8")
    page, _ = visit(browser, file, viewport={"width": 1000, "height": 900})
    boxes = page.evaluate("[...document.querySelectorAll('.side img, .few')].map(e => {"
                          "const box = e.getBoundingClientRect(); return [box.width, box.height]})")  # fmt: skip
    assert len(boxes) == 4
    assert max(map(max, boxes)) < 1.05 * min(map(min, boxes))
    page.context.close()


def test_a_dot_lies_where_its_value_is(browser, shipped: Path) -> None:
    """Read back from the screen: places between two ticks against the words beside the row."""
    page, _ = visit(browser, shipped, viewport={"width": 1440, "height": 900})
    read = page.evaluate("""() => {
      const chart = [...document.querySelectorAll('#accuracy .chart')][0];
      const middle = e => { const b = e.getBoundingClientRect(); return b.left + b.width / 2; };
      const ticks = [...chart.querySelectorAll('.axis text')].map(t => [parseFloat(t.textContent), middle(t)]);
      const rows = [...chart.querySelectorAll('.row:not(.axis)')].map(r =>
        [r.querySelector('.words').textContent, middle(r.querySelector('circle')),
         r.querySelector('.bar').getBoundingClientRect().left, r.querySelector('.bar').getBoundingClientRect().right]);
      return [ticks, rows];
    }""")
    (first, left), (last, right) = read[0][0], read[0][-1]
    assert len(read[1]) == 10
    for words, *places in read[1]:
        values = [float(number) for number in re.findall(r"\d+\.\d", words)]
        dots = [first + (place - left) / (right - left) * (last - first) for place in places]
        assert dots == pytest.approx(values, abs=0.15), words
    page.context.close()


def test_tables_scroll_in_themselves_on_a_telephone(browser, shipped: Path) -> None:
    page, _ = visit(browser, shipped, viewport={"width": 390, "height": 844})
    wide = page.evaluate("[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length")
    assert wide > 0
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.getBoundingClientRect().right <= 391)")
    page.context.close()


def test_on_paper_nothing_is_cut_off(browser, shipped: Path) -> None:
    page, _ = visit(browser, shipped, viewport={"width": 690, "height": 980}, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.context.close()


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The same report with hostile names and with plain ones."""
    path = tmp_path_factory.mktemp("named")
    return [report(hostile_audit(path, names), hostile_info(names)) for names in (HOSTILE, PLAIN)]


@pytest.mark.parametrize("policy", [True, False], ids=["as written", "without its policy"])
def test_hostile_names_run_nothing(browser, named: list[str], tmp_path: Path, policy: bool) -> None:
    """Escaping alone must hold: with and without the policy the page has the elements that plain names make."""
    dialogs = []
    for content in named:
        file = tmp_path / f"{len(dialogs)}.html"
        assert POLICY.search(content)
        write_report(file, content if policy else POLICY.sub("", content))
        page, wrong = visit(browser, file)
        assert wrong == []
        dialogs.append(page.evaluate(TAGS))
        page.context.close()
    assert dialogs[0] == dialogs[1]
    assert not any(tag.startswith(("SCRIPT", "IFRAME")) or " on" in tag for tag in dialogs[0])
