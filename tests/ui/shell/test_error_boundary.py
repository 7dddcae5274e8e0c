"""What a page says of an error: what the machine refuses is no defect of ours, and is told as commands tell it."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest


def page_that_fails(code: int | None) -> None:
    from ui.shell.error_boundary import error_boundary

    with error_boundary():
        raise OSError(code, "No space left on device", "jobs/<b>x</b>/job.json") if code else KeyError("x")


def test_a_full_disk_is_told_with_the_mend_and_not_as_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    app = AppTest.from_function(page_that_fails, args=(28,)).run()
    (box,) = app.error
    assert "No space left on device; make room" in box.value
    assert "<b>" not in box.value.replace("\\<b>", ""), "a name from data is no markup"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("code", [None, 5000])
def test_anything_else_is_logged_and_ours(code: int | None, caplog: pytest.LogCaptureFixture) -> None:
    app = AppTest.from_function(page_that_fails, args=(code,)).run()
    assert "a defect of Lookwhere" in app.error[0].value
    assert [record.message for record in caplog.records if record.name == "lookwhere"] == ["a page failed"]


def page_that_names_much() -> None:
    from core.errors import LookwhereError
    from ui.shell.error_boundary import error_boundary

    with error_boundary():
        raise LookwhereError(f"{'x' * 100_000}: no such face; mend it")


def test_a_long_name_in_an_error_is_cut_as_a_command_cuts_it() -> None:
    (box,) = AppTest.from_function(page_that_names_much).run().error
    assert len(box.value) < 2_000 and box.value.endswith("no such face; mend it")
