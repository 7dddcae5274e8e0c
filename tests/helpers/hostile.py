"""Hostile and odd files for the upload tests, all made here: none is a picture of anybody.

A file is `picture` (it must be read), `refused` (it must not) or `either` (a decoder may or may not still read it).
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, PngImagePlugin

SIZE = (64, 48)
PICTURE, REFUSED, EITHER = "picture", "refused", "either"
#: 64 × 48, red above and blue below; encoded by ImageMagick, as the decoder that we use cannot encode.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "AA5waXRtAAAAAAACAAAAEGlkYXQAAAAAAEAAMAAAADhpbG9jAQAAAERAAAIAAQAAAAAAAAHOAAEAAAAAAAAAQAACAAEAAAAAAAAA"
    "AQAAAAAAAAAIAAAAOGlpbmYAAAAAAAIAAAAVaW5mZQIAAAEAAQAAaHZjMQAAAAAVaW5mZQIAAAAAAgAAZ3JpZAAAAADVaXBycAAA"
    "ALNpcGNvAAAAc2h2Y0MBA3AAAAAAAAAAAAAe8AD8/fj4AAAPAyAAAQAYQAEMAf//A3AAAAMAkAAAAwAAAwAeugJAIQABACdCAQED"
    "cAAAAwCQAAADAAADAB6gIIEFlurkprmwIAAAAwAgAAADACEiAAEABkQBwXPAiQAAABRpc3BlAAAAAAAAAEAAAABAAAAAFGlzcGUA"
    "AAAAAAAAQAAAADAAAAAQcGl4aQAAAAADCAgIAAAAGmlwbWEAAAAAAAAAAgABAoECAAICA4QAAAAaaXJlZgAAAAAAAAAOZGltZwAC"
    "AAEAAQAAAEhtZGF0AAAAPCgBrxOA9WciYbd0/LwROw/gaKCDI5FrmiAooVo6pYHddnveVzzIS6m2RFqTCPdH3kxKUZfzH7MaHPOF"
    "4A=="
)


@dataclass(frozen=True)
class File:
    """A file as it is uploaded, and what must become of it; `says` must stand in the notes or in the refusal."""

    name: str
    data: bytes
    expect: str
    says: str = ""


def drawn(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Red above, blue below, with a white square, so that a turn shows."""
    picture = Image.new("RGB", size, (200, 30, 30))
    picture.paste((30, 30, 200), (0, size[1] // 2, *size))
    picture.paste((255, 255, 255), (0, 0, size[0] // 4, size[1] // 4))
    return picture.convert(mode)


def saved(picture: Image.Image, format: str, **more: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **more)
    return out.getvalue()


def plain() -> dict[str, bytes]:
    """One good file of each format that is taken, by suffix."""
    rgb = drawn()
    images = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "tif": "TIFF", "bmp": "BMP", "avif": "AVIF"}
    return {suffix: saved(rgb, format) for suffix, format in images.items()} | {"heic": HEIC}


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    """A PNG chunk."""
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2, extra: bytes = b"") -> bytes:
    """A PNG by hand: whatever header, whatever pixels (each row with its filter byte before it)."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def good_rows(width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    return (b"\0" + b"\xc8\x1e\x1e" * width) * height


def flat_png(width: int, height: int, alpha: bool = False) -> bytes:
    """A black picture of any size, or one with nothing in it, made without holding its pixels."""
    pack, row, parts = zlib.compressobj(9), b"\0" * ((4 if alpha else 3) * width + 1), []
    for _ in range(height):
        parts.append(pack.compress(row))
    body = b"".join(parts) + pack.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def flat_webp(width: int, height: int) -> bytes:
    """A picture of any size with nothing in it, of 34 bytes."""
    body = b"/" + struct.pack("<I", width - 1 | height - 1 << 14 | 1 << 28) + b"\7\x10\x11\x11\x88\x88\xfe\7\0\0"
    return b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<I", 13) + body[:14]


def jpeg_with(marker: int, payload: bytes, data: bytes | None = None) -> bytes:
    """A JPEG with one more segment after its start."""
    data = plain()["jpg"] if data is None else data
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def jpeg_sized(width: int, height: int, mode: str = "RGB") -> bytes:
    """A JPEG whose header claims another size than it has."""
    data = bytearray(saved(drawn(mode), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there `count` times more."""
    data = saved(drawn(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (count + 1) + b"\xff\xd9"


def tiff(entries: list[tuple[int, int, int, int]], after: int = 0, body: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory of (tag, kind, count, value) entries; `after` is the next one's place."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", after) + body


def tiff_sized(width: int, height: int, **more: object) -> bytes:
    start = 8 + 2 + 9 * 12 + 4
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, start), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, width * height)]  # fmt: skip
    return tiff(entries, **more)


def gif_sized(width: int, height: int) -> bytes:
    data = bytearray(plain()["gif"])
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def patched(data: bytes, find: bytes, put: bytes) -> bytes:
    """`find` replaced once by `put`; it must be there."""
    at = data.index(find)
    return data[:at] + put + data[at + len(find) :]


def box_sized(data: bytes, width: int, height: int) -> bytes:
    """An AVIF or HEIC whose header claims another size."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def exif_with(body: bytes) -> bytes:
    return jpeg_with(0xE1, b"Exif\0\0" + body)


def orientation(value: int, kind: int = 3) -> bytes:
    return b"Exif\0\0" + tiff([(0x0112, kind, 1, value)])


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("evil.txt", "evil")
    return out.getvalue()


def truncated() -> Iterator[File]:
    for suffix, data in plain().items():
        yield File(f"whole.{suffix}", data, PICTURE)
        yield File(f"four-bytes.{suffix}", data[:4], REFUSED)
        yield File(f"a-quarter.{suffix}", data[: len(data) // 4], REFUSED)
        for share in (0.5, 0.75, 0.95):
            yield File(f"cut-at-{share}.{suffix}", data[: int(len(data) * share)], EITHER)
        yield File(f"less-one-byte.{suffix}", data[:-1], EITHER)


def wrong_suffixes() -> Iterator[File]:
    images = plain()
    for suffix, suffix_of_another in zip(images, [*list(images)[1:], "jpg"], strict=True):
        yield File(
            f"really-{suffix}.{suffix_of_another}", images[suffix], PICTURE, f"named .{suffix_of_another}, but it is"
        )
    yield File("no-suffix", images["jpg"], PICTURE)
    yield File("photo.exe", images["png"], PICTURE, "named .exe, but it is PNG")
    yield File("photo.svg", images["webp"], PICTURE, "named .svg, but it is WebP")


def bombs() -> Iterator[File]:
    huge, images = 30_000, plain()
    yield File("bomb.png", png(huge, huge, bytes(1000)), REFUSED, "million")
    yield File("bomb.jpg", jpeg_sized(huge, huge), REFUSED, "million")
    yield File("bomb.gif", gif_sized(huge, huge), REFUSED, "million")
    bmp = patched(images["bmp"], struct.pack("<ii", *SIZE), struct.pack("<ii", huge, huge))
    yield File("bomb.bmp", bmp, REFUSED, "million")
    yield File("bomb.tif", tiff_sized(huge, huge), REFUSED, "million")
    extended = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + struct.pack("<I", 16_382)[:3] * 2
    riff = b"WEBP" + extended + images["webp"][12:]
    yield File("bomb.webp", b"RIFF" + struct.pack("<I", len(riff)) + riff, REFUSED)
    yield File("bomb.avif", box_sized(images["avif"], huge, huge), REFUSED)
    yield File("bomb.heic", box_sized(HEIC, huge, huge), REFUSED)
    yield File("over-the-limit.png", png(7_100, 7_100, bytes(100)), REFUSED, "7,100 × 7,100")
    yield File("over-the-limit.webp", flat_webp(5_001, 5_000), REFUSED, "25 million taken as WebP")
    yield File("over-the-limit.jpg", jpeg_sized(9_000, 9_000), REFUSED, "80 million taken as JPEG; save it smaller")
    yield File("largest.png", flat_png(7_070, 7_070), PICTURE)
    yield File("largest-see-through.png", flat_png(7_070, 7_070, alpha=True), PICTURE, "see-through")
    yield File("largest.webp", flat_webp(5_000, 5_000), PICTURE, "see-through")
    yield File("scans.jpg", many_scans(3_000), REFUSED, "scans")
    yield File("text-bomb.png", png(*SIZE, good_rows(), extra=zipped_text(b"zTXt")), EITHER)
    yield File("itxt-bomb.png", png(*SIZE, good_rows(), extra=zipped_text(b"iTXt")), EITHER)
    profile = b"profile\0\0" + zlib.compress(bytes(50_000_000), 9)
    yield File("icc-bomb.png", png(*SIZE, good_rows(), extra=chunk(b"iCCP", profile)), EITHER)
    yield File("many-texts.png", png(*SIZE, good_rows(), extra=chunk(b"tEXt", b"k\0v") * 20_000), EITHER)
    yield File("rows-without-end.png", png(*SIZE, good_rows() + bytes(50_000_000)), EITHER)


def zipped_text(kind: bytes) -> bytes:
    """50 million zeros in a text chunk of 50 kB."""
    body = zlib.compress(bytes(50_000_000), 9)
    return chunk(kind, b"key\0" + (b"\0" if kind == b"zTXt" else b"\1\0\0\0") + body)


def shapes() -> Iterator[File]:
    yield File("strip.png", png(60_000, 1, bytes(180_001)), REFUSED, "pixels")
    yield File("pole.png", png(1, 60_000, bytes(240_000)), REFUSED, "pixels")
    yield File("long.png", saved(drawn(size=(801, 80)), "PNG"), REFUSED, "strip")
    yield File("dot.gif", saved(drawn(size=(1, 1)), "GIF"), REFUSED, "too few")
    yield File("tiny.png", saved(drawn(size=(39, 39)), "PNG"), REFUSED, "too few")
    yield File("just.png", saved(drawn(size=(40, 40)), "PNG"), PICTURE)
    yield File("nothing-wide.png", png(0, 48, b""), REFUSED)
    yield File("nothing-high.gif", gif_sized(64, 0), EITHER)


def no_pictures() -> Iterator[File]:
    draw = np.random.default_rng(0)
    yield File("empty.jpg", b"", REFUSED, "empty")
    bodies = {"one-byte.jpg": b"\xff", "zeros.png": bytes(10_000), "ones.jpg": b"\xff" * 10_000, "a.txt": b"\n",
              "noise.png": draw.bytes(10_000), "text.jpg": "not an image ✗".encode(), "a.png": b"{}"}  # fmt: skip
    for name, data in bodies.items():
        yield File(name, data, REFUSED, "not an image" if name != "ones.jpg" else "")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><rect width='9' height='9'/></svg>"
    laughs = b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><svg>&b;</svg>"
    kinds = {"SVG.svg": (svg, "SVG"), "svg.png": (svg, "SVG"), "laughs.svg": (laughs, "SVG"),
             "external.svg": (b"<?xml version='1.0'?>\n<svg><image href='file:///etc/passwd'/></svg>", "SVG"),
             "page.jpg": (b"<!DOCTYPE html><script>alert(1)</script>", "web page"), "a.pdf": (b"%PDF-1.7\n%", "PDF"),
             "a.zip": (archive(), "ZIP"), "a.docx": (archive(), "ZIP"), "a.png.gz": (gzip.compress(bytes(99)), "gzip"),
             "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "7z"), "a.rar": (b"Rar!\x1a\x07" + bytes(99), "RAR"),
             "a.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "PostScript"),
             "a.psd": (b"8BPS\0\1" + bytes(99), "Photoshop"), "a.exe": (b"MZ" + bytes(99), "program"),
             "a.so": (b"\x7fELF" + bytes(99), "program"), "a.mkv": (b"\x1aE\xdf\xa3" + bytes(99), "video"),
             "a.mp4": (b"\0\0\0\x18ftypisom" + bytes(99), "video"), "a.wav": (b"RIFF\0\0\0\0WAVE", "sound"),
             "a.pkl": (pickle.dumps({"a": 1}), ""), "a.ipynb": (json.dumps({"cells": []}).encode(), "")}  # fmt: skip
    for name, (data, says) in kinds.items():
        yield File(name, data, REFUSED, says)
    # Formats that Pillow reads, and that are not asked of it.
    for suffix, format in {"ico": "ICO", "ppm": "PPM", "tga": "TGA", "jp2": "JPEG2000", "pcx": "PCX", "dds": "DDS",
                           "sgi": "SGI", "icns": "ICNS"}.items():  # fmt: skip
        yield File(f"other.{suffix}", saved(drawn(), format), REFUSED, "give JPEG")
    yield File("other.xbm", saved(drawn("1"), "XBM"), REFUSED, "give JPEG")


def polyglots() -> Iterator[File]:
    images = plain()
    yield File("jpeg-and-zip.jpg", images["jpg"] + archive(), PICTURE)
    yield File("png-and-page.png", images["png"] + b"<script>alert(1)</script>", PICTURE)
    yield File("gif-and-zip.gif", images["gif"] + archive(), PICTURE)
    yield File("pdf-then-jpeg.jpg", b"%PDF-1.7\n" + images["jpg"], REFUSED, "PDF")
    yield File("zip-then-png.png", archive() + images["png"], REFUSED, "ZIP")
    yield File("script-in-comment.jpg", jpeg_with(0xFE, b"*/alert(1)/*<script>alert(1)</script>"), PICTURE)
    code = chunk(b"tEXt", b"Comment\0<?php system($_GET[0]); ?>")
    yield File("php-in-text.png", png(*SIZE, good_rows(), extra=code), PICTURE)
    yield File("gif-and-js.gif", b"GIF89a/*" + images["gif"][8:] + b"*/=1;alert(1)", REFUSED)
    yield File("mime-page.gif", b"GIF89a<html><script>alert(1)</script></html>", REFUSED)


def metadata() -> Iterator[File]:
    for turn in range(1, 9):
        yield File(f"turn-{turn}.jpg", saved(drawn(), "JPEG", exif=orientation(turn), quality=95), PICTURE,
                   "turned as its EXIF says" if turn > 1 else "")  # fmt: skip
    yield File("turn-png.png", saved(drawn(), "PNG", exif=orientation(6)), PICTURE, "turned")
    yield File("turn-99.jpg", exif_with(tiff([(0x0112, 3, 1, 99)])), PICTURE)
    yield File("turn-is-text.jpg", exif_with(tiff([(0x0112, 2, 4, 0x41414141)])), PICTURE)
    yield File("turn-is-a-list.jpg", exif_with(tiff([(0x0112, 3, 2, 0x00060006)])), PICTURE)
    yield File("exif-noise.jpg", exif_with(bytes(range(200))), PICTURE)
    yield File("exif-empty.jpg", exif_with(b""), PICTURE)
    yield File("exif-cut.jpg", exif_with(tiff([(0x0112, 3, 1, 6)])[:15]), PICTURE)
    yield File("exif-loop.jpg", exif_with(tiff([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8)], after=8)), PICTURE)
    yield File("exif-huge-count.jpg", exif_with(tiff([(0x010F, 2, 0xFFFFFFF0, 8)])), PICTURE)
    yield File("icc-noise.jpg", jpeg_with(0xE2, b"ICC_PROFILE\0\1\1" + bytes(range(250))), PICTURE)
    yield File("icc-part-9-of-2.jpg", jpeg_with(0xE2, b"ICC_PROFILE\0\x09\x02" + bytes(20)), PICTURE)
    yield File("icc-noise.png", png(*SIZE, good_rows(), extra=chunk(b"iCCP", b"p\0\0" + bytes(30))), EITHER)
    yield File("xmp-noise.jpg", jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta" + b"<" * 900), PICTURE)
    yield File("mpf-noise.jpg", jpeg_with(0xE2, b"MPF\0" + bytes(40)), PICTURE)
    yield File("photoshop-noise.jpg", jpeg_with(0xED, b"Photoshop 3.0\x008BIM" + b"\xff" * 60), EITHER)
    yield File("segment-past-the-end.jpg", plain()["jpg"][:2] + b"\xff\xe1\xff\xff" + bytes(99), REFUSED)


def lies() -> Iterator[File]:
    images = plain()
    yield File("short-rows.png", png(1_000, 1_000, good_rows()), REFUSED, "damaged")
    yield File("depth-7.png", png(*SIZE, good_rows(), depth=7), REFUSED)
    yield File("colour-5.png", png(*SIZE, good_rows(), colour=5), REFUSED)
    yield File("no-palette.png", png(*SIZE, good_rows(), colour=3), EITHER)
    yield File("filter-9.png", png(*SIZE, good_rows().replace(b"\0", b"\x09", 1)), EITHER)
    yield File("no-pixels.png", images["png"][:33] + chunk(b"IEND", b""), REFUSED)
    header = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 0)
    yield File("bad-sum.png", images["png"][:8] + chunk(b"IHDR", header, crc=1) + images["png"][33:], REFUSED)
    yield File("chunk-of-2-gb.png", images["png"][:33] + b"\x7f\xff\xff\xffIDAT" + bytes(50), REFUSED)
    yield File("zero-size.jpg", jpeg_sized(0, 0), REFUSED)
    yield File("short-data.jpg", jpeg_sized(4_000, 4_000), EITHER)
    yield File("no-tables.jpg", images["jpg"].replace(b"\xff\xc4", b"\xff\xfe"), EITHER)
    yield File("wide-frame.gif", patched(images["gif"], b",\0\0\0\0", b",\x20\x20\0\0"), EITHER)
    yield File("code-size-99.gif", gif_sized(*SIZE)[:-20] + b"\x63" * 20, EITHER)
    yield File("block-without-end.gif", images["gif"][:-30] + b"\xff" * 200, EITHER)
    yield File("minus-height.bmp", patched(images["bmp"], struct.pack("<i", 48), struct.pack("<i", -48)), PICTURE)
    yield File("minus-width.bmp", patched(images["bmp"], struct.pack("<i", 64), struct.pack("<i", -64)), REFUSED)
    yield File("header-of-9.bmp", patched(images["bmp"], struct.pack("<I", 40), struct.pack("<I", 9)), REFUSED)
    yield File("offset.bmp", images["bmp"][:10] + b"\xff\xff\xff\x7f" + images["bmp"][14:], REFUSED)
    yield File("loop.tif", tiff_sized(*SIZE, after=8, body=bytes(64 * 48)), PICTURE)
    yield File("offset-past-the-end.tif", b"II*\0\xff\xff\xff\x7f", REFUSED)
    yield File("nothing.tif", tiff([]), REFUSED)
    yield File("no-strips.tif", tiff_sized(*SIZE), REFUSED)
    yield File("65535-samples.tif", tiff([(256, 4, 1, 64), (257, 4, 1, 48), (277, 3, 1, 65_535)]), REFUSED)
    yield File("count-of-4-gb.tif", tiff([(256, 4, 0xFFFFFFFF, 64), (257, 4, 1, 48), (273, 4, 0x3FFFFFFF, 8)]), REFUSED)
    yield File("packed-noise.tif", patched(saved(drawn(), "TIFF", compression="tiff_lzw"), b"II*\0", b"II*\0"), PICTURE)
    yield File("riff-of-4-gb.webp", images["webp"][:4] + b"\xff\xff\xff\xff" + images["webp"][8:], EITHER)
    yield File("noise-within.webp", images["webp"][:30] + bytes(len(images["webp"]) - 30), EITHER)
    yield File("noise-within.avif", images["avif"][:-80] + bytes(80), EITHER)
    yield File("noise-within.heic", HEIC[:-60] + bytes(60), EITHER)
    yield File("larger.heic", box_sized(HEIC, 2_000, 2_000), EITHER)
    yield File("boxes-only.heic", HEIC[:24] + b"\0\0\0\x08meta" * 40, REFUSED, "damaged")
    yield File("box-of-16-eb.heic", HEIC[:24] + b"\0\0\0\1meta" + b"\xff" * 8 + bytes(40), REFUSED)


def several() -> Iterator[File]:
    frames = [drawn().rotate(15 * n) for n in range(24)]
    more = {"save_all": True, "append_images": frames[1:]}
    yield File("film.gif", saved(frames[0], "GIF", **more), PICTURE, "first frame of an animation")
    yield File("film.webp", saved(frames[0], "WEBP", **more), PICTURE, "first of 24 frames")
    yield File("film.png", saved(frames[0], "PNG", **more), PICTURE, "first of 24 frames")
    yield File("film.avif", saved(frames[0], "AVIF", **more), PICTURE, "first of 24 frames")
    yield File("pages.tif", saved(frames[0], "TIFF", **more), PICTURE, "first of several pages")
    yield File("pictures.mpo", saved(frames[0], "MPO", **more), PICTURE, "first of 24 images")
    body = saved(drawn(), "GIF")
    frame = body[body.index(b",") : -1]
    yield File("100,000-frames.gif", body[:-1] + frame * (5_000_000 // len(frame)) + b";", PICTURE, "animation")
    claims = png(*SIZE, good_rows(), extra=chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    yield File("2-billion-frames.png", claims, EITHER)


def modes() -> Iterator[File]:
    for mode in ("1", "L", "LA", "P", "RGBA"):
        says = {"1": "grey", "L": "grey", "LA": "see-through", "RGBA": "see-through"}.get(mode, "")
        yield File(f"mode-{mode}.png", saved(drawn(mode), "PNG"), PICTURE, says)
    info = PngImagePlugin.PngInfo()
    yield File("clear-colour.png", saved(drawn("P"), "PNG", transparency=0, pnginfo=info), PICTURE, "see-through")
    deep = np.linspace(0, 65_535, 64 * 48).astype(np.uint16).reshape(48, 64)
    yield File("deep.png", saved(Image.fromarray(deep), "PNG"), PICTURE, "16 bits")
    yield File("deep.tif", saved(Image.fromarray(deep), "TIFF"), PICTURE, "16 bits")
    rows = b"".join(b"\0" + row.astype(">u2").repeat(3).tobytes() for row in deep)
    yield File("deep-colour.png", png(*SIZE, rows, depth=16), PICTURE, "16 bits")
    yield File("floats.tif", saved(drawn("F"), "TIFF"), PICTURE, "floats, read as 0–255")
    yield File("no-white.tif", saved(drawn("F").point(lambda value: value * 0.02 + 0), "TIFF"), REFUSED, "32 bits")
    yield File("integers.tif", saved(drawn("I"), "TIFF"), PICTURE, "integers, read as those of 8 bits")
    yield File("print.jpg", saved(drawn("CMYK"), "JPEG"), PICTURE, "CMYK")
    yield File("print.tif", saved(drawn("CMYK"), "TIFF"), PICTURE, "CMYK")
    yield File("video.tif", saved(drawn("YCbCr"), "TIFF"), PICTURE)
    yield File("lab.tif", saved(drawn("LAB"), "TIFF"), PICTURE)
    yield File("progressive.jpg", saved(drawn(), "JPEG", progressive=True), PICTURE)
    yield File("fax.tif", saved(drawn("1"), "TIFF", compression="group4"), PICTURE, "grey")


NAMES = (
    "../../etc/passwd.png", "C:\\Windows\\evil.png", "/etc/shadow", "<img src=x onerror=alert(1)>.png",
    "![x](http://example.org/x.png).png", "two\nlines.png", "nul\0.png", "gnp.\u202egpj", "%s%n{0}.png", "a" * 5_000,
    "", "...", "/", "🙂.png", "\ud800.png", "$x^2$ :material/home: **bold**.png", "'; DROP TABLE faces; --.png",
)  # fmt: skip


def names() -> Iterator[File]:
    good = plain()["png"]
    for name in NAMES:
        yield File(name, good, PICTURE)
        yield File(name, b"not an image", REFUSED, "not an image")


def hostile() -> list[File]:
    """All of them."""
    makers = (truncated, wrong_suffixes, bombs, shapes, no_pictures, polyglots, metadata, lies, several, modes, names)
    return [file for maker in makers for file in maker()]
