"""Maps and faces as images: one perceptually uniform scale, shared by all panels that stand side by side."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont
from plotly.colors import cmocean, sequential

from core.explain.placement import Placement, enlarged, placed

#: From weak to strong; perceptually uniform and readable in grey (van der Walt & Smith 2015).
STRENGTH = "Magma"
#: From negative to positive, white at 0, perceptually uniform (Thyng et al. 2016).
SIGNED = "balance"
PANEL = 224


@dataclass(frozen=True)
class Sheet:
    """Images to take away, laid out by `core.present.export`: labelled rows of captioned panels, all square; a text
    in place of an image says why there is none.

    `scales`: whether it is signed, and the words at its left and right end, of each colour scale.
    """

    rows: list[tuple[str, list[tuple[Image.Image | str, str]]]]
    scales: list[tuple[bool, str, str]] = field(default_factory=list)
    note: str = ""


def _table(colours: list[str], places: np.ndarray | None = None) -> np.ndarray:
    channels = np.array([ImageColor.getrgb(colour) for colour in colours]).T
    places = np.linspace(0, 1, len(colours)) if places is None else places
    return np.stack([np.interp(np.linspace(0, 1, 256), places, c) for c in channels], axis=1).round().astype(np.uint8)


#: Plotly keeps 12 colours of the signed scale, the middle not among them: 0 would be a reddish grey.
_BALANCE = [*cmocean.balance[:6], "rgb(241, 236, 235)", *cmocean.balance[6:]]
_PLACES = np.sort(np.append(np.linspace(0, 1, len(cmocean.balance)), 0.5))
_TABLES = {STRENGTH: _table(sequential.Magma), SIGNED: _table(_BALANCE, _PLACES)}


def enlarge(mean: np.ndarray, side: int = PANEL, placement: Placement | None = None) -> np.ndarray:
    """A map (h, w) to float32 (side, side), bilinear between its cells' centres; by default of tiles, as Grad-CAM is
    usually drawn."""
    if not placed(mean.shape, placement).as_tiles:
        return enlarged(mean, placement, side)
    image = Image.fromarray(mean.astype(np.float32))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))


def paint(
    mean: np.ndarray, limit: float, signed: bool = False, side: int = PANEL, placement: Placement | None = None
) -> Image.Image:
    """A map (h, w) in colour: 0 to `limit`, or −`limit` to `limit` where signed."""
    fine = enlarge(mean, side, placement)
    limit = limit if limit > 0 else 1.0
    share = (fine / limit + 1) / 2 if signed else fine / limit
    place = (np.clip(share, 0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(_TABLES[SIGNED if signed else STRENGTH][place])


def overlay(
    face: np.ndarray,
    mean: np.ndarray,
    limit: float,
    opacity: float,
    signed: bool = False,
    side: int = PANEL,
    placement: Placement | None = None,
) -> Image.Image:
    """A map (h, w) over an average face uint8 (112, 112, 3); opacity 0 is the face, 1 the painted map.

    In between, weak places let more of the face through than strong ones: alpha = opacity^(3 − 2.7·strength).
    """
    strength = np.clip(np.abs(enlarge(mean, side, placement)) / (limit if limit > 0 else 1.0), 0, 1)
    alpha = (opacity ** (3 - 2.7 * strength) * 255).round().astype(np.uint8)
    return Image.composite(paint(mean, limit, signed, side, placement), show_face(face, side), Image.fromarray(alpha))


def show_face(face: np.ndarray, side: int = PANEL) -> Image.Image:
    """An average face enlarged."""
    return Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC)


def colour_bar(signed: bool = False, width: int = 256, height: int = 12) -> Image.Image:
    """The scale itself, from weak to strong or from negative to positive."""
    row = _TABLES[SIGNED if signed else STRENGTH][np.linspace(0, 255, width).round().astype(int)]
    return Image.fromarray(np.repeat(row[None], height, axis=0))


def shared_limit(maps: list[np.ndarray | None]) -> float:
    """The largest magnitude over all maps that are there: one scale for them all."""
    return max((float(np.abs(m).max()) for m in maps if m is not None), default=1.0)


def placeholder(text: str, side: int = PANEL) -> Image.Image:
    """A grey panel that says why there is no image."""
    image = Image.new("RGB", (side, side), (232, 232, 236))
    draw = ImageDraw.Draw(image)
    draw.multiline_text(
        (side / 2, side / 2), text, fill=(90, 90, 100), font=font(side // 15), anchor="mm", align="center"
    )
    return image


def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own typeface, so that nothing need be installed."""
    return ImageFont.load_default(size)


def png(image: Image.Image) -> bytes:
    """Encoded as PNG."""
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


def data_uri(image: Image.Image, quality: int = 88) -> str:
    """As a `data:` address for HTML, WebP."""
    out = io.BytesIO()
    image.save(out, format="WEBP", quality=quality)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def sheet(title: str, rows: list[tuple[str, list[tuple[Image.Image, str]]]]) -> Image.Image:
    """One image of labelled rows of captioned panels, with a title. All panels have the first one's size."""
    gap, left, top = 12, 190, 70
    line = 8 + 16 * max(caption.count("\n") + 1 for _, panels in rows for _, caption in panels)
    side = rows[0][1][0][0].width
    width = max(left + max(len(panels) for _, panels in rows) * (side + gap) + gap, 760)
    height = top + len(rows) * (side + line + gap) + gap
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    dark, grey = (20, 20, 30), (70, 70, 80)
    draw.text((gap, 20), title, fill=dark, font=font(22))
    for r, (label, panels) in enumerate(rows):
        y = top + r * (side + line + gap)
        draw.multiline_text((gap, y + side / 2), label, fill=dark, font=font(16), anchor="lm")
        for c, (panel, caption) in enumerate(panels):
            x = left + c * (side + gap)
            page.paste(panel, (x, y))
            draw.multiline_text((x, y + side + 4), caption, fill=grey, font=font(13), spacing=2)
    return page
