"""The one decoder of image files, of data sets and of uploaded photos alike: bytes → upright RGB, or why not.

What is done to pixels that are not 8-bit RGB:

- 16 bits a channel: the upper 8 are kept (value >> 8).
- Floats: 0–1, 0–255 or 0–65,535 by their largest value; integers of 32 bits: the least of 8, 16, 24 and 32 bits that
  hold it. Numbers that fit none of these have no white that is known, and are refused.
- See-through pixels are laid on white, so that colours hidden under them never show.
- Of animations, pages and bursts the first image is taken.
- Colour profiles are not applied, as in training: numbers are taken as sRGB. CMYK and Lab are converted without one.
- EXIF orientation is followed; EXIF that cannot be read leaves the image as it is stored.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, UnidentifiedImageError

from core.data.image_kinds import FORMATS, looks_like

#: Larger images are refused before they are decoded: a bomb of 30,000 × 30,000 would need 2.7 GB.
MAXIMUM_PIXELS = 100_000_000
#: As large as others in memory: the decoder of WebP takes 16 bytes a pixel.
FEWER_PIXELS = {"WEBP": 50_000_000, "AVIF": 64_000_000}
#: A progressive JPEG has about ten, and each costs a pass over all pixels (https://libjpeg-turbo.org: «maxscans»).
MAXIMUM_SCANS = 200
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112
PNG_MARK, TEXTS = b"\x89PNG\r\n\x1a\n", (b"tEXt", b"zTXt", b"iTXt")
PHOTOMETRIC = 262
#: Rows laid on white at a time.
ROWS = 256
#: The largest value of floats, and the white that is meant. An image of 0–1 may overshoot where it was resampled; one
#: of 0–255 that reaches no further than 1.5 would be black.
FLOAT_WHITES = ((1.5, 1.0), (256.0, 255.0), (65_536.0, 65_535.0))
#: Floats whose largest value lies between are neither 0–1 nor 0–255.
FLOAT_GAP = (1.5, 16.0)


@dataclass(frozen=True)
class Decoded:
    """An upright RGB `image`, and its `size` before it was scaled down, (width, height).

    `format` is Pillow's name; `notes` say in words what was done to the pixels.
    """

    image: Image.Image
    size: tuple[int, int]
    format: str
    notes: tuple[str, ...]


class Refused(ValueError):
    """Why an image is not taken, in a few words and without the file's name."""


def decode(data: bytes) -> Image.Image:
    """Bytes → upright RGB image. Raises `ValueError` with a short reason where that cannot be done."""
    try:
        return read_image(data, _check_size).image
    except Refused:
        raise
    except MemoryError as error:
        raise ValueError("too large for the memory at hand") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"over {MAXIMUM_PIXELS // 10**6} million pixels are too many") from error
    except ModuleNotFoundError:
        raise
    except Exception as error:  # Pillow meets broken files with TypeError, struct.error and more
        raise ValueError(_reason(data, error)) from error


def read_image(
    data: bytes,
    check_size: Callable[[tuple[int, int], str], None],
    formats: tuple[str, ...] = FORMATS,
    side: int | None = None,
) -> Decoded:
    """Decode an image, at most `side` pixels a side where that is given.

    `check_size` gets (width, height) and the format (or «CMYK JPEG») before a pixel is decoded, and raises `Refused`
    for what is too large. Raises `Refused`, `UnidentifiedImageError` for what is none of `formats`, and whatever a
    damaged file makes a decoder raise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with _open(data, formats) as opened:
                return _Reader(opened, side).read(data, check_size)
        except ValueError as error:
            if "MAX_TEXT" not in str(error):
                raise
        # A PNG whose texts are larger than Pillow unpacks, as editors write their history: its pixels are whole.
        data = _without_texts(data)
        with _open(data, formats) as opened:
            return _Reader(opened, side).read(data, check_size)


def _without_texts(png: bytes) -> bytes:
    """The bytes of a PNG without its chunks of text."""
    chunks, place = [png[: len(PNG_MARK)]], len(PNG_MARK)
    while place < len(png):
        end = place + 12 + int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] not in TEXTS:
            chunks.append(png[place:end])
        place = end
    return b"".join(chunks)


def _check_size(size: tuple[int, int], kind: str) -> None:
    if size[0] * size[1] > min(FEWER_PIXELS.get(kind, MAXIMUM_PIXELS), MAXIMUM_PIXELS):
        raise Refused(f"{size[0]} × {size[1]} pixels are too many")


def _reason(data: bytes, error: Exception) -> str:
    kind = looks_like(data)
    if not data:
        return "not a readable image: the file is empty"
    if isinstance(error, UnidentifiedImageError) and kind and kind[0].islower():
        return f"not a readable image but {kind}"
    if kind is None:
        return "not a readable image"
    return f"not a readable image: this {kind} is damaged, cut short or of a rare kind"


def _open(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """The header read, no pixel decoded."""
    try:
        return Image.open(io.BytesIO(data), formats=[kind for kind in formats if kind != "HEIF"])
    except UnidentifiedImageError:
        if "HEIF" not in formats or looks_like(data) != "HEIC":
            raise
    # Made here and not registered with Pillow, which would then try HEIF on every file that it opens.
    from pi_heif import HeifImageFile, options

    options.DISABLE_SECURITY_LIMITS = False
    return HeifImageFile(io.BytesIO(data))


class _Reader:
    """One opened image on its way to RGB; `notes` say what was done."""

    def __init__(self, opened: Image.Image, side: int | None) -> None:
        self.opened, self.side = opened, side
        self.notes: list[str] = []

    def read(self, data: bytes, check_size: Callable[[tuple[int, int], str], None]) -> Decoded:
        opened = self.opened
        kind = {"MPO": "JPEG"}.get(opened.format, opened.format)
        stored = "CMYK JPEG" if kind == "JPEG" and opened.mode == "CMYK" else kind
        size = opened.size
        check_size(size, stored)
        if kind == "JPEG":
            if data.count(b"\xff\xda") > MAXIMUM_SCANS:
                raise Refused(f"a JPEG of over {MAXIMUM_SCANS} scans, made to keep a computer busy; save it anew")
            if self.side is not None:
                opened.draft(None, self._within(size))  # at an eighth, a quarter or a half where that is enough
        layout = " ".join(str(tile) for tile in opened.tile)
        opened.load()
        if kind != "JPEG" and opened.size != size:  # HEIF may find another size than its header said
            size = opened.size
            check_size(size, stored)
        upright = self._rgb(layout)
        if upright is opened:  # which goes on to its next frame, and is closed
            upright = opened.copy()
        turn = self._orientation()
        if turn in TURNS:
            self.notes.append("turned as its EXIF says")
            upright = upright.transpose(TURNS[turn])
            size = size[::-1] if turn >= 5 else size
        self.notes += _others(opened, kind)
        return Decoded(upright, size, kind, tuple(self.notes))

    def _within(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size scaled to at most `side` a side."""
        scale = min(1.0, self.side / max(size))
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

    def _shrunk(self, image: Image.Image) -> Image.Image:
        if self.side is None or max(image.size) <= self.side:
            return image
        return image.resize(self._within(image.size), Image.Resampling.BOX)

    def _rgb(self, layout: str) -> Image.Image:
        """Any mode → RGB: scaled, never clipped. `layout` names how the pixels are stored, as Pillow says it."""
        opened = self.opened
        mode = opened.mode
        if ";16" in layout and mode not in ("I", "F"):
            self.notes.append("of its 16 bits a channel the upper 8 are used")
        if mode in ("I", "F") or mode.startswith("I;16"):
            opened, mode = Image.fromarray(self._bytes(layout)), "L"
        else:
            _scale_clear_colour(opened, layout)
        if opened.has_transparency_data or mode in ("PA", "La", "RGBa"):
            self.notes.append("see-through parts are laid on white")
            return self._shrunk(_on_white(opened))
        if mode in ("1", "L"):
            self.notes.append("grey, without colours")
            return self._shrunk(opened.convert("L")).convert("RGB")
        if mode == "CMYK":
            self.notes.append("CMYK, converted without its colour profile")
            opened = self._shrunk(opened)
            if self.opened.format == "JPEG" and "adobe" not in self.opened.info:
                opened = ImageChops.invert(opened)  # Pillow turns every CMYK JPEG round, and only Adobe's are so
            return opened.convert("RGB")
        if _foreign_profile(opened):
            self.notes.append("its colour profile is not applied")
        try:
            return self._shrunk(opened if mode == "RGB" else opened.convert("RGB"))
        except ValueError:
            raise Refused(f"its colours are {mode}; save it as RGB") from None

    def _bytes(self, layout: str) -> np.ndarray:
        """Grey of 16 bits, of 32 or of floats → uint8 (H, W); see `FLOAT_WHITES` for what is white."""
        opened = self.opened
        values = np.asarray(opened)
        white_is_least = opened.format == "TIFF" and opened.tag_v2.get(PHOTOMETRIC) == 0
        if opened.mode == "F":
            white = _float_white(values)
            self.notes.append(f"floats, read as 0–{white:,.0f}")
            grey = (values * np.float32(255 / white)).round().clip(0, 255).astype(np.uint8)
        elif opened.mode == "I" and opened.format != "PPM":
            if "32N" in layout or ("32B" in layout and "32BS" not in layout):
                values = values.view(np.uint32)
            bits = _integer_bits(values)
            self.notes.append(f"integers, read as those of {bits} bits")
            grey = (values >> (bits - 8)).astype(np.uint8)
        else:
            grey = (values >> (4 if "I;12" in layout else 8)).astype(np.uint8)
        if white_is_least:
            grey = 255 - grey
        clear = opened.info.get("transparency")
        if isinstance(clear, int):
            self.notes.append("see-through parts are laid on white")
            grey[values == clear] = 255
        return grey

    def _orientation(self) -> int:
        try:
            turn = self.opened.getexif().get(ORIENTATION, 1)
        except Exception:  # the pixels are whole all the same
            self.notes.append("its EXIF is damaged: shown as it is stored")
            return 1
        return turn if isinstance(turn, int) else 1


def _float_white(values: np.ndarray) -> float:
    low, high = (float(bound) for bound in (values.min(), values.max()))
    if not np.isfinite(low + high):
        raise Refused("some of its floats are no numbers; save it with 8 or 16 bits a channel")
    white = next((white for most, white in FLOAT_WHITES if high <= most), None)
    if white is None or FLOAT_GAP[0] < high < FLOAT_GAP[1] or low < -0.1 * white:
        raise Refused(_no_white(f"{low:.3g} to {high:.3g}"))
    return white


def _integer_bits(values: np.ndarray) -> int:
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise Refused(_no_white(f"{low:,} to {high:,}"))
    return next(bits for bits in (8, 16, 24, 32) if high < 1 << bits)


def _no_white(span: str) -> str:
    return f"its numbers of 32 bits, {span}, have no white that is known; save it with 8 or 16 bits a channel"


def _scale_clear_colour(image: Image.Image, layout: str) -> None:
    """A PNG names its see-through colour in the depth that is stored, and Pillow compares it with 8 bits."""
    clear = image.info.get("transparency")
    if image.format != "PNG" or clear is None:
        return
    if image.mode == "RGB" and ";16" in layout and isinstance(clear, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    for layout_of_few, factor in (("L;2", 85), ("L;4", 17)):
        if image.mode == "L" and layout_of_few in layout and isinstance(clear, int):
            image.info["transparency"] = clear * factor


def _foreign_profile(image: Image.Image) -> bool:
    profile = image.info.get("icc_profile")
    return isinstance(profile, bytes) and len(profile) > 0 and b"sRGB" not in profile[:65_536].replace(b"\0", b"")


def _on_white(image: Image.Image) -> Image.Image:
    """RGB of an image with transparency, some rows at a time: a whole RGBA copy, and the one that scaling it would
    take, cost 8 bytes a pixel."""
    white = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, ROWS):
        rows = image.crop((0, top, image.width, min(top + ROWS, image.height))).convert("RGBA")
        white.paste(rows, (0, top), rows)
    return white


def _others(image: Image.Image, kind: str) -> list[str]:
    """What else the file holds. Only headers are asked for a number: counting a GIF's frames would read them all."""
    try:
        if kind in ("GIF", "TIFF"):
            image.seek(1)
            return ["the first frame of an animation" if kind == "GIF" else "the first of several pages"]
        count = int(getattr(image, "n_frames", 1))
    except Exception:  # EOFError: there is no second one
        return []
    things = "images" if kind in ("JPEG", "HEIF") else "frames"
    return [f"the first of {count:,} {things} in it"] if count > 1 else []
