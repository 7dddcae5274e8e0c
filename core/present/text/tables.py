"""Plain-text tables for the commands."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.extremes import extremes
from core.analysis.comparison.recipe import recipe_of
from core.audit.folder import Audit
from core.audit.notes import note_words
from core.data.faces import ADULT_AGE, SPLITS, UNRECORDED, counts_of, gender_known, gender_missing, labels_known
from core.data.filters import Filter
from core.data.otherwise import label_counts
from core.data.readers import READERS, Reader, Reading
from core.data.sources.base import Source
from core.data.store import NO_FACE, AlignedStore
from core.present.text.alignment import border_lines, several_lines
from core.present.text.columns import column_lines
from core.present.text.gaps import gap_words
from core.present.text.group_statistics import statistic_lines
from core.present.text.group_tables import group_lines
from core.present.text.method import method_words
from core.present.text.otherwise import APART, counts_words, otherwise_lines
from core.present.text.placement import audit_placement
from core.present.text.reviews import review_words
from core.present.text.sentences import accuracy_sentence, cells_words
from core.present.text.settings import kept_words
from core.present.text.speed import precision_words, speed_words
from core.present.text.table_rows import NO_IMAGES
from core.present.text.task import task_words, unused_predictions
from core.present.text.training_copies import training_copies_words
from core.privacy import MINIMUM_FACES
from core.wording import percent, with_interval

#: Files named of those rejected, repaired or in disagreement for one reason.
EXAMPLES = 10
#: Reasons told one by one; a column of a thousand strange words makes a thousand.
REASONS = 20


def by_group(faces: pd.DataFrame, by: str) -> pd.DataFrame:
    """Counts of gender × ethnicity by the column `by`, with totals; of what is recorded, where gender is not."""
    table = pd.crosstab([faces[key] for key in _keys(faces)], faces[by])
    # Not pandas' own margins: they refuse a group of the same name.
    table["all"] = table.sum(axis=1)
    table = _with_total(table)
    return table[[column for column in (*SPLITS, "all") if column in table]] if by == "split" else table


def _keys(faces: pd.DataFrame) -> list[str]:
    """What faces are counted by: gender and ethnicity, or without gender the ethnicity that is recorded or not."""
    return ["gender", "ethnicity"] if gender_known(faces) else ["ethnicity"]


def _with_total(table: pd.DataFrame) -> pd.DataFrame:
    """A table of counts with their sums in a last row."""
    total = table.sum()
    if not isinstance(table.index, pd.MultiIndex) and set(table.index) <= {UNRECORDED}:
        table = table[:0].rename_axis(None)  # a single group, of which nothing is known, says what the sum says
    table.loc[("all", "") if isinstance(table.index, pd.MultiIndex) else "all", :] = total
    return table.astype(int)


def gender_lines(faces: pd.DataFrame) -> list[str]:
    """Where the gender of no face is recorded, or not that of all, a line that says so."""
    missing = gender_missing(faces)
    if not gender_known(faces):
        return [f"gender: {UNRECORDED}"]
    return [f"gender: {UNRECORDED} of {missing:,} of {counts_of(faces).sum():,} faces"] if missing else []


def not_found_by_group(store: AlignedStore) -> pd.DataFrame:
    """Faces tried, not found, and the share not found, by gender × ethnicity and in all."""
    keys = _keys(store.faces)
    lost = store.rejects[store.rejects["reason"] == NO_FACE]
    table = pd.DataFrame({"aligned": store.faces.groupby(keys).size(), "not found": lost.groupby(keys).size()})
    table = _with_total(table.fillna(0).astype(int))
    table["share not found"] = (table["not found"] / table.sum(axis=1)).map(lambda share: percent(share, 2))
    return table


def reading_report(reading: Reading, reader: Reader, source: Source) -> str:
    """What would be read, nothing aligned: faces by group and split, and what is rejected, repaired or in disagreement.

    Each reason comes with the number of its files and the first ten of them.
    """
    faces = reading.faces
    lines = [f"{source.path}: {reader.name}, {reader.title}"]
    lines.append(f"{len(faces):,} labelled faces, {len(reading.rejects):,} rejected")
    if reader.aligned:
        lines.append("aligned already: no face is looked for")
    elif reader.border is None:
        lines.append("border before detection: decided from the images when they are aligned")
    else:
        lines.append(f"border before detection: {reader.border:g} % of an image's shorter side")
    if len(faces):
        lines += ["", "Faces by split" if "split" in faces else "Faces (no splits of its own)", _faces(faces), ""]
        lines += gender_lines(faces)
        years = faces["age"].dropna()
        ages = f"{len(years):,} of {len(faces):,}, {years.min()}–{years.max()}" if len(years) else "none"
        lines.append(f"age known: {ages}")
        people = faces["identity"].nunique()
        lines.append(f"people known by identity: {people:,}" if people else "people known by identity: none")
        lines += column_lines(faces, reading.columns)
    if len(reading.otherwise):
        lines.append(f"labelled otherwise, {APART}: {counts_words(label_counts(reading.otherwise))}")
    lines += not_read_lines(source.not_read(reading.faces["path"]))
    lines += reading.remarks
    lines += _by_reason("Rejected", reading.rejects, "reason")
    lines += _by_reason("Repaired", reading.repaired, "repair")
    lines += _by_reason("Disagreements", reading.disagreements, "what")
    return "\n".join(lines)


def not_read_lines(kinds: Mapping[str, int] | None) -> list[str]:
    """How many files are of kinds that are not read, the most frequent kinds first; nothing where that is not known."""
    if kinds is None:
        return []
    examples = ", ".join(f"{count:,} {kind}" for kind, count in list(kinds.items())[:EXAMPLES])
    more = f" and {len(kinds) - EXAMPLES} more kinds" if len(kinds) > EXAMPLES else ""
    return [f"files not read: {sum(kinds.values()):,}" + (f" ({examples}{more})" if kinds else "")]


def _faces(faces: pd.DataFrame) -> str:
    if "split" in faces:
        return by_group(faces, "split").to_string()
    return _with_total(faces.groupby(_keys(faces), observed=True).size().to_frame("all")).to_string()


def _by_reason(title: str, entries: pd.DataFrame, column: str) -> list[str]:
    """A line a reason with its count, the most frequent first, and a line of examples under each."""
    return ["", f"{title}: {len(entries):,}", *_reason_lines(entries, column)]


def _reason_lines(entries: pd.DataFrame, column: str) -> list[str]:
    counts, lines = entries[column].value_counts(), []
    for reason, count in counts[:REASONS].items():
        files = entries.loc[entries[column] == reason, "file"]
        more = f", and {count - EXAMPLES:,} more" if count > EXAMPLES else ""
        lines += [f"  {count:9,}  {reason}", f"{'':13}{', '.join(files[:EXAMPLES])}{more}"]
    rest = counts[REASONS:]
    return [*lines, f"  {rest.sum():9,}  for {len(rest):,} more reasons"] if len(rest) else lines


def store_report(store: AlignedStore) -> str:
    """What was read, repaired, rejected and why, and the faces by group and split."""
    manifest = store.manifest
    lines = [f"{store.path}: {manifest.faces} aligned faces of {manifest.read} files ({manifest.dataset})"]
    lines += [f"  note: {store.unrecorded}"] if store.unrecorded else []
    lines += [f"  repaired  {count:6}  {repair}" for repair, count in manifest.repairs.items()]
    lines += [f"            {entry.file}: {entry.repair}" for entry in manifest.repaired[:EXAMPLES]]
    lines += [f"  rejected  {count:6}  {reason}" for reason, count in manifest.rejects.items()]
    lines += [f"  {line}" for line in not_read_lines(manifest.not_read)]
    lines += [f"  {remark}" for remark in manifest.remarks]
    if manifest.columns_sha256 is not None:
        lines += [f"  {line}" for line in column_lines(store.faces, store.columns)]
    if manifest.otherwise:
        lines.append(f"  labelled otherwise, {APART}: {counts_words(manifest.otherwise)}")
    lines += disagreement_lines(store)
    lines += [f"  {line}" for line in gender_lines(store.faces)]
    reader = READERS.get(manifest.dataset)
    if reader is not None and not reader.find_copies:
        lines.append("  near-copies: not looked for in data sets of this kind")
    else:
        lines.append(f"  near-copies: {manifest.near_copy_clusters} clusters, {_inside(store, 'cluster')}")
    if people := store.faces["identity"].nunique():
        lines.append(f"  people: {people:,}, {_inside(store, 'identity')}")
    lines += [*border_lines(manifest.border), *several_lines(store)]
    lines += ["", "Faces by split", by_group(store.faces, "split").to_string()]
    lines += ["", "Faces not found", not_found_by_group(store).to_string()]
    return "\n".join(lines)


def _inside(store: AlignedStore, column: str) -> str:
    """Whether faces that are one by a column are in one split, as splits are drawn."""
    places = store.faces[[column, "split"]].dropna().drop_duplicates()
    torn = int((places[column].value_counts() > 1).sum())
    if not torn:
        return "each kept inside one split"
    splits = (
        "of the data set's own splits" if store.manifest.own_splits else "split, drawn before mirror images counted"
    )
    return f"{torn:,} of them in more than one {splits}"


def disagreement_lines(store: AlignedStore) -> list[str]:
    """Labels that two places of the data set give differently: counted, with examples; that none is known, or kept."""
    if store.manifest.disagreements is None:
        return ["  label disagreements: not recorded by the version that made this store"]
    table = store.disagreements
    if table.empty:
        return ["  label disagreements: none found"]
    lines = [f"  label disagreements, listed in {store.path / 'disagreements.parquet'}"]
    return lines + _reason_lines(table, "what")


def audit_report(audit: Audit, ages: str = "both", by: list[str] | None = None) -> str:
    """Accuracy with Wilson 95 % intervals over `all` ages, of `adults`, or `both`, these first where ages are known:
    overall, by group, and the gap.

    Groups are of gender × ethnicity, or by the columns `by`.
    """
    lines = _facts_of(audit)
    titles = {"all": ("All ages", Filter()), "adults": ("Adults (18 and older)", Filter(age_from=ADULT_AGE))}
    # The faces to be believed come first: most errors are of infants, where ages are known.
    both = ("adults", "all") if audit.faces["age"].notna().any() else ("all", "adults")
    for title, filter in (titles[name] for name in (both if ages == "both" else (ages,))):
        lines += ["", *_accuracy_lines(audit, title, filter, by)]
    return "\n".join(lines)


def _facts_of(audit: Audit) -> list[str]:
    """What an audit is of, how it was made, and what its numbers do not say: lines over all accuracies."""
    manifest = audit.manifest
    has_speed = manifest.precision and manifest.faces_per_second is not None
    speed = f", {manifest.faces_per_second:.1f} faces/s" if has_speed else ""
    if manifest.precision == "float32" and not manifest.trained_here:
        speed = f", computed in float32{speed}"
    lines = [
        f"{audit.path}: {manifest.faces:,} faces of {manifest.dataset} ({audit.split_words}), "
        + (f"maps {audit.map_shape[0]}×{audit.map_shape[1]} by {audit.map_method}" if audit.has_maps else "no maps")
        + speed
    ]
    if manifest.speed is not None:
        lines.append(f"computed {speed_words(manifest.speed)}")
    elif manifest.precision not in (None, "float32"):
        lines.append(precision_words(manifest))
    if manifest.of_table:
        lines.append(NO_IMAGES)
    if (words := task_words(manifest)) is not None:
        lines.append(words)
    lines += [f"WARNING: {note_words(warning)}" for warning in manifest.notes]
    if factor := manifest.enlarged:
        lines.append(f"the aligned faces were enlarged {factor:.3g} × for the model's input, which adds no detail")
    if placement := audit_placement(audit):
        lines.append(placement)
    if manifest.cells and manifest.averages is None:
        lines.append(cells_words(audit))
    if audit.minimum_faces > MINIMUM_FACES:
        lines.append(f"averages need {audit.minimum_faces} faces")
    if lost := manifest.not_predicted:
        lines.append(
            f"{lost:,} face{'s have' if lost > 1 else ' has'} no prediction and {'are' if lost > 1 else 'is'} left out"
        )
    if (unused := unused_predictions(manifest)) is not None:
        lines.append(unused)
    if (reviewed := review_words(manifest)) is not None:
        lines.append(reviewed)
    if (words := training_copies_words(manifest)) is not None:
        lines.append(words)
    if (words := kept_words(audit)) is not None:
        lines.append(words)
    return lines


def _accuracy_lines(audit: Audit, title: str, filter: Filter, by: list[str] | None) -> list[str]:
    """Accuracy of the faces in a filter, of their groups, and the gap; groups alone where columns are named."""
    faces = audit.passing(filter)
    if faces.empty:
        has_ages = audit.faces["age"].notna().any()
        return [f"{title}: " + ("no face" if has_ages or filter.any_age else "ages are not known")]
    overall = accuracy_by(faces, []).iloc[0]
    lines = [f"{title}: accuracy {with_interval(*overall[['accuracy', 'low', 'high']])}, n = {len(faces):,}"]
    lines += otherwise_lines(audit, filter)
    if by is not None:
        return lines + group_lines(faces, by, audit.columns)
    lines += [f"  {line}" for line in gender_lines(faces)]
    keys = _keys(faces) if gender_known(faces) else labels_known(faces)
    rows = accuracy_by(faces, keys).to_dict("records") if keys else []
    width = max([8, *(len(row["gender"]) + 1 for row in rows if "gender" in row)])
    wide = max([10, *(len(row["ethnicity"]) for row in rows)])
    for row in rows:
        rate = with_interval(row["accuracy"], row["low"], row["high"])
        gender = f"{row['gender']:{width}}" if "gender" in row else ""
        lines.append(f"  {gender}{row['ethnicity']:{wide}}{row['n']:6,}  {rate}")
    pair = extremes(faces)
    lines.append("  " + accuracy_sentence(faces, filter, pair=pair))
    if (words := method_words(recipe_of(audit), filter)) is not None:
        lines.append(f"  {words}")
    if pair is not None and pair.at_equal_ages:
        lines.append(f"  whatever their ages: {gap_words(pair.as_they_are)}")
    lines += [
        line for statistic in group_statistics.GROUP_STATISTICS for line in statistic_lines(statistic, faces, filter)
    ]
    return lines
