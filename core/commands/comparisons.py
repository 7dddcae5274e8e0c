"""The command `compare`: models beside each other, on the faces that all of them have."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from core.commands.output import printed
from core.errors import LookwhereError
from core.files import file_to_write
from core.locks import alone
from core.places import MODELS, audit_folder


def compare(
    audits: Positional[tuple[str, ...]] = (),
    out: Path | None = None,
    ages: Literal["adults", "all"] = "adults",
    by: tuple[str, ...] = (),
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print every audit of every model as one table; or compare two to four audits on the faces that all of them have.

    With --out the comparison is written as a report: one HTML file that opens offline, plain words first.
    Example: python -m core compare
    Or: python -m core compare resnet50-utkface/utkface-test theirs/utkface-test --out comparison.html
    Or, by columns of your own: python -m core compare first/faces-all second/faces-all --by glasses skin_tone

    Args:
        audits: Two to four audits, each as MODEL/AUDIT; the others are compared with the first. None: all, as a table.
        out: The file to write.
        ages: adults (18 years and older), or all. Where no age is known, all.
        by: What further groups are made by, up to three crossed: gender, ethnicity, age_band, own columns. They are
            printed after those by gender and ethnicity.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.groupings import grouping
    from core.analysis.comparison.matrix import audit_places, audits_table
    from core.analysis.comparison.paired import paired_across
    from core.audit.catalogue import common_faces
    from core.audit.folder import open_audit
    from core.data.filters import Filter
    from core.present.report.build import write_report
    from core.present.report.comparison import MOST, comparison_of, paired_tables
    from core.present.text.comparison import audits_report, comparison_report

    if audits and not 2 <= len(audits) <= MOST:
        raise LookwhereError(f"compare two to {MOST} audits, each as MODEL/AUDIT; without any, all are put in a table")
    if out and not audits:
        raise LookwhereError("--out goes with two to four audits, each as MODEL/AUDIT")
    if (out or not audits) and by:
        raise LookwhereError("--by goes with two to four audits, each as MODEL/AUDIT, and without --out")
    if out:
        file_to_write(out)
    places_of = [_named(models, name) for name in audits] or audit_places(models)
    opened = [open_audit(place) for place in places_of]
    table = audits_table(opened, ages)
    if not audits:
        none = {"common_faces": None, "left_out": None, "pairs": None, "file": None}
        return printed("compare", json, lambda: audits_report(table), lambda: {"audits": table, **none})
    common = common_faces(opened)
    filter = Filter.of_ages(common.audits[0].faces, ages)
    if not filter.mask(common.audits[0].faces).any():
        raise LookwhereError(f"{opened[0].path}: no common face is known to be an adult; give --ages all")
    tables, columns = paired_tables(common, filter), common.audits[0].columns
    grouped_by = grouping(by, columns)
    across = [
        paired_across(common.audits[0], partner, grouped_by, filter, columns) if by else None
        for partner in common.audits[1:]
    ]
    if out:
        with alone(out, "writing"):
            write_report(out, comparison_of(opened, ages == "all"))
    return printed(
        "compare",
        json,
        lambda: (
            comparison_report(common, tables, filter, grouped_by, across) + (f"\n\n{out}: opens offline" if out else "")
        ),
        lambda: {
            "audits": table,
            "common_faces": common.count,
            "left_out": dict(zip(audits, common.left_out, strict=True)),
            "pairs": [
                {"audit": name, "compared_with": audits[0], "groups": rows, "by": grouped_by, "across": further}
                for name, rows, further in zip(audits[1:], tables, across, strict=True)
            ],
            "file": out,
        },
    )


def _named(models: Path, name: str) -> Path:
    """The folder of an audit named MODEL/AUDIT. Raises `LookwhereError` for any other name, and where there is none."""
    model, slash, audit = name.partition("/")
    if not slash or not model or not audit:
        raise LookwhereError(f"{name}: an audit is named MODEL/AUDIT, as in resnet50-utkface/utkface-test")
    return audit_folder(models, model, audit)
