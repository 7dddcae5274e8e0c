"""The ethnicity mapping: a user's own names for a data set's ethnicities."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

from core.errors import LookwhereError


def rename(faces: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """The faces with ethnicities replaced by `names`. Raises `LookwhereError` for a name that no face has."""
    unknown = sorted(set(names) - set(faces["ethnicity"]))
    if unknown:
        there = ", ".join(sorted(faces["ethnicity"].astype(str).unique()))
        raise LookwhereError(f"--map-ethnicities: no face is {', '.join(unknown)}; there are {there}")
    return faces.assign(ethnicity=faces["ethnicity"].astype("string").replace(names))


def read_names(file: Path) -> dict[str, str]:
    """A YAML file of names, `old: new` a line. Raises `LookwhereError` where it is anything else."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LookwhereError(f"{file}: not a readable YAML file ({str(error).splitlines()[0]})") from error
    if not isinstance(content, dict) or not all(isinstance(x, str) for pair in content.items() for x in pair):
        raise LookwhereError(f"{file}: expected lines of «name: new name»")
    return content
