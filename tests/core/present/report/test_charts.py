"""Page and report draw one chart: what the report's sections hold is what the pages' builders make of the study."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.group_statistics import GROUP_STATISTICS
from core.analysis.accuracy.simultaneous import simultaneous_intervals
from core.analysis.comparison import experiment_for
from core.analysis.findings import Finding, all_findings
from core.analysis.findings.maps import PLACES
from core.analysis.maps.region_evidence import waterfall
from core.audit.folder import Audit, open_audit
from core.checks.results import open_checks
from core.data.filters import Filter
from core.present.card import Section
from core.present.figures.chart_data import BarChart, IntervalChart
from core.present.figures.charts import accuracy_dots
from core.present.figures.evidence import waterfall_chart
from core.present.figures.findings import density_dots, effect_dots, mean_shapes
from core.present.figures.gaps import simultaneous_dots
from core.present.figures.plotly_charts import figure_of
from core.present.report.accuracy import accuracy_section
from core.present.report.blocks import Chart, PageImages
from core.present.report.findings import findings_section
from core.present.report.gaps import gaps_section
from core.present.report.maps import evidence_section
from core.present.text.sentences import row_name
from core.wording import capital
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

ADULTS = Filter(age_from=18)


@pytest.fixture(scope="module")
def audit() -> Audit:
    shipped_or_skip()
    return open_audit(AUDIT)


@pytest.fixture(scope="module")
def findings(audit: Audit) -> dict[str, Finding]:
    experiment = experiment_for(MODEL.parent, audit)
    return {finding.key: finding for finding in all_findings(audit, ADULTS, open_checks(audit), experiment)}


def drawn(part: Section) -> list[Chart]:
    return [block for block in part.blocks if isinstance(block, Chart)]


def numbers(chart: IntervalChart | BarChart) -> list:
    """All that is drawn of a chart of rows; NaN as text, since none equals another."""
    return [
        (row.name, row.words, [(m.series, str(m.value), str(m.low), str(m.high)) for m in row.marks])
        for row in chart.rows
    ]


def test_accuracies(audit: Audit) -> None:
    faces = audit.faces[ADULTS.mask(audit.faces)]
    crossed, banded, *statistics = drawn(accuracy_section(faces, ADULTS))
    overall = float(accuracy_by(faces, []).iloc[0]["accuracy"])
    table = accuracy_by(faces, ["gender", "ethnicity"])
    names = [capital(row_name(row)) for row in table.to_dict("records")]
    page = accuracy_dots(table, names, list(table["gender"]), overall)
    assert numbers(crossed.data) == numbers(page)
    assert crossed.data.reference == page.reference == overall
    assert len(crossed.data.rows) == 10
    ages = accuracy_by(faces, ["age band"])
    page = accuracy_dots(ages, [f"{band} years" for band in ages["age band"]], None, overall)
    assert numbers(banded.data) == numbers(page)
    assert [block.data.title for block in statistics] == [f"{s.title} by group" for s in GROUP_STATISTICS]


def test_simultaneous_intervals(audit: Audit) -> None:
    faces = audit.faces[ADULTS.mask(audit.faces)]
    (block,) = drawn(gaps_section(faces, ADULTS))
    assert numbers(block.data) == numbers(
        simultaneous_dots(simultaneous_intervals(group_counts(faces, ["gender", "ethnicity"])).table)
    )


def test_the_waterfalls_steps(audit: Audit) -> None:
    (block,) = drawn(evidence_section(audit, ADULTS))
    best, worst = (ADULTS.narrowed(gender=(g,), ethnicity=("Black",)) for g in ("male", "female"))
    page = waterfall_chart(waterfall(audit, best, worst), "A", "B")
    steps = [row for row in page.rows if row.name not in ("A", "B")]
    assert numbers(block.data) == numbers(page.lengths())
    first = [[(row.name, row.marks[0].value) for row in rows] for rows in (block.data.rows, steps)]
    assert first[0] == first[1]


def test_the_findings(audit: Audit, findings: dict[str, Finding]) -> None:
    part = findings_section(list(findings.values()), experiment_for(MODEL.parent, audit), ADULTS)
    charts = drawn(part)
    page = [simultaneous_dots(findings[key].numbers) for key in ("1a", "1b")]
    page.append(density_dots(findings["2"].numbers, PLACES))
    for key in ("4", "5"):
        table = findings[key].numbers
        page += [effect_dots(table[table["contrast"] == claim.name]) for claim, _ in findings[key].result.contrasts]
    assert [numbers(block.data) for block in charts] == [numbers(chart) for chart in page]
    shapes = mean_shapes(findings["3"].result.pattern)
    (block_of_images,) = [block for block in part.blocks if isinstance(block, PageImages)]
    assert block_of_images == PageImages.from_chart(shapes, 224)


def test_the_page_hands_the_browser_the_same_numbers(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.shell.open_audit.MODELS", MODEL.parent)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    app.query_params["adults"] = "true"
    app.switch_page(str(ROOT / "pages/accuracy.py"))
    app.run()
    assert not app.exception
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    crossed = drawn(accuracy_section(audit.faces[ADULTS.mask(audit.faces)], ADULTS))[0].data
    expected = json.loads(figure_of(crossed).to_json())
    names = expected["layout"]["yaxis"]["ticktext"]
    (spec_of_page,) = [spec for spec in specs if spec["layout"]["yaxis"].get("ticktext") == names]
    assert spec_of_page["data"] == expected["data"]
    assert len(spec_of_page["data"]) == 2
