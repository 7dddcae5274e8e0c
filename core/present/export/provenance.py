"""The print sizes, and where a file comes from: written into its name and its metadata, so a figure can be traced."""

from __future__ import annotations

import html
import io
import re
import unicodedata
from dataclasses import dataclass

from PIL import Image, PdfParser, PngImagePlugin

from core.audit.folder import stored_minimum
from core.audit.manifest import AuditManifest
from core.privacy import MINIMUM_FACES, asked_minimum

MM = 25.4  # an inch
#: Points of 12-pixel text where nothing is scaled.
PLAIN = 9.0


@dataclass(frozen=True)
class Size:
    """A width in print: `mm`, its text in points (the smallest is 5/6 of it), and how tall a figure may be in mm."""

    mm: int
    points: float
    tallest: int

    @property
    def scale(self) -> float:
        """Print size over the size at which charts are laid out, with text of 12 px."""
        return self.points / PLAIN

    @property
    def pixels(self) -> float:
        """Width of the layout in CSS pixels, of which 96 are an inch."""
        return self.mm / MM * 96 / self.scale


SIZES = {"one column": Size(89, 8.4, 230), "two columns": Size(183, 8.4, 230), "slide": Size(254, 14.0, 143)}


@dataclass(frozen=True)
class Source:
    """A model and the audit of it that numbers are from; `weights` and `data` are SHA-256, None where unknown.

    `minimum` faces are the least that an average is shown of.
    """

    model: str
    audit: str | None = None
    weights: str | None = None
    data: str | None = None
    minimum: int = MINIMUM_FACES

    @classmethod
    def from_manifest(cls, manifest: AuditManifest, audit: str) -> Source:
        """From an audit's `audit.json`."""
        minimum = max(stored_minimum(manifest), asked_minimum())
        return cls(manifest.model, audit, manifest.weights_sha256, manifest.data_fingerprint, minimum)

    def __str__(self) -> str:
        weights = f" (weights sha256 {self.weights})" if self.weights else ""
        data = f" (data fingerprint {self.data})" if self.data else ""
        least = f", averages of {self.minimum} faces and more" if self.minimum > MINIMUM_FACES else ""
        return f"model {self.model}{weights}" + (f", audit {self.audit}{data}{least}" if self.audit else "")


@dataclass(frozen=True)
class Provenance:
    """Where a file comes from: its sources, the page and its address, which faces (in words), and the day."""

    sources: tuple[Source, ...]
    page: str
    view: str
    scope: str
    made: str

    def lines(self) -> list[str]:
        """One fact a line."""
        facts = [f"faces: {self.scope}", f"page: {self.view}", f"made by Lookwhere, {self.made}"]
        return [" ".join(plain(fact).split()) for fact in (*map(str, self.sources), *facts)]

    @property
    def who(self) -> str:
        """The models and audits for a caption: «resnet50-utkface, utkface-test»."""
        return "; ".join(", ".join(filter(None, (source.model, source.audit))) for source in self.sources)

    def file_name(self, item: str, suffix: str) -> str:
        """Model, audit, page and item, with nothing in it that a file system minds."""
        models = dict.fromkeys(source.model for source in self.sources)
        audits = dict.fromkeys(source.audit for source in self.sources if source.audit)
        parts = ["-vs-".join(map(slug, models)), *list(map(slug, audits))[:1], self.page, item]
        return "_".join(slug(part)[:80] for part in parts) + f".{suffix}"


def plain(text: str) -> str:
    """Without what no XML may have (https://www.w3.org/TR/xml/#charsets) and no typeface has: control characters but
    tabs and ends of lines, halves of surrogate pairs, noncharacters, signs that turn the direction of what follows, and
    marks of byte order, at which matplotlib's PDF ends."""
    return re.sub(
        "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]", "", text
    )


def slug(text: str) -> str:
    """ASCII letters, digits, dots and hyphens only."""
    ascii = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "-", ascii).strip("-.") or "x"


def stamp(data: bytes, kind: str, title: str, provenance: Provenance, size: Size, dpi: int) -> bytes:
    """A rendered figure with its print size and its provenance in the metadata of its `kind`: png, pdf or svg."""
    return {"png": _png, "pdf": _pdf, "svg": _svg}[kind](data, plain(title), "; ".join(provenance.lines()), size, dpi)


def _png(data: bytes, title: str, about: str, size: Size, dpi: int) -> bytes:
    facts, out = PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in (("Title", title), ("Source", about), ("Software", "Lookwhere")):
        facts.add_itxt(key, value)
    Image.open(io.BytesIO(data)).convert("RGB").save(out, format="PNG", pnginfo=facts, dpi=(dpi, dpi))
    return out.getvalue()


def _pdf(data: bytes, title: str, about: str, size: Size, dpi: int) -> bytes:
    out = io.BytesIO(data)
    pdf = PdfParser.PdfParser(f=out, mode="r+b")
    pdf.info.Title, pdf.info.Subject, pdf.info.Creator = title, about, "Lookwhere"
    pdf.start_writing()
    pdf.write_xref_and_trailer()
    return out.getvalue()


def _svg(data: bytes, title: str, about: str, size: Size, dpi: int) -> bytes:
    text = plain(data.decode())
    head = re.search(r"<svg\b[^>]*>", text)
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head.group()).groups())
    tag = re.sub(r'\s(width|height)="[^"]*"', "", head.group())
    tag = f'<svg width="{size.mm}mm" height="{size.mm * height / width:.3f}mm"{tag[4:]}'
    facts = f"<title>{html.escape(title)}</title><desc>{html.escape(about)}</desc>"
    return (text[: head.start()] + tag + facts + text[head.end() :]).encode()
