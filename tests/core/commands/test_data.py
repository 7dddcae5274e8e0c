"""`python -m core datasets` and `align`: what they print, and how they end."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from core import __main__ as command
from core.data.readers import READERS
from core.data.store import AlignedStore
from tests.helpers.data_set_trees import manifest
from tests.helpers.shipped import ROOT


def assert_refused(capsys: pytest.CaptureFixture[str], arguments: list[object], *told: str) -> None:
    """Exit code 2, nothing on stdout, and on stderr one line of error that tells all of `told`."""
    assert command.main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert err.endswith(errors[0] + "\n")
    assert "Traceback" not in err
    for words in told:
        assert words in errors[0]


def made(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(name.encode())
    return folder


def test_datasets_lists_each_reader_and_what_it_expects(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["datasets"]) == 0
    out, err = capsys.readouterr()
    assert "utkface " in out
    assert "[age]_[gender]_[race]_[date].jpg.chip.jpg" in out
    assert all(f"{name} " in out and reader.expects in out for name, reader in READERS.items())
    assert err == ""


@pytest.fixture
def awkward(real_folder: Path, tmp_path: Path) -> Path:
    """Seven real chips, renamed, and one of each kind of picture that makes no face of the store."""
    folder, chips = tmp_path / "set", sorted(real_folder.iterdir())[::17]
    folder.mkdir()
    for n, chip in enumerate(chips[:6]):
        shutil.copy(chip, folder / f"{20 + n}_0_{n % 5}_2017000{n}.jpg")
    shutil.copy(chips[6], folder / "36_0_1_20179996 .jpg.chip.jpg")
    shutil.copy(chips[0], folder / "20_0_0_20179990.jpg")
    shutil.copy(chips[1], folder / "21_1_1_20179991.jpg")
    Image.open(chips[2]).save(folder / "22_0_2_20179992.jpg", quality=60)
    (folder / "30_1_0_20179993.jpg").write_bytes(chips[3].read_bytes()[:3000])
    Image.new("RGB", (200, 200), (90, 120, 30)).save(folder / "31_1_4_20179994.jpg")
    (folder / "61_1_20179995.jpg").touch()
    return folder


REASONS = {
    "20_0_0_20179990.jpg": "exact copy of another image",
    "21_0_1_20170001.jpg": "exact copies with different labels",
    "21_1_1_20179991.jpg": "exact copies with different labels",
    "30_1_0_20179993.jpg": "not a readable image: this JPEG is damaged, cut short or of a rare kind",
    "31_1_4_20179994.jpg": "no face found",
    "61_1_20179995.jpg": "name lacks a label field",
}


def test_align_counts_and_tells_what_it_leaves_out(
    awkward: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["align", "--data", str(awkward), "--out", str(tmp_path / "store")]) == 0
    out, err = capsys.readouterr()
    store = AlignedStore.open(tmp_path / "store")
    rejects = store.rejects.set_index("file")

    assert rejects["reason"].to_dict() == REASONS
    assert store.manifest.rejects == dict(Counter(REASONS.values()))
    assert store.manifest.read == 13 == len(store.faces) + len(REASONS)
    lost = rejects.loc["31_1_4_20179994.jpg"]
    assert (lost["gender"], lost["ethnicity"]) == ("female", "Others")

    twins = store.faces[store.faces["path"].isin(["22_0_2_20170002.jpg", "22_0_2_20179992.jpg"])]
    assert len(twins) == 2
    assert twins["cluster"].nunique() == twins["split"].nunique() == 1
    assert store.faces["cluster"].nunique() == len(store.faces) - 1

    assert out.startswith(f"{tmp_path / 'store'}: 7 aligned faces of 13 files (utkface)\n")
    assert re.search(r"repaired +1  suffix misspelt, labels good\n +36_0_1_20179996 .jpg.chip.jpg", out)
    assert "near-copies: 1 clusters" in out
    for reason, count in Counter(REASONS.values()).items():
        assert f"rejected  {count:6}  {reason}\n" in out
    assert [line.split()[-4:] for line in out.splitlines() if line.startswith("all")][-1] == ["7", "1", "12.50", "%"]
    assert "reading" in err
    assert "aligning" in err


def test_align_reports_a_finished_store_again(
    real_store: AlignedStore, real_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (real_store.path / "faces.npy").stat().st_mtime_ns
    arguments = ["align", "--data", str(real_folder), "--dataset", "utkface", "--out", str(real_store.path)]
    assert command.main(arguments) == 0
    assert f"{len(real_store.faces)} aligned faces of 120 files" in capsys.readouterr().out
    assert (real_store.path / "faces.npy").stat().st_mtime_ns == before


def test_align_writes_under_data_aligned_by_default(
    real_store: AlignedStore, real_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finished store is put into `data/aligned/DATASET` of the folder one is in, and found there."""
    shutil.copytree(real_store.path, tmp_path / "data/aligned/utkface")
    monkeypatch.chdir(tmp_path)
    assert command.main(["align", "--data", str(real_folder)]) == 0
    assert [folder.name for folder in (tmp_path / "data/aligned").iterdir()] == ["utkface"]


def test_align_refuses_another_seed_for_a_finished_store(
    real_store: AlignedStore, real_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["align", "--data", real_folder, "--out", real_store.path, "--seed", 3]
    assert_refused(capsys, arguments, str(real_store.path), "seed is 0, not 3", "--out")


def test_align_without_the_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["align", "--data", tmp_path / "none.tar.gz"]
    assert_refused(capsys, arguments, f"{tmp_path / 'none.tar.gz'}: no such file or folder", "with --data")


def test_align_with_a_broken_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.tar.gz").write_bytes(b"no gzip at all")
    arguments = ["align", "--data", tmp_path / "broken.tar.gz"]
    assert_refused(capsys, arguments, str(tmp_path / "broken.tar.gz"), "damaged or cut short", "download it again")


def test_align_with_an_unknown_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["align", "--data", made(tmp_path / "set", "1_0_0_20170001.jpg"), "--dataset", "fairfaces"]
    assert_refused(capsys, arguments, "--dataset fairfaces: no such reader; there are ", "utkface")


def test_align_with_another_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(tmp_path / "set", "cat.jpg", "dog.jpg")
    assert_refused(capsys, ["align", "--data", folder], str(folder), "only 0 of 2", "python -m core datasets")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["1_0_0_20170001.jpg", "2_0_0_20170002.jpg"], "none of 2 images can be read"),
        ([], "no image in it"),
    ],
)
def test_align_with_nothing_to_align(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], told: str
) -> None:
    folder = made(tmp_path / "set", *names)
    assert_refused(capsys, ["align", "--data", folder, "--out", tmp_path / "store"], str(folder), told)
    assert not (tmp_path / "store" / "store.json").exists()


def test_align_with_pictures_of_no_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set").mkdir()
    for n in range(3):
        Image.new("RGB", (200, 200), (60 * n, 50, 0)).save(tmp_path / "set" / f"{n}_0_0_2017000{n}.jpg")
    arguments = ["align", "--data", tmp_path / "set", "--out", tmp_path / "store"]
    assert_refused(capsys, arguments, "no face was found in any of 3 images")
    assert not (tmp_path / "store" / "store.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [[], ["align"], ["align", "--dat", "x"], ["align", "--data", "x", "--seed", "two"], ["alin"], ["datasets", "-x"]],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["datasets", "align"])
def test_help_gives_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main([name, "--help"])
    assert caught.value.code == 0
    assert f"python -m core {name}" in " ".join(capsys.readouterr().out.split()).partition("Example:")[2]


def test_an_interruption_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(command.COMMANDS, "datasets", interrupted)
    assert command.main(["datasets"]) == 130
    assert capsys.readouterr().err == "interrupted; the same command resumes\n"


def test_as_a_process_too_an_error_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "UTKFace.tar.gz").touch()
    arguments = [sys.executable, "-m", "core", "align", "--data", str(tmp_path / "UTKFace.tar.gz")]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"error: {tmp_path / 'UTKFace.tar.gz'}: the file is empty; download it again\n"


def test_check_shows_what_columns_are_taken_for_and_which_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{n}.jpg,{'fm'[n % 2]},{n % 2},{['IV', 'I', 'II'][n % 3]},{n / 10},pic {n}" for n in range(24)]
    table = "\n".join(["path,gender,glasses,skin,distance,title", *rows])
    manifest(tmp_path, table, pictures=[f"{n}.jpg" for n in range(24)])
    assert command.main(["datasets", "--check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "columns to group by: 3\n  glasses              yes or no: no 12, yes 12\n" in out
    assert "skin                 levels in order: I 8, II 8, IV 8" in out
    assert "distance             a number in bands: under 0.8 8, 0.8 to 1.6 8, 1.6 and more 8" in out
    assert "column title is left out: its 24 values are all different; --columns title keeps it" in out
    assert command.main(["datasets", "--check", str(tmp_path), "--json", "--columns", "skin=skin_tone"]) == 0
    (column,) = json.loads(capsys.readouterr().out)["columns"]
    assert (column["name"], column["kind"], column["not_recorded"]) == ("skin_tone", "ordered", 0)
    assert column["levels"] == [{"level": level, "n": 8} for level in ("I", "II", "IV")]
    assert_refused(capsys, ["align", "--data", tmp_path, "--columns", "skinn"], "there are glasses, skin, distance")
    assert_refused(capsys, ["datasets", "--columns", "skin"], "go with --check")


def test_that_nothing_tells_of_changed_files_is_noted_at_the_end_and_after_no_error(
    made_store: AlignedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = ["look", "--data", str(made_store.path), "--faces", "2", "--out"]
    assert command.main([*look, str(tmp_path / "look.png")]) == 0
    (note,) = capsys.readouterr().err.splitlines()
    assert note == f"note: {made_store.unrecorded}"
    (tmp_path / "taken").mkdir()
    assert command.main([*look, str(tmp_path / "taken")]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
