"""The page «Suspected labels»: who is suspected and who agrees, the faces to decide on, the list to take away."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import ui.views.faces
from core.analysis.accuracy.label_noise import likely_mislabels
from core.analysis.accuracy.suspects import Listing, review_list, rows_to_review, suspected_by_group
from core.audit.folder import Audit
from core.audit.reviewed import read_decisions, recounted
from core.data.filters import Filter
from core.present.text.suspects import agreed_words, suspects_sentence
from tests.helpers.pages import headline, page, text


@pytest.fixture
def open_labels(study, monkeypatch: pytest.MonkeyPatch):
    """The page of the made study, and its audit."""
    models, audit = study

    def run(stores: Path | None = None, **query: str) -> tuple[AppTest, Audit]:
        monkeypatch.setattr(ui.views.faces, "STORES", stores or models.parent / "stores")
        app = page(models, "labels", monkeypatch, **query)
        assert not app.exception and not app.error
        return app, audit

    return run


def decisions(app: AppTest) -> list[str]:
    """Ids of the faces that have a choice."""
    return [
        element.key.removeprefix("decision-")
        for element in app.get("button_group")
        if (element.key or "").startswith("decis")
    ]


def test_every_suspected_face_is_there_to_decide_on_surest_first(open_labels) -> None:
    app, audit = open_labels()
    doubted = likely_mislabels(audit.faces) & ~audit.faces["correct"].to_numpy(bool)
    sure = audit.faces.assign(sure=np.abs(audit.task.margin(audit.faces)))[doubted]
    expected = list(sure.sort_values("sure", ascending=False, kind="stable")["face_id"])
    assert decisions(app) == expected[:24]
    assert f"labels of {doubted.sum():,} of {(~audit.faces['correct']).sum():,} incorrect predictions" in headline(app)
    assert "No other model of the same faces is at hand" in text(app)
    assert "reaches zero if" in text(app) or "stays below zero" in text(app) or "wrong labels" not in headline(app)
    items = app.session_state["downloads"].items.values()
    assert {item.kind for item in items} <= {"table"}, "no image may be offered"


def test_what_is_decided_is_in_the_list_and_counts(open_labels, tmp_path: Path) -> None:
    app, audit = open_labels()
    first, second = decisions(app)[:2]
    for face, choice in ((first, "flip"), (second, "leave out")):
        next(element for element in app.get("button_group") if element.key == f"decision-{face}").set_value(
            choice
        ).run()
    assert "Decided so far: flip 1, leave out 1." in text(app)
    decided = app.session_state["decisions"][str(audit.path)]
    assert decided == {first: "flip", second: "leave out"}
    table = review_list(audit, rows_to_review(audit, Filter()), decided)
    assert table["decision"].value_counts().to_dict().items() >= {"flip": 1, "leave out": 1}.items()
    table.to_csv(tmp_path / "labels.csv", index=False)
    after = recounted(audit, read_decisions(tmp_path / "labels.csv"))
    assert (after.manifest.review.flipped, after.manifest.review.left_out) == (1, 1)
    assert len(after.faces) == len(audit.faces) - 1
    assert not re.search(r"image|\.npy|base64", table.drop(columns=["path"]).to_csv())


def test_without_the_images_the_list_is_there_and_no_face(open_labels, tmp_path: Path) -> None:
    app, _ = open_labels(tmp_path / "none")
    assert not decisions(app)
    assert "images of these faces are not at hand" in text(app)
    assert "python -m core review" in "".join(block.value for block in app.get("code"))


def test_correct_predictions_can_be_looked_at_as_closely(study) -> None:
    audit = study[1]
    suspected, correct = (rows_to_review(audit, Filter(), listing) for listing in (Listing.SUSPECTED, Listing.CORRECT))
    assert audit.faces["correct"].iloc[correct].all() and not audit.faces["correct"].iloc[suspected].any()
    assert len(correct) == len(suspected) == len(set(correct))
    women = rows_to_review(audit, Filter(("female",)), Listing.ERRORS)
    assert len(women) == ((audit.faces["gender"] == "female") & ~audit.faces["correct"]).sum()


def test_groups_and_words_by_hand() -> None:
    columns = ["group", "n", "errors", "suspected", "share", "agreed"]
    rows = [("all faces", 90, 20, 8, 0.4, 3), ("women", 50, 15, 7, 0.47, 3), ("men", 40, 5, 1, 0.2, 0)]
    table = pd.DataFrame(rows, columns=columns)
    assert suspects_sentence(table, Filter()) == (
        "Over all ages, the labels of 8 of 20 incorrect predictions are doubted by the model itself; the largest "
        "number in a group is that of women, 7 of 15. Whether they are wrong only a look at the faces tells."
    )
    words = agreed_words(table, ["a", "b"])
    assert words.startswith("2 other models (a, b) doubt 3 of these 8 labels too. Where models were trained apart,")


def test_counts_by_group_add_up_and_agreement_is_of_the_suspected(study) -> None:
    audit = study[1]
    suspected = audit.faces["face_id"].iloc[rows_to_review(audit, Filter())]
    some = [*suspected[:3], audit.faces.loc[audit.faces["correct"], "face_id"].iloc[0]]
    table = suspected_by_group(audit, Filter(), some)
    groups = table.iloc[1:]
    for column in ("n", "errors", "suspected", "agreed"):
        assert groups[column].sum() == table[column].iloc[0]
    assert (table["suspected"].iloc[0], table["agreed"].iloc[0]) == (len(suspected), 3)
    by_age = suspected_by_group(audit, Filter(), by=["age band"])
    assert by_age["suspected"].iloc[1:].sum() == len(suspected) and by_age["group"].str.endswith("years").sum() > 3
