"""Mistakes of a person, and what the machine refuses: exit code 2 and one line, never a traceback."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from core.__main__ import main
from core.errors import MACHINE, LookwhereError, machine_error
from tests.helpers.made_store import make_store
from train.__main__ import main as train


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mistakes")
    make_store(root / "store", faces=24)
    (root / "file").write_text("x")
    (root / "models").mkdir()
    (root / "outside").mkdir()
    return root


def told(capsys: pytest.CaptureFixture[str], code: int) -> str:
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2
    assert error.startswith("error: ")
    return error


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("look --data STORE --out ROOT/x.nosuch", "end it with .png"),
        ("look --data STORE --out ROOT/no/such.png", "make its folder first"),
        ("look --data STORE --out ROOT/models", "this is a folder; name a file in it"),
        ("look --data STORE --out ROOT/l.png --faces 0", "no group has the 11 people of an average"),
        ("look --data STORE --faces -5", "--faces -5: give 0 or more"),
        ("look --data STORE --faces 99999999999999999999", "--faces 99999999999999999999: give at most 2,147,483,647"),
        ("look --data STORE --faces=1001", "--faces 1001: give at most 1,000"),
        ("align --data STORE --limit 99999999999", "--limit 99999999999: give at most"),
        ("audit --model m --data STORE --batch 99999", "--batch 99999: give at most 16,384"),
        ("audit --model m --data STORE --minimum_faces=99_999_999_999", "--minimum-faces 99_999_999_999: give at most"),
        ("check --model m --audit a --data STORE --sample 9999999999", "--sample 9999999999: give at most"),
        ("slices --model m --audit a --seed 9999999999", "--seed 9999999999: give at most"),
        ("board --map-faces 9999999999", "--map-faces 9999999999: give at most"),
        ("import f --name n --female 9999999999", "--female 9999999999: give at most"),
        ("import f --name n --size 112 9999999999", "--size 9999999999: give at most"),
        ("table f --name n --indices 0 " + "9" * 9000, "…: give at most"),
        ("audit --model m --data STORE --batch 0", "--batch 0: give 1 or more"),
        ("align --data STORE --seed -1", "--seed -1: give 0 or more"),
        ("report --model m --audit a --out ROOT/file/x.html", "cannot write"),
        ("report --model m --audit a --out ROOT/models", "this is a folder; name a file in it"),
        ("report --model m --audit a --out .", "this is a folder; name a file in it"),
        ("audit --model ../outside --data STORE", "no name of a folder in"),
        ("audit --model /etc --data STORE", "no name of a folder in"),
        ("show --model m/../../outside --audit a", "no name of a folder in"),
        ("show --model models/../m --audit a", "no name of a folder in"),
        ("check --model .. --audit a --data STORE", "no name of a folder in"),
        ("report --model .. --audit a --out ROOT/x.html", "no name of a folder in"),
        ("experiments --name ../../outside", "no name of a folder in"),
    ],
)
def test_one_line(words: str, says: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [w.replace("STORE", str(root / "store")).replace("ROOT", str(root)) for w in words.split()]
    if words.split()[0] not in ("look", "align"):
        arguments += ["--models", str(root / "models")]
    assert says in told(capsys, main(arguments))


@pytest.mark.parametrize("name", ["../outside", "a/b", "x" * 300, ".hidden", "a b"])
def test_a_name_is_of_one_folder(name: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(root / "store"), "--models", str(root / "models"), "--batch", "4", "--name", name]
    assert "--name" in told(capsys, train(arguments))
    (root / "s.csv").write_text("file,score\na.jpg,0.2\nb.jpg,0.8\n")
    words = ["import", str(root / "s.csv"), "--score", "probability", "--of", "male", "--models", str(root / "models")]
    assert "--name" in told(capsys, main([*words, "--name", name]))
    assert not list((root / "models").iterdir())
    assert not list((root / "outside").iterdir())


def test_a_file_where_a_folder_should_be(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(root / "store"), "--models", str(root / "file"), "--batch", "4", "--name", "m"]
    assert "file/m: cannot write (File exists)" in told(capsys, train(arguments))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_the_machine_refuses_is_a_line_with_the_mend(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise OSError(number, "it says", "/some/file")

    assert f"/some/file: it says; {MACHINE[number]}" in told(
        capsys, main(["one"], {"one": command, "two": command}, "x")
    )


def test_any_other_error_is_a_defect() -> None:
    def command() -> None:
        raise OSError(errno.EBADF, "ours")

    assert machine_error(OSError(errno.EBADF, "ours")) is None
    with pytest.raises(OSError, match="ours"):
        main(["one"], {"one": command, "two": command}, "x")


@pytest.mark.parametrize("devices", ["0", "-1", "999"])
def test_as_many_processes_as_a_machine_has(devices: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """999 were started, each with the memory of a training."""
    arguments = ["--data", str(root / "store"), "--models", str(root / "models"), "--name", "m", "--batch", "4"]
    assert f"--devices {devices}: give 1 to" in told(capsys, train([*arguments, "--devices", devices]))
    assert not (root / "models" / "m").exists()


@pytest.mark.parametrize("flag", ["--optimiser.lr inf", "--optimiser.clip nan", "--age-weight inf", "--weights nan"])
def test_a_setting_of_a_training_is_a_finite_number(flag: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(root / "store"), "--models", str(root / "models"), "--name", "m", *flag.split()]
    assert "must be a finite number" in told(capsys, train(arguments))


def raising(error: Exception) -> dict[str, object]:
    def command() -> None:
        raise error

    return {"one": command, "two": command}


def test_an_error_is_a_line_whatever_the_names_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name may clear the screen, write a line of its own, or turn the line round."""
    name = "a\nerror: b\r\x1b[2J\x9b31m\u202egnp.jpg"
    assert main(["one"], raising(LookwhereError(f"{name}: no such column")), "x") == 2
    assert capsys.readouterr().err == ("error: a error: b\\u000d\\u001b[2J\\u009b31m\\u202egnp.jpg: no such column\n")
    main(["one"], raising(LookwhereError(f"file: no column; there are {'x, ' * 10**6}; name it with --column")), "x")
    error_line = capsys.readouterr().err
    assert len(error_line) < 2_000
    assert error_line.startswith("error: file: no column")
    assert error_line.endswith("name it with --column\n")
    main(["one"], raising(LookwhereError("a: damaged", "b: damaged")), "x")
    assert capsys.readouterr().err == "error: a: damaged\nb: damaged\n"


def test_a_result_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> str:
        return json.dumps({"group": "a\x1b[2J\x9b\u202e"}, ensure_ascii=False) + "\n\ttwo"

    assert main(["one"], {"one": command, "two": command}, "x") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == '{"group": "a\\u001b[2J\\u009b\\u202e"}'
    assert json.loads(first) == {"group": "a\x1b[2J\x9b\u202e"}
    assert second == "\ttwo"


def test_a_name_that_is_no_text_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = root / "named.csv"
    table.write_text("path,gender,score\n" + "".join(f"{n}.jpg,male,0.5\n" for n in range(30)))
    words = ["table", str(table), "--name", "t", "--score", "probability", "--of", "male"]
    assert "no text in UTF-8" in told(capsys, main([*words, "--models", str(root / "\udcff")]))
    with pytest.raises(UnicodeEncodeError):
        main(["one"], raising(UnicodeEncodeError("ascii", "é", 0, 1, "ours")), "x")


@pytest.mark.parametrize("words", ["align --data ROOT/not-there --out OUT", "look --data ROOT/not-there --out OUT.png"])
def test_an_output_that_is_not_utf8_is_told_before_anything_is_read(
    root: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [word.replace("OUT", str(root / "o\udcff")).replace("ROOT", str(root)) for word in words.split()]
    error_line = told(capsys, main(arguments))
    assert "--out" in error_line and "no text in UTF-8" in error_line
    assert "not-there" not in error_line


@pytest.mark.parametrize(
    "flags",
    ["--batch 99999999999", "--seed 99999999999999999999", "--limit 9999999999", "--optimiser.patience 9999999999"],
)
def test_training_takes_no_number_beyond_counting(flags: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = train(["--data", str(root / "store"), "--name", "n", "--models", str(root / "models"), *flags.split()])
    assert f"{flags}: must be at most 2,147,483,647" in told(capsys, code)


def test_a_sample_of_more_faces_than_there_are_is_told_as_what_was_drawn(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["look", "--data", str(root / "store"), "--out", str(tmp_path / "l.png"), "--faces", "900"]) == 0
    assert "and 24 faces with their landmarks" in capsys.readouterr().out
