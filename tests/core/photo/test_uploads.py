"""Uploads: every way in gives an upright RGB picture or one clear line, and leaves nothing on a disk or in a log."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import LookwhereError
from core.photo import uploads
from core.photo.uploads import MAXIMUM_BYTES, clean_name, maximum_pixels, read_upload
from tests.helpers import hostile
from tests.helpers.hostile import (
    HEIC,
    NAMES,
    SIZE,
    File,
    drawn,
    flat_png,
    jpeg_sized,
    orientation,
    saved,
)
from tests.helpers.shipped import ROOT
from tests.helpers.uploads import tried

#: Seconds of processor time; the largest picture that is taken needs one, all others a hundredth.
SECONDS = 5.0
#: Megabytes at the most, of which the interpreter, numpy and the files have 150.
MEMORY = 750
#: What counts as touching a disk or another program (https://docs.python.org/3/library/audit_events.html).
TOUCHES = ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "shutil.", "tempfile.",
           "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "socket.", "urllib.", "ctypes.dlopen",
           "sqlite3.connect")  # fmt: skip
_watched: list[str] | None = None


def _hook(event: str, arguments: tuple) -> None:
    if _watched is None:
        return
    writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event.startswith(TOUCHES):
        _watched.append(f"{event} {arguments!r}")


sys.addaudithook(_hook)


@pytest.fixture(scope="module")
def files() -> list[File]:
    return hostile.hostile()


def test_two_hundred_hostile_uploads_give_a_picture_or_one_line(files: list[File]) -> None:
    assert len({(file.name, file.data) for file in files}) == len(files) >= 200
    problems = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file in files:
            began = time.process_time()
            became, message = tried(file)
            seconds = time.process_time() - began
            if file.expect != hostile.EITHER and (became != file.expect or file.says not in message):
                problems[file.name] = (became, message)
            if seconds > SECONDS:
                problems[file.name] = f"{seconds:.1f} s"
    assert problems == {}


def test_nothing_of_an_upload_touches_a_disk_or_a_log(
    files: list[File], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd
) -> None:
    global _watched
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    read_upload(HEIC, "first.heic")  # imports the decoder
    capfd.readouterr()
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        _watched = []
        try:
            for file in files:
                if len(file.data) < 1_000_000:
                    tried(file)
        finally:
            events, _watched = _watched, None
    assert events == []
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_watch_would_have_seen_a_write(tmp_path: Path) -> None:
    global _watched
    _watched = []
    try:
        (tmp_path / "written").write_bytes(b"x")
        with tempfile.TemporaryFile():
            pass
    finally:
        events, _watched = _watched, None
    assert sum(event.startswith("open") for event in events) >= 2


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
def test_memory_stays_bounded(tmp_path: Path) -> None:
    for name, format, mode, more in (
        ("a.avif", "AVIF", "RGBA", {"speed": 10, "quality": 1}),
        ("cmyk.jpg", "CMYK JPEG", "CMYK", {"progressive": True}),
        ("grey.png", "PNG", "LA", {"compress_level": 1}),
    ):
        side = int(maximum_pixels(format) ** 0.5)
        picture = Image.new(mode, (side, side))
        (tmp_path / name).write_bytes(saved(picture, format.split()[-1], **more))
    code = (
        "from pathlib import Path\nfrom tests.helpers.hostile import PICTURE, File, hostile\n"
        "from tests.helpers.uploads import tried\n"
        f"largest = [File(p.name, p.read_bytes(), PICTURE) for p in Path({str(tmp_path)!r}).iterdir()]\n"
        "assert len(largest) == 3 and all(tried(file)[0] == PICTURE for file in largest)\n"
        "for file in hostile(): tried(file)\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) / 1024 < MEMORY


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_turns_the_picture_upright(turn: int) -> None:
    """The stored picture has a white square at its top left; the standard says where its first row and column are."""
    upload = read_upload(saved(drawn(), "JPEG", exif=orientation(turn), quality=95), "a.jpg")
    assert upload.size == (SIZE if turn < 5 else SIZE[::-1]) == upload.picture.size
    pixels = np.asarray(upload.picture).astype(int)
    corners = {name: pixels[y, x].min() for name, (y, x) in
               {"TL": (2, 2), "TR": (2, -3), "BL": (-3, 2), "BR": (-3, -3)}.items()}  # fmt: skip
    # Row 0 and column 0 lie: top left, top right, bottom right, bottom left, left top, right top, right bottom, …
    expected = ("TL", "TR", "BR", "BL", "TL", "TR", "BR", "BL")[turn - 1]
    assert [name for name, value in corners.items() if value > 200] == [expected]
    assert ("turned as its EXIF says" in upload.notes) == (turn > 1)


def test_damaged_exif_leaves_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Image.Image) -> None:
        raise OSError("no EXIF")

    data = saved(drawn(), "PNG")
    monkeypatch.setattr(Image.Image, "getexif", broken)
    assert any("EXIF is damaged" in note for note in read_upload(data, "a.png").notes)


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    deep = np.linspace(0, 65_535, 100 * 80).astype(np.uint16).reshape(80, 100)
    rows = b"".join(b"\0" + row.astype(">u2").repeat(3).tobytes() for row in deep)
    grey = Image.fromarray(deep)
    for data in (saved(grey, "PNG"), saved(grey, "TIFF"), hostile.png(100, 80, rows, depth=16)):
        upload = read_upload(data, "a")
        values = np.asarray(upload.picture).astype(float)
        assert np.abs(values - deep[..., None] / 257).max() <= 1
        assert any("16 bits" in note for note in upload.notes)


def test_see_through_parts_are_laid_on_white() -> None:
    picture = drawn("RGBA")
    picture.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))))
    stored = np.asarray(picture).astype(float)
    alpha = stored[..., 3:] / 255
    expected = stored[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(np.asarray(read_upload(saved(picture, "PNG"), "a.png").picture) - expected).max() <= 1


def test_a_see_through_picture_is_scaled_with_its_white_whatever_its_mode() -> None:
    """Of more rows than are laid on white at a time, against a composite of the whole picture."""
    draw = np.random.default_rng(2)
    pixels = draw.integers(0, 256, (600, 4_800, 4), dtype=np.uint8)
    pixels[:, :, 3] = np.linspace(0, 255, 4_800)
    rgba = Image.fromarray(pixels)
    palette = drawn("P", (4_800, 600))
    for data in (
        saved(rgba, "PNG"),
        saved(rgba.convert("LA"), "PNG"),
        saved(palette, "PNG", transparency=palette.getpixel((9, 9))),
        saved(rgba.convert("RGB"), "PNG", transparency=tuple(int(x) for x in pixels[0, 0, :3])),
    ):
        whole = Image.open(io.BytesIO(data)).convert("RGBA")
        white = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")
        expected = np.asarray(white.resize((4096, 512), Image.Resampling.BOX)).astype(int)
        upload = read_upload(data, "a.png")
        assert "see-through parts are laid on white" in upload.notes
        assert np.abs(np.asarray(upload.picture).astype(int) - expected).max() <= 2


def test_other_colours_come_out_as_they_are_seen() -> None:
    for data in (saved(drawn("CMYK"), "TIFF"), saved(drawn("P"), "PNG"), saved(drawn("YCbCr"), "TIFF"), HEIC):
        pixels = np.asarray(read_upload(data, "a").picture).astype(int)
        above, below = pixels[18, 40], pixels[44, 40]
        assert above[0] > above[2] + 30 and below[2] > below[0] + 30
    grey = np.asarray(read_upload(saved(drawn("L"), "PNG"), "a.png").picture)
    assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 1] == grey[..., 2]).all()


def test_a_telephones_picture_keeps_its_size_and_a_larger_one_is_scaled_down() -> None:
    whole = read_upload(saved(Image.new("RGB", (4000, 3000), "red"), "JPEG"), "a.jpg")
    assert whole.size == whole.picture.size == (4000, 3000)
    for format in ("JPEG", "PNG"):
        large = read_upload(saved(Image.new("RGB", (5000, 7500), "red"), format), "a")
        assert large.size == (5000, 7500)
        assert large.picture.size == (2731, 4096)


def test_the_limits_are_told() -> None:
    assert uploads.JPEG_PIXELS < Image.MAX_IMAGE_PIXELS, "Pillow would warn of an image that we take"
    assert uploads.JPEG_PIXELS > uploads.OTHER_PIXELS > max(uploads.FEWER_PIXELS.values())
    with pytest.raises(LookwhereError, match=r"^a\.jpg: 50 MB is over the 50 MB taken here; save it smaller, as JPEG$"):
        read_upload(bytes(MAXIMUM_BYTES + 1), "a.jpg")
    mend = "save it smaller, or as a JPEG in RGB, of which 80 million are taken"
    for data, limit in (
        (flat_png(7_100, 7_100), f"7,100 × 7,100 pixels are over the 50 million taken as PNG; {mend}"),
        (hostile.png(30_000, 30_000, b""), f"its pixels are over the 50 million taken as PNG; {mend}"),
        (hostile.flat_webp(5_000, 5_001), f"5,000 × 5,001 pixels are over the 25 million taken as WebP; {mend}"),
        (jpeg_sized(9_000, 9_000), "9,000 × 9,000 pixels are over the 80 million taken as JPEG; save it smaller"),
        (
            jpeg_sized(8_000, 8_000, "CMYK"),
            f"8,000 × 8,000 pixels are over the 50 million taken as CMYK JPEG; {mend}",
        ),
    ):
        with pytest.raises(LookwhereError) as refusal:
            read_upload(data, "a")
        assert str(refusal.value) == f"a: {limit}"


def test_a_jpeg_of_a_large_camera_is_taken() -> None:
    data = saved(Image.new("L", (8_900, 8_900), 200), "JPEG")
    upload = read_upload(data, "a.jpg")
    assert upload.size == (8_900, 8_900)
    assert upload.picture.size == (4096, 4096)
    config = (ROOT / ".streamlit/config.toml").read_text()
    assert f"maxUploadSize = {MAXIMUM_BYTES // 2**20}" in config


def test_the_decoder_of_heic_is_not_left_with_pillow() -> None:
    assert read_upload(HEIC, "a.heic").format == "HEIF"
    assert "HEIF" not in Image.OPEN
    with pytest.raises(Image.UnidentifiedImageError):
        Image.open(io.BytesIO(HEIC))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_becomes_one_short_printable_line(name: str) -> None:
    clean = clean_name(name)
    assert clean.isprintable() and 0 < len(clean) <= uploads.NAME_LENGTH
    assert "/" not in clean and "\\" not in clean
    clean.encode("utf-8")


def test_names_are_kept_where_nothing_is_wrong_with_them() -> None:
    assert clean_name("Ünser Foto (2).jpeg") == "Ünser Foto (2).jpeg"
    assert clean_name("../../etc/passwd.png") == "passwd.png"
    assert clean_name("a" * 300 + ".png").endswith("aaaa.png")
