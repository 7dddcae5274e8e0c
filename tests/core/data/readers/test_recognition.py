"""Each data set is recognised by its own reader and no other; `python -m core datasets --check` tells what it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import __main__ as command
from core.data.faces import SPLITS, check_faces, fingerprint
from core.data.plan import plan
from core.data.readers import READERS, Reading, choose_reader
from core.data.readers.base import Refusal
from core.data.readers.labels import ReadLog
from core.data.sources import open_source
from core.errors import LookwhereError
from core.present.text.tables import EXAMPLES, REASONS, reading_report
from tests.helpers.data_set_trees import (
    KAGGLE,
    MORPH_CSV,
    MORPH_HEADER,
    UTKFACE_DATE,
    UTKFACE_PHOTOS,
    celeba,
    celeba_of_kaggle,
    fairface,
    lfw,
    london,
    manifest,
    morph_row,
    vggface2,
)  # fmt: skip
from tests.helpers.datasets_made import jpeg, packed, tree
from tests.helpers.recordio_writer import insightface_pack


def morph(folder: Path) -> None:
    tree(folder, ["Album2/307021_00F28.JPG", "Album2/000007_00M34.JPG", "Album2/000007_01M34.JPG"])
    rows = (
        morph_row("307021_00F28.JPG", 307021, age="28"),
        morph_row("000007_00M34.JPG", 7),
        morph_row("000007_01M34.JPG", 7, race="W"),
    )
    tree(folder, {MORPH_CSV: MORPH_HEADER + "".join(rows) + morph_row("000009_00M34.JPG", 9)})


def parquet(folder: Path) -> None:
    folder.mkdir()
    pq.write_table(pa.table({"image": [jpeg()], "gender": ["male"]}), folder / "train-00000-of-00001.parquet")


def image_folder(folder: Path) -> None:
    tree(folder, ["train/1.jpg", "train/2.jpg", "test/1.jpg"])
    tree(folder, {f"{split}/metadata.csv": "file_name,gender\n1.jpg,f\n" for split in ("train", "test")})


TREES: dict[str, Callable[[Path], object]] = {
    "all-age-faces": lambda folder: tree(folder, ["original images/00001A02.jpg", "original images/13321A80.jpg"]),
    "celeba": celeba,
    "celeba, Kaggle": celeba_of_kaggle,
    "class-folders": lambda folder: tree(folder, ["train/women/1.jpg", "valid/men/1.jpg"]),
    "class-folders, no splits": lambda folder: tree(folder, ["F/1.jpg", "M/1.jpg"]),
    "fairface": fairface,
    "image-folder": image_folder,
    "insightface": lambda folder: insightface_pack(folder, {3: [jpeg()]}),
    "kaggle-gender": lambda folder: tree(folder, KAGGLE),
    "lfw": lfw,
    "london": london,
    "manifest": manifest,
    "manifest, Parquet": parquet,
    "morph": morph,
    "morph, folders": lambda folder: tree(folder, ["AA_M/012345_00M19.JPG", "C_F/012346_00F19.JPG"]),
    "morph, Kaggle": lambda folder: tree(folder, ["Dataset/Images/Train/00013_00M19.JPG"]),
    "utkface": lambda folder: tree(folder, [f"UTKFace/1_0_0_{UTKFACE_DATE}.jpg.chip.jpg"]),
    "utkface-wild": lambda folder: tree(folder, UTKFACE_PHOTOS),
    "vggface2": vggface2,
}
#: Those that are memory-mapped or read by row groups are read where they lie, not out of an archive.
PACKINGS = [
    (layout, kind)
    for layout in TREES
    for kind in ("folder", ".tar.gz", ".zip")
    if kind == "folder" or layout not in ("insightface", "manifest, Parquet")
]


def test_every_reader_has_a_tree() -> None:
    assert {layout.partition(",")[0] for layout in TREES} == set(READERS)


@pytest.mark.parametrize(("layout", "kind"), PACKINGS)
def test_a_tree_is_recognised_by_its_own_reader_alone(tmp_path: Path, layout: str, kind: str) -> None:
    TREES[layout](tmp_path / "set")
    source = open_source(packed(tmp_path / "set", kind))
    name = layout.partition(",")[0]
    assert choose_reader(source).name == name
    assert [reader.name for reader in READERS.values() if reader.why_not(source) is None] == [name]
    if name != "insightface":
        reading = choose_reader(source).read(source)
        assert len(reading.faces) > 0
        assert reading.faces["path"].isin(source.names).all()


@pytest.mark.parametrize(
    "layout", ["celeba", "kaggle-gender", "manifest, Parquet", "morph", "utkface-wild", "vggface2"]
)
def test_what_is_read_can_be_planned_for_alignment(tmp_path: Path, layout: str) -> None:
    TREES[layout](tmp_path / "set")
    source = open_source(tmp_path / "set")
    reader = choose_reader(source)
    reading = reader.read(source)
    work = plan(source, reader)
    assert work.faces["face_id"].tolist() == reading.faces["face_id"].tolist()
    assert work.faces["split"].isin(SPLITS).all()
    assert work.own_splits == ("split" in reading.faces)
    check_faces(work.faces, "plan")
    assert len(fingerprint(work.faces)) == 64


@pytest.mark.parametrize("layout", TREES)
def test_what_a_mac_and_hidden_folders_add_changes_nothing(tmp_path: Path, layout: str) -> None:
    TREES[layout](tmp_path / "set")
    before = open_source(tmp_path / "set")
    strays = ["__MACOSX/train/._1.jpg", ".cache/x/1.jpg", "._manifest.csv", ".DS_Store"]
    tree(tmp_path / "set", dict.fromkeys(strays, "path,gender\n"))
    after = open_source(tmp_path / "set")
    assert choose_reader(after).name == choose_reader(before).name
    if layout != "insightface":
        reading_before, reading_after = (choose_reader(source).read(source) for source in (before, after))
        assert reading_before.faces.equals(reading_after.faces)
        assert reading_before.rejects.equals(reading_after.rejects)


def check(path: Path, *more: str) -> int:
    return command.main(["datasets", "--check", str(path), *more])


def test_check_tells_groups_rejects_and_disagreements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    morph(tmp_path / "set")
    assert check(tmp_path / "set") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert not (tmp_path / "data").exists()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[1] == "3 labelled faces, 1 rejected"
    for line in (
        "male African-American 2",
        "Caucasian 1",
        "all 3",
        "age known: 3 of 3, 28–34",
        "people known by identity: 2",
        f"1 in {MORPH_CSV}, but the image is missing",
        "Album2/000009_00M34.JPG",
        "Disagreements: 2",
        "1 gender: CSV male, file name female; the CSV's counts",
        "1 person of more than one race",
        "person 7: African-American, Caucasian",
    ):
        assert line in lines


def test_check_shows_splits_where_the_data_set_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tree(tmp_path / "set", KAGGLE)) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "female not recorded 2 1 3" in lines
    assert "age known: none" in lines
    assert "people known by identity: none" in lines
    assert "border before detection: decided from the images when they are aligned" in lines


def test_check_takes_labels_and_a_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tree(tmp_path / "set", ["Ada/1.jpg", "Bob/1.jpg"])
    tree(tmp_path, {"mine.csv": "identity,gender\nAda,female\n"})
    assert check(folder, "--dataset", "vggface2", "--labels", str(tmp_path / "mine.csv")) == 0
    assert "1 labelled faces, 1 rejected" in capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_check_ends_with_2_and_one_line_where_no_reader_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tree(tmp_path / "set", {MORPH_CSV: MORPH_HEADER.replace("photo", "file"), "Album2/1.jpg": ""})
    assert check(folder) == 2
    messages = refused(capsys)
    assert "(not morph: looks like MORPH, but column photo is missing" in messages
    assert all(f"not {name}: " in messages for name in READERS)
    assert "or write a manifest.csv with path,gender beside the images" in messages
    assert command.main(["datasets", "--dataset", "morph"]) == 2
    assert "go with --check PATH" in refused(capsys)


def test_a_report_names_ten_examples_and_twenty_reasons(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, KAGGLE))
    reader = READERS["kaggle-gender"]
    notes = ReadLog()
    notes.reject([f"{n:03}.jpg" for n in range(EXAMPLES + 5)], "too many")
    notes.reject([f"x{n}.jpg" for n in range(REASONS + 2)], [f"reason {n:02}" for n in range(REASONS + 2)])
    reading: Reading = notes.reading(reader.read(source).faces)
    report = reading_report(reading, reader, source)
    assert "009.jpg, and 5 more" in report
    assert "010.jpg" not in report
    assert "3  for 3 more reasons" in report


def test_a_report_of_nothing_but_rejects(tmp_path: Path) -> None:
    source = open_source(manifest(tmp_path, "path,gender\na/1.jpg,?\nb/2.png,?\n"))
    reader = choose_reader(source)
    report = reading_report(reader.read(source), reader, source)
    assert "0 labelled faces, 2 rejected" in report
    assert "gender '?' is not known" in report


def test_near_misses_are_told_first_whatever_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order goes by what a refusal is, not by how its sentence begins."""
    (tmp_path / "one.txt").write_text("")
    refusals = {"utkface": Refusal("its names are odd", "UTKFace"), "celeba": Refusal("looks like nothing")}
    for name, refusal in refusals.items():
        monkeypatch.setattr(READERS[name], "why_not", lambda source, refusal=refusal: refusal)
    with pytest.raises(LookwhereError) as error:
        choose_reader(open_source(tmp_path))
    message = str(error.value)
    assert "(not utkface: looks like UTKFace, but its names are odd; " in message
    assert message.index("not celeba: looks like nothing") > message.index("not utkface")
