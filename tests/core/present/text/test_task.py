"""What a command that trains says of its task, and what an audit of another than gender says of itself."""

from __future__ import annotations

from core.data.columns import Column, Kind
from core.data.targets import task_for
from core.present.text.task import target_flag, task_words
from core.task import GENDER
from tests.helpers.made_audit import made_audit, of_glasses


def test_a_command_that_trains_names_what_is_classified() -> None:
    hat = task_for(Column(name="wearing a hat", kind=Kind.YES_NO, levels=("no", "yes")))
    assert target_flag(GENDER) == ""
    assert target_flag(hat) == " --target 'wearing a hat'"


def test_an_audit_says_what_is_classified_where_that_is_not_gender() -> None:
    audit = made_audit(40)
    assert task_words(audit.manifest) is None
    assert task_words(of_glasses(audit).manifest) == "Classified is glasses: «no glasses» or «glasses»."
