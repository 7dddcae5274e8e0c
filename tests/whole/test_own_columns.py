"""docs/own-columns.md: each of its commands is run on the data that it is about, and prints what stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import train.__main__
from core import __main__ as command
from core.audit.folder import open_audit
from core.data.filters import Filter
from core.data.readers.manifest import Manifest
from tests.helpers.own_columns_made import write_example
from tests.helpers.shipped import ROOT

PAGE = (ROOT / "docs/own-columns.md").read_text(encoding="utf-8")


def sessions() -> list[tuple[str, list[str]]]:
    """Each command of the page, and the lines that stand under it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def test_every_command_of_the_page_prints_what_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_example(tmp_path)
    yaml = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    assert [re.sub(r"\s+#.*", "", line) for line in yaml.splitlines()] == (
        (tmp_path / "columns.yaml").read_text().splitlines()
    )
    assert (tmp_path / "faces/faces.csv").read_text().splitlines()[0] in PAGE
    monkeypatch.setattr(Manifest, "aligned", True)  # made images show no face that a detector would find
    monkeypatch.chdir(tmp_path)
    commands = sessions()
    assert len(commands) == 13
    for line, told in commands:
        words = shlex.split(line)
        assert words[:2] == ["python", "-m"]
        assert {"core": command.main, "train": train.__main__.main}[words[2]](words[3:]) == 0, line
        printed = capsys.readouterr().out.splitlines()
        assert told, f"nothing stands under {line}"
        # Of the audit's first line the speed is left out, which no two runs have alike.
        printed = [re.sub(r", [\d.,]+ faces/s$", "", one) for one in printed]
        assert [one for one in told if one not in printed] == [], printed
        places = [printed.index(one) for one in told]
        assert places == sorted(places), line
    audit = open_audit(Path("models/theirs/audits/faces"))
    assert [column.name for column in audit.manifest.columns] == ["glasses", "skin_tone", "camera", "distance"]
    with_glasses = Filter(columns=(("glasses", ("yes",)),))
    assert 100 < audit.averages.mean(with_glasses)[1] <= 244
    assert "women" not in Path("skin.tex").read_text() and "& female &" in Path("skin.tex").read_text()
    assert "path,smiling,camera" in PAGE and Path("smiles/faces.csv").read_text().startswith("path,smiling,camera\n")
    assert Path("skin.pdf").read_bytes().startswith(b"%PDF")
