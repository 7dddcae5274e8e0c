"""An uploaded file → an upright RGB picture, or one line that says why not. Nothing touches a disk or a log.

The content decides what a file is, never its name. Sizes are read from the header before a pixel is decoded.
"""

from __future__ import annotations

import io
import logging
import threading
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import LookwhereError

#: As `maxUploadSize` in .streamlit/config.toml.
MAXIMUM_BYTES = 50 * 1024 * 1024
#: The most pixels of a JPEG, which is decoded at a smaller scale, and of all else, which is decoded whole: the peak is
#: 570 MB (a progressive JPEG of CMYK, which is held whole with 8 bytes a pixel and so counts as all else), 560 MB for
#: PNG with transparency, 530 MB for WebP (its decoder takes 16 bytes a pixel) and for JPEG.
#: Less than Pillow's own limit, so that it never warns of one that we take.
JPEG_PIXELS = 80_000_000
OTHER_PIXELS = 50_000_000
FEWER_PIXELS = {"WEBP": 25_000_000, "AVIF": 32_000_000}
#: The smallest face that the detector looks for has as many.
MINIMUM_SIDE = 40
#: Long side over short side; a telephone's panoramas are at most 5.
MAXIMUM_ASPECT = 10
#: A progressive JPEG has about ten, and each costs a pass over all pixels (https://libjpeg-turbo.org: «maxscans»).
MAXIMUM_SCANS = 200
#: Larger pictures are scaled down to this: faces are cut out of it, so a group's small ones keep their pixels.
KEPT_SIDE = 4096
#: What Pillow is asked to read; HEIF comes on top. Nothing here calls another program or reads another file.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
READS = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF or BMP"
SUFFIXES = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "mpo"),
    "PNG": ("png", "apng"),
    "WEBP": ("webp",),
    "GIF": ("gif",),
    "TIFF": ("tif", "tiff"),
    "BMP": ("bmp", "dib"),
    "AVIF": ("avif", "avifs"),
    "HEIF": ("heic", "heif", "hif", "heics", "heifs"),
}
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
#: What Pillow calls otherwise than people do.
NAMES = {"WEBP": "WebP", "HEIF": "HEIC"}
#: First bytes and what they begin; for the words of a refusal alone.
BEGINNINGS = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "a Photoshop file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\x1aE\xdf\xa3", "a video"),
)
NAME_LENGTH = 60
#: Laid on white at a time.
ROWS = 256
#: One picture at a time, so that two visitors need no more memory than one; it also guards the warning filters.
_LOCK = threading.Lock()
# Pillow writes EXIF values to its log at DEBUG, and what a broken file says at higher levels.
logging.getLogger("PIL").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Upload:
    """An upright RGB `picture` of at most `KEPT_SIDE` pixels a side, and its `size` before that, (width, height).

    `name` is one printable line, still to be escaped; `notes` say what was done to the picture.
    """

    name: str
    picture: Image.Image
    size: tuple[int, int]
    format: str
    notes: tuple[str, ...]


def read_upload(data: bytes, name: str) -> Upload:
    """Decode a picture from memory. Raises `LookwhereError`, one line that begins with the file's name."""
    name = clean_name(name)
    if not data:
        raise LookwhereError(f"{name}: the file is empty; choose it again")
    if len(data) > MAXIMUM_BYTES:
        size = f"{len(data) / 2**20:.0f} MB is over the {MAXIMUM_BYTES // 2**20} MB taken here"
        raise LookwhereError(f"{name}: {size}; save it smaller, as JPEG")
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with _open(data) as picture:
                return _read(picture, data, name)
        except Refused as refusal:
            raise LookwhereError(f"{name}: {refusal}") from None
        except Image.DecompressionBombError:
            raise LookwhereError(f"{name}: {_too_large('its', looks_like(data))}") from None
        except UnidentifiedImageError:
            raise LookwhereError(f"{name}: {_unknown(data)}") from None
        except Exception as error:  # Pillow meets broken files with TypeError, struct.error and more
            raise LookwhereError(f"{name}: {_damaged(looks_like(data) or 'image')}") from error


class Refused(Exception):
    """Why a picture is not taken, without the file's name."""


def clean_name(name: str) -> str:
    """A file's name as one printable line without its folders: «…» where it is long, � for what could hide or turn
    text. It may still hold HTML or Markdown."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    line = "".join(c if c.isprintable() else "�" for c in last).strip() or "unnamed"
    if len(line) <= NAME_LENGTH:
        return line
    return f"{line[: NAME_LENGTH - 16]}…{line[-15:]}"


def looks_like(data: bytes) -> str | None:
    """What a file's first bytes say it is, in a word or two; None where they say nothing."""
    for beginning, kind in BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF":
        return "WebP" if data[8:12] == b"WEBP" else "a sound or video"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "HEIC" if brand[:2] in (b"he", b"mi", b"ms") else "AVIF" if brand[:3] == b"avi" else "a video"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) or b"<svg" in head:
        return "an SVG drawing" if b"<svg" in head else "an XML file"
    return "a web page" if head.startswith((b"<!doctype html", b"<html")) else None


def _open(data: bytes) -> Image.Image:
    """The header read, no pixel decoded."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if looks_like(data) != "HEIC":
            raise
    # Made here and not registered with Pillow, which would then try HEIF on every file that it opens.
    from pi_heif import HeifImageFile, options

    options.DISABLE_SECURITY_LIMITS = False
    return HeifImageFile(io.BytesIO(data))


def _read(picture: Image.Image, data: bytes, name: str) -> Upload:
    kind = {"MPO": "JPEG"}.get(picture.format, picture.format)
    stored = "CMYK JPEG" if kind == "JPEG" and picture.mode == "CMYK" else kind
    _check_size(picture.size, stored)
    size, notes = picture.size, []
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if suffix.isalnum() and len(suffix) <= 5 and suffix not in SUFFIXES[kind]:
        notes.append(f"named .{suffix}, but it is {NAMES.get(kind, kind)}")
    if kind == "JPEG":
        if data.count(b"\xff\xda") > MAXIMUM_SCANS:
            raise Refused(f"a JPEG of over {MAXIMUM_SCANS} scans, made to keep a computer busy; save it anew")
        picture.draft(None, _within(size))  # decoded at an eighth, a quarter or a half where that is enough
    if any(";16" in str(tile) for tile in picture.tile):
        notes.append("of its 16 bits a channel the upper 8 are used")
    picture.load()
    if kind != "JPEG" and picture.size != size:  # HEIF may find another size than its header said
        _check_size(picture.size, stored)
        size = picture.size
    upright = _rgb(picture, notes)
    if upright is picture:  # which goes on to its next frame, and is closed
        upright = picture.copy()
    turn = _orientation(picture, notes)
    if turn in TURNS:
        notes.append("turned as its EXIF says")
        upright = upright.transpose(TURNS[turn])
        size = size[::-1] if turn >= 5 else size
    notes += _others(picture, kind)
    return Upload(name, upright, size, kind, tuple(notes))


def maximum_pixels(kind: str | None) -> int:
    """The most pixels taken of a format, by Pillow's name, or of a «CMYK JPEG»."""
    return JPEG_PIXELS if kind == "JPEG" else FEWER_PIXELS.get(kind, OTHER_PIXELS)


def _check_size(size: tuple[int, int], kind: str) -> None:
    width, height = size
    if width * height > maximum_pixels(kind):
        raise Refused(_too_large(f"{width:,} × {height:,}", kind))
    if min(size) < MINIMUM_SIDE:
        raise Refused(f"{width:,} × {height:,} pixels are too few to hold a face; give one of {MINIMUM_SIDE} and more")
    if max(size) > MAXIMUM_ASPECT * min(size):
        raise Refused(f"{width:,} × {height:,} pixels is a strip; cut out the part with the face")


def _too_large(size: str, kind: str | None) -> str:
    limit = f"{maximum_pixels(kind) // 10**6} million taken as {NAMES.get(kind, kind or 'such a file')}"
    mend = "" if kind == "JPEG" else f", or as a JPEG in RGB, of which {JPEG_PIXELS // 10**6} million are taken"
    return f"{size} pixels are over the {limit}; save it smaller{mend}"


def _unknown(data: bytes) -> str:
    kind = looks_like(data)
    if kind in (*FORMATS, "WebP", "HEIC"):
        return _damaged(kind)
    return f"not an image{f' but {kind}' if kind else ''}; give {READS}"


def _damaged(kind: str) -> str:
    return f"this {kind} is damaged or cut short; take the original again"


def _within(size: tuple[int, int]) -> tuple[int, int]:
    """The size scaled to at most `KEPT_SIDE` a side."""
    scale = min(1.0, KEPT_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrunk(picture: Image.Image) -> Image.Image:
    return picture if max(picture.size) <= KEPT_SIDE else picture.resize(_within(picture.size), Image.Resampling.BOX)


def _rgb(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Any mode → RGB of at most `KEPT_SIDE` pixels a side: scaled, never clipped."""
    mode = picture.mode
    if mode in ("I", "F"):
        raise Refused("its numbers of 32 bits have no fixed white; save it with 8 or 16 bits a channel")
    if mode.startswith("I;16"):
        picture, mode = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)), "L"
    if picture.has_transparency_data or mode in ("PA", "La", "RGBa"):
        notes.append("see-through parts are laid on white")
        return _shrunk(_on_white(picture))
    if mode in ("1", "L"):
        notes.append("grey, without colours")
        return _shrunk(picture.convert("L")).convert("RGB")
    if mode == "CMYK":
        notes.append("CMYK, converted without its colour profile")
        return _shrunk(picture).convert("RGB")
    try:
        return _shrunk(picture if mode == "RGB" else picture.convert("RGB"))
    except ValueError:
        raise Refused(f"its colours are {mode}; save it as RGB") from None


def _on_white(picture: Image.Image) -> Image.Image:
    """RGB of a picture with transparency, some rows at a time: a whole RGBA copy, and the one that scaling it would
    take, cost 8 bytes a pixel."""
    white = Image.new("RGB", picture.size, "white")
    for top in range(0, picture.height, ROWS):
        rows = picture.crop((0, top, picture.width, min(top + ROWS, picture.height))).convert("RGBA")
        white.paste(rows, (0, top), rows)
    return white


def _orientation(picture: Image.Image, notes: list[str]) -> int:
    try:
        turn = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # the pixels are whole all the same
        notes.append("its EXIF is damaged: shown as it is stored")
        return 1
    return turn if isinstance(turn, int) else 1


def _others(picture: Image.Image, kind: str) -> list[str]:
    """What else the file holds. Only headers are asked for a number: counting a GIF's frames would read them all."""
    try:
        if kind in ("GIF", "TIFF"):
            picture.seek(1)
            return ["the first frame of an animation" if kind == "GIF" else "the first of several pages"]
        count = int(getattr(picture, "n_frames", 1))
    except Exception:  # EOFError: there is no second one
        return []
    things = "images" if kind in ("JPEG", "HEIF") else "frames"
    return [f"the first of {count:,} {things} in it"] if count > 1 else []


def shrunk_to(picture: Image.Image, side: int) -> Image.Image:
    """The picture at most `side` pixels a side, averaged."""
    return picture if max(picture.size) <= side else ImageOps.contain(picture, (side, side), Image.Resampling.BOX)
