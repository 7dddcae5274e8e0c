"""What kind of column a data set's values make: told from the values, or asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.data.columns import MOST_LEVELS, Column, Kind, number_column
from core.data.image_kinds import IMAGE_SUFFIXES
from core.errors import LookwhereError

#: Words for no and yes; a column of two of one pair is yes/no.
NO_YES = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("0", "1"), ("-1", "1"), ("absent", "present"),
    ("without", "with"), ("off", "on"),
)  # fmt: skip
#: Words of several of these pairs in one column say yes and no too; single letters that may be initials do not.
MIXED = {word for pair in NO_YES for word in pair if len(word) > 1 or word in "ny01"}
#: Whole numbers up to here are told apart by a float64.
EXACT = 2.0**53
#: Words that rise, each scale from the least on.
SCALES = (
    ("none", "very slight", "slight", "little", "some", "moderate", "strong", "very strong", "severe", "full"),
    ("very light", "light", "light medium", "medium light", "medium", "tan", "medium dark", "dark", "very dark"),
    ("very low", "low", "medium", "high", "very high"),
    ("very small", "small", "medium", "large", "very large"),
    ("very short", "short", "medium", "long", "very long"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("very poor", "poor", "fair", "good", "very good", "excellent"),
    ("baby", "child", "teenager", "young", "middle aged", "adult", "old", "senior"),
)
#: In a column of numbers these words say that none is known.
NO_NUMBER = ("", "na", "n/a", "nan", "none", "null", "nil", "-", "–", "?", "unknown", "missing", "not recorded", ".")
#: So many different whole numbers and fewer are levels in order; more are a number in bands.
MOST_WHOLE = 12
#: Of so many values all different ones tell faces apart and make no groups.
FEWEST_FOR_IDS = 12
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
#: The level of those that are not among the commonest where a column of too many was asked for.
REST = "other values"
_FILE = rf"(?i)(?:{'|'.join(re.escape(suffix) for suffix in IMAGE_SUFFIXES)})$|^https?://"
_NUMBERED = re.compile(r"^(?P<before>\D*?)(?P<number>\d+(?:\.\d+)?|[ivx]+)(?P<after>\b.*)$", re.IGNORECASE)


def numbers_of(values: pd.Series) -> pd.Series | None:
    """Values as numbers, float64, NaN where none is known; None where any of them is a word.

    A decimal comma, a printed minus, and % behind every value are read. Commas that may as well stand between thousands
    make words.
    """
    words = pd.Series(values.dropna().unique(), dtype="str")
    plain_words = words.str.strip().str.replace("\u2212", "-")
    if percent(values):
        plain_words = plain_words.str.replace(r"\s*%$", "", regex=True)
    if between_thousands(values):
        return None
    decimal = plain_words.str.replace(r"^([-+]?\d+),(\d+)$", r"\1.\2", regex=True)
    number = pd.to_numeric(decimal, errors="coerce").astype(np.float64)
    if number.notna().sum() == 0 or not decimal[number.isna()].str.lower().isin(NO_NUMBER).all():
        return None
    number_of_word = dict(zip(words, number.where(np.isfinite(number)), strict=True))
    return values.map(number_of_word).astype(np.float64)


def percent(values: pd.Series) -> bool:
    """Whether every value that is no word for «not known» ends in %."""
    words = pd.Series(values.dropna().unique(), dtype="str").str.strip()
    words = words[~words.str.lower().isin(NO_NUMBER)]
    return bool(len(words) and words.str.endswith("%").all())


def between_thousands(values: pd.Series) -> bool:
    """Whether commas may stand between thousands: «12,345» alone does not tell whether it is twelve or more."""
    words = pd.Series(values.dropna().unique(), dtype="str").str.strip()
    commas = words[words.str.match(r"^[-+]?\d+(?:,\d+)+$")]
    return bool(len(commas) and commas.str.match(r"^[-+]?[1-9]\d{0,2}(?:,\d{3})+$").all())


def quantities(values: pd.Series) -> pd.Series | None:
    """`numbers_of` what counts or measures something; None also of codes: numbers with noughts before them («007»), and
    whole ones of so many digits that different ones would be taken for the same."""
    number = numbers_of(values)
    if number is None:
        return None
    words = pd.Series(values.dropna().unique(), dtype="str").str.strip()
    codes = words.str.match(r"^[-+\u2212]?0\d") | (words.str.match(r"^[-+\u2212]?\d+$") & (number_size(words) > EXACT))
    return None if codes.any() else number


def number_size(words: pd.Series) -> pd.Series:
    """The absolute value of each word that is a number, float64; NaN of others."""
    return pd.to_numeric(words.str.lstrip("-+\u2212"), errors="coerce").astype(np.float64).abs()


def why_no_groups(values: pd.Series) -> str | None:
    """Why a column of text (N,), NA where empty, makes no groups; None where it may."""
    recorded = values.dropna()
    different = recorded.nunique()
    if different == 0:
        return "it is empty"
    if different == 1 and len(recorded) == len(values):
        return f"it says {str(recorded.iloc[0])[:60]!r} of every face"
    if pd.Series(recorded.unique(), dtype="str").str.contains(_FILE).mean() > 0.5:
        return "its values are names of files"
    number = quantities(values)
    if number is not None:
        whole = bool((number.dropna() % 1 == 0).all())
        if (
            whole
            and not percent(values)
            and len(recorded) >= FEWEST_FOR_IDS
            and number.nunique() == number.notna().sum()
        ):
            return f"its {different:,} values are whole numbers and all different, as numbers of rows are"
        return None
    if len(recorded) >= FEWEST_FOR_IDS and different == len(recorded):
        return f"its {different:,} values are all different{_commas(values)}"
    if different <= MOST_LEVELS:
        return None
    return f"it has {different:,} different values, and {MOST_LEVELS} are the most{_commas(values)}"


def _commas(values: pd.Series) -> str:
    """How a column of numbers with commas is to be written, for the sentence that says why it makes no groups."""
    if not between_thousands(values):
        return ""
    example = next(word for word in values.dropna() if "," in word)
    return (
        f", and {example} is not taken for a number, since its comma may stand for a point or between thousands: write "
        "points, and nothing between thousands"
    )


def kind_of(values: pd.Series) -> tuple[Kind, tuple[str, ...]]:
    """The kind of a column of text (N,), and its levels in order; none for a number, which has bands."""
    number = quantities(values)
    folded = {word: re.sub(r"[\s_-]+", " ", word).strip().casefold() for word in values.dropna().unique()}
    different = [] if number is None else sorted(number.dropna().unique())
    if len(different) == 2 and different[1] == 1 and different[0] in (-1, 0):
        return Kind.YES_NO, ("no", "yes")
    words = {*map(str.casefold, folded)}
    if words and (words <= {"no", "yes"} or words <= {"false", "true"} or words in map(set, NO_YES)):
        return Kind.YES_NO, ("no", "yes")
    if number is not None:
        if len(different) <= MOST_WHOLE and all(value % 1 == 0 for value in different):
            return Kind.ORDERED, tuple(f"{value:.0f}{' %' if percent(values) else ''}" for value in different)
        return Kind.NUMBER, ()
    if len(words) > 1 and words <= MIXED and not words >= {"-1", "0"}:
        return Kind.YES_NO, ("no", "yes")
    codes = numbers_of(values) is not None or between_thousands(values)
    if not codes and (levels := _in_order(folded)) is not None:
        return Kind.ORDERED, levels
    return Kind.CATEGORY, tuple(sorted(folded, key=lambda word: (_natural(folded[word]), word)))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """By what words are sorted as people sort them: «desk 9» before «desk 10»."""
    parts = re.split(r"([0-9]{1,18})", text)  # Python makes no number of thousands of digits
    return [(1, 0, part) if n % 2 == 0 else (0, int(part), "") for n, part in enumerate(parts) if part]


def _in_order(folded: dict[str, str]) -> tuple[str, ...] | None:
    """Levels as their words rise, by a scale or by the numbers in them; None where they do not."""
    if len(folded) < 2:
        return None
    for scale in SCALES:
        if set(folded.values()) <= set(scale):
            return tuple(sorted(folded, key=lambda word: scale.index(folded[word])))
    matches = {word: _NUMBERED.match(word) for word in folded}
    if len(folded) < 3 or not all(matches.values()):
        return None
    before = {match["before"].casefold() for match in matches.values()}
    numbers = {word: match["number"].casefold() for word, match in matches.items()}
    if len(before) > 1 or len(set(numbers.values())) < len(numbers):
        return None
    if all(number in ROMAN for number in numbers.values()):
        return tuple(sorted(folded, key=lambda word: ROMAN.index(numbers[word])))
    if all(number[0].isdigit() for number in numbers.values()):
        return tuple(sorted(folded, key=lambda word: float(numbers[word])))
    return None


def words_of(values: pd.Series, kind: Kind) -> pd.Series:
    """Values as the levels of their kind are written: yes and no in our words, whole numbers without a point."""
    if kind is Kind.YES_NO:
        no, yes = ({pair[place] for pair in NO_YES} for place in (0, 1))
        values = _written(values)
        low = {word: word.casefold() for word in values.dropna().unique()}
        return values.map({word: "no" if w in no else "yes" if w in yes else word for word, w in low.items()})
    return _written(values) if kind is Kind.ORDERED else values


def _written(values: pd.Series) -> pd.Series:
    """Numbers written one way, «1» and not «1.0», where all values are numbers."""
    number = quantities(values)
    if number is None:
        return values
    end = " %" if percent(values) else ""
    words = {value: f"{value:.0f}{end}" if value % 1 == 0 else f"{value}{end}" for value in number.dropna().unique()}
    return number.map(words)


def column_of(
    name: str,
    values: pd.Series,
    *,
    kind: Kind | None = None,
    levels: Sequence[str] = (),
    edges: Sequence[float] | None = None,
    words: str = "",
) -> tuple[Column, pd.Series]:
    """The column that text (N,), NA where empty, makes, and each face's word or number in it.

    What is asked for goes before what the values tell. Of more than 40 levels the commonest are kept, the others are
    «other values». Raises `LookwhereError` where a number was asked for and there are words, or yes and no.
    """
    inferred, inferred_levels = kind_of(values)
    if kind is None and edges is not None:
        kind = Kind.NUMBER
    elif kind is None:
        kind = Kind.ORDERED if levels and inferred is Kind.NUMBER else inferred
    if kind is Kind.NUMBER:
        number = numbers_of(values)
        if number is None:
            bad = values.dropna()[pd.to_numeric(values.dropna(), errors="coerce").isna()].iloc[0]
            raise LookwhereError(f"column {name}: {bad!r} is no number; its kind is {inferred.value}")
        unit = " %" if percent(values) else ""
        return number_column(name, number, words=words, edges=edges, unit=unit), number
    values = words_of(values, kind if kind is inferred or kind is Kind.YES_NO else Kind.ORDERED)
    if not levels:
        there = set(values.dropna().unique())
        levels = [level for level in inferred_levels if level in there] if inferred is kind else sorted(there)
        if kind is Kind.ORDERED and inferred is Kind.NUMBER:
            levels = sorted(there, key=lambda word: float(word.removesuffix(" %")))
    if kind is Kind.YES_NO:
        levels = ("no", "yes")
        if strange := sorted(set(values.dropna().unique()) - set(levels)):
            raise LookwhereError(f"column {name}: {strange[0]!r} is neither yes nor no; its kind is {inferred.value}")
    if len(levels) > MOST_LEVELS:
        common = values[values.isin(levels)].value_counts().index[: MOST_LEVELS - 1]
        values = values.where(values.isin(common) | values.isna(), REST)
        levels = [*(level for level in levels if level in set(common)), REST]
    return Column(name=name, kind=kind, levels=tuple(map(str, levels)), words=words), values
