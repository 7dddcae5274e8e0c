"""Group accuracies, findings and experiments as plain values."""

from __future__ import annotations

from pathlib import Path

from core.analysis.accuracy.abstention import Abstention
from core.analysis.accuracy.counts import Groups, columns_of, group_counts
from core.analysis.accuracy.fairness import fairness
from core.analysis.accuracy.label_noise import consensus, label_noise
from core.analysis.accuracy.measured_terms import MeasuredTerms
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.power import power_table
from core.analysis.accuracy.regression import regression
from core.analysis.accuracy.repeated import repeated_photographs
from core.analysis.accuracy.simultaneous import LargestGap, gap_of, simultaneous_intervals
from core.analysis.accuracy.tipping import tipping_points
from core.analysis.comparison import Experiment, arm_estimates, arm_table, board, claim_contrast
from core.analysis.comparison.board import BoardModel
from core.analysis.comparison.board_answers import answers
from core.analysis.comparison.catalogue import same_face_audits
from core.analysis.findings import Finding
from core.audit.folder import Audit, open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.records.audits import audit_head
from core.present.records.recipe import recipe_record
from core.present.records.values import filter_record, plain
from core.present.text.abstention import abstention_sentence
from core.present.text.findings import findings_sentence
from core.present.text.plain_findings import plain_words


def _gap_record(gap: LargestGap | None) -> dict | None:
    """The largest gap, chosen by looking and corrected for it."""
    if gap is None:
        return None
    return {
        "best": gap.best["group"],
        "worst": gap.worst["group"],
        **{name: getattr(gap, name) for name in ("difference", "plain", "bias", "corrected", "critical", "pairs")},
        "distinguishable": gap.distinguishable,
        "may_be_as_low": list(gap.as_low),
    }


def gaps_record(
    audit: Audit,
    filter: Filter,
    models: Path,
    threshold: float = 0.5,
    by: list[str] | None = None,
    further: MeasuredTerms | None = None,
) -> dict:
    """Group accuracies with both kinds of interval, tests, regression, faces needed, fairness and label noise.

    Of groups by other columns, `by`, without regression, fairness and label noise, which are of gender and ethnicity.
    `further` is the regression with further terms, where it was asked for.
    """
    filter = filter.narrowed(outcome="all")
    faces = audit.passing(filter)
    exploratory, by = by is not None, by if by is not None else columns_of(faces)
    head = {**audit_head(audit), "filter": filter_record(filter), "faces": len(faces), "by": by}
    if not by:
        return {**head, "groups": [], "label_noise": _noise_record(audit, filter, models, threshold)}
    groups = group_counts(faces, by, threshold, columns=audit.columns)
    every = group_counts(faces, by, threshold, smallest=1, columns=audit.columns)
    if exploratory:
        return {**head, **_bands_record(groups, every)}
    try:
        adjusted, why = plain(regression(faces, threshold)), None
    except LookwhereError as error:
        adjusted, why = None, str(error)
    fairness_measures = fairness(faces, threshold)
    return {
        **head,
        **_bands_record(groups, every),
        "regression": adjusted,
        "no_regression": why,
        **({} if further is None else {"further_terms": plain(further)}),
        "fairness": None if fairness_measures is None else plain(fairness_measures),
        "label_noise": _noise_record(audit, filter, models, threshold),
    }


def _bands_record(groups: Groups, every: Groups) -> dict:
    """Every group with both kinds of interval, the surest gap; of `groups` all tests and the faces that they need."""
    pairs, bands = len(groups.table) * (len(groups.table) - 1) // 2, simultaneous_intervals(every)
    return {
        "largest_gap": _gap_record(gap_of(every)),
        "resampled": bands.resampled,
        "critical": bands.critical,
        "groups": bands.table,
        "not_tested": groups.left_out,
        "left_out": bands.left_out,
        "pairs": pairs_of(groups, "pairs"),
        "against_all_others": pairs_of(groups, "rest"),
        "faces_needed": power_table(groups.table, tests=pairs).set_axis(
            ["group", "n", "accuracy", "needed", "needed_all_tests", "smallest_difference_seen"], axis=1
        ),
    }


def abstention_record(audit: Audit, filter: Filter, by: list[str], one_cutoff: Abstention, equal: Abstention) -> dict:
    """Who gets no answer, with one cutoff for all and with the groups' own for the same share of each."""
    return {
        **audit_head(audit),
        "filter": filter_record(filter),
        "exploratory": True,
        "by": by,
        **{
            name: {**vars(abstention), "sentence": abstention_sentence(abstention)}
            for name, abstention in (("one_cutoff", one_cutoff), ("equal_share", equal))
        },
    }


def _noise_record(audit: Audit, filter: Filter, models: Path, threshold: float) -> dict:
    noise = label_noise(audit, filter, threshold)
    paths = same_face_audits(models, audit)
    shared = consensus([audit, *map(open_audit, paths)])
    copies = repeated_photographs(audit, filter)
    return {
        "faces": noise.n,
        "errors": noise.errors,
        "age_unknown": noise.unaged,
        "repeated_photographs": copies.table,
        "exact_copies_with_other_labels": copies.dropped,
        "tipping_points": tipping_points(audit, filter, threshold),
        "shares": noise.shares,
        "variants": [
            {
                "without": variant.without,
                "n": variant.n,
                "correct": variant.correct,
                "accuracy": variant.correct / variant.n if variant.n else None,
                "groups": variant.groups,
                "largest_gap": _gap_record(variant.gap),
            }
            for variant in noise.variants
        ],
        # Which faces are likely mislabelled is for nobody's output: a face_id may be a person's name.
        "consensus": shared
        and {
            "models": [path.parent.parent.name for path in paths],
            **{name: getattr(shared, name) for name in ("audits", "faces", "errors", "wrong", "likely")},
        },
    }


def findings_record(audit: Audit, filter: Filter, findings: list[Finding]) -> dict:
    """Each claim with its verdict, plain words, sentence, rule and the table of its numbers."""
    keys = ("key", "claim", "verdict", "sentence", "rule", "numbers", "p", "p_holm")
    return {
        **audit_head(audit),
        "filter": filter_record(filter),
        "exploratory": not filter.primary,
        "sentence": findings_sentence(findings, audit.task),
        "recipe": recipe_record(audit, filter),
        "findings": [
            {**{key: getattr(finding, key) for key in keys}, "plain": plain_words(finding)} for finding in findings
        ],
    }


def board_record(models: list[BoardModel], reference: BoardModel, filter: Filter, file: Path) -> dict:
    """The board's tables by data set, and who has evidently seen the faces; accuracies as shares of 0–1."""
    return {
        "file": file,
        "filter": filter_record(filter),
        "models": [{"name": model.name, "title": model.title, "audits": sorted(model.audits)} for model in models],
        "data_sets": {
            data: {
                "summary": plain(board.summary(models, data, filter)),
                "groups": plain(board.accuracy_table(models, data, filter)),
                "paired": plain(board.paired_with(models, reference, data, filter)),
                "answers": plain(answers(models, data, filter)),
            }
            for data in board.DATA_SETS
        },
        "seen": plain(board.seen(models, filter)),
        "maps": {
            model.name: {
                "method": model.maps.method,
                "data_sets": {
                    data: [
                        {"gender": g.gender, "ethnicity": g.ethnicity, "n": g.n, "map": g.mean.round(6).tolist()}
                        for g in groups
                    ]
                    for data, groups in model.maps.groups.items()
                },
            }
            for model in models
            if model.maps is not None
        },
    }


def experiment_record(experiment: Experiment, filter: Filter) -> dict:
    """Arms by seed, means over seeds, and each contrast with its effects and verdict; accuracies as shares of 0–1."""
    faces = experiment.audits(experiment.arms[0].name)[0].faces
    contrasts = []
    for claim in experiment.claims:
        contrast = claim_contrast(experiment, claim, filter)
        own = ("group", "n", "measure", "expect", "verdict", "effects", "paired")
        contrasts.append(
            {
                "name": claim.name,
                "from": claim.start,
                "to": claim.end,
                "question": claim.question,
                **{key: getattr(contrast, key) for key in own},
            }
        )
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "audit": experiment.audit,
        "config": experiment.config,
        "filter": filter_record(filter),
        "faces": int(filter.mask(faces).sum()),
        "arms": experiment.arms,
        "accuracies": arm_table(experiment, filter),
        "means": arm_estimates(experiment, filter),
        "contrasts": contrasts,
    }
