"""One decoder: whatever is stored comes out as upright RGB with the pixels that are meant, or as a reason."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from core.data import images
from core.data.image_kinds import FORMATS, NAMES, SUFFIXES, is_image, looks_like
from core.data.images import decode
from core.photo.uploads import read_upload
from tests.helpers import hostile
from tests.helpers.hostile import HEIC, SIZE, drawn, orientation, png, saved

#: 60 × 50 pixels, every grey from 0 to 255 in it: a photo page takes no smaller ones.
GREY = np.resize(np.arange(256, dtype=np.uint8), (50, 60))
WHITE = (255, 255, 255)


def values(data: bytes) -> np.ndarray:
    """The decoded grey, int (H, W); the photo page must give the same pixels."""
    pixels = np.asarray(decode(data))
    assert np.array_equal(pixels, np.asarray(read_upload(data, "a").picture))
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0].astype(int)


def tiff(array: np.ndarray) -> bytes:
    return saved(Image.fromarray(array), "TIFF")


def deep_tiff(rows: bytes, bits: int, sample: int, photometric: int = 1, order: str = "<") -> bytes:
    """A TIFF of 60 × 50 grey pixels by hand, in either byte order."""
    start = 8 + 2 + 10 * 12 + 4
    entries = [(256, 60), (257, 50), (258, bits), (259, 1), (262, photometric), (273, start), (277, 1), (278, 50),
               (279, len(rows)), (339, sample)]  # fmt: skip
    body = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in entries)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return head + body + struct.pack(f"{order}I", 0) + rows


@pytest.mark.parametrize("order", ["<", ">"])
def test_of_sixteen_bits_the_upper_eight_are_kept(order: str) -> None:
    deep = GREY.astype(np.uint16) * 256 + 255 - GREY
    for data in (
        saved(Image.fromarray(deep), "PNG"),
        tiff(deep),
        saved(Image.fromarray(deep), "TIFF", compression="tiff_lzw"),
        deep_tiff(deep.astype(f"{order}u2").tobytes(), 16, 1, order=order),
    ):
        assert np.array_equal(values(data), GREY)


def test_deep_portable_grey_maps_are_sixteen_bits_whatever_is_in_them() -> None:
    dark = (GREY // 8).astype(np.uint16) * 256
    data = b"P5\n60 50\n65535\n" + dark.astype(">u2").tobytes()
    assert np.array_equal(np.asarray(decode(data))[..., 0], GREY // 8)


def test_twelve_bits_are_not_read_as_the_dark_end_of_sixteen() -> None:
    twelve = GREY.ravel().astype(int) * 16
    packed = np.stack([twelve[::2] >> 4, (twelve[::2] & 15) << 4 | twelve[1::2] >> 8, twelve[1::2] & 255], axis=1)
    assert np.array_equal(values(deep_tiff(packed.astype(np.uint8).tobytes(), 12, 1)), GREY)


@pytest.mark.parametrize(("bits", "sample", "kind"), [(16, 1, "<u2"), (32, 3, "<f4")])
def test_where_the_least_number_is_white_the_image_is_no_negative(bits: int, sample: int, kind: str) -> None:
    stored = (255 - GREY.astype(int)) * (256 if bits == 16 else 1)
    assert np.array_equal(values(deep_tiff(stored.astype(kind).tobytes(), bits, sample, photometric=0)), GREY)


@pytest.mark.parametrize("white", [1.0, 255.0, 65_535.0])
def test_floats_keep_their_contrast_whatever_their_white(white: float) -> None:
    assert np.abs(values(tiff((GREY / 255 * white).astype(np.float32))) - GREY).max() <= 1


def test_floats_that_overshoot_a_little_stay_what_they_are() -> None:
    ringing = (GREY / 255 * 1.2 - 0.08).astype(np.float32)
    assert np.abs(values(tiff(ringing)) - (ringing * 255).round().clip(0, 255)).max() <= 1


@pytest.mark.parametrize("scale", [1, 257, 65_000, 8_000_000])
def test_integers_of_32_bits_keep_their_contrast(scale: int) -> None:
    wide = GREY.astype(np.int32) * scale
    bits = next(bits for bits in (8, 16, 24, 32) if wide.max() < 1 << bits)
    assert np.array_equal(values(tiff(wide)), wide >> (bits - 8))


def test_unsigned_integers_above_two_billion_are_no_negative_numbers() -> None:
    wide = GREY.astype(np.uint32) * 16_777_216
    assert np.array_equal(values(deep_tiff(wide.astype("<u4").tobytes(), 32, 1)), GREY)


@pytest.mark.parametrize(
    "array",
    [
        np.full((50, 60), -3, dtype=np.int32),
        GREY.astype(np.float32) / 128 - 1,
        GREY.astype(np.float32) / 50,
        np.where(GREY == 7, np.nan, GREY).astype(np.float32),
        GREY.astype(np.float32) * 1e6,
    ],
    ids=["below zero", "-1 to 1", "to 5", "not a number", "to 255 million"],
)
def test_numbers_without_a_known_white_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"white that is known|no numbers"):
        decode(tiff(array))


HIDDEN = (10, 20, 30)


def see_through() -> dict[str, bytes]:
    """Images that hide a colour under each see-through pixel, the left half, beside a shown one."""
    rgba = Image.new("RGBA", (60, 50), (*HIDDEN, 0))
    rgba.paste((200, 100, 50, 255), (30, 0, 60, 50))
    palette = Image.fromarray(np.asarray(rgba)[..., 3] // 255, "L")
    palette.putpalette([*HIDDEN, 200, 100, 50])
    key = np.asarray(rgba.convert("RGB"))
    rows16 = b"".join(b"\0" + row.astype(">u2").tobytes() for row in key.astype(np.uint16) * 257)
    clear16 = hostile.chunk(b"tRNS", struct.pack(">3H", *(value * 257 for value in HIDDEN)))
    return {
        "png": saved(rgba, "PNG"),
        "webp": saved(rgba, "WEBP", lossless=True, exact=True),
        "tiff": saved(rgba, "TIFF"),
        "palette, one colour": saved(palette, "PNG", transparency=0),
        "palette, bytes": saved(palette, "PNG", transparency=b"\0\xff"),
        "gif": saved(palette, "GIF", transparency=0),
        "colour key": saved(rgba.convert("RGB"), "PNG", transparency=HIDDEN),
        "deep colour key": png(60, 50, rows16, depth=16, extra=clear16),
    }


@pytest.mark.parametrize("kind", see_through())
def test_a_colour_under_a_see_through_pixel_never_shows(kind: str) -> None:
    data = see_through()[kind]
    picture = decode(data)
    assert (picture.getpixel((5, 5)), picture.getpixel((40, 5))) == (WHITE, (200, 100, 50))
    assert np.array_equal(np.asarray(picture), np.asarray(read_upload(data, "a").picture))


def grey_keys() -> dict[str, bytes]:
    """Grey PNGs of several depths whose value 1 (stored) is see-through: the left half; the right half is not."""
    stored = np.repeat([[1, 3]], 30, axis=1).repeat(50, axis=0)
    encoded = {"16": png(60, 50, b"".join(b"\0" + row.astype(">u2").tobytes() for row in stored), depth=16, colour=0,
                       extra=hostile.chunk(b"tRNS", b"\0\1"))}  # fmt: skip
    for depth in (2, 4):
        bits = np.unpackbits(stored.astype(np.uint8)[..., None], axis=2)[..., -depth:].reshape(50, -1)
        rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(bits, axis=1))
        extra = hostile.chunk(b"tRNS", b"\0\1")
        encoded[str(depth)] = png(60, 50, rows, depth=depth, colour=0, extra=extra)
    return encoded


@pytest.mark.parametrize(("depth", "grey"), [("2", 255), ("4", 51), ("16", 0)])
def test_a_see_through_grey_is_found_at_the_depth_in_which_it_is_stored(depth: str, grey: int) -> None:
    got = values(grey_keys()[depth])
    assert (got[:, :30] == 255).all()
    assert (got[:, 30:] == grey).all()


def test_half_see_through_pixels_are_mixed_with_white() -> None:
    half = saved(Image.new("LA", (50, 50), (55, 128)), "PNG")
    assert abs(values(half)[0, 0] - round(55 * 128 / 255 + 127)) <= 1


@pytest.mark.parametrize(
    ("mode", "colour", "rgb"),
    [
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 0), WHITE),
        ("RGBA", (10, 20, 30, 0), WHITE),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("1", 1, WHITE),
    ],
)
def test_decode_gives_rgb_whatever_is_stored(mode: str, colour: object, rgb: tuple[int, int, int]) -> None:
    picture = decode(saved(Image.new(mode, (5, 4), colour), "PNG"))
    assert (picture.mode, picture.size, picture.getpixel((2, 2))) == ("RGB", (5, 4), rgb)


@pytest.mark.parametrize("kind", ["CMYK", "YCbCr", "LAB", "P", "1", "heic", "avif", "j2k", "ppm", "bmp"])
def test_other_colours_come_out_as_they_are_seen(kind: str) -> None:
    data = {
        "CMYK": lambda: saved(drawn("CMYK"), "JPEG", quality=95),
        "P": lambda: saved(drawn().quantize(4), "GIF"),
        "1": lambda: saved(drawn("L").point(lambda value: 255 if value > 128 else 0).convert("1"), "TIFF"),
        "heic": lambda: HEIC,
        "avif": lambda: saved(drawn(), "AVIF"),
        "j2k": lambda: saved(drawn(), "JPEG2000"),
        "ppm": lambda: saved(drawn(), "PPM"),
        "bmp": lambda: saved(drawn(), "BMP"),
    }.get(kind, lambda: saved(drawn(kind), "TIFF"))()
    decoded, expected = np.asarray(decode(data)).astype(int), np.asarray(drawn()).astype(int)
    if kind == "1":
        expected = np.where(expected.min(axis=2, keepdims=True) == 255, 255, 0)
    # The middle of both halves, and of the square where there is one, away from the edges that a codec blurs.
    for y, x in ((15, 40), (40, 40), *([(5, 5)] if kind != "heic" else [])):
        assert np.abs(decoded[y, x] - expected[y, x]).max() <= (60 if kind == "heic" else 20)


def test_the_numbers_of_a_print_are_turned_round_as_adobe_stores_them() -> None:
    """No ink is white, all black ink is black: read the other way round, they would change places."""
    for inks, rgb in (((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0)), ((0, 255, 255, 0), (255, 0, 0))):
        for kind in ("JPEG", "TIFF"):
            pixel = decode(saved(Image.new("CMYK", (16, 16), inks), kind, quality=100)).getpixel((8, 8))
            assert np.abs(np.subtract(pixel, rgb)).max() <= 3


def test_a_print_without_adobes_mark_is_not_turned_round() -> None:
    adobe = saved(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", quality=100)
    at = adobe.index(b"\xff\xee\x00\x0eAdobe")
    plain = adobe[:at] + adobe[at + 16 :]
    for data, rgb in ((adobe, (255, 0, 0)), (plain, (0, 0, 0))):  # inks 255, 0, 0, 255 are black
        assert np.abs(np.subtract(decode(data).getpixel((8, 8)), rgb)).max() <= 3
        assert np.array_equal(np.asarray(decode(data)), np.asarray(read_upload(data, "a.jpg").picture))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_of_several_images_in_one_file_the_first_counts(kind: str) -> None:
    more = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), "green")] * 3}
    data = saved(drawn(), kind, **more)
    assert np.abs(np.asarray(decode(data)).astype(int) - np.asarray(drawn()).astype(int)).mean() < 4
    assert any("the first" in note for note in read_upload(data, "a").notes)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_turns_every_format_upright(kind: str, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    pixels = np.asarray(decode(saved(drawn(), kind, exif=exif))).astype(int)
    assert pixels.shape[:2] == ((48, 64) if turn < 5 else (64, 48))
    corners = {"TL": pixels[2, 2], "TR": pixels[2, -3], "BL": pixels[-3, 2], "BR": pixels[-3, -3]}
    # The white square lies at the stored top left; the standard says where the first row and column are.
    expected = ("TL", "TR", "BR", "BL", "TL", "TR", "BR", "BL")[turn - 1]
    assert [name for name, colour in corners.items() if colour.min() > 200] == [expected]


BROKEN_EXIF = {
    "no TIFF header": b"Exif\0\0\0\x08\0\x02\x01\x12\0\x03",
    "text": b"Exif\0\0b'Exif\\x00\\x00'",
    "empty": b"Exif\0\0",
    "cut in its directory": orientation(6)[:20],
    "orientation 0": orientation(0),
    "orientation 9": orientation(9),
    "orientation as text": b"Exif\0\0" + hostile.tiff([(0x0112, 2, 2, ord("6"))]),
    "directory past the end": b"Exif\0\0II*\0\xff\xff\xff\x7f",
}


@pytest.mark.parametrize("what", BROKEN_EXIF)
def test_an_image_with_broken_exif_is_read_as_it_is_stored(what: str) -> None:
    plain, broken = saved(drawn(), "JPEG"), saved(drawn(), "JPEG", exif=BROKEN_EXIF[what])
    assert np.array_equal(np.asarray(decode(broken)), np.asarray(decode(plain)))
    assert np.array_equal(np.asarray(read_upload(broken, "a.jpg").picture), np.asarray(decode(plain)))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0" + orientation(6), b"Exif\0\0" + hostile.tiff([(0x0112, 3, 2, 6 | 3 << 16)])]
)
def test_exif_that_is_odd_but_can_be_read_is_followed(exif: bytes) -> None:
    """Written twice, or with two orientations of which the first counts."""
    assert decode(saved(drawn(), "JPEG", exif=exif)).size == (48, 64)


def test_a_colour_profile_changes_no_pixel_and_is_told() -> None:
    """As in training: numbers are taken as they are. That it is not applied is said of any profile but sRGB's own."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide_profile = srgb.replace(b"sRGB", b"wide").replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))
    plain = saved(drawn(), "PNG")
    for profile, converted in ((srgb, False), (wide_profile, True)):
        data = saved(drawn(), "PNG", icc_profile=profile)
        assert np.array_equal(np.asarray(decode(data)), np.asarray(decode(plain)))
        assert ("its colour profile is not applied" in read_upload(data, "a.png").notes) == converted


def photo(kind: str) -> bytes:
    return saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)), kind)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"garbage" * 50, "not a readable image$"),
        (b"\xff\xd8\xff\xe0", "this JPEG is damaged, cut short"),
        (photo("JPEG")[:-1500], "this JPEG is damaged, cut short"),
        (photo("PNG")[:-1500], "this PNG is damaged, cut short"),
        (HEIC[:300], "this HEIC is damaged, cut short"),
        (b"<!DOCTYPE html><p>404</p>", "but a web page"),
        (b"%PDF-1.7\n%", "but a PDF"),
    ],
)
def test_what_is_no_whole_image_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^not a readable image.*{reason}|^{reason}"):
        decode(data)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="over 100 million pixels are too many"):
        decode(png(30_000, 30_000, b""))
    with pytest.raises(ValueError, match="12000 × 9000 pixels are too many"):
        decode(png(12_000, 9_000, b""))
    with pytest.raises(ValueError, match="7100 × 7100 pixels are too many"):
        decode(hostile.flat_webp(7_100, 7_100))
    monkeypatch.setattr(images, "MAXIMUM_PIXELS", 64 * 48 - 1)
    with pytest.raises(ValueError, match="64 × 48 pixels are too many"):
        decode(photo("PNG"))


def test_no_other_program_is_asked_to_decode() -> None:
    """Pillow gives EPS to Ghostscript; others are rare, and their decoders seldom tried on broken files."""
    for kind in ("EPS", "ICO", "DDS"):
        with pytest.raises(ValueError, match="not a readable image"):
            decode(saved(drawn(), kind))


def test_an_image_tells_its_kind_by_its_first_bytes() -> None:
    for kind in FORMATS:
        data = HEIC if kind == "HEIF" else saved(drawn(), kind)
        assert SUFFIXES[kind]
        assert decode(data).size == SIZE
        if kind not in ("PCX", "TGA"):  # these are known by their suffix alone
            assert looks_like(data[:32]) == NAMES.get(kind, kind)
            assert is_image(data[:32])
    for data in (b"", b"P", b"PK\x03\x04", b"path,gender\n", b"\0" * 40, b"Public key"):
        assert not is_image(data)


def test_nothing_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (*see_through().values(), *(saved(drawn(), "JPEG", exif=exif) for exif in BROKEN_EXIF.values())):
            decode(data)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "AVIF", "PPM", "JPEG2000", "SGI", "TGA"]),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_broken_images_are_met_with_value_error_alone(kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(photo(kind))
    for at, byte in changes:
        data[at % len(data)] = byte
    with contextlib.suppress(ValueError):
        assert decode(bytes(data)).mode == "RGB"


def test_bytes_of_any_kind_are_taken() -> None:
    data = photo("PNG")
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    for given_as in (bytearray(data), memoryview(data)):
        assert np.array_equal(np.asarray(decode(given_as)), np.asarray(expected))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_png_keeps_its_pixels_however_much_text_it_holds(zipped: bool) -> None:
    texts = PngImagePlugin.PngInfo()
    for n in range(1 if zipped else 70):
        texts.add_text(f"history {n}", "b" * (5_000_000 if zipped else 1_000_000), zip=zipped)
    data = saved(drawn(), "PNG", pnginfo=texts)
    with pytest.raises(ValueError, match="MAX_TEXT"), Image.open(io.BytesIO(data)) as picture:
        picture.load()
    np.testing.assert_array_equal(np.asarray(decode(data)), np.asarray(drawn()))
    if zipped:  # a page takes no file as large as the other one
        np.testing.assert_array_equal(np.asarray(read_upload(data, "a.png").picture), np.asarray(drawn()))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\x0a" + bytes(40), "a JPEG XL image"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "a JPEG XL image"),
        (b"\0\0\1\0\1\0" + bytes(40), "an icon"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
    ],
)
def test_what_is_no_image_that_is_read_is_called_by_its_name(data: bytes, kind: str) -> None:
    with pytest.raises(ValueError, match=f"not a readable image but {kind}"):
        decode(data)
