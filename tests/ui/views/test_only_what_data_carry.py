"""Tables of mere decisions and audits without averages: nothing is shown that such data cannot carry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.group_statistics import GROUP_STATISTICS, statistic_table
from core.analysis.accuracy.label_noise import MISLABELS, consensus, label_noise
from core.analysis.single_faces import FaceOrder, ordered, orders
from core.audit.doubts import doubts, mere_decisions
from core.audit.folder import Audit
from core.audit.notes import NoteCode
from core.data.filters import Filter
from core.files import write_json
from core.present.card.failures import known_failures
from core.present.report import report_of
from core.present.text.faces import faces_sentence
from core.present.text.label_noise import DECISIONS, noise_report
from core.present.text.tables import audit_report
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import headline, opened, page, text

WORDS = "mere decisions"


def with_scores(faces: pd.DataFrame, female: float, male: float, also: dict[int, float] | None = None) -> pd.DataFrame:
    """Faces whose margin is one number for each class that is called; `also` gives some rows another."""
    margin = np.where(faces["predicted"] == "female", female, -male).astype(float)
    for row, value in (also or {}).items():
        margin[row] = value
    return faces.assign(logit_female=margin / 2, logit_male=-margin / 2, p_male=1 / (1 + np.exp(margin)))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder: a table of decisions without maps and averages, and a network's audit of the same faces."""
    root = tmp_path_factory.mktemp("decisions")
    labels = made_faces(400)
    correct = np.arange(400) % 6 > 0
    images = np.full((400, 16, 16, 3), 120, dtype=np.uint8)
    made_audit(faces=labels, correct=correct, images=images, path=root / "network/audits/all")
    table = made_audit(faces=labels, correct=correct, shape=None)
    made_audit(
        faces=labels, correct=correct, shape=None, path=root / "table/audits/all",
        manifest={"warnings": [note.to_json() for note in doubts(table.faces, 0.83)]},
    )  # fmt: skip
    made_audit(faces=labels, correct=correct, path=root / "maps/audits/all")
    for name in ("network", "table", "maps"):
        write_json(root / name / "model.json", INFO)
    return root


@pytest.fixture(scope="module")
def table() -> Audit:
    return made_audit(faces=made_faces(400), correct=np.arange(400) % 6 > 0, shape=None)


def test_one_certainty_a_class_is_a_decision_and_a_third_is_not(table: Audit) -> None:
    faces = table.faces
    assert mere_decisions(faces)
    assert mere_decisions(with_scores(faces, 0.4, 2.2)), "each class has a score of its own"
    assert mere_decisions(with_scores(faces, 1.0, 1.0, {3: 0.0, 8: 0.0})), "a tie is no certainty"
    assert not mere_decisions(with_scores(faces, 0.4, 2.2, {3: 0.5}))
    assert not mere_decisions(made_audit().faces)
    assert not mere_decisions(faces.head(5)), "five scores can be equal by chance"
    renamed = faces.rename(columns={"logit_female": "logit_no", "logit_male": "logit_yes", "p_male": "p_yes"})
    assert mere_decisions(renamed)
    assert NoteCode.EQUAL_CERTAINTY in {note.code for note in doubts(faces, 0.83)}


def test_nothing_is_ranked_calibrated_or_doubted_by_decisions(table: Audit) -> None:
    for statistic in GROUP_STATISTICS:
        assert statistic_table(statistic, table.faces)["value"].isna().all(), statistic.name
    noise = label_noise(table, draws=50)
    assert noise.decisions
    assert MISLABELS not in set(noise.shares["where"])
    assert not any(MISLABELS in variant.removed for variant in noise.variants)
    assert consensus([table, made_audit(faces=table.faces)]) is None
    assert orders(table, of_a_face=False) == [FaceOrder.LISTED]
    rows, _ = ordered(table, np.arange(12), FaceOrder.LISTED)
    assert rows.tolist() == [0, 6, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert "certainty" not in faces_sentence(table, Filter())
    report = noise_report(table)
    assert DECISIONS in report and "ikely mislabels are judged" not in report
    assert not any("mislabel" in str(block) for block in known_failures(table))
    assert "area under" not in audit_report(table)


def test_scores_are_used_where_there_are_any() -> None:
    audit = made_audit()
    assert FaceOrder.WRONG in orders(audit, of_a_face=False)
    assert FaceOrder.LISTED not in orders(audit, of_a_face=False)
    assert MISLABELS in set(label_noise(audit, draws=50).shares["where"])


def test_pages_of_decisions_show_no_curve_and_say_so_on_the_page(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(root, "accuracy", monkeypatch, model="table", audit="all")
    assert any(WORDS in element.value for element in app.main.warning), "the menu may be shut"
    page_text = text(app)
    assert "ROC by" not in page_text and "Calibration by" not in page_text and "Area under" not in page_text
    assert not app.slider
    page_text = text(page(root, "gaps", monkeypatch, model="table", audit="all"))
    assert DECISIONS in page_text
    assert "confident" not in page_text.replace("confidence interval", "")
    app = page(root, "accuracy", monkeypatch, model="network", audit="all")
    assert not any(WORDS in element.value for element in app.warning)
    assert "ROC by" in text(app) and app.slider


def test_an_audit_without_averages_has_no_heading_and_no_blank_card(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(root, "overview", monkeypatch, model="table", audit="all")
    assert headline(app) and not app.error
    assert "audited without maps" in text(app), "a model of ours, too, may be"
    assert "verage face" not in text(app).replace("No average faces are kept", "")
    assert "lw-card'" not in text(app)
    page_text = text(opened(root, "overview", monkeypatch, model="maps", audit="all"))
    assert "Average Grad-CAM, correct and incorrect" in page_text and "Average face" not in page_text
    assert "Average face beside" in text(opened(root, "overview", monkeypatch, model="network", audit="all"))
    app = opened(root, "heatmaps", monkeypatch, model="maps", audit="all")
    assert "verage face" not in text(app)
    assert all("face" not in item.title for item in app.session_state["downloads"].items.values())


def test_a_report_of_decisions_has_neither(root: Path, table: Audit) -> None:
    audit = made_audit(
        faces=table.faces, correct=table.faces["correct"].to_numpy(), shape=None,
        manifest={"warnings": [note.to_json() for note in doubts(table.faces, 0.83)]},
    )  # fmt: skip
    report = report_of(root / "table", audit, all_ages=True)
    assert WORDS in report
    assert "Area under the ROC" not in report and "judged by the model" not in report
