"""Label noise in words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.analysis.accuracy.label_noise import Consensus, consensus, label_noise
from core.analysis.accuracy.repeated import Repeated, repeated_photographs
from core.analysis.accuracy.tipping import tipping_points
from core.analysis.comparison.catalogue import same_face_audits
from core.audit.folder import Audit, open_audit
from core.data.filters import Filter
from core.present.text.gaps import gap_words, share_words
from core.present.text.tipping import tipping_report
from core.task import GENDER, Task, task_of
from core.wording import percent, with_interval

CIRCULAR = (
    "Likely mislabels are judged by the model's own confidence, which is circular: a model biased against a group "
    "calls its own errors there mislabels. Their share is an upper bound, and a gap that vanishes without them proves "
    "nothing."
)

UNSEEN = "Near-copies are not told: a table has no images to tell them by."

DECISIONS = (
    "The scores are mere decisions: likely mislabels, which a model's own confidence would tell, are not looked for."
)


def repeated_words(copies: Repeated, task: Task = GENDER) -> str:
    """What copies of one photograph say of the labels, in two to four sentences."""
    if copies.wrong is None:
        return "Too few photographs occur more than once here to see label errors by."
    row, least = copies.table.iloc[0], copies.wrong
    if not copies.by_face:
        return (
            f"{row['photographs']:,} groups of images here are near-copies by their hashes alone, and hashes also join "
            f"different people before one backdrop; in {row['differ']:,} of them labels disagree on the {task.kind}, "
            f"{with_interval(row['share'], row['low'], row['high'])}. How many labels are wrong is not told by that: "
            "`python -m core gaps --data STORE` asks the aligned faces which are one photograph."
        )
    text = (
        f"{row['photographs']:,} photographs occur more than once here; the copies of {row['differ']:,} disagree on "
        f"the {task.kind}, {with_interval(row['share'], row['low'], row['high'])}. So at least "
        f"{with_interval(least.value, least.low, least.high)} of their labels are wrong, and as much of an accuracy "
        "may be the labels' error: «incorrect» is «disagrees with the label». Copied photographs are no random sample."
    )
    if copies.dropped:
        text += f" Of the whole data set {copies.dropped:,} exact copies with different labels were left out before."
    return text


#: What the columns of `Repeated.table` are called on the page.
REPEATED_HEADS = {
    "differ": "labels disagree",
    "share": "share that disagrees",
    "low": "share, low",
    "high": "share, high",
    "wrong": "labels wrong at least",
    "wrong_low": "labels wrong, low",
    "wrong_high": "labels wrong, high",
}


def repeated_table(copies: Repeated) -> tuple[pd.DataFrame, list[str]]:
    """What copies of one photograph say of the labels by group, columns in words, and which of these are shares."""
    shares = ("share", "low", "high", "wrong", "wrong_low", "wrong_high")
    return copies.table.rename(columns=REPEATED_HEADS), [REPEATED_HEADS[name] for name in shares]


def consensus_words(consensus: Consensus | None, names: list[str]) -> str:
    """What several models agree to be wrong, in two sentences; `names` of the other models."""
    if consensus is None:
        return "Models trained apart on the same faces would make this less circular; there is no other one here."
    return (
        f"{consensus.audits} models ({', '.join(names)} and this one) share {consensus.faces:,} faces: each errs on "
        f"{consensus.errors:.0f} on average, all of them on {consensus.wrong:,}, and all confidently on "
        f"{consensus.likely:,}. Those are the likelier mislabels, or faces hard for any such model."
    )


def noise_report(audit: Audit, filter: Filter | None = None, threshold: float = 0.5, models: Path | None = None) -> str:
    """All numbers of `label_noise` as plain text, and with `models` the consensus of models on the same faces."""
    noise = label_noise(audit, filter, threshold)
    lines = [f"Label noise and leaks, {(filter or Filter()).describe()}: {noise.errors:,} errors in {noise.n:,} faces"]
    for row in noise.shares.to_dict("records"):
        lines.append(f"  {row['where']:20}{share_words(row)}")
    if not noise.searched:
        lines.append(f"  {UNSEEN}")
    if noise.unaged:
        lines.append(f"  age unknown of {noise.unaged:,} faces, which are in no count of children")
    lines += ["", "The largest gap without them"]
    for variant in noise.variants:
        rate = percent(variant.correct / variant.n) if variant.n else "none"
        lines.append(f"  {variant.without:26}n = {variant.n:6,}  accuracy {rate}  {gap_words(variant.gap)}")
    names = list(dict.fromkeys(name for variant in noise.variants for name in variant.groups["group"]))
    lines += ["", "Accuracy (faces) by group: " + "; ".join(variant.without for variant in noise.variants)]
    for name in names:
        cells = []
        for variant in noise.variants:
            row = variant.groups[variant.groups["group"] == name]
            cells.append(f"{percent(row['accuracy'].iloc[0])} ({row['n'].iloc[0]:,})" if len(row) else "none")
        lines.append(f"  {name:24}" + "".join(f"{cell:>16}" for cell in cells))
    copies = repeated_photographs(audit, filter)
    if noise.searched:
        sentence = repeated_words(copies, task_of(audit.faces))
        lines += ["", "Label error, by photographs that occur more than once", f"  {sentence}"]
    for row in copies.table.iloc[1:].to_dict("records") if copies.by_face else ():
        lines.append(
            f"  {row['group']:24}{row['differ']:,} of {row['photographs']:,} differ, at least "
            f"{with_interval(row['wrong'], row['wrong_low'], row['wrong_high'])} of labels wrong"
        )
    lines += ["", *tipping_report(tipping_points(audit, filter, threshold), task_of(audit.faces))]
    lines += ["", DECISIONS if noise.decisions else CIRCULAR]
    if models is not None and not noise.decisions:
        paths = same_face_audits(models, audit)
        several = consensus([audit, *map(open_audit, paths)])
        lines.append(consensus_words(several, [path.parent.parent.name for path in paths]))
        if several and filter not in (None, Filter()):  # models are compared on every face that they share
            lines[-1] += " These are faces of every kind and age."
    return "\n".join(lines)
