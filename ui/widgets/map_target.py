"""What a page's maps explain: the true or the predicted class, one class in every face, or the margin."""

from __future__ import annotations

from core.explain.maps import targets_of
from core.task import Task
from ui.widgets import controls
from ui.widgets.controls import Place


def choose_target(
    task: Task, label: str = "Target", *, key: str = "target", index: int = 1, place: Place = None, help: str = ""
) -> str:
    """Draw the choice, as the address has it; by default evidence for the predicted class."""
    return controls.selectbox(
        label, targets_of(task), index=index, key=key, place=place, help=help or targets_help(task),
        format_func=task.label,
    )  # fmt: skip


def targets_help(task: Task) -> str:
    """What each of them is."""
    first, second = task.labels
    return (
        f"**true**: evidence for the labelled {task.kind}. **predicted**: for the {task.kind} the model chose, so «why "
        f"this decision». **{first}**, **{second}**: for that class in every face. **margin**: {first} less {second} "
        "evidence, with its sign; where maps add up to the logits, its mean decomposes their difference. Incorrect "
        "predictions have the opposite sign by construction: compare shape."
    )


def shares_help(task: Task) -> str:
    """What each of them is where the positive part of a map is shared out among the regions."""
    first, second = task.labels
    return (
        "Which map's positive part is shared out. **predicted**: evidence for the model's choice. **true**: for the "
        f"labelled {task.name}. **{first}**, **{second}**: for that class in every face. **margin**: {first} less "
        f"{second} evidence, turned to the model's choice."
    )


def photo_help(task: Task) -> str:
    """What each of them is for a face that nobody has labelled."""
    first, second = task.labels
    return (
        f"**predicted**: the map for the class the model chose. **{first}**, **{second}**: for that class. **margin**: "
        f"{first} less {second} evidence, with its sign."
    )
