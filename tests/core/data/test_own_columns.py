"""A data set's own columns: what they are taken for, which are left out and why, and how a person corrects that."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.column_kinds import REST, column_of, kind_of, why_no_groups
from core.data.columns import Kind
from core.data.own_columns import ColumnChoice, Correction, with_columns
from core.data.readers import Reading
from core.data.readers.spelling import plain
from core.errors import LookwhereError
from tests.helpers.odd_names import ODD_NAMES


def text(*words: object) -> pd.Series:
    return pd.Series([pd.NA if word is None else str(word) for word in words], dtype="str")


def reading(**own: list) -> Reading:
    n = len(next(iter(own.values())))
    ids = [f"f{k:03}" for k in range(n)]
    faces = pd.DataFrame({"face_id": ids, "path": [f"{name}.jpg" for name in ids], "gender": "female"})
    return Reading(faces, own=pd.DataFrame({name: text(*values) for name, values in own.items()}))


@pytest.mark.parametrize(
    ("words", "kind", "levels"),
    [
        (["Yes", "no", None], Kind.YES_NO, ("no", "yes")),
        (["1", "-1"], Kind.YES_NO, ("no", "yes")),
        (["1.0", "0.0", "1"], Kind.YES_NO, ("no", "yes")),
        (["True", "False"], Kind.YES_NO, ("no", "yes")),
        (["yes", None], Kind.YES_NO, ("no", "yes")),
        (["f", None], Kind.CATEGORY, ("f",)),
        (["yes", "no", "maybe"], Kind.CATEGORY, ("maybe", "no", "yes")),
        (["VI", "I", "III", "II"], Kind.ORDERED, ("I", "II", "III", "VI")),
        (["type IV", "Type I", "type V"], Kind.ORDERED, ("Type I", "type IV", "type V")),
        (["MST 10", "MST 2", "MST 1"], Kind.ORDERED, ("MST 1", "MST 2", "MST 10")),
        (["3. dark", "1. light", "2. medium"], Kind.ORDERED, ("1. light", "2. medium", "3. dark")),
        (["26-35", "18-25", "5-17"], Kind.ORDERED, ("5-17", "18-25", "26-35")),
        (["dark", "light", "very dark"], Kind.ORDERED, ("light", "dark", "very dark")),
        (["often", "never"], Kind.ORDERED, ("never", "often")),
        (["10", "2", "1.0", "NA"], Kind.ORDERED, ("1", "2", "10")),
        (["-3", "4", "0"], Kind.ORDERED, ("-3", "0", "4")),
        (["Nikon", "canon", "Leica Q2"], Kind.CATEGORY, ("canon", "Leica Q2", "Nikon")),
        (["ivory", "xenon", "indigo"], Kind.CATEGORY, ("indigo", "ivory", "xenon")),
        (["-5 to 0", "0 to 5", "5 to 9"], Kind.CATEGORY, ("0 to 5", "-5 to 0", "5 to 9")),
        (["🧑🏽", "👩", "日本人"], Kind.CATEGORY, ("日本人", "👩", "🧑🏽")),
        (["0.5", "0,75", "n/a", "3"], Kind.NUMBER, ()),
        (["007", "7", "010"], Kind.CATEGORY, ("007", "7", "010")),
        (["00501", "10001", "94105"], Kind.CATEGORY, ("00501", "10001", "94105")),
        (["12345678901", "12345678902", "3"], Kind.ORDERED, ("3", "12345678901", "12345678902")),
        (
            ["12345678901234567890", "12345678901234567891"],
            Kind.CATEGORY,
            ("12345678901234567890", "12345678901234567891"),
        ),
        (["TRUE", "1", "No", "yes", "0"], Kind.YES_NO, ("no", "yes")),
        (["-1", "0", "yes"], Kind.CATEGORY, ("0", "-1", "yes")),
        (["f", "1"], Kind.CATEGORY, ("1", "f")),
        (["\u22121", "1"], Kind.YES_NO, ("no", "yes")),
        (["5 %", "-5 %", "10 %"], Kind.ORDERED, ("-5 %", "5 %", "10 %")),
        (["5.5%", "12%", "n/a"], Kind.NUMBER, ()),
        (["5 %", "0.05"], Kind.CATEGORY, ("0.05", "5 %")),
        (["1,250", "980", "12,000"], Kind.CATEGORY, ("1,250", "12,000", "980")),
        (["1,250", "0,980"], Kind.NUMBER, ()),
        (["desk 10", "desk 9", "booth/2", "booth/11"], Kind.CATEGORY, ("booth/2", "booth/11", "desk 9", "desk 10")),
        (["b" + "9" * 5000, "a1"], Kind.CATEGORY, ("a1", "b" + "9" * 5000)),
        ([str(n) for n in range(13)], Kind.NUMBER, ()),
    ],
)
def test_the_kind_is_told_from_the_values(words: list, kind: Kind, levels: tuple[str, ...]) -> None:
    assert kind_of(text(*words)) == (kind, levels)
    if kind is not Kind.NUMBER:
        column, values = column_of("x", text(*words))
        assert column.levels == levels
        known_words = [word for word in words if word not in (None, "NA")]
        assert values.notna().sum() == len(known_words) and set(values.dropna()) <= set(levels)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([None, None], "it is empty"),
        (["a"] * 3, "it says 'a' of every face"),
        (["a.jpg", "b/c.PNG", "d.jpeg"], "names of files"),
        (["https://x.org/1", "http://y/2"], "names of files"),
        ([f"w{n}" for n in range(12)], "its 12 values are all different"),
        ([str(1000 + 7 * n) for n in range(12)], "its 12 values are whole numbers and all different"),
        ([f"w{n % 41}" for n in range(99)], "it has 41 different values, and 40 are the most"),
        ([f"w{n % 40}" for n in range(99)], None),
        ([f"w{n}" for n in range(11)], None),
        (["a", None], None),
        ([str(n / 7) for n in range(99)], None),
        ([str(n // 2) for n in range(99)], None),
    ],
)
def test_what_makes_no_groups_is_told(words: list, why: str | None) -> None:
    reason = why_no_groups(text(*words))
    assert reason is None if why is None else why in reason


def test_all_columns_are_kept_and_those_that_make_no_groups_named() -> None:
    n = 60
    labelled = reading(
        glasses=["yes", "NO", "no", "no", None] * 12,
        photo=[f"{k}.jpg" for k in range(n)],
        distance=[k / 10 for k in range(n)],
        **{"Skin Tone": ["II", "I", "III"] * 20},
    )
    chosen_reading = with_columns(labelled)
    assert [(column.name, column.kind.value) for column in chosen_reading.columns] == [
        ("glasses", "yes/no"), ("distance", "number"), ("Skin Tone", "ordered"),
    ]  # fmt: skip
    assert chosen_reading.remarks == (
        "column photo is left out: its values are names of files; --columns photo keeps it",
    )
    assert chosen_reading.faces["glasses"].value_counts().to_dict() == {"no": 36, "yes": 12}
    assert chosen_reading.faces["distance"].cat.categories.tolist() == ["under 2", "2 to 4", "4 and more"]
    assert chosen_reading.faces["distance_value"].tolist() == [k / 10 for k in range(n)]
    assert chosen_reading.repaired["repair"].unique().tolist() == [
        "glasses 'NO' is read as 'no', the same but for case, blanks or Unicode form"
    ]


def test_columns_are_chosen_and_renamed() -> None:
    labelled = reading(skin=["a", "b"], glasses=["yes", "no"], hat=["yes", "no"])
    chosen_reading = with_columns(labelled, ColumnChoice.from_words(["skin=skin_tone", "GLASSES"]))
    assert [column.name for column in chosen_reading.columns] == ["skin_tone", "glasses"]
    assert with_columns(labelled, ColumnChoice.from_words(["none"])).columns == ()
    assert len(with_columns(labelled, ColumnChoice.from_words(None)).columns) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hut"], r"--columns hut: no such column; there are skin, hat"),
        (["gender"], r"--columns gender: no such column; gender is read as a label already; there are skin, hat"),
        (["skin=correct"], r"--columns skin=correct: Lookwhere itself uses that name"),
        (["skin=image_tone"], r"Lookwhere itself uses that name"),
        (["skin=x", "hat=x"], r"two columns called x"),
        (["skin="], r"--columns skin=: write NAME, or NAME=NEW_NAME"),
    ],
)
def test_what_cannot_be_asked_for_is_told(words: list[str], message: str) -> None:
    with pytest.raises(LookwhereError, match=message):
        with_columns(reading(skin=["a", "b"], hat=["yes", "no"]), ColumnChoice.from_words(words))


def test_names_that_lookwhere_uses_are_changed_and_told() -> None:
    chosen_reading = with_columns(
        reading(correct=["a", "b"], image_quality=["good", "poor"], depth=["1", "2"], depth_value=["x", "y"])
    )
    assert [column.name for column in chosen_reading.columns] == [
        "own_correct",
        "own_image_quality",
        "depth",
        "own_depth_value",
    ]
    assert chosen_reading.columns[0].said == "correct"
    assert chosen_reading.remarks[0] == (
        "column correct is kept as own_correct, as Lookwhere itself uses that name; --columns correct=NAME renames it"
    )


def test_columns_that_differ_in_case_alone_are_two() -> None:
    chosen_reading = with_columns(reading(Glasses=["yes", "no"], glasses=["sun", "none"]))
    assert [column.name for column in chosen_reading.columns] == ["Glasses", "glasses 2"]
    assert chosen_reading.faces["glasses 2"].tolist() == ["sun", "none"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names_of_columns_and_levels(name: str) -> None:
    chosen_reading = with_columns(reading(**{name: [name, "other", name, None]}))
    (column,) = chosen_reading.columns
    assert plain(name) in (column.name, column.said) and plain(name) in column.levels
    assert (chosen_reading.faces[column.name] == plain(name)).tolist() == [True, False, True, False]


def test_a_column_of_too_many_values_keeps_the_commonest_where_it_is_asked_for() -> None:
    words = [f"w{n:02}" for n in range(50) for _ in range(n + 1)]
    chosen_reading = with_columns(reading(place=words), ColumnChoice.from_words(["place"]))
    (column,) = chosen_reading.columns
    assert len(column.levels) == 40 and column.levels[-1] == REST and column.levels[0] == "w11"
    assert (chosen_reading.faces["place"] == REST).sum() == sum(range(1, 12))


def yaml(tmp_path: Path, content: str) -> ColumnChoice:
    file = tmp_path / "columns.yaml"
    file.write_text(content, encoding="utf-8")
    return ColumnChoice.from_words([str(file)])


def test_a_yaml_file_corrects_what_was_told_from_the_values(tmp_path: Path) -> None:
    labelled = reading(
        skin=["1", "2", "3", "9"],
        glasses=["0", "1", "2", "1"],
        depth=["0.1", "2", "NA", "3.5"],
        hat=["a", "b", "a", "b"],
    )
    choice = yaml(
        tmp_path,
        "skin: {name: skin_tone, kind: ordered, levels: ['3', '2', '1'], words: skin tone}\n"
        "glasses: {values: {0: No, 1: sunglasses, 2: yes}}\n"
        "depth: {edges: [1, 3]}\n"
        "hat: leave out\n",
    )
    chosen_reading = with_columns(labelled, choice)
    assert [(c.name, c.kind.value, c.levels) for c in chosen_reading.columns] == [
        ("skin_tone", "ordered", ("3", "2", "1")),
        ("glasses", "category", ("No", "sunglasses", "yes")),
        ("depth", "number", ("under 1", "1 to 3", "3 and more")),
    ]
    assert chosen_reading.columns[0].said == "skin tone"
    assert chosen_reading.remarks == (
        "column skin: 1 face with another value (9) count as not recorded",
        "column depth: 1 face with no number (NA) count as not recorded",
    )
    assert chosen_reading.faces["skin_tone"].isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- skin", "expected a line a column"),
        ("skin: 3", "expected name, kind"),
        ("skin: {kinds: ordered}", "kinds is not one of name, kind"),
        ("skin: {kind: colour}", "kind 'colour' is not one of category, yes/no"),
        ("skin: {levels: I}", "levels must be a list"),
        ("skin: {edges: [a]}", "edges must be a list of numbers"),
        ("skin: {edges: []}", "edges must be a list of numbers"),
        ("skin: {levels: [a], edges: [1]}", "give one of them"),
        ("skin: {values: [a]}", "values must be"),
        ("skin: number", "column skin: 'a' is no number"),
        ("skin: yes/no", "column skin: 'a' is neither yes nor no"),
        ("skan: number", "--columns skan: no such column"),
        ("skin: [", "not a readable YAML file"),
    ],
)
def test_a_yaml_file_that_is_not_as_expected_is_told(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LookwhereError, match=message):
        with_columns(reading(skin=["a", "b"]), yaml(tmp_path, content))


def test_no_label_is_changed_in_silence() -> None:
    """What counts as another word than the table's, or as none, is told with the words."""
    remarks = with_columns(
        reading(
            hat=["1", "TRUE", "no", "Yes", "yes", None],
            lens=["T", "F", "T", "T", "F", "T"],
            plain=["1", "0", "1", "0", "1", "0"],
            level=["1e3", "1000", "NA", "5", "unknown", "5"],
            depth=["0.5", "inf", "none", "1.25", "-", "2"],
            code=["007", "7", "7", "007", "010", "010"],
        )
    ).remarks
    assert remarks == (
        "column hat: read are 1 and TRUE as yes",
        "column lens: read are F as no, T as yes",
        "column level: 2 faces with no number (NA, unknown) count as not recorded",
        "column level: read are 1e3 as 1000",
        "column depth: 3 faces with no number (inf, none, -) count as not recorded",
    )


def test_numbers_with_commas_that_may_be_thousands_are_left_out_and_told() -> None:
    remark = with_columns(reading(income=[f"{1000 + 137 * n:,}" for n in range(60)])).remarks[0]
    assert "its 60 values are all different, and 1,000 is not taken for a number" in remark
    asked = {"income": Correction(kind=Kind.NUMBER)}
    with pytest.raises(LookwhereError, match="'1,250' is no number"):
        with_columns(reading(income=["1,250", "980"]), ColumnChoice(None, asked))


def test_a_code_is_a_number_where_that_is_asked_for() -> None:
    asked = ColumnChoice(None, {"metres": Correction(edges=(10.0,))})
    faces = with_columns(reading(metres=["003", "012", "117"]), asked).faces
    assert faces["metres_value"].tolist() == [3.0, 12.0, 117.0]


def test_bands_of_percent_and_of_large_numbers_are_told_apart() -> None:
    shares = with_columns(reading(share=[f"{n} %" for n in range(60)])).faces
    assert shares["share"].cat.categories.tolist() == ["under 20 %", "20 to 40 %", "40 % and more"]
    assert shares["share_value"].tolist() == list(range(60))
    stamps = [str(1_700_000_000_000 + 1_000 * (n // 2)) for n in range(60)]
    levels = with_columns(reading(taken=stamps)).faces["taken"].cat.categories
    assert levels.tolist() == [
        "under 1700000010000", "1700000010000 to 1700000020000", "1700000020000 and more"
    ]  # fmt: skip


def test_columns_whose_names_differ_by_case_alone_are_told() -> None:
    labelled = with_columns(reading(Camera=["a", "b"], camera=["c", "d"], CAMERA=["e", "f"]))
    assert [column.name for column in labelled.columns] == ["Camera", "camera 2", "CAMERA 3"]
    assert labelled.remarks == tuple(
        f"column {name} is kept as {name} {n}, as another is called so but for letters' case or blanks; rename one of "
        "them"
        for n, name in ((2, "camera"), (3, "CAMERA"))
    )


def test_of_no_face_no_column_is_called_empty() -> None:
    labelled = reading(camera=["a", "b"], hat=["yes", "no"])
    nobody = Reading(labelled.faces[:0], own=labelled.own[:0])
    assert with_columns(nobody).remarks == ()
