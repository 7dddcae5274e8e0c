"""The command `verify`: whether what lies in folders is what was written there."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from core.commands.output import printed
from core.errors import LookwhereError


def verify(path: Positional[Path], record: bool = False, json: bool = False) -> str:
    """Read every file of stores, models, audits and checks whole, and compare it with what was recorded of it.

    Ends with code 2 where a file was changed, cut or lost since, or an average face is of too few people; says what no
    version recorded, and the fewest people that any subtraction of average faces leaves.
    Example: python -m core verify models
    Or, for folders of versions that recorded nothing: python -m core verify models --record

    Args:
        path: A store, a model, an audit, or a folder of them.
        record: Record the files as they are now where nothing is recorded of them yet.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.audit.disclosure import of_common_faces
    from core.checks.verification import averages_in, verify_folders
    from core.present.records.data import verified_record
    from core.present.text.verification import verified_report

    results = verify_folders(path, record)
    if damaged := [result for result in results if result.damage]:
        raise LookwhereError(*(f"{result.file}: {result.damage}" for result in damaged))
    stored = averages_in(path)
    shared = of_common_faces(stored)
    return printed(
        "verify",
        json,
        lambda: verified_report(results, stored, shared),
        lambda: verified_record(results, stored, shared),
    )
