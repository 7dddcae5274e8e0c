"""Kinds of image files: which are read, how their names end, and how their content begins."""

from __future__ import annotations

#: What an uploaded photo may be, by Pillow's names; HEIF is read by pi-heif. Each is decoded in this process alone:
#: no other program is called and no other file is read.
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
#: What an image of a data set may be. TGA, which has no mark of its own, is asked last.
FORMATS = (*PHOTO_FORMATS, "PPM", "JPEG2000", "SGI", "PCX", "TGA")
SUFFIXES = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "mpo"),
    "PNG": ("png", "apng"),
    "WEBP": ("webp",),
    "GIF": ("gif",),
    "TIFF": ("tif", "tiff"),
    "BMP": ("bmp", "dib"),
    "AVIF": ("avif", "avifs"),
    "HEIF": ("heic", "heif", "hif", "heics", "heifs"),
    "PPM": ("ppm", "pgm", "pbm", "pnm", "pfm"),
    "JPEG2000": ("jp2", "j2k", "j2c", "jpc", "jpf", "jpx"),
    "SGI": ("sgi", "rgb", "rgba", "bw"),
    "PCX": ("pcx",),
    "TGA": ("tga", "icb", "vda", "vst"),
}
#: How the names of images end, with the dot, in lower case.
IMAGE_SUFFIXES = tuple(f".{suffix}" for suffixes in SUFFIXES.values() for suffix in suffixes)
#: What Pillow calls otherwise than people do.
NAMES = {"WEBP": "WebP", "HEIF": "HEIC", "JPEG2000": "JPEG 2000"}
#: First bytes and what they begin.
BEGINNINGS = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x01\xda", "SGI"),
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
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"version https://git-lfs.", "a pointer of Git LFS (git lfs pull fetches the file itself)"),
)
#: Bytes of a file's beginning that `looks_like` needs to tell an image.
BEGINNING_BYTES = 32
_READ = frozenset(NAMES.get(kind, kind) for kind in FORMATS)


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
    if len(data) > 2 and data[:1] == b"P" and data[1:2] in b"123456fF" and data[2:3] in b" \t\r\n":
        return "PPM"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) or b"<svg" in head:
        return "an SVG drawing" if b"<svg" in head else "an XML file"
    return "a web page" if head.startswith((b"<!doctype html", b"<html")) else None


def is_image(beginning: bytes) -> bool:
    """True where a file begins as one of `FORMATS` does."""
    return looks_like(beginning) in _READ
