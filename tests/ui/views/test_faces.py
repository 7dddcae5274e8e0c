"""The page «Faces» on a made study: with its store, without, with another's, and for predictions only."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

import ui.views.faces
from core import wording
from core.analysis import single_faces
from core.analysis.maps.error_clusters import find_error_clusters
from core.audit import images as audit_images
from core.audit.folder import Audit, open_audit
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.present.text import faces as faces_text
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store
from tests.helpers.pages import headline, page, text


@pytest.fixture
def faces_study(study) -> tuple[Path, Audit, AlignedStore]:
    """The folder that holds `stores` and `models` of the made study, its audit, and its store."""
    models, audit = study
    return models.parent, audit, AlignedStore.open(models.parent / "stores/made")


@pytest.fixture
def open_faces(faces_study, monkeypatch: pytest.MonkeyPatch):
    """The page with the given address, and where its stores lie."""

    def run(stores: Path | None = None, models: Path | None = None, **query: str | list[str]) -> AppTest:
        monkeypatch.setattr(ui.views.faces, "STORES", stores or faces_study[0] / "stores")
        app = page(models or faces_study[0] / "models", "faces", monkeypatch, **query)
        assert not app.exception
        assert not app.error
        return app

    return run


def listed(app: AppTest, prefix: str = "grid") -> list[str]:
    """Ids of the faces that the grid shows, in order."""
    return [b.key.removeprefix(f"{prefix}-") for b in app.button if b.key and b.key.startswith(f"{prefix}-")]


def cards(app: AppTest) -> list[str]:
    return [e.proto.body for e in app.get("html") if "class='lw-face'" in e.proto.body]


def test_the_page_lists_the_most_confidently_wrong_first(faces_study, open_faces) -> None:
    _, audit, _ = faces_study
    app = open_faces()
    rows, _ = single_faces.ordered(audit, np.arange(len(audit.faces)), single_faces.FaceOrder.WRONG)
    assert listed(app) == list(audit.faces["face_id"].iloc[rows[: single_faces.PAGE]])
    assert len(cards(app)) == single_faces.PAGE
    assert all(card.count("src='data:image/webp;base64,") == 2 for card in cards(app))
    assert faces_text.faces_sentence(audit, Filter(), find_error_clusters(audit, Filter()).verdict) in headline(app)
    assert "1–24 of 480" in text(app)


@pytest.mark.parametrize(
    ("order", "view"),
    list(zip(list(single_faces.FaceOrder)[:4], [ui.views.faces.OVER, ui.views.faces.ALONE] * 2, strict=True)),
)
def test_orders_views_and_pages_come_from_the_address(order: str, view: str, faces_study, open_faces) -> None:
    _, audit, _ = faces_study
    app = open_faces(order=order, view=view, sheet="2", gender="male", target="margin")
    rows, _ = single_faces.ordered(audit, np.flatnonzero(Filter(("male",)).mask(audit.faces)), order)
    assert listed(app) == list(audit.faces["face_id"].iloc[rows[24:48]])
    assert all(card.count("<img") == 1 for card in cards(app))


def test_another_order_begins_at_the_first_page(faces_study, open_faces) -> None:
    app = open_faces(sheet="2")
    assert "25–48 of 480" in text(app)
    app.selectbox(key="order").set_value(single_faces.FaceOrder.SURE).run()
    assert "1–24 of 480" in text(app)
    assert "1–24 of 80" in text(open_faces(sheet="99", ethnicity="Asian", gender="male")), "a page that is not there"


def test_a_record_opens_from_its_card_and_from_a_link(faces_study, open_faces) -> None:
    _, audit, _ = faces_study
    app = open_faces()
    face_id = listed(app)[3]
    app.button(key=f"grid-{face_id}").click().run()
    assert app.query_params["face"] in (face_id, [face_id])
    linked = open_faces(face=face_id)
    row = single_faces.row_of(audit, face_id)
    record = single_faces.face_record(audit, row)
    for run in (app, linked):
        page_text = text(run)
        for value in faces_text.facts(record).values():
            assert value in page_text
        assert listed(run, "alike") == list(audit.faces["face_id"].iloc[record.similar])
        assert f"The bars add up to {wording.signed(record.regions.sum(), 3)}" in page_text
        assert f"face={face_id}" in page_text
        assert run.get("plotly_chart")
        assert not run.get("download_button")
    nearest = listed(linked, "alike")[0]
    linked.button(key=f"alike-{nearest}").click().run()
    assert f"face={nearest}" in text(linked)


def test_the_faces_can_be_ordered_by_similarity_to_a_records(faces_study, open_faces) -> None:
    _, audit, _ = faces_study
    face_id = str(audit.faces["face_id"].iloc[5])
    app = open_faces(face=face_id)
    app.button(key="by-similarity").click().run()
    assert app.selectbox(key="order").value == single_faces.FaceOrder.LIKE_FACE
    rows, _ = single_faces.ordered(audit, np.arange(len(audit.faces)), single_faces.FaceOrder.LIKE_FACE, 5)
    assert listed(app) == list(audit.faces["face_id"].iloc[rows[:24]])
    assert listed(app)[0] == face_id
    assert "face" not in app.query_params
    assert listed(open_faces(order=single_faces.FaceOrder.LIKE_FACE, like=face_id)) == listed(app)


def test_a_face_that_is_not_there_is_told(open_faces) -> None:
    assert any("no face «nobody»" in w.value for w in open_faces(face="nobody").warning)


def test_a_sheet_and_a_face_of_thousands_of_signs_are_told_in_a_short_line(open_faces) -> None:
    """Python refuses to make a number of over 4,300 digits."""
    app = open_faces(sheet="9" * 5000, face="x" * 5000)
    assert not app.error
    assert "1–24 of 480" in text(app)
    assert any("sheet «999" in caption.value and len(caption.value) < 200 for caption in app.caption)
    assert len(app.warning[0].value) < 200


def test_a_link_brings_no_markdown_onto_the_page(open_faces) -> None:
    """A link made by somebody else could load a picture from elsewhere."""
    warnings = [
        w for w in open_faces(face="![x](http://evil/t.png) **b**").warning if "This audit has no face" in w.value
    ]
    (warning,) = warnings
    assert warning.value.replace("\\", "").endswith("no face «![x](http://evil/t.png) **b**».")
    in_force = re.sub(r"\\.", "", warning.value)
    assert "![" not in in_force and "](" not in in_force and "**" not in in_force


def test_ids_and_groups_from_the_data_bring_no_markdown(tmp_path: Path, faces_study, open_faces) -> None:
    root, _, store = faces_study
    shutil.copytree(root / "models", tmp_path / "models")
    shutil.rmtree(tmp_path / "models/made/audits")
    group = "![g](http://evil/g.png)"
    run_audit(store, load_model(tmp_path / "models/made"), ("test",), names={"Asian": group}, batch=96)
    app = open_faces(models=tmp_path / "models", ethnicity=group)
    assert cards(app)
    said = [c.value for c in app.caption]
    assert any(group.lower() in c.replace("\\", "").lower() for c in said)
    assert not any("![" in c or "](" in c for c in (re.sub(r"\\.", "", c) for c in said))
    # Ids from a folder of pictures are their names.
    shutil.copytree(root / "models", tmp_path / "ids")
    file = tmp_path / "ids/made/audits/made-all/faces.parquet"
    table = pq.read_table(file)
    names = [f"![{n}](http://evil/f.png)" for n in range(len(table))]
    pq.write_table(table.set_column(table.column_names.index("face_id"), "face_id", [names]), file)
    write_former(file.with_name("audit.json"), json.loads(file.with_name("audit.json").read_text()))
    audit = open_audit(file.parent)
    shots = audit_images.open_images(faces_study[1], root / "stores")[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ui.views.faces, "_open_images", lambda *_: (shots, []))
        app = open_faces(
            models=tmp_path / "ids", order=single_faces.FaceOrder.LIKE_FACE, like=audit.faces["face_id"].iloc[3]
        )
    captions = [c.value for c in app.caption if "Ordered by similarity" in c.value]
    assert len(captions) == 1
    assert names[3] in captions[0].replace("\\", "")
    in_force = re.sub(r"\\.", "", captions[0])
    assert "![" not in in_force and "](" not in in_force


def test_kinds_can_be_asked_for_and_their_faces_listed(faces_study, open_faces) -> None:
    _, audit, _ = faces_study
    clustering = find_error_clusters(audit, Filter(), 2)
    app = open_faces(kinds="2", kind="2")
    page_text = text(app)
    for n, cluster in enumerate(clustering.clusters, 1):
        assert f"Cluster {n}: {cluster.n:,} faces" in page_text
        if cluster.map is not None:
            assert f"Average face of cluster {n}" in page_text
            assert f"kind={n}" in page_text
    rows, _ = single_faces.ordered(audit, np.sort(clustering.clusters[1].rows), single_faces.FaceOrder.WRONG)
    assert listed(app) == list(audit.faces["face_id"].iloc[rows[:24]])
    assert "as asked" in headline(app)
    assert "An error cluster holds incorrect predictions only" in text(
        open_faces(kinds="2", kind="1", outcome="correct")
    )


def test_without_the_data_no_face_is_shown_and_the_page_says_how(tmp_path: Path, faces_study, open_faces) -> None:
    root, audit, _ = faces_study
    face_id = str(audit.faces["face_id"].iloc[0])
    app = open_faces(tmp_path / "nowhere", face=face_id, kinds="2")
    page_text = text(app)
    assert not cards(app)
    assert face_id not in page_text
    assert "Average face" not in page_text
    assert "Mean map of cluster 1" in page_text
    assert "not at hand" in page_text
    assert f"{tmp_path}/nowhere/made: no such folder" in page_text.replace("\\", "")
    assert "python -m core align --data PATH --dataset made" in app.get("code")[0].value
    # A store of other data does not do, and the one that does is found once it is there.
    make_store(tmp_path / "stores/made", faces=60)
    app = open_faces(tmp_path / "stores")
    assert not cards(app)
    assert "other data than was audited (60 faces of made" in text(app).replace("\\", "")
    shutil.copytree(root / "stores/made", tmp_path / "stores/copied")
    assert cards(open_faces(tmp_path / "stores"))


def test_predictions_only_are_browsed_without_maps(tmp_path: Path, faces_study, open_faces) -> None:
    shutil.copytree(faces_study[0] / "models", tmp_path / "models")
    folder = tmp_path / "models/made/audits/made-all"
    pq.write_table(pq.read_table(folder / "faces.parquet").drop_columns(["evidence"]), folder / "faces.parquet")
    manifest = json.loads((folder / "audit.json").read_text()) | {"map_shape": None, "maps": None}
    write_former(folder / "audit.json", manifest)
    audit = open_audit(folder)
    assert not audit.has_maps
    app = open_faces(models=tmp_path / "models", face=str(audit.faces["face_id"].iloc[7]))
    assert app.selectbox(key="order").options == [order.value for order in single_faces.FaceOrder][:3]
    assert all(card.count("<img") == 1 for card in cards(app))
    assert "without maps there are no clusters" in text(app)
    assert "no evidence to divide by region" in text(app)


def test_maps_that_do_not_add_up_are_not_said_to(tmp_path: Path, faces_study, open_faces) -> None:
    shutil.copytree(faces_study[0] / "models", tmp_path / "models")
    file = tmp_path / "models/made/audits/made-all/audit.json"
    manifest = json.loads(file.read_text())
    write_former(file, manifest | {"maps": {"method": "occlusion", "additive": False, "layer": None}})
    page_text = text(open_faces(models=tmp_path / "models", face="face-00003"))
    assert "Maps by occlusion do not add up to the margin" in page_text


def test_renamed_ethnicities_keep_their_pictures(tmp_path: Path, faces_study, open_faces) -> None:
    root, _, store = faces_study
    shutil.copytree(root / "models", tmp_path / "models")
    shutil.rmtree(tmp_path / "models/made/audits")
    audit = run_audit(store, load_model(tmp_path / "models/made"), ("test",), names={"Asian": "Other"}, batch=96)
    app = open_faces(models=tmp_path / "models", ethnicity="Other", gender="female")
    expected = audit.faces.loc[Filter(("female",), ("Other",)).mask(audit.faces), "face_id"]
    assert 0 < len(expected) < single_faces.PAGE
    assert set(listed(app)) == set(expected)
    shots, _ = audit_images.open_images(audit, root / "stores")
    assert np.array_equal(shots.face(3), store.images[int(audit.faces["face_id"].iloc[3].removeprefix("face-"))])


def test_no_face_says_what_to_do(open_faces) -> None:
    app = open_faces(gender="female", ethnicity="Asian", split="test", age=["0", "3"])
    assert "No face passes this filter" in headline(app)
    assert not cards(app)


def test_names_from_the_data_are_escaped(tmp_path: Path, faces_study, open_faces) -> None:
    shutil.copytree(faces_study[0] / "models", tmp_path / "models")
    file = tmp_path / "models/made/audits/made-all/faces.parquet"
    table = pq.read_table(file)
    paths = [f"<script>alert({n})</script>.jpg" for n in range(len(table))]
    place = table.column_names.index("path")
    pq.write_table(table.set_column(place, "path", [paths]), file)
    write_former(file.with_name("audit.json"), json.loads(file.with_name("audit.json").read_text()))
    page_text = text(open_faces(models=tmp_path / "models", face="face-00003"))
    assert "<script>" not in page_text
    assert "&lt;script&gt;alert(" in page_text
