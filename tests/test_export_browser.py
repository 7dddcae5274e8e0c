"""Charts drawn by a real chromium: true to size, with real text, traced, nothing asked of the network, nothing left."""

from __future__ import annotations

import http.server
import io
import os
import re
import socket
import threading
import urllib.parse
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image, PdfParser

from core.export import SIZES, Item, Source, Trace, browser, files
from core.export import charts as printing
from core.figures import charts

pytestmark = pytest.mark.browser
TRACE = Trace((Source("net", "faces-test", "a" * 64, "b" * 64),), "accuracy", "accuracy?x=1", "all faces", "2026-01-31")
TEXT = "≤ × – ë «women»"


@pytest.fixture(autouse=True)
def chromium() -> None:
    if browser() is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium, and CI must not skip the browser tests")
        pytest.skip("needs chromium: install it with the system's package manager")


def made_chart(template: str = "plotly_dark") -> go.Figure:
    figure = go.Figure(layout_template=template)
    figure.add_scatter(x=[0.8, 0.9], y=["$a$", TEXT], mode="markers", marker={"color": "#D55E00"}, name="women")
    figure.add_scatter(x=[0.7, 0.95], y=["$a$", TEXT], mode="markers", marker={"color": "#0072B2"}, name="men")
    figure.add_vline(x=0.85)
    figure.add_layout_image(source="http://example.invalid/never.png", x=0, y=1, sizex=1, sizey=1)
    figure.update_xaxes(title="accuracy")
    return charts._layout(figure, 260)


def children() -> set[str]:
    """Processes of this machine that run a browser."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if b"--remote-debugging-pipe" in line:
            found.add(place.name)
    return found


@pytest.mark.parametrize("name", ["one column", "slide"])
def test_a_chart_has_its_width_and_its_text_in_each_format(name: str) -> None:
    size, before = SIZES[name], children()
    item = Item("chart", "dots", "Accuracy ≤ ë", made_chart)
    found = {n.rpartition(".")[2]: d for n, d in files([item], ["PNG", "PDF", "SVG"], size, 300, TRACE).items()}
    assert children() <= before, "no browser is left"

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


def test_all_that_a_browser_asks_goes_to_the_proxy_and_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        address = urllib.parse.urlsplit(printing.NOWHERE)
        assert probe.connect_ex((address.hostname, address.port)) != 0
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(printing, "NOWHERE", f"http://127.0.0.1:{server.server_port}")
    files([Item("chart", "dots", "Dots", made_chart)], ["SVG"], SIZES["slide"], 300, TRACE)
    server.shutdown()
    assert "http://example.invalid/never.png" in asked
    assert not [path for path in asked if "mathjax" in path.lower() or "plotly" in path.lower()]
