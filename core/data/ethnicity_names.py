"""The ethnicity mapping: a user's own names for a data set's ethnicities."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

from core.data.readers.label_table import text
from core.data.readers.spelling import folded, plain
from core.errors import LookwhereError
from core.files import read_bounded
from core.yaml_file import LARGEST


def rename(faces: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """The faces with ethnicities replaced by `names`, found whatever their case, blanks or Unicode form.

    Raises `LookwhereError` for a name that no face has.
    """
    there = faces["ethnicity"].astype("string")
    by_spelling = {folded(name): name for name in there.dropna().unique()}
    new_names = {old if (there == old).any() else by_spelling.get(folded(old), old): new for old, new in names.items()}
    unknown = sorted(set(new_names) - set(there))
    if unknown:
        raise LookwhereError(
            f"--map-ethnicities: no face is {', '.join(unknown)}; there are {', '.join(sorted(there.unique()))}"
        )
    return faces.assign(ethnicity=there.replace(new_names))


def read_names(file: Path) -> dict[str, str]:
    """A YAML file of names, `old: new` a line, every word as it is written: `No` and `1` are names.

    Raises `LookwhereError` where it is anything else.
    """
    try:
        # Composed and not loaded: YAML would make `No` false, and would keep the last of two equal keys.
        content = yaml.compose(text(read_bounded(file, LARGEST), str(file)), Loader=yaml.BaseLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise LookwhereError(f"{file}: not a readable YAML file ({str(error).splitlines()[0]})") from error
    if not isinstance(content, yaml.MappingNode):
        raise LookwhereError(f"{file}: expected lines of «name: new name»")
    names: dict[str, str] = {}
    for old, new in content.value:
        if not isinstance(old, yaml.ScalarNode) or not isinstance(new, yaml.ScalarNode) or not new.value.strip():
            line = old.start_mark.line + 1
            raise LookwhereError(f"{file}, line {line}: expected «name: new name», a single name on either side")
        if old.value in names:
            raise LookwhereError(f"{file}, line {old.start_mark.line + 1}: {old.value} is there twice")
        names[old.value] = plain(new.value)
    return names
