"""What is classified: an attribute of faces with two classes, and the words for them. By default it is gender.

A model and an audit keep their task, and whatever asks for a face's true class, its probability or its logits asks the
task. Gender as a group of faces is another thing: it stays the column `gender`, whatever is classified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from core.errors import LookwhereError
from core.json_record import JsonRecord

#: Labelled genders in the order of the gender task's logits: index 0 is female, index 1 is male.
GENDERS = ("female", "male")
FACE = ("face", "faces", "face", "faces")


@dataclass(frozen=True, kw_only=True)
class ClassWords(JsonRecord):
    """How a class is said.

    `label` is its short name in charts and tables: «female», «no glasses». `nouns` are what its faces are called: one,
    many, one child, many children. `pattern` lays the class round a name of faces: «smiling {}», «{} with glasses».
    """

    label: str
    nouns: tuple[str, str, str, str] = FACE
    pattern: str = "{}"

    def of(self, faces: str = "") -> str:
        """«women», «faces with glasses»; of named faces «Black women with glasses», «smiling Black women»."""
        return self.pattern.replace("{}", faces or self.nouns[1])

    @property
    def one(self) -> str:
        """«woman», «face with glasses»."""
        return self.pattern.replace("{}", self.nouns[0])

    @property
    def many(self) -> str:
        """«women», «faces with glasses»."""
        return self.of()

    @property
    def child(self) -> str:
        """«girl», «face with glasses»."""
        return self.pattern.replace("{}", self.nouns[2])

    @property
    def children(self) -> str:
        """«girls», «faces with glasses»."""
        return self.of(self.nouns[3])


@dataclass(frozen=True, kw_only=True)
class Task(JsonRecord):
    """Which column of the faces is classified, its two `classes` in the order of the logits, the positive one last.

    `words` is how the attribute is said, by default its name; `nouns` are the words of each class. Raises
    `LookwhereError` where the classes or a pattern are no such.
    """

    attribute: str = "gender"
    classes: tuple[str, str] = GENDERS
    words: str = ""
    nouns: tuple[ClassWords, ClassWords] = (
        ClassWords(label="female", nouns=("woman", "women", "girl", "girls")),
        ClassWords(label="male", nouns=("man", "men", "boy", "boys")),
    )

    ALWAYS: ClassVar[tuple[str, ...]] = ("attribute", "classes", "nouns")
    MEND: ClassVar[str] = "give the task an attribute and two classes of different names"

    def __post_init__(self) -> None:
        if not self.attribute or len(set(self.classes)) != 2 or not all(self.classes):
            raise LookwhereError(f"task {self.attribute!r}: {self.MEND}, not {', '.join(map(repr, self.classes))}")
        if self.attribute == "gender" and self.classes != GENDERS:
            raise LookwhereError(f"the task gender has the classes {', '.join(GENDERS)}, in this order")
        if reserved := sorted({"true", "predicted", "margin"} & set(self.classes)):
            raise LookwhereError(f"task {self.attribute!r}: {reserved[0]!r} means something else for maps; rename it")
        if wrong := [words.pattern for words in self.nouns if "{}" not in words.pattern]:
            raise LookwhereError(f"task {self.attribute!r}: the pattern {wrong[0]!r} has no {{}} for the faces")

    def __hash__(self) -> int:
        return hash((self.attribute, self.classes, tuple(words.label for words in self.nouns)))

    @classmethod
    def _from(cls, content: object, where: str) -> Self:
        try:
            return super()._from(content, where)
        except LookwhereError as error:
            raise ValueError(f"{where + ': ' if where else ''}{error}") from error

    @classmethod
    def required(cls, content: Mapping[str, object]) -> tuple[str, ...]:
        """A file that tells a task tells all of it."""
        return ("attribute", "classes", "nouns")

    @property
    def is_gender(self) -> bool:
        """Whether gender is classified: then the true class is the gender of a face's group too."""
        return self.attribute == "gender"

    @property
    def name(self) -> str:
        """What is classified, as it is said: «gender», «glasses»."""
        return self.words or self.attribute

    @property
    def kind(self) -> str:
        """What one of the two is: «gender», «class»."""
        return "gender" if self.is_gender else "class"

    @property
    def kinds(self) -> str:
        """What the two are: «genders», «classes»."""
        return "genders" if self.is_gender else "classes"

    @property
    def negative(self) -> str:
        """The class of index 0."""
        return self.classes[0]

    @property
    def positive(self) -> str:
        """The class of index 1, which the probability is of."""
        return self.classes[1]

    @property
    def labels(self) -> tuple[str, str]:
        """The short names of both classes, in their order."""
        return self.nouns[0].label, self.nouns[1].label

    @property
    def logits(self) -> tuple[str, str]:
        """The columns of an audit's faces that hold the logits."""
        return f"logit_{self.negative}", f"logit_{self.positive}"

    @property
    def probability(self) -> str:
        """The column of an audit's faces that holds the probability of the positive class."""
        return f"p_{self.positive}"

    def index(self, name: str) -> int:
        """0 or 1. Raises `LookwhereError` where no class has this name."""
        if name not in self.classes:
            raise LookwhereError(f"{name!r} is no class of {self.attribute}; there are {', '.join(self.classes)}")
        return self.classes.index(name)

    def of(self, name: str) -> ClassWords:
        """The words of a class. Raises `LookwhereError` where no class has this name."""
        return self.nouns[self.index(name)]

    def words_of(self, levels: Mapping[str, str]) -> ClassWords | None:
        """The words of the class among a group's levels by column; None of gender, which groups have anyway."""
        level = None if self.is_gender else levels.get(self.attribute)
        return self.of(level) if level in self.classes else None

    def label(self, name: str) -> str:
        """A class's short name; a word that is no class is given back."""
        return self.nouns[self.classes.index(name)].label if name in self.classes else name

    def known(self, faces: pd.DataFrame) -> np.ndarray:
        """Boolean (N,): the faces whose true class is labelled. Raises `LookwhereError` where no column holds it."""
        if self.attribute not in faces.columns:
            raise LookwhereError(f"the faces have no column {self.attribute!r}; align them again with this label")
        return faces[self.attribute].isin(self.classes).to_numpy()

    def truth(self, faces: pd.DataFrame) -> np.ndarray:
        """The true class of each face, an object array of names (N,)."""
        return faces[self.attribute].to_numpy(dtype=object)

    def is_positive(self, faces: pd.DataFrame) -> np.ndarray:
        """Boolean (N,): the faces whose true class is the positive one."""
        return (faces[self.attribute] == self.positive).to_numpy(dtype=bool)

    def called(self, faces: pd.DataFrame, threshold: float = 0.5) -> np.ndarray:
        """Boolean (N,): the faces that are called positive when that is said from this probability on."""
        return self.p(faces) >= threshold

    def p(self, faces: pd.DataFrame) -> np.ndarray:
        """Each face's probability of the positive class, as it is stored, float (N,)."""
        return faces[self.probability].to_numpy()

    def margin(self, faces: pd.DataFrame) -> np.ndarray:
        """Each face's logit of the negative class less that of the positive one, float64 (N,)."""
        negative, positive = (faces[column].to_numpy(np.float64) for column in self.logits)
        return negative - positive

    def said(self, name: str) -> str:
        """A class as a sentence has it: «called male», «called «glasses»»."""
        return self.label(name) if self.is_gender else f"«{self.label(name)}»"

    @property
    def p_words(self) -> str:
        """The probability in words: «p(male)», «p(glasses)»."""
        return f"p({self.labels[1]})"


GENDER = Task()
#: «women and men».
BOTH_GENDERS = " and ".join(words.many for words in GENDER.nouns)
#: Where a table of faces carries its task, in `DataFrame.attrs`, which its parts inherit.
CARRIED = "task"


def carrying(faces: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The same table, which says from now on what is classified in it."""
    carried = faces.copy(deep=False)
    # Text, since attributes are copied deeply with every part of a table, and are written to files as JSON.
    carried.attrs = {**faces.attrs, CARRIED: json.dumps(task.to_json())}
    return carried


def task_of(faces: pd.DataFrame) -> Task:
    """What is classified in an audit's table of faces, or a part of it; gender where it does not say."""
    record = faces.attrs.get(CARRIED)
    return GENDER if record is None else _read(record)


@lru_cache(maxsize=64)
def _read(record: str) -> Task:
    return Task.from_json(json.loads(record))


def gender_noun(gender: str, children: bool = False) -> str:
    """«women», or of children «girls»; of faces of any gender «faces»."""
    if gender not in GENDERS:
        return FACE[1]
    words = GENDER.of(gender)
    return words.children if children else words.many
