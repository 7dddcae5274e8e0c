"""The shipped study in a real chromium: open, filter, compare, and check what a page says against the audit's table."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from core.analysis.accuracy.by_group import accuracy_by
from core.audit.folder import Audit
from core.data.filters import Filter
from tests.helpers.chromium import DRAWN, FAINT, boxes, served, visit, wait, wait_for_figure
from tests.helpers.portrait import PORTRAIT
from ui.shell.navigation import PAGES, entry_of

pytestmark = pytest.mark.browser
#: What of some texts is cut off.
CUT = "texts => texts.filter(text => text.scrollWidth > text.clientWidth + 1).map(text => text.innerText)"


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", ["", *(entry.file for entry in PAGES)])
def test_a_page_opens_without_an_error_and_without_scrolling_sideways(
    browser, address: str, name: str, width: int
) -> None:
    page, errors = visit(browser, f"{address}/{name}", width)
    assert boxes(page) == []
    assert errors == []
    assert page.locator(".lw-headline").first.inner_text()
    entry = entry_of(name)
    assert page.title() == f"{entry.title} · Lookwhere"
    marked = page.locator('[data-testid="stSidebarNavLink"][aria-current="page"]')
    assert [text.split("\n")[-1] for text in marked.all_inner_texts()] == [entry.title]
    hidden = """buttons => buttons.filter(button => {
      const box = button.getBoundingClientRect();
      const group = button.closest('[data-testid="stButtonGroup"]').getBoundingClientRect();
      return box.right > group.right + 1 || box.left < group.left - 1;
    }).map(button => button.innerText)"""
    assert page.locator('[data-testid="stButtonGroup"] button').evaluate_all(hidden) == []
    # By these a printed chart is scaled. They follow a chart's size, which may change once more after the script rests.
    page.wait_for_function("""() => [...document.querySelectorAll('.js-plotly-plot .main-svg')].every(svg =>
      svg.getAttribute('viewBox') === `0 0 ${svg.getAttribute('width')} ${svg.getAttribute('height')}`)""")
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    quiet = '[data-testid="stCaptionContainer"] p, [data-testid="stWidgetLabel"] p'
    assert page.locator(quiet).evaluate_all(FAINT) == []
    assert page.locator('[data-testid="stSidebarNavItems"] li:not([role])').count() == 0
    assert page.locator('[data-testid="stMetricLabel"] p, [data-testid="stMetricDelta"] *').evaluate_all(CUT) == []
    page.close()


def test_a_figure_is_whole_on_a_tablet_too(browser, address: str) -> None:
    """At 1,100 pixels «Worst group: Black …» stood in the place of a group's name."""
    page, _ = visit(browser, address, 1100)
    assert page.locator('[data-testid="stMetricLabel"] p, [data-testid="stMetricDelta"] *').evaluate_all(CUT) == []
    page.close()


def test_overview_says_what_the_audit_says(browser, address: str, shipped_audit: Audit) -> None:
    page, _ = visit(browser, address)
    text = page.locator('[data-testid="stMain"]').inner_text()
    adults = shipped_audit.faces[Filter(age_from=18).mask(shipped_audit.faces)]
    overall = accuracy_by(adults, []).iloc[0]
    assert f"{100 * overall['accuracy']:.1f} %" in text
    assert f"{len(adults):,}" in text
    for row in accuracy_by(adults, ["gender", "ethnicity"]).to_dict("records"):
        assert (
            f"{100 * row['accuracy']:.1f} % [{100 * row['low']:.1f}–{100 * row['high']:.1f}] of {row['n']:,} correct"
            in text
        )
    page.close()


def test_a_printed_chart_fills_its_place(browser, address: str) -> None:
    page, _ = visit(browser, f"{address}/accuracy")
    page.emulate_media(media="print")
    frame = page.locator('[data-testid="stFullScreenFrame"]:has(.stPlotlyChart)').first
    empty = "frame => frame.offsetHeight - frame.querySelector('.svg-container').offsetHeight"
    page.set_viewport_size({"width": 700, "height": 900})  # about an A4 page's width
    page.wait_for_timeout(300)
    assert frame.evaluate(empty) < 40, "no blank half page under a printed chart"
    page.close()


def test_a_chart_that_is_taller_than_a_page_is_printed_whole(browser, address: str) -> None:
    page, _ = visit(browser, f"{address}/accuracy")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_timeout(500)
    box = page.locator(".js-plotly-plot .svg-container").first
    # At once: Plotly draws anew what is of another size.
    width, height = box.evaluate("""box => {
      box.style.setProperty("--lw-width", "660px"); box.style.setProperty("--lw-ratio", 0.4);
      return [box.offsetWidth, box.offsetHeight]}""")
    millimetre = 96 / 25.4
    # Letter is 279 mm high, less a margin of 12 mm above and below, and the chart's heading.
    assert height / millimetre <= 279 - 2 * 12 - 25 and width / height == pytest.approx(0.4, rel=0.02)
    page.close()


def test_findings_are_printed_on_a_sheet_a_claim(browser, address: str) -> None:
    """They took eight: the first was half empty, and one claim was torn over two."""
    page, _ = visit(browser, f"{address}/findings")
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True))
    claims = page.locator("[class*='st-key-claim-']")
    assert claims.count() == 6 and 0 < len(sheets) <= 6
    page.emulate_media(media="print")
    assert claims.first.evaluate("claim => getComputedStyle(claim).breakInside") == "avoid"
    page.close()


@pytest.mark.parametrize(("format", "millimetres"), [("A4", 210), ("Letter", 215.9)])
def test_a_printed_table_has_all_rows_and_columns(
    browser, address: str, shipped_audit: Audit, format: str, millimetres: float
) -> None:
    page, _ = visit(browser, f"{address}/accuracy")
    page.locator(".lw-paper").first.wait_for(state="attached")
    assert not page.locator(".lw-paper:visible").count()
    page.pdf(format=format)  # the script marks what gives way
    page.emulate_media(media="print")
    page.set_viewport_size({"width": int((millimetres - 2 * 12) * 96 / 25.4), "height": 900})
    page.wait_for_timeout(300)
    # A section that is closed is not printed, nor is its table.
    tables = page.locator(".lw-paper").evaluate_all("""tables => tables.filter(
      table => !table.closest("details:not([open])")).map(table => ({
      cells: [...table.querySelectorAll("tr")].map(row => [...row.children].map(cell => cell.textContent)),
      wide: table.firstElementChild.offsetWidth - table.offsetWidth, high: table.firstElementChild.offsetHeight,
      grid: table.closest('[data-testid="stElementContainer"]').previousElementSibling.offsetHeight}))""")
    assert all(table["high"] > 0 and table["grid"] == 0 and table["wide"] <= 0 for table in tables)
    adults = shipped_audit.faces[Filter(age_from=18).mask(shipped_audit.faces)]
    by = [[], ["gender"], ["ethnicity"], ["age band"], ["gender", "ethnicity"]]
    groups = [row for columns in by for row in accuracy_by(adults, columns).to_dict("records")]
    (cells,) = (table["cells"] for table in tables if table["cells"][0][:4] == ["gender", "ethnicity", "age band", "n"])
    place = cells[0].index("accuracy")
    assert [(row[3], row[place]) for row in cells[1:]] == [
        (f"{row['n']:,}", f"{100 * row['accuracy']:.1f} %") for row in groups
    ]
    assert len(groups) > 10 and not page.locator(".lw-on-screen:visible").count()
    page.close()


def test_a_filter_goes_into_the_address_and_the_address_brings_it_back(
    browser, address: str, shipped_audit: Audit
) -> None:
    page, errors = visit(browser, address)
    page.get_by_test_id("stMain").get_by_role("radio", name="Black").or_(
        page.get_by_test_id("stMain").get_by_role("button", name="Black", exact=True)
    ).first.click()
    page.get_by_test_id("stMain").get_by_text("Adults only").click()
    page.wait_for_function("() => location.search.includes('Black') && location.search.includes('adults')")
    wait(page)
    filter = Filter(ethnicity=("Black",))  # the page opens on adults, and the click asked for all ages
    n = int(filter.mask(shipped_audit.faces).sum())
    expected = f"{n:,}"
    wait_for_figure(page, expected)
    again, more = visit(browser, page.url)
    wait_for_figure(again, expected)
    assert errors == more == []
    page.close()
    again.close()


def test_an_empty_filter_says_what_to_do(browser, address: str) -> None:
    page, _ = visit(browser, f"{address}/accuracy?gender=female&ethnicity=Others&age=60&age=60")
    if "No face" not in page.locator('[data-testid="stMain"]').inner_text():
        assert page.locator(".lw-headline").count() == 1
    assert boxes(page) == []
    page.close()


def test_two_groups_are_compared_with_the_audits_numbers(browser, address: str, shipped_audit: Audit) -> None:
    query = "a_gender=female&a_ethnicity=Black&a_age=adults&b_gender=male&b_ethnicity=White&b_age=adults"
    page, errors = visit(browser, f"{address}/heatmaps?{query}")
    text = page.locator('[data-testid="stMain"]').inner_text()
    for filter in (Filter(("female",), ("Black",), 18), Filter(("male",), ("White",), 18)):
        faces = shipped_audit.faces[filter.mask(shipped_audit.faces)]
        share = f"n = {len(faces):,}; {100 * faces['correct'].mean():.1f} % correct"
        assert share in text, filter.describe()
    assert re.search(r"correlate at r = −?\d\.\d\d", text)
    assert page.locator(".lw-figures img").count() == 6  # face, Grad-CAM and overlay twice
    assert page.locator(".lw-tests img").count() == 1  # their difference
    assert boxes(page) == errors == []
    page.close()


def test_the_selection_is_kept_from_page_to_page(browser, address: str) -> None:
    page, errors = visit(browser, f"{address}/accuracy?gender=female")
    page.get_by_test_id("stSidebarNav").get_by_text("Heatmap comparison").click()
    page.wait_for_url(re.compile("heatmaps"))
    wait(page)
    assert "gender=female" in page.url and "model=resnet50-utkface" in page.url and "audit=utkface-test" in page.url
    page.get_by_test_id("stMain").get_by_text("Adults only").click()
    page.wait_for_function("() => location.search.includes('adults')")
    wait(page)
    page.go_back()
    page.wait_for_function("() => !location.search.includes('adults')")
    wait(page)
    assert "gender=female" in page.url and "/heatmaps" in page.url
    assert (
        page.get_by_test_id("stMain")
        .get_by_role("switch", name="Adults only")
        .or_(page.get_by_test_id("stMain").get_by_role("checkbox", name="Adults only"))
        .first.is_checked()
    ), "Back undoes a filter"
    assert errors == []
    page.close()


def test_on_a_narrow_window_the_menu_closes_after_a_choice(browser, address: str) -> None:
    page, errors = visit(browser, address, 390)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebarNav").get_by_text("Accuracy breakdown").click()
    page.wait_for_function("() => document.querySelector('[data-testid=stSidebar]').getBoundingClientRect().right <= 0")
    assert errors == []
    page.close()


def take(page, button: str) -> tuple[str, bytes]:
    """What a button of the opened section gives: its name and content."""
    with page.expect_download(timeout=90_000) as waiting:
        page.get_by_role("button", name=button).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_a_figure_and_a_table_are_taken_away_in_each_format(browser, address: str) -> None:
    page, errors = visit(browser, f"{address}/accuracy?adults=true")
    page.get_by_text("Downloads: figures").click()
    section = page.get_by_test_id("stExpanderDetails").last
    for kind, start in (("PNG", b"\x89PNG"), ("PDF", b"%PDF"), ("SVG", b'<svg width="89mm"')):
        section.get_by_role("radio", name=kind).or_(section.get_by_role("button", name=kind, exact=True)).first.click()
        name, data = take(page, f"Download {kind}")
        assert name == f"resnet50-utkface_utkface-test_accuracy_by-gender-ethnicity.{kind.lower()}"
        assert data.startswith(start)
    section.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Table: accuracy by group").click()
    name, data = take(page, "Download CSV")
    assert name == "resnet50-utkface_utkface-test_accuracy_accuracy.csv"
    assert data.startswith(b"gender,ethnicity,age band,n,correct,errors,accuracy,low,high")
    section.get_by_role("radio", name="LaTeX").or_(section.get_by_role("button", name="LaTeX")).first.click()
    name, data = take(page, "Download LaTeX")
    assert b"\\toprule" in data
    assert b"faces: all faces, 18 and older" in data
    name, data = take(page, "All of this page")
    assert {Path(n).suffix for n in zipfile.ZipFile(io.BytesIO(data)).namelist()} == {".svg", ".csv", ".tex", ".txt"}
    assert boxes(page) == errors == []
    page.close()


@pytest.mark.parametrize("name", ["overview", "heatmaps"])
def test_the_pictures_can_be_taken_away(browser, address: str, name: str) -> None:
    page, errors = visit(browser, f"{address}/{name}")
    page.get_by_text("Downloads: figures").click()
    _, data = take(page, "Download PNG")
    assert data.startswith(b"\x89PNG")
    assert boxes(page) == errors == []
    page.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_in_a_browser_a_photo_and_a_hostile_file_are_tried(browser, address: str, width: int, tmp_path: Path) -> None:
    view, errors = visit(browser, f"{address}/photo", width)
    bad = tmp_path / "![x](http-x.png) <img src=x onerror=alert(1)>.png"
    bad.write_bytes(b"GIF89a<html><script>alert(1)</script></html>")
    addresses: list[str] = []
    view.on("request", lambda request: addresses.append(request.url))
    view.on("dialog", lambda dialog: errors.append(dialog.message))
    view.locator("input[type=file]").set_input_files([str(PORTRAIT), str(bad)])
    view.wait_for_selector(".lw-crop", timeout=60_000)
    view.wait_for_selector(DRAWN, timeout=60_000)
    view.wait_for_timeout(300)
    page_text = view.locator('[data-testid="stMain"]').inner_text()
    assert "The model's guess for the face in grace_hopper.jpg is" in page_text
    assert "make up the margin" in page_text and "audited faces it correctly called" in page_text
    assert view.locator(".lw-crop img").count() == 2
    (line,) = boxes(view)
    assert line.endswith("this GIF is damaged or cut short; take the original again.")
    assert "<img src=x onerror=alert(1)>.png: " in line
    assert all(url.startswith((address, address.replace("http", "ws"), "data:", "blob:")) for url in addresses)
    assert not view.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    assert errors == []
    view.close()


def test_a_new_server_opens_a_former_address_without_saying_that_there_is_no_such_page(browser, tmp_path: Path) -> None:
    entry = next(entry for entry in PAGES if entry.former)
    with served(tmp_path / "log") as url:
        page, errors = visit(browser, f"{url}/{entry.former}")
        assert page.locator("h1").all_inner_texts() == [entry.title]
        assert page.locator("[role='dialog']").all_inner_texts() == []
        assert errors == []
        page.close()


def test_a_printed_table_is_as_high_as_it_is_drawn_and_says_nothing_of_scrolling(browser, address: str) -> None:
    page, _ = visit(browser, f"{address}/about")
    box = page.get_by_test_id("stDataFrameResizable").first
    box.locator("canvas").first.wait_for()
    size = "(({width, height}) => parseFloat(width) / parseFloat(height))(box.querySelector('canvas').style)"
    ratio = box.evaluate(f"box => {size}")
    page.pdf(format="A4")
    noted = box.evaluate("box => Number(box.style.getPropertyValue('--lw-ratio'))")
    assert noted == pytest.approx(ratio, rel=0.02)
    page.emulate_media(media="print")
    assert box.evaluate("box => parseFloat(getComputedStyle(box).aspectRatio)") > 1
    assert not page.locator(".lw-on-screen:visible").count()
    page.close()


def test_paper_has_no_closed_section_and_keeps_a_label_whole(browser, address: str) -> None:
    page, _ = visit(browser, f"{address}/accuracy")
    closed = '[data-testid="stExpander"]:has(details:not([open])):visible'
    wrappers = page.locator('[data-testid="stLayoutWrapper"]:has(> [data-testid="stExpander"])')
    assert page.locator(closed).count(), "there are some on the screen"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 900})  # A4's width less its margins
    page.wait_for_timeout(300)
    assert not page.locator(closed).count()
    assert set(wrappers.evaluate_all("boxes => boxes.map(box => getComputedStyle(box).display)")) == {"none"}, (
        "an empty one leaves a margin"
    )
    cut = "labels => labels.filter(label => label.scrollWidth > label.clientWidth + 1).map(label => label.innerText)"
    assert page.locator('[data-testid="stWidgetLabel"] p:visible').evaluate_all(cut) == []
    page.close()


def test_a_verdict_is_not_parted_from_its_words_by_the_end_of_a_page(browser, address: str) -> None:
    page, _ = visit(browser, f"{address}/repeated")
    page.emulate_media(media="print")
    badges = page.locator('[data-testid="stElementContainer"]:has(.stMarkdownBadge)')
    badges.first.wait_for()
    assert set(badges.evaluate_all("boxes => boxes.map(box => getComputedStyle(box).breakAfter)")) == {"avoid"}
    choices = page.locator('[data-testid="stElementContainer"]:has([data-testid="stWidgetLabel"])')
    assert set(choices.evaluate_all("boxes => boxes.map(box => getComputedStyle(box).breakInside)")) == {"avoid"}
    page.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_no_legend_lies_on_the_title_of_an_axis(browser, address: str, width: int) -> None:
    page, _ = visit(browser, f"{address}/checks", width)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .legend').length > 5")
    overlaps = """charts => charts.map(chart => {
      const [title, legend] = [".xtitle", ".legend"].map(part => chart.querySelector(part)?.getBoundingClientRect());
      return title && legend && title.top < legend.top ? title.bottom - legend.top : 0;
    })"""
    assert max(page.locator(".js-plotly-plot").evaluate_all(overlaps)) < 4  # a line's box is higher than its letters
    page.close()
