"""The report's maps: the study's grid, tested differences, evidence by region, and what the checks said."""

from __future__ import annotations

import pandas as pd
from PIL import Image

from core.analysis.accuracy.counts import columns_of
from core.analysis.accuracy.extremes import extremes
from core.analysis.maps.differences import MapDifference, difference_of, incorrect_less_correct
from core.analysis.maps.group_means import Group, study_grid
from core.analysis.maps.region_evidence import TOLERANCE, Waterfall, additivity, waterfall
from core.analysis.maps.sides import LEVEL, PERMUTATIONS
from core.analysis.strata import equal_ages
from core.audit.drawn import drawn_words
from core.audit.folder import Audit
from core.audit.notes import note_words
from core.checks.definitions import CheckResult, View
from core.checks.results import Checks, closed_to_layers
from core.data.filters import Filter
from core.present.card import Heading, Section, Table, Text, section
from core.present.card.sections import maps_words
from core.present.figures import raster
from core.present.figures.differences import difference_maps
from core.present.figures.evidence import margin_title, waterfall_chart
from core.present.report.blocks import Chart, Grid, PageImage, PageImages, Pair, Scale, Side, Verdict, data_uri
from core.present.text.checks import results
from core.present.text.evidence import waterfall_sentence
from core.present.text.placement import sides_words
from core.present.text.sentences import hottest_place, pair_names, pair_rate, target_words
from core.task import Task
from core.template import SIDE
from core.wording import capital, percent, signed, signed_interval

#: As the study showed it: why the model decided as it did, strength kept.
TARGET, NORMALISATION = "predicted", "raw"
NO_MAPS = "Only predictions were audited, so there are no maps: nothing is said of where this model looks."
NO_FACE = "no average face is stored for these ages"
OUTSIDE = "Chin and long hair lie outside the aligned crop."
OTHER_GENDER = "The two were mostly given different classes, so evidence for different classes is compared."
METHOD = (
    f"Cells that survive are outlined, others hatched. Tests by the largest |t| over the cells, family-wise "
    f"{percent(LEVEL, 0)}, {PERMUTATIONS:,} bootstrap samples, seed 0. A shape is a face's map of evidence for its "
    "class over the other, without its strength."
)


def grid_section(audit: Audit, filter: Filter) -> Section:
    """The study's grid of pairs on one scale; nothing of fewer faces than the audit's minimum."""
    title, without = _grid_title(audit), faces_absent(audit)
    if without and not audit.has_maps:
        return section("grid", title, [Text(without), Text(NO_MAPS)])
    grid = study_grid(audit, filter, TARGET, NORMALISATION)
    limit = raster.shared_limit([g.map for column in ("correct", "incorrect") for g in grid[column]])
    hidden = withheld(grid)
    pairs, minimum = [], audit.minimum_faces
    for n, (row, pair_name) in enumerate(zip(grid.itertuples(), pair_names(grid, filter.ethnicity), strict=True)):
        name = capital(pair_name)
        sides = tuple(
            _side(audit, group, tag, limit, (n, column) in hidden)
            for column, tag, group in (("correct", "correct", row.correct), ("incorrect", "incorrect", row.incorrect))
        )
        total = row.correct.n + row.incorrect.n
        if total < minimum:  # a split of so few is of single faces
            why = None if without else _too_few(minimum), _too_few(minimum) if audit.has_maps else None
            sides = tuple(Side(side.tag, None, *why) for side in sides)
        few = f"{total:,} faces: too few"
        pairs.append(Pair(name, pair_rate(row.correct.n, row.incorrect.n) if total >= minimum else few, sides))
    need = f"Averages need {minimum} faces."
    if not audit.has_maps:
        text = f"The average face, correct and incorrect predictions apart. {need}"
        return section("grid", title, [Text(text), Grid(tuple(pairs)), Text(NO_MAPS)])
    how = f" ({audit.map_method})" if audit.map_method not in audit.map_words else ""
    words = capital(target_words(TARGET, audit.map_words, audit.task))
    text = (
        "Each card is of a group: its average face where there is one, and its average heatmap, in which bright places "
        f"speak most for the model's answer. {words}{how}, correct and incorrect predictions apart, all on one scale. "
        f"{need}"
    )
    scale = Scale(
        data_uri(raster.colour_bar()), "none 0", f"{limit:.3g} strongest", f"{audit.map_units}, mean over faces"
    )
    reading = Text(f"{audit.method.reading} {OUTSIDE} {sides_words(audit)}", quiet=True)
    return section("grid", title, [Text(text), Text(without) if without else None, Grid(tuple(pairs)), scale, reading])


def _grid_title(audit: Audit) -> str:
    if not audit.has_maps:
        return "Average face, correct and incorrect"
    if faces_absent(audit):
        return f"Average {audit.map_words}, correct and incorrect"
    return f"Average face beside average {audit.map_words}"


def faces_absent(audit: Audit) -> str | None:
    """Why an audit has no average face at all; None where it has some."""
    if why := audit.manifest.averages:
        return f"There is no average face here: {note_words(why).rstrip('.')}."
    return None if len(audit.averages.cells) else "This audit keeps no average face."


def withheld(grid: pd.DataFrame) -> set[tuple[int, str]]:
    """(row, outcome) of a gender's map over all ethnicities which, less those shown of its ethnicities, would leave the
    mean map of too few faces."""
    hidden = set()
    for n, row in grid[grid["ethnicity"] == ""].iterrows():
        parts = grid[(grid["gender"] == row["gender"]) & (grid["ethnicity"] != "")]
        for outcome in ("correct", "incorrect"):
            faces_shown = sum(group.n for group in parts[outcome] if not group.too_small)
            if 0 < row[outcome].n - faces_shown < row[outcome].minimum:
                hidden.add((n, outcome))
    return hidden


def _too_few(minimum: int) -> str:
    return f"too few: averages need {minimum}"


def _side(audit: Audit, group: Group, tag: str, limit: float, hidden: bool) -> Side:
    faces, maps = faces_absent(audit) is None, audit.has_maps
    if group.too_small:
        why = "none" if group.n == 0 else f"{group.n} {_too_few(group.minimum)}"
        return Side(tag, group.n, why if faces else None, why if maps else None)
    name = capital(group.name)
    face: PageImage | str = NO_FACE
    if group.face is not None:
        face = (data_uri(Image.fromarray(group.face)), f"Average face: {name}", f"face, mean of {group.face_n:,}")
    cam: PageImage | str = f"not shown: with the maps below it, one could work out that of under {group.minimum} faces"
    if maps and not hidden:
        words, painted_map = audit.map_words, raster.paint(group.map, limit, False, SIDE, group.placement)
        cam = (data_uri(painted_map), f"Average {words}: {name}", f"{words}, mean of {group.n:,}")
    return Side(tag, group.n, face if faces else None, cam if maps else None)


def extreme_filters(faces: pd.DataFrame, filter: Filter) -> tuple[Filter, Filter] | None:
    """Filters of the surely worst and the surely best group; None where there are not two."""
    by = [column for column in columns_of(faces) if column != "age band"]
    pair = extremes(faces, by=tuple(by)) if by else None
    if pair is None:
        return None
    worst, best = (filter.narrowed(**{column: (row[column],) for column in by}) for row in (pair.worst, pair.best))
    return worst, best


def differences_section(audit: Audit, filter: Filter) -> Section:
    """Worst against best group, as they are and at equal ages, also of one gender; wrong against right by shape."""
    title = "Differences of the maps"
    if not audit.has_maps:
        return section("differences", title, [Text(NO_MAPS)])
    faces = audit.passing(filter)
    blocks: list = []
    pair = extreme_filters(faces, filter)
    if pair is None:
        blocks.append(Text("There are no two groups, so no worst group is compared with a best one."))
    else:
        blocks += [Heading("Worst group less best group"), *_worst_less(audit, *pair)]
    if pair is not None and pair[0].gender != pair[1].gender and pair[0].ethnicity:
        blocks.append(Text(OTHER_GENDER, quiet=True))
        same = extreme_filters(faces[faces["gender"].isin(pair[0].gender)], filter.narrowed(gender=pair[0].gender))
        if same is not None and same[0].ethnicity:
            blocks += [Heading("The same within one gender"), *_worst_less(audit, *same)]
    both = len(set(audit.task.truth(audit.faces))) > 1
    shapes = incorrect_less_correct(audit, filter, same_decision=both)
    kind = "of the same class and |margin|" if both else "of the same |margin|"
    blocks.append(Heading("Incorrect less correct predictions"))
    blocks += _compared(
        [shapes],
        [f"Incorrect less correct predictions {kind}, by shape"],
        "red where incorrect ones lean more",
        audit.minimum_faces,
    )
    return section("differences", title, [*blocks, Text(METHOD, quiet=True)])


def _worst_less(audit: Audit, worst: Filter, best: Filter) -> list:
    """The tested difference at equal ages where they are known, and of the faces as they are."""
    ages = equal_ages(audit.faces, *(f.mask(audit.faces) for f in (worst, best)))
    differences = [
        difference_of(audit, worst, best, TARGET, NORMALISATION, adjust) for adjust in dict.fromkeys([ages, ()])
    ]
    names = [f"{capital(worst.describe())} less {best.describe()}", "The same, the ages as they are"]
    return _compared(
        differences, names, "red where the first has more evidence, blue where the second has more", audit.minimum_faces
    )


def _compared(differences: list[MapDifference], names: list[str], colours: str, minimum: int) -> list:
    """Images of tested differences on one scale under their verdicts."""
    panels = [(d, name) for d, name in zip(differences, names, strict=False) if not _few(d, minimum)]
    maps = difference_maps(
        [d for d, _ in panels],
        [f"{name}. {_numbers(d)}" for d, name in panels],
        [f"Difference of average maps: {name}" for _, name in panels],
        colours,
    )
    return [*(Text(d.verdict) for d in differences), PageImages.from_chart(maps, 2 * SIDE) if panels else None]


def _few(difference: MapDifference, minimum: int) -> bool:
    return min(difference.n_a, difference.n_b) < minimum


def _numbers(difference: MapDifference) -> str:
    text = f"n = {difference.n_a:,} and {difference.n_b:,}"
    if sum(difference.left_out):
        text += f", {sum(difference.left_out):,} without a counterpart left out"
    if not difference.abstained:
        size = difference.effect * difference.significant if difference.differs else difference.effect
        text += f"; largest at the {hottest_place(size, difference.placement)}"
    return text + "."


def evidence_section(audit: Audit, filter: Filter) -> Section:
    """From the best group's mean margin to the worst's, region by region, where the maps add up."""
    title = "Evidence by region"
    if not audit.has_maps:
        return section("evidence", title, [Text(NO_MAPS)])
    if not audit.additive:
        why = f"Maps by {audit.map_method} do not add up to the logits, so the margin cannot be divided by region."
        return section("evidence", title, [Text(why)])
    pair = extreme_filters(audit.passing(filter), filter)
    if pair is None:
        return section("evidence", title, [Text("There are no two groups, so no evidence by region is compared.")])
    worst, best = pair
    steps, words = waterfall(audit, best, worst), drawn_words(audit, best, worst)
    sample = [Text(words)] if words else []
    largest = float(additivity(audit)["difference"].abs().max())
    adds = "within" if largest <= TOLERANCE else "NOT within"
    sums = f"Σ regions + bias equal the mean margin to {largest:.1e} in every group, {adds} {TOLERANCE:g}."
    return section(
        "evidence",
        title,
        [Text(waterfall_sentence(steps)), *sample, *_evidence_blocks(steps, audit.task), Text(sums, quiet=True)],
    )


def _evidence_blocks(steps: Waterfall, task: Task) -> list:
    cells = tuple(
        (row["region"], signed(row["a"]), signed(row["b"]), signed_interval(row["difference"], row["low"], row["high"]))
        for row in steps.table.to_dict("records")
    )
    ends = steps.ends["margin"]
    total = signed_interval(*steps.ends.loc["b − a"])
    cells += (("mean margin (with the bias)", signed(ends["a"]), signed(ends["b"]), total),)
    a, b = capital(steps.a.describe()), steps.b.describe()
    title = f"From {a} (n = {steps.n_a:,}) to {b} (n = {steps.n_b:,})"
    note = f"By how much each region moves the {margin_title(task)}; 95 % bootstrap intervals."
    return [
        Chart.from_chart(waterfall_chart(steps, a, capital(b), title, note, task)),
        Table(("region", "first", "second", "second − first"), cells, "lrrr", title),
    ]


def checks_section(audit: Audit, checks: Checks | None, command: str) -> Section:
    """Each check's verdict, of all faces that were sampled; or the command that makes them."""
    title = "Explanation checks"
    if not audit.has_maps:
        return section("checks", title, [Text(NO_MAPS)])
    if checks is None or not checks.groups:
        return section(
            "checks", title, [Text(f"The maps of this audit have not been checked. This does it: {command}")]
        )
    group, manifest = checks.groups[0], checks.manifest
    note = f"For {group}, all ages: a sample of {manifest.sample:,}, seed {manifest.seed}, {manifest.precision}." + (
        "" if manifest.finished else " These checks were stopped before they were done."
    )
    blocks = [_result(result) for result in results(checks, View(group))]
    blocks += [Text(why)] if (why := closed_to_layers(audit)) else []
    return section("checks", title, [Text(maps_words(audit)), *blocks, Text(note, quiet=True)])


def _result(result: CheckResult) -> Verdict | Text:
    if result.verdict is None:
        return Text(result.sentence)
    return Verdict(result.title, result.verdict, result.verdict.tone, result.sentence)
