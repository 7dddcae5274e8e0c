"""Files are written whole, and only files: what a person names to be written into is not replaced."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from core.errors import LookwhereError
from core.files import file_to_write, write_bytes, write_text
from core.locks import alone


@pytest.mark.parametrize("write", [write_text, lambda path, text: write_bytes(path, text.encode())])
def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path, write) -> None:
    """As /dev/stdout and /dev/null, which root can replace by a file."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write(pipe, "whole")
    reader.join(10)
    assert read == ["whole"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [file.name for file in tmp_path.iterdir()] == ["pipe"]


def test_a_folder_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="this is a folder; name a file in it"):
        file_to_write(tmp_path)
    assert file_to_write(tmp_path / "new") == tmp_path / "new"


def test_what_has_no_name_cannot_be_locked() -> None:
    with pytest.raises(LookwhereError, match="give it a name"), alone(Path(), "making"):
        pass
