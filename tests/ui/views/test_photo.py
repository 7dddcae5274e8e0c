"""The page «Try a photo»: by AppTest with uploads of every kind, and in a real chromium."""

from __future__ import annotations

import asyncio
import html
import io
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.classifiers.info import ModelInfo
from tests.helpers.former import write_former
from tests.helpers.hostile import drawn, hostile, png, saved
from tests.helpers.pages import page, text
from tests.helpers.portrait import PORTRAIT
from ui.views import photo as photo_view

HTML_NAME = "<img src=x onerror=alert(1)>.png"


@pytest.fixture(scope="module")
def portrait() -> bytes:
    return PORTRAIT.read_bytes()


def group(portrait: bytes, count: int) -> bytes:
    head = Image.open(io.BytesIO(portrait)).convert("RGB").crop((120, 40, 400, 360))
    image = Image.new("RGB", (300 * count, 400), (120, 140, 110))
    for n in range(count):
        image.paste(head, (300 * n + 10, 40))
    return saved(image, "JPEG", quality=95)


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, data in files:
        app.file_uploader[0].upload(name, data, "image/jpeg")
    return app.run()


def test_the_page_opens_with_how_often_the_model_was_wrong(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = page(models, "photo", monkeypatch)
    assert not app.exception and not app.error
    adults = audit.faces[audit.faces["age"] >= 18]
    wrong = (~adults["correct"]).mean()
    sentence = f"made gave {100 * wrong:.1f}&nbsp;% of {len(adults)} audited faces of adults the incorrect label"
    assert sentence in text(app), "of whom Overview opens on"
    assert "not a fact about the person" in text(app)
    assert not app.camera_input, "nobody asked for the camera"


def test_a_face_is_shown_with_what_the_model_says(study, portrait: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = upload(page(models, "photo", monkeypatch), ("me.jpg", portrait))
    assert not app.exception and not app.error
    page_text = text(app)
    (result,) = app.session_state[photo_view.KEY].values()
    reading = result.readings[0]
    logits = load_model(models / "made").classify(result.faces[0].crop[None])[0]
    np.testing.assert_allclose(reading.logits, logits[0], atol=1e-3)
    assert f"{reading.predicted} at {100 / (1 + np.exp(-abs(reading.margin))):.1f}&nbsp;%" in page_text
    same = audit.faces[audit.faces["predicted"] == reading.predicted]
    right = same[same["correct"]]
    assert f"of the {len(right):,} audited faces it correctly called {reading.predicted}" in page_text
    assert "make up the margin" in page_text
    assert page_text.count("<img class='lw-seen'") == 1
    assert page_text.count("aligned, with its points") == 1
    app.selectbox(key="photo_map").set_value("margin").run()
    assert not app.exception and "map: margin" in text(app) and "speaks for male" in text(app)
    app.slider(key="opacity").set_value(0.9).run()
    assert app.session_state[photo_view.KEY] and not app.exception


def test_faces_of_a_group_are_numbered_and_one_is_chosen(study, portrait: bytes, monkeypatch) -> None:
    app = upload(page(study[0], "photo", monkeypatch), ("us.jpg", group(portrait, 3)))
    assert not app.exception and not app.error
    page_text = text(app)
    assert "3 faces in 1 image: the model's guess is" in html.unescape(page_text)
    assert page_text.count("aligned, with its points") == 3
    assert "Evidence by region: face 1" in page_text
    app.button_group(key="photo_face_0").set_value(2).run()
    assert not app.exception and "How certain: face 3" in text(app)


def test_hostile_uploads_get_a_clear_line_each(study, portrait: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [
        f for f in hostile() if f.name in ("empty.jpg", "bomb.png", "SVG.svg", "a-quarter.jpg", "a.zip", "strip.png")
    ]
    assert len(files) == 6
    app = page(study[0], "photo", monkeypatch)
    given = [(file.name, file.data) for file in files]
    upload(app, *given, (HTML_NAME, b"not an image"), (HTML_NAME, png(64, 48, b"\0" * 9_264)), ("me.jpg", portrait))
    assert not app.exception
    lines = [error.value.replace("\\", "") for error in app.error]
    assert [line.partition(":")[0].lower() for line in lines] == [name.lower() for name, _ in given] + [HTML_NAME]
    assert all("\n" not in line for line in lines)
    assert all("\\<img" in e.value or "<" not in e.value for e in app.error), "no Markdown is left in force"
    page_text = text(app)
    assert html.escape(HTML_NAME) in page_text and "<img src=x" not in page_text.replace("\\<img", "")
    assert "No face was found" in page_text.replace("\\", "")
    assert "The model's guess for the face in me.jpg is" in html.unescape(page_text)


def test_results_are_kept_for_the_files_in_hand_only(study, portrait: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    app = upload(page(study[0], "photo", monkeypatch), ("me.jpg", portrait))
    assert len(app.session_state[photo_view.KEY]) == 1
    app.file_uploader[0].clear().run()
    assert app.session_state[photo_view.KEY] == {}
    assert not app.exception and "me.jpg" not in text(app)


def test_the_camera_is_asked_for_only_when_it_is_chosen(study, portrait: bytes, monkeypatch) -> None:
    app = page(study[0], "photo", monkeypatch)
    app.button_group(key="photo_from").set_value("Camera").run()
    assert len(app.camera_input) == 1
    app.camera_input[0].set_value(("shot.jpg", portrait, "image/jpeg")).run()
    assert not app.exception and "The model's guess for the face in shot.jpg is" in html.unescape(text(app))


def test_too_many_pictures_are_cut_off_and_it_is_said(study, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(f"{n}.png", saved(drawn(), "PNG")) for n in range(photo_view.MOST_IMAGES + 2)]
    app = upload(page(study[0], "photo", monkeypatch), *many)
    assert f"Only the first {photo_view.MOST_IMAGES} of {len(many)}" in text(app)
    assert len(app.session_state[photo_view.KEY]) == photo_view.MOST_IMAGES


def test_a_model_without_an_audit_can_be_tried(study, portrait: bytes, tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(study[0] / "made", tmp_path / "bare", ignore=shutil.ignore_patterns("audits"))
    app = page(tmp_path, "photo", monkeypatch)
    assert not app.exception and "bare has not been audited" in text(app)
    page_text = text(upload(app, ("me.jpg", portrait)))
    assert not app.exception and not app.error
    assert "no audited faces to compare with" in page_text
    assert "make up the margin" in page_text and "certain than" not in page_text


def test_a_damaged_or_older_audit_is_not_compared_with(study, portrait: bytes, tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(study[0], tmp_path / "models")
    file = tmp_path / "models/made/audits/made-all/audit.json"
    manifest = json.loads(file.read_text())
    write_former(file, manifest | {"weights_sha256": "0" + manifest["weights_sha256"]})
    page_text = text(upload(page(tmp_path / "models", "photo", monkeypatch), ("me.jpg", portrait)))
    assert "made with other weights" in page_text and "certain than" not in page_text
    shutil.copytree(study[0], tmp_path / "damaged")
    (tmp_path / "damaged/made/audits/made-all/averages.npz").write_bytes(b"broken")
    app = upload(page(tmp_path / "damaged", "photo", monkeypatch), ("me.jpg", portrait))
    assert not app.exception and "averages" in text(app).replace("\\", "") and "aligned, with its points" in text(app)


def test_maps_that_do_not_add_up_or_are_not_there_are_told(study, portrait: bytes, monkeypatch) -> None:
    given = load_model(study[0] / "made").classify

    def tools(maps: dict | None):
        class Other:
            head_bias = None

            def __call__(self, images: np.ndarray):
                logits, evidence = given(images)
                return logits, evidence if maps else None

        Other.maps = maps

        class OtherTools(photo_view.Tools):
            classify = Other()

        return OtherTools(study[0] / "made", ModelInfo())

    for maps, words in (({"method": "occlusion", "additive": False}, "Maps by occlusion do not add up"),
                        (None, "gives no maps")):  # fmt: skip
        monkeypatch.setattr(photo_view, "load_tools", lambda p, maps=maps: tools(maps))
        app = upload(page(study[0], "photo", monkeypatch), ("me.jpg", portrait))
        assert not app.exception and not app.error
        assert words in text(app)
        assert ("map: predicted" in text(app)) == (maps is not None)


def test_of_predictions_alone_no_photo_can_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "scores.csv"
    pd.DataFrame({"file": ["a.jpg", "b.jpg"], "score": [0.2, 0.9]}).to_csv(table, index=False)
    import_model(table, "theirs", declare(None, score="probability", of="male"), models=tmp_path / "models")
    app = page(tmp_path / "models", "photo", monkeypatch)
    assert not app.exception and not app.error
    assert "Only the predictions of theirs were imported" in text(app)
    assert not app.file_uploader


def test_without_any_model_the_page_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, "photo", monkeypatch)
    assert not app.exception and "python -m core align" in text(app)


def test_two_models_at_once_leave_the_number_of_threads_as_it_was() -> None:
    """Whoever comes second would else find 1 thread, and leave the process with that when the first is gone."""
    before, inside, entered = torch.get_num_threads(), [], threading.Event()
    torch.set_num_threads(2)

    def second() -> None:
        entered.set()
        with photo_view.one_thread():
            inside.append(torch.get_num_threads())

    other = threading.Thread(target=second)
    try:
        with photo_view.one_thread():
            assert torch.get_num_threads() == 1
            other.start()
            assert entered.wait(10)
            other.join(0.3)
            assert other.is_alive(), "the second waits for the first"
            assert inside == []
        other.join(10)
        assert inside == [1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_streamlits_server_keeps_an_upload_in_memory() -> None:
    """It reads a request's form as Starlette does, in whose spooled file the limit must not be passed."""
    from starlette.datastructures import Headers
    from starlette.formparsers import MultiPartParser

    body = (b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n"
            + bytes(49 * 2**20) + b"\r\n--b--\r\n")  # fmt: skip

    async def parts():
        for start in range(0, len(body), 2**18):
            yield body[start : start + 2**18]

    async def parse():
        headers = Headers({"content-type": "multipart/form-data; boundary=b"})
        return await MultiPartParser(headers, parts()).parse()

    # A thread of its own: where chromium is driven by this process, a loop runs in this one already.
    with ThreadPoolExecutor(1) as thread:
        file = thread.submit(asyncio.run, parse()).result()["file"]
    assert file.size == 49 * 2**20
    assert file._in_memory and not file.file._rolled
    assert MultiPartParser.spool_max_size > int(photo_view.st.get_option("server.maxUploadSize")) * 2**20
    file.file.close()
