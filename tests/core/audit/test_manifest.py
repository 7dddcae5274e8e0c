"""`audit.json` as a record: older files open as before, damage is told, and what is noted has words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.audit.folder import read_manifest
from core.audit.manifest import AuditManifest
from core.audit.notes import VALUES, Note, NoteCode, note_sentence, note_words
from core.classifiers.info import ModelKind
from core.errors import LookwhereError
from tests.helpers.made_audit import made_manifest

#: As the first version wrote it, with what was told in words then.
OLD = {
    "format": 1, "model": "m", "weights_sha256": "0" * 64, "dataset": "d", "data_fingerprint": "1" * 64,
    "splits": ["test"], "names": {"a": "b"}, "faces": 4, "accuracy": 0.25, "map_shape": None, "head_bias": None,
    "rejects": {"no face found": 1}, "precision": None, "seconds": 1, "faces_per_second": 4.0, "versions": {"a": "2"},
    "averages": "another audit of this data keeps them", "warnings": ["only 25.0% of 4 faces are right", "x: swapped?"],
}  # fmt: skip
VALUED = {
    NoteCode.CLASSES_SWAPPED: {"accuracy": 0.058, "n": 1234},
    NoteCode.ONE_CLASS: {"share": 0.987, "predicted": "female"},
    NoteCode.WORDS: {"text": "as it was told once"},
}


def write(folder: Path, content: object) -> Path:
    (folder / "audit.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_an_older_manifest_opens_and_is_written_as_it_was(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, OLD))
    assert list(manifest.to_json().items()) == list(OLD.items())
    assert manifest.kind is ModelKind.TRAINED_HERE
    assert manifest.trained_here
    assert not manifest.every_split
    assert manifest.maps is None
    assert note_words(manifest.averages) == "another audit of this data keeps them"
    assert [note_sentence(note) for note in manifest.warnings] == ["Only 25.0 % of 4 faces are right.", "X: swapped?"]


@pytest.mark.parametrize("key", ["model", "dataset", "splits", "faces", "map_shape"])
def test_what_every_audit_has_is_asked_for(key: str, tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=rf"audit\.json: lacks {key}; delete this audit and run it again"):
        read_manifest(write(tmp_path, {k: v for k, v in OLD.items() if k != key}))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not valid JSON"),
        ("[]", "format None"),
        (OLD | {"format": 9}, "format 9, this version reads 2"),
        (OLD | {"format": 2, "digest": "0" * 64}, "changed since it was written"),
        (OLD | {"format": 2, "dagest": "0" * 64}, "changed since it was written"),
        (OLD | {"faces": "many"}, "faces must be a whole number"),
        (OLD | {"kind": "sklearn"}, "kind must be one of resnet50, torch, onnx, predictions, not 'sklearn'"),
        (OLD | {"map_shape": [7]}, "map_shape must be a list of 2"),
        (OLD | {"maps": {"method": "RISE"}}, "lacks maps.additive"),
        (OLD | {"warnings": [{"code": "moody"}]}, r"warnings\[0\].code must be one of"),
        (OLD | {"warnings": [{"code": "one_class", "share": 1}]}, r"lacks warnings\[0\].predicted"),
        (OLD | {"averages": 3}, "averages must be an object"),
    ],
)
def test_damage_is_told_with_the_file_and_the_mend(content: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=rf"audit\.json: {says}.*; delete this audit and run it again"):
        read_manifest(write(tmp_path, content))


@pytest.mark.parametrize("code", NoteCode)
def test_every_code_has_words_with_its_values_and_is_stored_with_them(code: NoteCode) -> None:
    values = VALUED.get(code, {})
    assert tuple(values) == VALUES.get(code, ())
    note = Note(code=code, **values)
    words, sentence = note_words(note), note_sentence(note)
    assert words
    assert "None" not in words
    assert not sentence[:1].islower()
    assert sentence.endswith((".", "?"))
    stored = json.loads(json.dumps(made_manifest().to_json() | {"warnings": [note.to_json()]}))
    assert stored["warnings"] == ([values["text"]] if code is NoteCode.WORDS else [{"code": code.value} | values])
    assert AuditManifest.from_json(stored).warnings == (note,)


def test_values_stand_in_the_words() -> None:
    swapped = note_words(Note(code=NoteCode.CLASSES_SWAPPED, accuracy=0.058, n=1234))
    for part in ("only 5.8 % of 1,234 faces", "classes swapped?", "it would be 94.2 %"):
        assert part in swapped
    assert note_words(Note(code=NoteCode.ONE_CLASS, share=0.987, predicted="male")).startswith(
        "98.7 % of all faces are called male"
    )
