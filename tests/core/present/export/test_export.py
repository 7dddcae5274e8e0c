"""Tables as CSV and LaTeX, sheets of images, metadata and names: all that needs no browser."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image, PdfParser

from core.errors import LookwhereError
from core.present.export import SIZES, Item, Provenance, Source, archive, charts, files, sheets, tables
from core.present.export.charts import printable
from core.present.figures.raster import Sheet

WEIGHTS, DATA = "a" * 64, "b" * 64
PROVENANCE = Provenance(
    (Source("net", "faces-test", WEIGHTS, DATA),), "accuracy", "accuracy?gender=female", "women", "2026-01-31"
)
SVG = b'<svg viewBox="0 0 9 9" width="9" height="9"></svg>'
HOSTILE = "R&D_50% #1 {x} ~a^b \\input{/etc/passwd} $y$ <b> “≤ × – ë»"
#: What LaTeX commands of ours print.
PRINTED = {
    r"\textasciigrave{}": "`",
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textbar{}": "|", "$<$": "<",
    "$>$": ">", r"\{": "{", r"\}": "}", r"\$": "$", r"\&": "&", r"\%": "%", r"\#": "#", r"\_": "_",
}  # fmt: skip
ASCII = some.text(some.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'))


def printed(latex: str) -> str:
    """What a text of escaped ASCII prints, read from the left; raises KeyError on a bare special sign."""
    tokens = re.findall(r"\\[a-z]+\{\}|\$[<>]\$|\\.|.", latex)
    return "".join(PRINTED[t] if len(t) > 1 or t in "\\{}$&%#_~^|<>" else t for t in tokens)


def made_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": ["Asian women", HOSTILE, "all"],
            "n": [312, 4029, 7],
            "accuracy": [0.8693268, 1.0, np.nan],
            "p": [0.0000012, 0.0312, 0.5],
            "age": pd.array([3, None, 60], dtype="Int16"),
            "differs": [True, False, True],
        }
    )


@given(ASCII)
def test_a_text_in_latex_prints_as_it_is(text: str) -> None:
    assert printed(tables.escape(text)) == text


@settings(deadline=None)
@given(some.lists(some.text(max_size=20), min_size=4, max_size=4), some.text(max_size=20))
def test_a_latex_table_keeps_its_shape_whatever_its_names(names: list[str], title: str) -> None:
    frame = pd.DataFrame({names[0] + "1": names[1:3], names[3] + "2": [0.25, -3.5]})
    trace = Provenance((Source(names[0], names[1]),), "gaps", names[2], names[3], "2026-01-31")
    lines = tables.latex(frame, title, "t", trace).decode().split("\n")
    code = [line for line in lines if not line.startswith("%")]
    bare = [re.sub(r"\\[\\{}%&#$_]", "", line) for line in code]
    assert sum(line.count("{") for line in bare) == sum(line.count("}") for line in bare)
    assert all(line.count("$") % 2 == 0 and "%" not in line and "#" not in line for line in bare)
    assert [line.count("&") for line in bare] == [int(n in (6, 8, 9)) for n in range(len(code))]
    assert [n for n, line in enumerate(code) if line.endswith(r" \\")] == [6, 8, 9]
    assert not any(re.match(r"\s*[\[*]", line) for line in code)


def test_values_that_were_rounded_before_get_no_places_that_they_do_not_have() -> None:
    values = {"accuracy, %": [40.0, 65.1], "from, %": [24.6, 4.25], "n": [30, 83], "share": [0.25, 0.123456]}
    latex = tables.latex(pd.DataFrame(values), "accuracy", "by group", PROVENANCE).decode()
    assert "40.0 & 24.60 & 30 & 0.250 " in latex and "65.1 & 4.25 & 83 & 0.123 " in latex


def test_numbers_in_latex_are_rounded_as_a_reader_wants_them() -> None:
    rows = [
        line.strip() for line in tables.latex(made_table(), "accuracy", "by group", PROVENANCE).decode().splitlines()
    ]
    code = [row for row in rows if not row.startswith("%")]
    assert code[:3] == [r"\begin{table}[t]", r"\centering", r"\caption{Accuracy (net, faces-test; women).}"]
    assert code[-3:] == [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    assert r"\label{tab:accuracy-by-group}" in rows
    assert r"\begin{tabular}{lrrrrl}" in rows
    assert r"group & n & accuracy & p & age & differs \\" in rows
    assert r"Asian women & 312 & 0.869 & $<$0.0001 & 3 & yes \\" in rows
    assert r"all & 7 & -- & 0.5 & 60 & yes \\" in rows
    assert next(row for row in rows if "R\\&D" in row).endswith(r" & 4,029 & 1.000 & 0.031 & -- & no \\")
    about = " ".join(row.removeprefix("%").strip() for row in rows if row.startswith("%"))
    for fact in ("net", WEIGHTS, "faces-test", DATA, "faces: women", "accuracy?gender=female", "2026-01-31"):
        assert fact in about, fact


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.5, -0.25], ["0.50", "$-$0.25"]),
        ([123.456, 7.0], ["123.5", "7.0"]),
        ([12345.6, 1.25], ["12,346", "1"]),
        ([0.0003, 0.5], [r"0.0003", "0.5"]),
        ([3.2e-06, -0.01], [r"3.2$\times10^{-6}$", "$-$0.01"]),
        ([2.0, -1000.0], ["2", "$-$1,000"]),
        ([np.inf, np.nan], ["inf", "--"]),
    ],
)
def test_a_column_is_shown_with_one_number_of_decimals(values: list[float], texts: list[str]) -> None:
    cells, side = tables._column("value", pd.Series(values))
    assert (cells, side) == (texts, "r")


def test_csv_keeps_every_digit() -> None:
    frame = made_table()
    again = pd.read_csv(io.BytesIO(tables.csv(frame)))
    assert again["accuracy"].iloc[0] == frame["accuracy"].iloc[0]
    assert again["p"].tolist() == frame["p"].tolist()
    assert again["group"].tolist() == frame["group"].tolist()


def test_a_name_cannot_be_a_spreadsheets_formula() -> None:
    names = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", " =x", "\t=x", "＝x", "plain", "a=b", "-5", "+0.25"]
    frame = pd.DataFrame({"=name": names, "value": [-1.5] * len(names), "kind": pd.Categorical(["=a"] * len(names))})
    again = pd.read_csv(io.BytesIO(tables.csv(frame)), dtype=str, keep_default_na=False)
    assert list(again.columns) == ["'=name", "value", "kind"]
    assert again.iloc[:, 0].tolist() == [f"'{n}" for n in names[:5]] + ["'\t'=x", "'＝x"] + names[7:]
    assert set(again["value"]) == {"-1.5"}
    assert set(again["kind"]) == {"'=a"}
    assert frame.columns[0] == "=name", "the page's own table stays as it is"


@pytest.mark.parametrize("parted_by", [",", ";", "\t"])
def test_no_cell_is_a_formula_however_a_spreadsheet_parts_them(parted_by: str) -> None:
    """In many countries it takes semicolons, and quotes that begin within a cell hold nothing together."""
    names = ["a;=1+1", "a; @x", "a\t-2+3", "a\n=1", 'a;"=1"', "a;\u200b=1", "=1;=2", "a\r+x", "a;＝x"]
    text = tables.csv(pd.DataFrame({"a;=name": names, "n": range(len(names))})).decode()
    cells = [cell for row in csv.reader(io.StringIO(text), delimiter=parted_by) for cell in row]
    assert not [cell for cell in cells if cell.strip("\u200b ").startswith(("=", "+", "-", "@", "＝"))]
    assert tables.csv(pd.DataFrame({"name": ["a; b", "O'Brien; x", "a,=1"]})) == b'name\na; b\nO\'Brien; x\n"a,=1"\n'


def test_a_file_is_named_by_model_audit_page_and_item() -> None:
    assert PROVENANCE.file_name("by age", "pdf") == "net_faces-test_accuracy_by-age.pdf"
    hostile = Provenance((Source("../../e tc", "a/b\\c:*?"), Source("Änne", "x")), "compare", "", "", "")
    assert hostile.file_name("méan\n", "csv") == "e-tc-vs-Anne_a-b-c_compare_mean.csv"


def made_sheet(rows: int = 3, panels: int = 4, longest: int = 1) -> Sheet:
    tints = [(200, 10, 10), (10, 200, 10), (10, 10, 200), (200, 200, 10), (10, 200, 200)]
    captioned = [(Image.new("RGB", (60, 60), tints[n % 5]), f"n = {n + 1}" * longest) for n in range(panels)]
    captioned[-1] = ("under 11 faces", "none")
    return Sheet([(f"Group {n} ≤ × – ë", captioned) for n in range(rows)], [(True, "−1 male", "1 female")], "A note.")


@pytest.mark.parametrize("name", SIZES)
def test_a_sheet_has_its_width_in_each_format(name: str) -> None:
    size, item = SIZES[name], Item("image", "sheet", "A sheet ≤ ë", made_sheet)
    contents = files([item], ["PNG", "PDF", "SVG"], size, 200, PROVENANCE)
    data = {file.rpartition(".")[2]: content for file, content in contents.items()}

    png = Image.open(io.BytesIO(data["png"]))
    assert abs(png.width - size.mm / 25.4 * 200) <= 1
    assert png.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    assert png.text["Title"] == "A sheet ≤ ë"
    assert WEIGHTS in png.text["Source"]
    assert DATA in png.text["Source"]
    pixels = np.asarray(png.convert("RGB"))
    for tint in ((200, 10, 10), (10, 200, 10), (10, 10, 200)):
        assert (pixels == tint).all(axis=-1).sum() > 1000, "each panel is there"
    assert (pixels[0, -1] == 255).all()

    pdf = PdfParser.PdfParser(f=io.BytesIO(data["pdf"]))
    box = [float(v) for v in pdf.read_indirect(pdf.pages[0])[b"MediaBox"]]
    assert box[2] / 72 * 25.4 == pytest.approx(size.mm, abs=0.1)
    assert pdf.info.Title == "A sheet ≤ ë"
    assert "audit faces-test" in pdf.info.Subject
    assert b"/Font" in data["pdf"]

    svg = data["svg"].decode()
    height = float(re.search(rf'<svg width="{size.mm}mm" height="([\d.]+)mm"', svg).group(1))
    assert height == pytest.approx(size.mm * png.height / png.width, rel=0.01)
    assert height <= size.tallest
    assert "Group 0 ≤ × – ë" in svg, "text is text"
    assert svg.count("<image") >= 3 * 3
    assert f"faces-test (data fingerprint {DATA})" in svg
    # matplotlib's user units are points, as wide as the page.
    points = {float(p) for p in re.findall(r"font-size: ([\d.]+)px", svg)}
    smallest, largest = (7, 9) if name != "slide" else (11, 14)
    assert points
    assert all(smallest <= p <= largest for p in points), points


@given(some.integers(1, 14), some.integers(1, 16), some.sampled_from(list(SIZES)), some.integers(1, 6))
@settings(deadline=None, max_examples=60)
def test_the_layout_fits_its_paper(rows: int, panels: int, name: str, longest: int) -> None:
    size = SIZES[name]
    broken = sheets.broken(made_sheet(rows, panels, longest).rows, size)
    assert sum(len(part) for _, part in broken) == rows * panels
    plan = sheets.plan(broken, size, 12)
    most = max(len(part) for _, part in broken)
    block = most * plan.side + (most - 1) * sheets.GAP
    assert plan.blocks * block + (plan.blocks - 1) * sheets.GUTTER <= size.mm + 1e-6
    assert plan.height + 12 <= size.tallest or plan.side <= sheets.NARROWEST
    assert plan.blocks * plan.lines >= len(broken)
    assert min(plan.heights) > plan.side


def test_more_groups_than_a_paper_holds_stand_in_one_block() -> None:
    """In twenty-six blocks side by side nothing is left of a column's width, and that passed for the lowest layout."""
    size = SIZES["one column"]
    plan = sheets.plan(made_sheet(26, 4, 1).rows, size, 12)
    assert plan.blocks * plan.side + (plan.blocks - 1) * sheets.GUTTER <= size.mm
    assert plan.side >= 5 and plan.blocks * plan.lines >= 26


def test_names_with_control_characters_make_well_formed_files() -> None:
    hostile = "a\0b\x01c\u202ed\x7f\u2066e\x85f\ud800\ufeffg\ufffe\u2028h"
    trace = Provenance((Source(hostile, hostile),), "gaps", hostile, hostile, "2026-01-31")

    def make() -> Sheet:
        panels = [(Image.new("RGB", (9, 9)), hostile), (hostile, hostile)]
        return Sheet([(hostile, panels)], [(True, hostile, hostile)], hostile)

    name = hostile.replace("\ud800", "")  # which pandas does not take
    frame = pd.DataFrame({name: [name]})
    items = [Item("image", "sheet", hostile, make), Item("table", "t", hostile, lambda: frame)]
    contents = files(items, ["PNG", "PDF", "SVG", "LaTeX"], SIZES["slide"], 100, trace)
    data = {file.rpartition(".")[2]: content for file, content in contents.items()}
    root = ElementTree.fromstring(data["svg"])
    texts = [text.strip() for text in root.itertext() if text.strip()]
    assert texts.count("abcdefgh") >= 7, "title, label, two captions, a panel without faces, both ends, the note"
    assert "model abcdefgh" in Image.open(io.BytesIO(data["png"])).text["Source"]
    assert PdfParser.PdfParser(f=io.BytesIO(data["pdf"])).info.Title == "abcdefgh"
    assert b"abcdefgh" in data["tex"]
    assert not re.search(r"[^\n\x20-\x7e]", data["tex"].decode())
    assert all(line.isprintable() for line in trace.lines())
    assert sheets.wrapped(hostile, 9, 100) == ["abcdefgh"]


def test_contents_give_a_chart_and_a_table_of_one_name_their_own_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "render", lambda figures, size, kinds, dpi: {k: [SVG] * len(figures) for k in kinds})
    items = [
        Item("chart", "noise", "Where the errors sit", made_chart),
        Item("table", "noise", "Accuracy of every group", made_table),
    ]
    box = zipfile.ZipFile(io.BytesIO(archive(items, "SVG", SIZES["slide"], 300, PROVENANCE)))
    stem = "net_faces-test_accuracy_noise"
    assert box.read("contents.txt").decode().splitlines()[-3:] == [
        f"{stem}.svg: Where the errors sit",
        f"{stem}.csv: Accuracy of every group",
        f"{stem}.tex: Accuracy of every group",
    ]


def made_chart() -> go.Figure:
    figure = go.Figure()
    for name, colour in (("women", "#D55E00"), ("men", "#0072B2")):
        figure.add_scatter(x=[1, 2], y=[1, 2], mode="lines+markers", marker={"color": colour}, name=name)
        figure.add_bar(x=[1, 2], y=[1, 2], name=name)
    figure.add_scatter(x=[1], y=[1], mode="markers", marker={"symbol": "circle-open"}, name="seed")
    return figure.update_layout(height=300, paper_bgcolor=None)


def test_a_chart_in_print_is_light_and_told_apart_in_grey() -> None:
    figure = made_chart()
    before = figure.to_dict()
    print_figure = printable(figure, SIZES["one column"])
    assert figure.to_dict() == before
    assert print_figure.layout.template.layout.paper_bgcolor == "white"
    assert print_figure.layout.template.layout.font.color == "#16191A"
    lines, bars = print_figure.data[0:4:2], print_figure.data[1:4:2]
    assert len({trace.marker.symbol for trace in lines}) == 2
    assert len({trace.line.dash for trace in lines}) == 2
    assert len({trace.marker.pattern.shape for trace in bars}) == 2
    assert [trace.marker.color for trace in lines] == ["#D55E00", "#0072B2"]
    assert print_figure.data[4].marker.symbol == "circle-open"
    assert print_figure.layout.width * SIZES["one column"].scale * 25.4 / 96 == pytest.approx(89)


def test_without_a_browser_charts_say_what_to_do_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chrome")
    chart = Item("chart", "dots", "Dots", made_chart)
    items = [Item("image", "sheet", "Sheet", made_sheet), Item("table", "t", "Table", made_table)]
    with pytest.raises(LookwhereError, match=r"No Chrome or Chromium .* install one, or take the chart as SVG"):
        files([chart], ["PDF"], SIZES["slide"], 300, PROVENANCE)
    box = zipfile.ZipFile(io.BytesIO(archive([chart, *items], "PDF", SIZES["slide"], 300, PROVENANCE)))
    stem = "net_faces-test_accuracy_"
    assert box.namelist() == [f"{stem}sheet.pdf", f"{stem}t.csv", f"{stem}t.tex", "contents.txt"]
    words = box.read("contents.txt").decode()
    assert "The charts are not in here. No Chrome" in words
    assert f"{stem}t.csv: Table" in words
    assert WEIGHTS in words


def test_a_browser_that_does_not_start_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/bin/false")
    with pytest.raises(LookwhereError) as raised:
        files([Item("chart", "dots", "Dots", made_chart)], ["PNG"], SIZES["slide"], 300, PROVENANCE)
    assert str(raised.value).startswith("/bin/false could not draw the chart (")
    assert "\n" not in str(raised.value)


def test_a_long_latex_table_breaks_over_pages_and_long_names_over_lines() -> None:
    def of(rows: int, name: str) -> str:
        frame = pd.DataFrame({"site": [name] * rows, "faces": range(rows)})
        return tables.latex(frame, "accuracy by site", "by site", PROVENANCE).decode()

    long = "archive of the municipal photographic service, department of portraits"
    assert "longtable" not in of(40, "short") and r"\begin{tabular}{lr}" in of(40, "short")
    assert r"\begin{tabular}{p{0.42\linewidth}r}" in of(20, long) and "longtable" not in of(20, long)
    whole = of(40, long)
    assert "% \\usepackage{booktabs, longtable}" in whole and r"\begin{longtable}{p{0.42\linewidth}r}" in whole
    assert whole.count(r"\\") == 40 + 2 and whole.index(r"\endhead") < whole.index(r"\endfoot") < whole.index(long)
    assert r"\begin{table}" not in whole and whole.count(r"\label{") == 1
    assert of(60, "short").count("longtable}") == 3


def test_a_backtick_in_latex_is_no_quotation_mark() -> None:
    assert tables.escape("`back`") == r"\textasciigrave{}back\textasciigrave{}"
