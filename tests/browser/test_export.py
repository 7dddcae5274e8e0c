"""Charts drawn by a real chromium: true to size, with real text, traced, nothing asked of the network, nothing left."""

from __future__ import annotations

import http.server
import io
import os
import re
import signal
import socket
import tempfile
import threading
import urllib.parse
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import kaleido
import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image, PdfParser

from core.errors import LookwhereError
from core.present.export import SIZES, Item, Provenance, Source, browser, files
from core.present.export import charts as printing
from tests.helpers.chromium import chromium_or_skip

pytestmark = pytest.mark.browser
PROVENANCE = Provenance(
    (Source("net", "faces-test", "a" * 64, "b" * 64),), "accuracy", "accuracy?x=1", "all faces", "2026-01-31"
)
TEXT = "≤ × – ë «women»"


@pytest.fixture(autouse=True, scope="module")
def chromium() -> None:
    assert chromium_or_skip() == browser()


def made_chart(template: str = "plotly_dark") -> go.Figure:
    figure = go.Figure(layout_template=template)
    figure.add_scatter(x=[0.8, 0.9], y=["$a$", TEXT], mode="markers", marker={"color": "#D55E00"}, name="wo\x01men\x1f")
    figure.add_scatter(x=[0.7, 0.95], y=["$a$", TEXT], mode="markers", marker={"color": "#0072B2"}, name="men")
    figure.add_vline(x=0.85)
    figure.add_layout_image(source="http://example.invalid/never.png", x=0, y=1, sizex=1, sizey=1)
    figure.update_xaxes(title="accuracy")
    return figure.update_layout(height=260)


def running(folder: Path) -> list[str]:
    """Command lines of processes that name a folder."""
    lines = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            lines += [line] if str(folder) in line else []
    return lines


class Listener(http.server.BaseHTTPRequestHandler):
    """A proxy that writes down what it is asked for, and has nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A chart in every format and two sizes, by one browser each; what they asked their proxy for, and left behind."""
    folder, server = tmp_path_factory.mktemp("own"), http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    item = Item("chart", "dots", "Accuracy ≤ ë", made_chart)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(printing, "NOWHERE", f"http://127.0.0.1:{server.server_port}")
        patch.setattr(tempfile, "tempdir", str(folder))
        made = {
            name: files([item], ["PNG", "PDF", "SVG"], SIZES[name], 300, PROVENANCE) for name in ("one column", "slide")
        }
    server.shutdown()
    return {"made": made, "asked": server.asked, "left": [*running(folder), *folder.iterdir()]}


@pytest.mark.parametrize("name", ["one column", "slide"])
def test_a_chart_has_its_width_and_its_text_in_each_format(name: str, drawn: dict) -> None:
    size = SIZES[name]
    found = {file.rpartition(".")[2]: data for file, data in drawn["made"][name].items()}
    assert not drawn["left"], "no browser is left, and no profile"

    png = Image.open(io.BytesIO(found["png"]))
    assert abs(png.width - size.mm / 25.4 * 300) <= 1
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert png.text["Title"] == "Accuracy ≤ ë"
    assert "a" * 64 in png.text["Source"]
    pixels = np.asarray(png.convert("RGB"))
    assert (pixels[0] == 255).all(), "white, whatever the theme"
    for colour in ((0xD5, 0x5E, 0), (0, 0x72, 0xB2)):
        assert (np.abs(pixels.astype(int) - colour).sum(axis=-1) < 12).sum() > 100

    pdf = PdfParser.PdfParser(f=io.BytesIO(found["pdf"]))
    box = [float(v) for v in pdf.read_indirect(pdf.pages[0])[b"MediaBox"]]
    assert len(pdf.pages) == 1
    assert box[2] / 72 * 25.4 == pytest.approx(size.mm, abs=0.2)
    assert pdf.info.Title == "Accuracy ≤ ë"
    assert "data fingerprint " + "b" * 64 in pdf.info.Subject
    assert found["pdf"].count(b"/Type /Font\n") + found["pdf"].count(b"/Type /Font\r") > 0, "text is text"

    svg = found["svg"].decode()
    width, height = (float(v) for v in re.search(r'<svg width="(\d+)mm" height="([\d.]+)mm"', svg).groups())
    assert width == size.mm
    assert height == pytest.approx(size.mm * png.height / png.width, rel=0.01)
    assert TEXT in svg
    assert "$a$" in svg, "no MathJax, so it stands as it is"
    pixels_wide = float(re.search(r'viewBox="0 0 ([\d.]+)', svg).group(1))
    points = {float(p) * size.mm / 25.4 * 72 / pixels_wide for p in re.findall(r"font-size: ([\d.]+)px", svg)}
    smallest, largest = (7, 9) if name != "slide" else (11.5, 14.1)
    assert points
    assert all(smallest <= p <= largest for p in points), points


def test_a_chart_with_control_characters_is_a_well_formed_svg(drawn: dict) -> None:
    (svg,) = (data for file, data in drawn["made"]["slide"].items() if file.endswith(".svg"))
    assert [n for n in ElementTree.fromstring(svg).itertext() if n == "women"]


def test_all_that_a_browser_asks_goes_to_the_proxy_and_nobody_is_there(drawn: dict) -> None:
    with socket.socket() as probe:
        address = urllib.parse.urlsplit(printing.NOWHERE)
        assert probe.connect_ex((address.hostname, address.port)) != 0
    assert "http://example.invalid/never.png" in drawn["asked"]
    assert not [path for path in drawn["asked"] if "mathjax" in path.lower() or "plotly" in path.lower()]


@pytest.mark.parametrize(("script", "seconds"), [('exec {chromium} "$@"', 1), ("sleep 600", 2)])
def test_nothing_is_left_of_a_browser_that_is_too_slow(
    script: str, seconds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path, number = tmp_path / "own", tmp_path / "browser", tmp_path / "number"
    folder.mkdir()
    path.write_text(f"#!/bin/sh\necho $$ > {number}\n{script.format(chromium=browser())}\n")
    path.chmod(0o755)
    monkeypatch.setattr(printing, "SECONDS", seconds)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("BROWSER_PATH", str(path))
    with pytest.raises(LookwhereError) as raised:
        printing.render([made_chart()] * 60, SIZES["slide"], ["svg"], 300)
    why = f"it was not done after {seconds} s"
    assert str(raised.value).startswith(f"{path} could not draw the chart ({why}): start it once by hand")
    assert not running(tmp_path)
    assert not list(folder.iterdir())
    if script == "sleep 600":
        with suppress(FileNotFoundError):  # or dead, but not yet fetched by its parent
            assert not Path("/proc", number.read_text().strip(), "cmdline").read_bytes()
        assert number.is_file(), "it had been started"


def test_nothing_is_left_of_a_browser_that_ends_while_it_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = kaleido.Kaleido.calc_fig

    async def ended(self: kaleido.Kaleido, *what: object) -> bytes:
        os.killpg(self.subprocess.pid, signal.SIGKILL)
        return await draw(self, *what)

    monkeypatch.setattr(kaleido.Kaleido, "calc_fig", ended)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(LookwhereError, match=r"could not draw the chart \(it ended while it drew\): start it once"):
        printing.render([made_chart()], SIZES["slide"], ["svg"], 300)
    assert not running(tmp_path)
    assert not list(tmp_path.iterdir())
