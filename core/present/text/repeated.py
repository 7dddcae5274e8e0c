"""The study and its repetition, in words: what came back of the original's figures and claims, and what did not."""

from __future__ import annotations

import pandas as pd

from core.analysis.findings.repeated import (
    Repeated,
    Repeats,
    claims_by_seed,
    claims_table,
    findings_by_seed,
    hiding_by_model,
    seven_figures,
)
from core.analysis.original_study import STUDY, figure_name
from core.checks.definitions.words import listed
from core.data.filters import Filter
from core.present.text.credits import credit, data_set_title
from core.present.text.plain_findings import plain_words
from core.present.text.training_copies import training_copies_words
from core.wording import bounds, counted, percent

CAUTION = (
    "The data sets differ from the original's in size, ages, cameras and annotators, so a figure that does not come "
    "back refutes nothing there. White stands beside Caucasian and Black beside African-American; near is not the "
    "same. Labels are perceived gender and ethnicity."
)
INTERVAL = (
    "The intervals hold the spread over networks and over faces, 95 %: the hull of Student's over networks and of "
    "networks and faces resampled together."
)
ONE = "There is one network so far: the interval is Wilson's, of faces alone, and says nothing of other seeds."


def interval_words(study: Repeated) -> str:
    """What the intervals are of."""
    return INTERVAL if study.seeds > 1 else ONE


def networks(study: Repeated) -> str:
    """«3 networks», or «1 network»."""
    return counted(study.seeds, "network")


def test_title(study: Repeated, test: str, filter: Filter | None = None) -> str:
    """«adult faces of FairFace»; another filter in its own words."""
    title = data_set_title(study.experiment.on(test).audits(study.arm)[0].manifest.dataset)
    if filter is None or filter == study.adults(test):
        return f"{'all' if study.adults(test).any_age else 'adult'} faces of {title}"
    return f"{title}, {filter.describe()}"


def protocol(study: Repeated, test: str) -> list[tuple[str, str, str]]:
    """The three-set protocol: a row each of training, validation and test, with the original's data and ours."""
    data, audit = study.info.data, study.experiment.on(test).audits(study.arm)[0]
    genders: dict[str, int] = {}
    for group in data.train_groups:
        genders[group.gender] = genders.get(group.gender, 0) + group.faces
    balance = ", ".join(f"{n:,} {gender}" for gender, n in genders.items())
    copies = f"; {data.validation_copies:,} copies of training faces left out" if data.validation_copies else ""
    adults = int(study.adults(test).mask(audit.faces).sum())
    years = "" if study.adults(test).any_age else " of adults"
    return [
        ("Train", STUDY["train"], f"{data_set_title(data.dataset)}: {data.faces['train']:,} faces ({balance})"),
        (
            "Validate",
            STUDY["validate"],
            f"{_validation(study)}: {data.faces['val']:,} faces{copies}; "
            f"{percent(study.info.validation.val_accuracy)} right in the first network's kept epoch",
        ),
        ("Test", STUDY["test"], f"{data_set_title(audit.manifest.dataset)}: {adults:,} faces{years}"),
    ]


def copies_words(study: Repeated, test: str) -> str:
    """What came of looking the tested faces up among those that the first network was trained on."""
    words = training_copies_words(study.experiment.on(test).audits(study.arm)[0].manifest)
    return words or "Whether a tested face is a copy of a training face, nobody has looked up."


def headline(study: Repeated, test: str, table: pd.DataFrame) -> str:
    """For whom the original and the repetition differ most from each other and within."""
    own = table.set_index("figure")
    women, men = (own.loc[figure_name(gender, "African-American")] for gender in ("female", "male"))
    start = f"On {test_title(study, test)}, {networks(study)} trained on {data_set_title(study.info.data.dataset)}"
    if not women["n"] or not men["n"]:
        row = own.loc["all"]
        return f"{start} {_verb(study)} right for {_ours(row)}; the original says {percent(row['original'], 0)}."
    return (
        f"{start} {_verb(study)} right for {_ours(women)} of {women['n']:,} Black women and for {_ours(men)} of "
        f"{men['n']:,} Black men; the original says {percent(women['original'], 0)} and {percent(men['original'], 0)}."
    )


def outcome(table: pd.DataFrame) -> str:
    """What comes back and what does not, as plainly the one as the other."""
    parts = []
    for kind, words in (
        (Repeats.YES, "within our interval"),
        (Repeats.HIGHER, "where ours is surely higher"),
        (Repeats.LOWER, "where ours is surely lower"),
        (Repeats.UNKNOWN, "of no group here"),
    ):
        names = table.loc[table["repeats"] == kind, "figure"].tolist()
        if names:
            parts.append(f"{len(names)} {words} ({', '.join(names)})")
    return f"Of the original's {len(table)} figures: {'; '.join(parts)}."


def plain_claims(study: Repeated, test: str) -> pd.DataFrame:
    """`claims_by_seed` with a column `plain`: what came out in plain words, None where there are none for it."""
    findings = findings_by_seed(study, test)
    return claims_table(findings).assign(plain=[plain_words(finding) for _, _, finding in findings])


def claims_summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row a claim: key, claim, and how many networks bear which verdict («supported: 3»)."""
    rows = []
    for (key, claim), group in table.groupby(["key", "claim"], sort=False):
        counts = group["verdict"].value_counts(sort=False)
        rows.append((key, claim, ", ".join(f"{verdict}: {n}" for verdict, n in counts.items())))
    return pd.DataFrame(rows, columns=["key", "claim", "verdicts"])


def hiding_words(study: Repeated, test: str) -> str:
    """Of which networks nobody has measured what claim 2 rests on; empty where it was measured of each."""
    measured = hiding_by_model(study, test)
    missing = {str(place): model for place, (model, there) in enumerate(measured.items(), 1) if not there}
    if not missing:
        return ""
    if len(missing) == len(measured):
        words = "of no network was that measured on this data set, so none can tell."
    elif len(missing) == 1:
        words = f"of network {listed([*missing])} that was not measured, so it cannot tell."
    else:
        words = f"of networks {listed([*missing])} that was not measured, so they cannot tell."
    if not any((study.path / model / "model.safetensors").is_file() for model in missing.values()):
        words += " Measuring needs a network's weights, which are not here."
    return f"Claim 2 rests on what hiding regions costs; {words}"


def repeated_report(study: Repeated) -> str:
    """Every number as text: protocol, seven figures and claims, by data set."""
    lines = [f"{study.experiment.title}: {networks(study)}; {study.experiment.config}"]
    for test in study.tests:
        table = seven_figures(study, test)
        lines += ["", headline(study, test, table), outcome(table), ""]
        lines += [f"  {name:<9} {ours} (original: {original})" for name, original, ours in protocol(study, test)]
        lines += [f"  {copies_words(study, test)}"]
        lines += ["", f"  {'':<24} {'original':>8}  {'ours':>6}  {'interval':<16} {'spread':>6}  {'n':>5}  by network"]
        for row in table.itertuples():
            if not row.n:
                lines.append(f"  {row.figure:<24} {percent(row.original, 0):>8}  {row.repeats}")
                continue
            seeds = "  ".join(f"{100 * value:5.1f}" for value in row.by_seed)
            spread = f"{100 * row.spread:6.1f}" if row.spread == row.spread else f"{'–':>6}"
            lines.append(
                f"  {row.figure:<24} {percent(row.original, 0):>8}  {100 * row.mean:6.1f}  "
                f"{f'[{bounds(100 * row.low, 100 * row.high)}]':<16} {spread}  {row.n:>5,}  {seeds}   {row.repeats}"
            )
        lines.append("")
        lines += [
            f"  claim {row.key}, {row.claim}: {row.verdicts}"
            for row in claims_summary(claims_by_seed(study, test)).itertuples()
        ]
        if words := hiding_words(study, test):
            lines.append(f"  {words}")
    lines += ["", f"{interval_words(study)} {CAUTION}"]
    return "\n".join(lines)


def credits_of(study: Repeated) -> list[str]:
    """Who made each data set, and on what terms."""
    tested = [study.experiment.on(test).audits(study.arm)[0].manifest.dataset for test in study.tests]
    validated = study.experiment.validation or study.info.data.validation_dataset
    names = dict.fromkeys([study.info.data.dataset, validated, *tested])
    return [words for name in names if (words := credit(name))]


def _validation(study: Repeated) -> str:
    return data_set_title(study.experiment.validation or study.info.data.validation_dataset)


def _verb(study: Repeated) -> str:
    return "is" if study.seeds == 1 else "are on average"


def _ours(row: pd.Series) -> str:
    return f"{percent(row['mean'])} [{bounds(100 * row['low'], 100 * row['high'])}]"
