"""An uploaded file → an upright RGB image, or one line that says why not. Nothing touches a disk or a log.

The content decides what a file is, never its name. Sizes are read from the header before a pixel is decoded.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from core.data.image_kinds import NAMES, PHOTO_FORMATS, SUFFIXES, looks_like
from core.data.images import Refused, read_image
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
#: Larger images are scaled down to this: faces are cut out of it, so a group's small ones keep their pixels.
KEPT_SIDE = 4096
READS = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF or BMP"
NAME_LENGTH = 60
#: One image at a time, so that two visitors need no more memory than one; it also guards the warning filters.
_LOCK = threading.Lock()
# Pillow writes EXIF values to its log at DEBUG, and what a broken file says at higher levels.
logging.getLogger("PIL").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Upload:
    """An upright RGB `picture` of at most `KEPT_SIDE` pixels a side, and its `size` before that, (width, height).

    `name` is one printable line, still to be escaped; `notes` say what was done to the image.
    """

    name: str
    picture: Image.Image
    size: tuple[int, int]
    format: str
    notes: tuple[str, ...]


def read_upload(data: bytes, name: str) -> Upload:
    """Decode an image from memory. Raises `LookwhereError`, one line that begins with the file's name."""
    name = clean_name(name)
    if not data:
        raise LookwhereError(f"{name}: the file is empty; choose it again")
    if len(data) > MAXIMUM_BYTES:
        size = f"{len(data) / 2**20:.0f} MB is over the {MAXIMUM_BYTES // 2**20} MB taken here"
        raise LookwhereError(f"{name}: {size}; save it smaller, as JPEG")
    with _LOCK:
        try:
            decoded = read_image(data, _check_size, PHOTO_FORMATS, KEPT_SIDE)
        except Refused as refusal:
            raise LookwhereError(f"{name}: {refusal}") from None
        except Image.DecompressionBombError:
            raise LookwhereError(f"{name}: {_too_large('its', looks_like(data))}") from None
        except UnidentifiedImageError:
            raise LookwhereError(f"{name}: {_unknown(data)}") from None
        except ModuleNotFoundError:
            raise
        except Exception as error:  # Pillow meets broken files with TypeError, struct.error and more
            raise LookwhereError(f"{name}: {_damaged(looks_like(data) or 'image')}") from error
    return Upload(name, decoded.image, decoded.size, decoded.format, (*_misnamed(name, decoded.format), *decoded.notes))


def clean_name(name: str) -> str:
    """A file's name as one printable line without its folders: «…» where it is long, � for what could hide or turn
    text. It may still hold HTML or Markdown."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    line = "".join(c if c.isprintable() else "�" for c in last).strip() or "unnamed"
    if len(line) <= NAME_LENGTH:
        return line
    return f"{line[: NAME_LENGTH - 16]}…{line[-15:]}"


def _misnamed(name: str, kind: str) -> list[str]:
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if suffix.isalnum() and len(suffix) <= 5 and suffix not in SUFFIXES[kind]:
        return [f"named .{suffix}, but it is {NAMES.get(kind, kind)}"]
    return []


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
    if kind in {NAMES.get(format, format) for format in PHOTO_FORMATS}:
        return _damaged(kind)
    return f"not an image{f' but {kind}' if kind else ''}; give {READS}"


def _damaged(kind: str) -> str:
    return f"this {kind} is damaged or cut short; take the original again"


def shrunk_to(image: Image.Image, side: int) -> Image.Image:
    """The image at most `side` pixels a side, averaged."""
    return image if max(image.size) <= side else ImageOps.contain(image, (side, side), Image.Resampling.BOX)
