"""One decoder of image files, with its limit."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

#: Larger images are refused before they are decoded: a bomb of 30,000 × 30,000 would need 2.7 GB.
MAXIMUM_PIXELS = 100_000_000


def decode(data: bytes) -> Image.Image:
    """Bytes → upright RGB image. Raises `ValueError` with a short reason where that cannot be done."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAXIMUM_PIXELS:
                raise ValueError(f"{image.width} × {image.height} pixels are too many")
            return ImageOps.exif_transpose(image).convert("RGB")
    except ValueError:
        raise
    except Exception as error:  # Pillow meets broken files with TypeError, struct.error and more
        raise ValueError("not a readable image") from error
