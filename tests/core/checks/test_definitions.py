"""A battery over whatever check is registered, and the sentences of each on made numbers of known truth."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command
from core.checks.definitions import CHECKS, PARTS, Category, Check, Direction, Fill, MethodAgreement, Score, View
from core.checks.definitions.deletion import Deletion, Insertion
from core.checks.definitions.orders import OrderCheck
from core.checks.definitions.parameter_randomisation import ParameterRandomisation
from core.checks.definitions.region_occlusion import RegionOcclusion
from core.checks.results import Checks, Part
from core.checks.run import MEASUREMENTS, size_of
from core.checks.stored_words import ANOTHER_FACE, MEASURES, RANK, RANK_OF_MAGNITUDES, STAGES, Agreement, RemovalOrder
from core.explain.regions import REGIONS
from core.present.text.checks import checks_report, result_words, results, sentence, verdicts_sentence
from core.verdicts import CheckVerdict
from tests.helpers.shipped import AUDIT, shipped_or_skip

ALL = "all faces"
EVERYONE = View(ALL)


@pytest.fixture(scope="module")
def shipped() -> Checks:
    from core.audit.folder import open_audit
    from core.checks.results import open_checks

    shipped_or_skip()
    checks = open_checks(open_audit(AUDIT))
    assert checks is not None
    return checks


# --- what every registered check must have ---------------------------------------------------------------------------


def test_no_two_checks_have_one_name_or_title() -> None:
    assert len({check.name for check in CHECKS}) == len({check.title for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_says_what_it_is(check: Check) -> None:
    assert isinstance(check.category, Category)
    assert isinstance(check.direction, Direction)
    assert check.tables
    assert 0 < check.sample_share <= 1
    assert inspect.getdoc(type(check))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_measured_by_one_run_with_one_share_and_can_be_asked_for(
    part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (part in MEASUREMENTS) != (part == MethodAgreement.part)
    assert len({check.sample_share for check in CHECKS if check.part == part}) == 1
    assert size_of(part, 600) <= 600
    with pytest.raises(SystemExit):
        command.main(["check", "--help"])
    assert part in capsys.readouterr().out.replace("│", " ").replace(",", " ").replace(")", " ").split()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_without_its_part_or_for_a_small_group_a_check_says_nothing(check: Check, shipped: Checks) -> None:
    nothing = Checks(Path(), {}, {})
    assert check.result(nothing, EVERYONE) is None
    assert check.clause(nothing, EVERYONE) is None
    assert check.result(shipped, View("a group that is not there")) is None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("fill", Fill)
@pytest.mark.parametrize("score", Score)
def test_a_check_speaks_of_every_stored_group(check: Check, fill: Fill, score: Score, shipped: Checks) -> None:
    for group in shipped.groups:
        result = check.result(shipped, View(group, score, fill))
        if result is None:
            continue
        assert result.title.startswith(check.title)
        assert result.sentence.endswith(".")
        assert "nan" not in result.sentence
        assert (result.verdict is None) == (check.category is Category.AGREEMENT)


def test_report_and_first_sentence_hold_what_each_check_says(shipped: Checks) -> None:
    text = checks_report(shipped, ALL)
    check_results = results(shipped, EVERYONE)
    assert len(check_results) == len(CHECKS)
    for result in check_results:
        assert result_words(result) in text
    for check in CHECKS:
        clause = check.clause(shipped, EVERYONE)
        assert clause is None or clause in sentence(shipped, EVERYONE)
        for table in check.tables:
            head = "-- methods --" if check.part == MethodAgreement.part else f"-- {check.part}: {table}, n = "
            assert head in text
    assert verdicts_sentence(shipped, EVERYONE).count("; ") == len(CHECKS) - 2, "all but what is only described"


# --- the verdicts on made numbers ------------------------------------------------------------------------------------


def checks_with(part: str, **tables: pd.DataFrame) -> Checks:
    return Checks(Path(), {}, {part: Part([(ALL, 100)], {k: t.assign(group=ALL) for k, t in tables.items()}, {})})


def similarity(random: dict[str, tuple[float, float, float]], between_faces: tuple[float, float, float]) -> Checks:
    rows = [
        {"stage": stage, "measure": measure, **dict(zip(("mean", "low", "high"), values, strict=True))}
        for measure in MEASURES
        for stage, values in [
            (ANOTHER_FACE, between_faces),
            *((s, random.get(measure, (0.9, 0.8, 0.95))) for s in STAGES),
        ]
    ]
    return checks_with("randomised", similarity=pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("random", "verdict"),
    [
        ({RANK: (0.0, -0.1, 0.1), RANK_OF_MAGNITUDES: (0.1, 0.0, 0.2)}, CheckVerdict.PASSES),
        ({RANK: (0.0, -0.1, 0.1)}, CheckVerdict.PASSES_IN_PART),
        ({RANK: (0.4, 0.3, 0.55), RANK_OF_MAGNITUDES: (0.1, 0.0, 0.2)}, CheckVerdict.PASSES_IN_PART),
        ({}, CheckVerdict.FAILS),
        ({RANK: (0.4, 0.3, 0.55), RANK_OF_MAGNITUDES: (0.4, 0.3, 0.55)}, CheckVerdict.CANNOT_TELL),
    ],
)
def test_random_weights_must_change_the_map_more_than_another_face_does(random: dict, verdict: CheckVerdict) -> None:
    checks = similarity(random, between_faces=(0.6, 0.5, 0.7))
    result = ParameterRandomisation().result(checks, EVERYONE)
    assert result.verdict is verdict
    changed = random.get(RANK, (0, 0, 1))[2] < 0.5
    assert ("changes the map:" in result.sentence) == changed
    clause = ParameterRandomisation().clause(checks, EVERYONE)
    assert ("hardly changes" in clause) == (random.get(RANK, (0, 1, 0))[1] > 0.7)
    assert ("cannot be told to change" in clause) == (not changed and "hardly" not in clause)


def areas(check: OrderCheck, less: dict[RemovalOrder, tuple[float, float]]) -> Checks:
    rows = [
        {"kind": check.kind, "score": score, "order": order, "less": np.mean(ends), "less_low": ends[0],
         "less_high": ends[1]} for score in Score for order, ends in less.items()
    ]  # fmt: skip
    own = {"kind": check.kind, "score": Score.MARGIN, "order": RemovalOrder.OWN, "less": np.nan}
    return checks_with(check.part, areas=pd.DataFrame([own, *rows]))


def test_deletion_is_better_below_the_controls_and_insertion_above() -> None:
    below = {RemovalOrder.RANDOM: (-2, -1), RemovalOrder.GAUSSIAN: (-2, -1), RemovalOrder.AVERAGE_FACE: (-2.0, -1.0)}
    result = Deletion().result(areas(Deletion(), below), EVERYONE)
    assert result.verdict is CheckVerdict.PASSES
    assert result.sentence == (
        "Deleting what it marks lowers the margin faster than a random order, a centred Gaussian and the average "
        "face's map."
    )
    result = Insertion().result(areas(Insertion(), below), View(ALL, Score.PROBABILITY))
    assert result.verdict is CheckVerdict.FAILS
    assert result.sentence == (
        "Inserting what it marks does not raise the probability faster than a random order, a centred Gaussian or the "
        "average face's map (it is worse than a random order, a centred Gaussian and the average face's map)."
    )


def test_a_map_that_beats_some_controls_passes_in_part_and_the_others_are_named() -> None:
    mixed = {RemovalOrder.RANDOM: (-2, -1), RemovalOrder.GAUSSIAN: (-1, 1), RemovalOrder.AVERAGE_FACE: (1.0, 2.0)}
    checks = areas(Deletion(), mixed)
    result = Deletion().result(checks, EVERYONE)
    assert result.verdict is CheckVerdict.PASSES_IN_PART
    text = (
        "faster than a random order, but not surely than a centred Gaussian, and not than the average face's map (it "
        "is worse than the average face's map)"
    )
    assert result.sentence == f"Deleting what it marks lowers the margin {text}."
    assert Deletion().clause(checks, EVERYONE) == f"deleting what the map marks lowers the margin {text}"
    assert Insertion().clause(checks, EVERYONE) is None


def test_where_no_difference_is_sure_nothing_is_said_of_the_map() -> None:
    """«Does not» is for what is surely not so; an interval about 0 leaves both open."""
    even = dict.fromkeys((RemovalOrder.RANDOM, RemovalOrder.GAUSSIAN, RemovalOrder.AVERAGE_FACE), (-1.0, 1.0))
    result = Deletion().result(areas(Deletion(), even), EVERYONE)
    assert result.verdict is CheckVerdict.CANNOT_TELL
    assert result.sentence == (
        "Whether deleting what it marks lowers the margin faster than a random order, a centred Gaussian or the "
        "average face's map, these faces do not tell."
    )
    worse = even | {RemovalOrder.RANDOM: (1.0, 2.0)}
    result = Deletion().result(areas(Deletion(), worse), EVERYONE)
    assert result.verdict is CheckVerdict.FAILS
    assert result.sentence == (
        "Deleting what it marks does not lower the margin faster than a random order, and not surely than a centred "
        "Gaussian or the average face's map (it is worse than a random order)."
    )


def regions(agreement: dict[Agreement, tuple[float, float, float]], most: str) -> Checks:
    rows = [
        {"fill": Fill.BLUR, "kind": kind, "agreement": ends[0], "agreement_low": ends[1], "agreement_high": ends[2],
         "control": 0.1, "control_low": 0.0, "control_high": 0.2}
        for kind in Agreement for ends in [agreement.get(kind, (-0.1, -0.3, 0.1))]
    ]  # fmt: skip
    costs = [
        {"fill": Fill.BLUR, "region": region, **{f"{name}{end}": float(region == top) for end in ("", "_low", "_high")
         for name, top in (("drop", most), ("evidence", "eyes"))}} for region in REGIONS
    ]  # fmt: skip
    return checks_with("occlusion", agreement=pd.DataFrame(rows), regions=pd.DataFrame(costs))


@pytest.mark.parametrize(
    ("agreement", "verdict", "words"),
    [
        ({Agreement.MEANS: (0.8, 0.5, 0.9), Agreement.EACH_FACE: (0.5, 0.4, 0.6)}, "passes", "costs what"),
        ({Agreement.MEANS: (0.8, 0.5, 0.9)}, "passes in part", "costs only in part what"),
        ({Agreement.MEANS: (0.3, 0.1, 0.9)}, "passes in part", "costs only in part what"),
        ({}, "cannot tell", "cannot be told to cost what"),
        ({Agreement.MEANS: (-0.5, -0.7, -0.1)}, "fails", "does not cost what"),
        ({Agreement.EACH_FACE: (-0.5, -0.7, -0.1)}, "fails", "does not cost what"),
    ],
)
def test_hidden_regions_must_cost_what_the_evidence_says(agreement: dict, verdict: str, words: str) -> None:
    checks = regions(agreement, most="mouth")
    result = RegionOcclusion().result(checks, EVERYONE)
    assert result.title == "Hidden regions, blur"
    assert result.verdict == verdict
    assert result.sentence.startswith(f"Hiding a region (blur) {words} the map's evidence says: rank agreement")
    assert "Most is lost at the mouth" in result.sentence
    clause = RegionOcclusion().clause(checks, EVERYONE)
    assert clause.startswith(f"hiding a region {words} its evidence says (rank agreement")
    assert clause.endswith("most lost at the mouth, most evidence at the eyes)")
    assert RegionOcclusion().clause(regions(agreement, most="eyes"), EVERYONE).endswith("both largest at the eyes)")


def test_methods_are_described_and_not_judged() -> None:
    rows = pd.DataFrame(
        [("GradCAM", 1.0, 1.0, 1.0), ("LayerCAM", 0.7, 0.6, 0.8), ("FEM", 0.1, 0.0, 0.2), ("Flat", *3 * [np.nan])],
        columns=["method", "mean", "low", "high"],
    )
    result = MethodAgreement().result(checks_with("methods/GradCAM", methods=rows), EVERYONE)
    assert result.verdict is None
    assert result.sentence == (
        "GradCAM ranks the cells as the closed form does; of the others, the nearest is LayerCAM at 0.70 [0.60 to "
        "0.80] and least FEM at 0.10 [0.00 to 0.20]."
    )
