"""One reader a data set, a registry of them, and the recognition of a data set by its contents."""

from __future__ import annotations

from core.datasets.base import Reader, Reading
from core.datasets.insightface import InsightFace
from core.datasets.sources import Source, decode, open_source
from core.datasets.utkface import UTKFace
from core.errors import LookwhereError

READERS: dict[str, Reader] = {reader.name: reader for reader in (InsightFace(), UTKFace())}


def choose_reader(source: Source, name: str | None = None) -> Reader:
    """The reader called `name`, or the first that recognises the source.

    Raises `LookwhereError` with each reader's reason where none does.
    """
    if name is not None:
        if name not in READERS:
            raise LookwhereError(f"--dataset {name}: no such reader; there are {', '.join(READERS)}")
        refusal = READERS[name].refusal(source)
        if refusal:
            raise LookwhereError(f"{source.path}: not {name}: {refusal}; it expects {READERS[name].expects}")
        return READERS[name]
    reasons = []
    for reader in READERS.values():
        refusal = reader.refusal(source)
        if refusal is None:
            return reader
        reasons.append(f"not {reader.name}: {refusal}")
    raise LookwhereError(
        f"{source.path}: no reader knows this data set ({'; '.join(reasons)}); see `python -m core datasets`"
    )


__all__ = ["READERS", "Reader", "Reading", "Source", "choose_reader", "decode", "open_source"]
