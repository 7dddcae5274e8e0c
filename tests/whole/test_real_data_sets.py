"""Every real sample of a data set, where it is at hand: told, aligned, audited by the shipped model, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.__main__ import main
from core.data.store import AlignedStore
from tests.helpers.real_samples import SAMPLES, at_hand
from tests.helpers.shipped import MODEL
from tests.helpers.unmeasured import cells_on_tiles, decisions_uncounted

#: Samples by what is read of them; few faces are taken, since one face in each step is as good as a thousand here.
DATA = {
    "UTKFace.tar.gz": "utkface",
    "FairFace-val-1000.zip": "fairface",
    "kaggle-gender-folders.zip": "class-folders",
    "lfw-balanced.zip": "lfw",
    "aaf-val-small.zip": "all-age-faces",
    "london-cc-by.zip": "london",
    "small/celeba_mini": "celeba",
    "small/vggface2": "vggface2",
    "small/recordio_tiny": "insightface",
}
#: What lies there and is no data set: each has tests of its own (photos, classifiers).
OTHERS = {"photos", "models", "small"}
TAKEN = 12
#: The sample of which everything is measured of the network that audits all: where its cells look, and which decisions
#: are others in float32.
MEASURED = "london-cc-by.zip"


@pytest.fixture
def measured_once(name: str) -> Iterator[None]:
    """Of one sample all is measured."""
    if name == MEASURED:
        yield
        return
    with cells_on_tiles(), decisions_uncounted():
        yield


def test_no_sample_is_forgotten() -> None:
    at_hand("")
    there = {path.name for path in SAMPLES.iterdir()} | {f"small/{path.name}" for path in (SAMPLES / "small").iterdir()}
    assert there == set(DATA) | OTHERS


@pytest.mark.parametrize("name", DATA)
def test_a_sample_goes_from_its_files_to_accuracies(
    name: str, measured_once: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, more = str(at_hand(name)), []
    if name == "small/recordio_tiny":
        labels = tmp_path / "labels.csv"
        labels.write_text("identity,gender\n0,man\n1,woman\n")
        more = ["--labels", str(labels)]
    assert main(["datasets", "--check", data, *more]) == 0
    assert f": {DATA[name]}, " in capsys.readouterr().out.splitlines()[0]
    store, models = tmp_path / "store", tmp_path / "models"
    assert main(["align", "--data", data, "--out", str(store), "--limit", str(TAKEN), *more]) == 0
    said = capsys.readouterr().out
    faces = AlignedStore.open(store).faces
    # People are taken whole, so that there may be fewer; the detector finds nearly all of them.
    assert TAKEN / 2 <= len(faces) <= TAKEN and {"female"} <= set(faces["gender"]) <= {"female", "male"}
    assert "Faces not found" in said and ("border before detection" in said) == (DATA[name] != "insightface")
    models.mkdir()
    (models / "ours").symlink_to(shipped_copy(tmp_path), target_is_directory=True)
    asked = ["--model", "ours", "--models", str(models)]
    assert main(["audit", *asked, "--data", str(store), "--split", "all", "--name", "real", "--averages", "no"]) == 0
    assert main(["show", *asked, "--audit", "real", "--ages", "all"]) == 0
    shown = capsys.readouterr().out
    assert f"{len(faces)} faces of {DATA[name]}" in shown and "All ages: accuracy" in shown


def shipped_copy(folder: Path) -> Path:
    """The shipped model's weights under a folder of their own, so that nothing is written into the project."""
    made = folder / "ours"
    made.mkdir()
    for file in ("model.json", "model.safetensors", "training-faces.npz"):
        (made / file).symlink_to(MODEL / file)
    return made
