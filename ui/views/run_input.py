"""The page «Runs»: what a model that is about to be imported gets of one face, as its input is declared so far."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from core.classifiers.imported.hugging_face import declared_beside
from core.classifiers.imported.prepared import SeenInput, seen_input
from core.classifiers.imported.spec import InputOutputSpec, from_dict
from core.classifiers.imported.tried_faces import portraits
from core.errors import LookwhereError
from core.jobs.roots import confined
from core.photo.portraits import CREDIT
from core.present.text import escape
from core.task import GENDERS
from core.wording import number
from core.yaml_file import read_yaml
from ui.widgets import layout, terms

#: Ends of tables of predictions, which no image is put into.
TABLES = (".csv", ".tsv", ".parquet")
NEEDED = ("size", "mean", "std")
#: How large the image is shown, in pixels.
SIDE = 224
ORDER = {"rgb": "red, green, blue", "bgr": "blue, green, red", "grey": "grey"}


def show_input(values: Mapping[str, object], open_roots: Sequence[Path]) -> None:
    """A portrait as it is aligned, and as the model gets it; nothing before size, mean and std are declared.

    `values` are those of the form; what its file of a declaration says holds where they say nothing. What they lack or
    cannot be is told in a line, before a job would fail of it. Of a table only that line. The file lies in one of
    `open_roots`.
    """
    table = str(values.get("path") or "").lower().endswith(TABLES)
    if not table:
        _show_portrait(values, open_roots)
    if values.get("path"):
        _show_lacking(values, open_roots, table)


def _show_lacking(values: Mapping[str, object], open_roots: Sequence[Path], table: bool) -> None:
    """A line on what the declaration lacks, or cannot be; nothing where it is whole."""
    try:
        beside = {} if table else declared_beside(confined(str(values["path"]), open_roots, "the file"))
        spec = from_dict(beside | _declaration(values, open_roots), "declared so far")
        if not table:
            spec.for_images()
    except LookwhereError as error:
        terms.caption(f":material/warning: {escape.sentence(error)}")


def _show_portrait(values: Mapping[str, object], open_roots: Sequence[Path]) -> None:
    try:
        declared = _declared(values, open_roots)
        if declared is None:
            terms.caption("Once size, mean and std are given, a face is shown here as the model would get it.")
            return
        face = portraits()[0]
        model_input = seen_input(face, declared)
    except LookwhereError as error:
        terms.caption(f":material/warning: {escape.sentence(error)}")
        return
    st.html(layout.STYLE + layout.image_row(_panels(face, model_input), widest="14rem"))
    terms.caption(_facts(model_input, declared))


def _declared(values: Mapping[str, object], open_roots: Sequence[Path]) -> InputOutputSpec | None:
    """What is declared of the input so far; None before size, mean and std are. Raises `LookwhereError`."""
    declaration = _declaration(values, open_roots)
    if not all(declaration.get(name) for name in NEEDED):
        return None
    # The image does not hang on what the outputs mean: where that is not said yet, anything does.
    outputs = ("score", *GENDERS, "of", "target", "classes", "indices")
    inputs = {name: value for name, value in declaration.items() if name not in outputs}
    return from_dict({"score": "logit", "of": GENDERS[0]} | inputs, "declared so far").for_images()


def _declaration(values: Mapping[str, object], open_roots: Sequence[Path]) -> dict[str, object]:
    """What the file of a declaration and the form say, the form first. Raises `LookwhereError`."""
    file = values.get("declare")
    stored = {} if not file else read_yaml(confined(str(file), open_roots, "--declare"))
    if not isinstance(stored, dict):
        raise LookwhereError(f"{file}: expected lines of «key: value»")
    names = {field.name for field in dataclasses.fields(InputOutputSpec)}
    given = {name: value for name, value in values.items() if name in names and value not in (None, (), "")}
    stored.pop("about", None)
    return stored | {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _panels(face: np.ndarray, model_input: SeenInput) -> list[tuple[Image.Image, str, str]]:
    image = Image.fromarray(model_input.picture)
    if max(image.size) < SIDE:  # each of its pixels is to be seen
        image = image.resize([round(side * SIDE / max(image.size)) for side in image.size], Image.Resampling.NEAREST)
    return [
        (Image.fromarray(face), "the aligned face", "A portrait, aligned"),
        (image, "what the model gets", "The portrait as the model gets it"),
    ]


def _facts(model_input: SeenInput, declared: InputOutputSpec) -> str:
    shape = " × ".join(map(str, model_input.shape))
    values = f"{number(model_input.low)} to {number(model_input.high)}, {number(model_input.mean)} on average"
    return f"Input {shape}, {ORDER[declared.channels]}; values {values}. Portrait: {CREDIT}."
