"""Ages as tables have them: numbers, ranges, and ranges that a spreadsheet made dates.

A range gives its lower bound, so means of such ages are too low; that is told.
"""

from __future__ import annotations

import re

import pandas as pd

from core.data.readers.read_log import ReadLog

OLDEST = 130
#: Letters of what may say an age; of longer words the digits alone would be beyond any number.
LONGEST = 60
#: Ages of which none is above are asked about, where so many are there: bands are numbered so.
LAST_BAND, SURE = 12, 20
MONTHS = {"janfebmaraprmayjunjulaugsepoctnovdec"[3 * n : 3 * n + 3]: n + 1 for n in range(12)}
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:years?|yrs?|y\.?o\.?)?(?:\s*old)?")
_RANGE = re.compile(r"[(\[]?\s*(\d+)(?:[.,]0+)?\s*(?:-|–|—|~|,|;|to)\s*(\d+)(?:[.,]0+)?\s*[)\]]?(?:\s*years?)?")
_FROM = re.compile(r"(?:more than|over|above|from|>=?|≥)\s*(\d+)|(\d+)\s*(?:\+|(?:and|or)\s*(?:older|over|more|above))")
_BELOW = re.compile(r"(?:less than|under|below|up to|<=?|≤)\s*\d+")


def age_of(word: str) -> tuple[int | None, bool]:
    """Whole years that a word says, None where it says none; and whether it is a range, of which they are the least."""
    word = word.strip().lower()
    if len(word) > LONGEST:
        return None, False
    if (match := _NUMBER.fullmatch(word)) is not None:
        return _possible(int(float(match[1].replace(",", ".")))), False
    if (match := _RANGE.fullmatch(word)) is not None:
        low, high = int(match[1]), int(match[2])
        return (_possible(low) if low <= high <= OLDEST else None), True
    if (match := _FROM.fullmatch(word)) is not None:
        return _possible(int(match[1] or match[2])), True
    return (0, True) if _BELOW.fullmatch(word) else (None, False)


def _possible(age: int) -> int | None:
    return age if age <= OLDEST else None


def with_ages(faces: pd.DataFrame, log: ReadLog, files: str = "path") -> pd.DataFrame:
    """Faces with `age` as whole years, Int16, NA where none is said.

    Words that say none are repairs, and so are dates that a spreadsheet made of a range; ranges are remarked upon.
    """
    age_column = faces["age"]
    words = age_column.dropna().unique()
    read = {word: age_of(word) for word in words}
    dated = {word: low for word in words if read[word][0] is None and (low := low_of_date(word)) is not None}
    age = age_column.map({word: dated.get(word, read[word][0]) for word in words}).astype("Float64")
    for bad, words_of in (
        (age_column.isin(dated), " is taken for the range that a spreadsheet made a date of: its lower bound is kept"),
        (age.isna() & age_column.notna(), " is no number of years: not known"),
    ):
        log.repair(faces.loc[bad, files], "age " + age_column[bad] + words_of)
    ranges = age_column[age_column.isin([word for word in words if read[word][1] and read[word][0] is not None])]
    if len(ranges):
        log.remark(
            f"age: {len(ranges):,} of {len(faces):,} are ranges, such as {ranges.iloc[0]}: the lower bound is kept"
        )
    numbers = age.dropna()
    if len(numbers) >= SURE and 0 < numbers.max() <= LAST_BAND and not len(ranges):
        log.remark(
            f"age: none is above {int(numbers.max())}: if these are numbers of bands, write the bands themselves"
        )
    if len(numbers) and numbers.max() == 0 and age_column.dropna().str.match(r"0?[.,]\d").any():
        log.remark(f"age: none is above 1 ({age_column.dropna().iloc[0]}), so they are no years: not known")
        age[:] = pd.NA
    return faces.assign(age=age.astype("Int16"))


def low_of_date(word: str) -> int | None:
    """The lower end of the range that a spreadsheet made the date `word` of; None where that is not plain."""
    if len(word) > LONGEST:
        return None
    if (band := band_of_date(word)) is not None:
        return int(band.partition("-")[0])
    parts = [MONTHS.get(part[:3], part) for part in re.split(r"[-/. ]+", word.strip().lower())]
    day_parts = [part for part in parts if isinstance(part, int)]
    numbers = [int(part) for part in parts if str(part).isdecimal()]
    return min(numbers) if len(day_parts) == 1 and len(numbers) == len(parts) == 2 and max(numbers) <= 31 else None


def band_of_date(word: str) -> str | None:
    """`3-9` or `10-19` where a spreadsheet can have made the date `word` of it alone, else None.

    Either the range's ends became day and month, or month and year (then the day is the first).
    """
    word = re.sub(r"[t ]00:00(:00)?(\.0+)?$", "", word.strip().lower())
    parts = [MONTHS.get(part[:3], part) for part in re.split(r"[-/. ]+", word)]
    if len(word) > LONGEST or not all(str(part).isdecimal() for part in parts) or not 2 <= len(parts) <= 3:
        return None
    numbers = [int(part) for part in parts]
    if len(numbers) == 2:
        pairs = [set(numbers)] if any(isinstance(part, int) for part in parts) else []
    else:
        year = next((n for n, part in enumerate(parts) if len(str(part)) == 4), 2)
        first, second = (number for n, number in enumerate(numbers) if n != year)
        orders = ((first, second),) if year == 0 else ((first, second), (second, first))
        pairs = [{first, second}, *({month, numbers[year] % 100} for month, day in orders if day == 1)]
    bands = {name for name, ends in (("3-9", {3, 9}), ("10-19", {10, 19})) if ends in pairs}
    return bands.pop() if len(bands) == 1 else None
