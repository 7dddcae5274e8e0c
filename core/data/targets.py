"""Which column is classified, and what its two classes are called: from a data set's own columns to a task."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.data.columns import Column, Kind, find_column, loose
from core.data.faces import UNRECORDED, gender_known
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.task import GENDER, ClassWords, Task

#: How attributes of faces are said whose names do not read well, by the name without case and underscores.
#: `{}` stands for faces: a pattern of the class «yes» and one of «no»; a thing without it is had or not.
SAID: dict[str, str | tuple[str, str, str, str]] = {
    "5_o_clock_shadow": "a five o'clock shadow", "arched_eyebrows": "arched eyebrows", "bags_under_eyes":
    "bags under the eyes", "bangs": "a fringe", "big_lips": "big lips", "big_nose": "a big nose", "black_hair":
    "black hair", "blond_hair": "blond hair", "brown_hair": "brown hair", "bushy_eyebrows": "bushy eyebrows",
    "double_chin": "a double chin", "eyeglasses": "glasses", "goatee": "a goatee", "gray_hair": "grey hair",
    "heavy_makeup": "heavy make-up", "high_cheekbones": "high cheekbones", "mouth_slightly_open":
    "a slightly open mouth", "mustache": "a moustache", "narrow_eyes": "narrow eyes", "oval_face": "an oval shape",
    "pale_skin": "pale skin", "pointy_nose": "a pointed nose", "receding_hairline": "a receding hairline",
    "rosy_cheeks": "rosy cheeks", "sideburns": "sideburns", "straight_hair": "straight hair", "wavy_hair": "wavy hair",
    "wearing_earrings": "earrings", "wearing_hat": "a hat", "wearing_lipstick": "lipstick", "wearing_necklace":
    "a necklace", "wearing_necktie": "a necktie",
    "no_beard": ("no beard", "{} without a beard", "beard", "{} with a beard"),
    "smiling": ("smiling", "smiling {}", "not smiling", "{} not smiling"),
    "attractive": ("attractive", "{} labelled attractive", "not attractive", "{} labelled not attractive"),
    "bald": ("bald", "bald {}", "not bald", "{} not bald"),
    "blurry": ("blurred", "blurred {}", "sharp", "sharp {}"),
    "chubby": ("chubby", "chubby {}", "not chubby", "{} not chubby"),
    "young": ("young", "young {}", "not young", "{} not young"),
}  # fmt: skip


def find_task(columns: Sequence[Column], target: str) -> Task:
    """What is classified where `target` is asked for: gender, or one of the columns.

    Raises `LookwhereError` where there is no such column, or it has not two levels.
    """
    if loose(target) == GENDER.attribute:
        return GENDER
    return task_for(find_column(columns, target, purpose="--target", also=[GENDER.attribute]))


def check_target(columns: Sequence[Column], target: str | None) -> None:
    """Raises `LookwhereError` where another column than gender was asked for and it cannot be classified."""
    if target is not None:
        find_task(columns, target)


def check_labelled(store: AlignedStore, task: Task) -> None:
    """Raises `LookwhereError`, naming what can be classified, where gender is to be and the store labels none."""
    if not task.is_gender or gender_known(store.faces):
        return
    columns = [column.name for column in store.columns if len(column.levels) == 2]
    there = (
        f"its columns of two values are {', '.join(columns)}" if columns else "it has no column of two values either"
    )
    raise LookwhereError(
        f"{store.path}: its gender is {UNRECORDED}, and gender is what is classified; train with --target COLUMN, and "
        f"audit a model of that: {there}"
    )


def task_for(column: Column) -> Task:
    """The task of telling a column's two levels apart: «yes», or the second level, is the positive class.

    Raises `LookwhereError` where it has not two levels.
    """
    if len(column.levels) != 2:
        raise LookwhereError(
            f"--target {column.name}: has {len(column.levels)} levels, {', '.join(column.levels)}; what is classified "
            "has two: join some of them into another column"
        )
    nouns = _yes_no(column) if column.kind is Kind.YES_NO else _levels(column)
    words = column.words or (nouns[1].label if column.kind is Kind.YES_NO else column.name.replace("_", " "))
    return Task(attribute=column.name, words=words, classes=column.levels, nouns=nouns)


def _yes_no(column: Column) -> tuple[ClassWords, ClassWords]:
    """The words of «no» and of «yes»: «no glasses» and «glasses», «not smiling» and «smiling»."""
    forms = SAID.get(loose(column.words or column.name), _plain(column.words or column.name.replace("_", " ").strip()))
    if isinstance(forms, tuple):
        label, pattern, negation, without = forms
    elif re.match(r"\w{3,}ing\b", forms):  # what somebody does: «wearing a mask»
        label, pattern, negation, without = forms, f"{{}} {forms}", f"not {forms}", f"{{}} not {forms}"
    else:
        thing = re.sub(r"^an? ", "", forms)
        label, pattern, negation, without = thing, f"{{}} with {forms}", f"no {thing}", f"{{}} without {forms}"
    return ClassWords(label=negation, pattern=without), ClassWords(label=label, pattern=pattern)


def _levels(column: Column) -> tuple[ClassWords, ClassWords]:
    """The words of two levels that are no yes and no: «faces with camera «front»»."""
    name = _plain(column.words or column.name.replace("_", " "))
    first, second = (ClassWords(label=level, pattern=f"{{}} with {name} «{_plain(level)}»") for level in column.levels)
    return first, second


def _plain(level: str) -> str:
    """A level as part of a pattern: braces of its own would stand for faces."""
    return level.replace("{", "(").replace("}", ")")
