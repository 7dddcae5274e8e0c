"""The report of a comparison: two to four models on the same faces, plain words first, as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from core.analysis.comparison.matrix import audits_table
from core.analysis.comparison.paired import PairedMapDifference, named, paired_by_group, paired_map_difference
from core.audit.catalogue import CommonFaces, common_faces
from core.audit.folder import Audit
from core.data.filters import Filter, age_words
from core.errors import LookwhereError
from core.present.card import Section, Table, Text, section
from core.present.figures import comparison as figures
from core.present.figures import raster
from core.present.report.blocks import Chart, Code, PageImages, Scale, data_uri
from core.present.report.build import render
from core.present.report.plain import WHAT_NOT, words_section
from core.present.text.comparison import LETTERS, audit_label, common_words, pair_sentence, plain_sentence, shown_audits
from core.wording import capital, number, percent, points_words

SIDE = 168
MOST = 4
HOW = (
    "Each row is of the same faces under both models. Intervals are Newcombe's paired 95 %, by people where they are "
    "known; p is McNemar's exact test, corrected by Holm for all rows. A filled dot differs at 5 %."
)


def paired_tables(common: CommonFaces, filter: Filter) -> list[pd.DataFrame]:
    """`paired_by_group` of each other model against the first, on their common faces."""
    first, *partners = common.audits
    return [paired_by_group(first, partner, filter=filter) for partner in partners]


def comparison_of(audits: Sequence[Audit], all_ages: bool = False, timestamp: datetime | None = None) -> str:
    """The report of two to four audits as one HTML text: adults where ages are known, unless `all_ages`.

    Raises `LookwhereError` where they share no face, or no common face is an adult.
    """
    if not 2 <= len(audits) <= MOST:
        raise LookwhereError(f"a comparison is of two to {MOST} audits, not {len(audits)}")
    common = common_faces(audits)
    first = common.audits[0]
    filter = Filter.of_ages(first.faces, "all" if all_ages else "adults")
    if not filter.mask(first.faces).any():
        raise LookwhereError(f"{first.path}: none of the common faces is known to be an adult; give --ages all")
    tables, labels = paired_tables(common, filter), [audit_label(audit) for audit in audits]
    plain = [plain_sentence(labels[0], label, table) for label, table in zip(labels[1:], tables, strict=True)]
    timestamp = (timestamp or datetime.now(UTC)).astimezone(UTC)
    facts = [(f"Model {letter}", label) for letter, label in zip(LETTERS, labels, strict=False)]
    facts += [
        ("Data", f"{first.manifest.dataset}"),
        ("Faces", f"{int(filter.mask(first.faces).sum()):,}: {age_words(filter.age_from, filter.age_to)}"),
        ("Made", f"{timestamp:%Y-%m-%d %H:%M} UTC"),
    ]
    return render(
        title=f"{len(audits)} models on the same faces",
        facts=facts,
        headline=[*plain, common_words(common)],
        warnings=[],
        sections=[
            _groups(labels, tables, filter),
            _maps(common, filter),
            section(
                "each", "Each model by itself",
                [_audits(audits, all_ages), Text("Of each audit's own faces, which need not be the common ones.")],
            ),
            Section("not", "What this does not say", (Text(WHAT_NOT),)),
            words_section(audits),
            section("reproduction", "Made by", [Code((_command(labels, all_ages),))]),
        ],
    )  # fmt: skip


def _command(labels: Sequence[str], all_ages: bool) -> str:
    return f"python -m core compare {' '.join(labels)} --out comparison.html{' --ages all' if all_ages else ''}"


def _groups(labels: Sequence[str], tables: Sequence[pd.DataFrame], filter: Filter) -> Section:
    sentences = [
        pair_sentence(labels[0], label, table, filter) for label, table in zip(labels[1:], tables, strict=True)
    ]
    blocks = [*map(Text, sentences)]
    blocks.append(Chart.from_chart(figures.difference_dots(dict(zip(labels[1:], tables, strict=True)))))
    for letter, label, table in zip(LETTERS[1:], labels[1:], tables, strict=False):
        rows = tuple(
            (
                capital(named(row["gender"], row["ethnicity"])), f"{row['n']:,}", percent(row["accuracy_a"]),
                percent(row["accuracy_b"]), points_words(row["difference"], row["low"], row["high"]),
                f"{row['only_a']:,}", f"{row['only_b']:,}", number(row["p_holm"], ".2g"),
            )
            for row in table.to_dict("records")
        )  # fmt: skip
        head = (
            "group",
            "faces",
            "A",
            letter,
            f"{letter} less A",
            "right only with A",
            f"only with {letter}",
            "p (Holm)",
        )
        blocks.append(Table(head, rows, "lrrrrrrr", f"{letter}: {label}, compared with A: {labels[0]}"))
    return section("groups", "For whom the models differ", [*blocks, Text(HOW, quiet=True)])


def _maps(common: CommonFaces, filter: Filter) -> Section:
    """Mean maps of all common faces under each model, and their tested differences."""
    title, mask = "Where each model looks", filter.mask(common.audits[0].faces)
    if without := [audit_label(audit) for audit in common.audits if not audit.has_maps]:
        return section("maps", title, [Text(f"Of {' and '.join(without)} there are no maps to compare.")])
    first, *partners = common.audits
    pairs = [paired_map_difference(first, partner, mask) for partner in partners]
    if pairs[0].shape is None:
        return section("maps", title, [Text(f"Averages need {pairs[0].minimum} faces; there are {pairs[0].n}.")])
    return section("maps", title, _panels(common, pairs))


def _panels(common: CommonFaces, differences: Sequence[PairedMapDifference]) -> list:
    pairs = [difference.shape for difference in differences]
    limits = (
        raster.shared_limit([m for pair in pairs for m in (pair.a, pair.b)]),
        raster.shared_limit([pair.difference for pair in pairs]),
    )
    captions = [f"A: {audit_label(common.audits[0])}"]
    for letter, partner, pair in zip(LETTERS[1:], common.audits[1:], pairs, strict=False):
        tested = (
            "not tested" if pair.survives is None else f"{pair.survives.sum()} of {pair.survives.size} cells differ"
        )
        captions += [f"{letter}: {audit_label(partner)}", f"{letter} − A: {tested}"]
    panels = figures.paired_panels(None, pairs, limits, False, SIDE)[1:]
    images = tuple((data_uri(p), caption, caption) for p, caption in zip(panels, captions, strict=True))
    methods = dict.fromkeys(audit.map_method for audit in common.audits)
    note = "mean maps for the labelled gender, each divided by its own strength"
    scale = Scale(data_uri(raster.colour_bar(False)), "none 0", f"{limits[0]:.3g} strongest", note)
    method_note = f"Maps by {' and '.join(methods)}. Outlined cells differ beyond chance, at 5 % for a whole map."
    uneven = "Their difference is also one of these methods." if len(methods) > 1 else None
    return [PageImages(images, scale), Text(method_note, quiet=True), Text(uneven) if uneven else None]


def _audits(audits: Sequence[Audit], all_ages: bool) -> Table:
    frame = shown_audits(audits_table(audits, "all" if all_ages else "adults"))
    aligned = "".join("r" if name in ("faces", "accuracy", "gap to the best") else "l" for name in frame)
    return Table(tuple(frame.columns), tuple(map(tuple, frame.to_numpy().tolist())), aligned)
