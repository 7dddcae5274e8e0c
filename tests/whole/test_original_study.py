"""The original study on made data, from the shell: a RecordIO pack to train on, a folder to validate on, a CSV with
pictures to test on; down to the twelve pairs and the table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import core.__main__
import train.__main__
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.maps.group_means import study_grid
from core.analysis.original_study import MORPH_ACCURACY, beside
from core.audit.folder import open_audit
from core.classifiers.info import model_info
from core.data.filters import Filter
from core.data.store import AlignedStore
from tests.helpers.recordio_writer import insightface_pack
from tests.helpers.small_network import NARROW, small_network
from ui.views.overview import study_sheet


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW):
        yield


def jpeg(image) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=95)
    return out.getvalue()


def make_pack(folder: Path, store: AlignedStore) -> None:
    """MS1MV2's format: aligned faces, three pictures a person at the most, and who is of which gender in a CSV."""
    people, labels = {}, ["identity,gender"]
    for identity, (gender, own) in enumerate(
        (gender, rows[n : n + 3])
        for gender, rows in store.faces.groupby("gender")["row"].apply(list).items()
        for n in range(0, len(rows), 3)
    ):
        people[identity] = [jpeg(store.images[row]) for row in own]
        labels.append(f"{identity},{gender}")
    insightface_pack(folder, people)
    (folder / "identities.csv").write_text("\n".join(labels))


def make_kaggle(folder: Path, chips: list[Path], genders: dict[str, str]) -> None:
    for n, chip in enumerate(chips):
        place = folder / ("Validation" if n % 2 else "Training") / genders[chip.name]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{n:06}.jpg.jpg").write_bytes(chip.read_bytes())


def make_morph(folder: Path, chips: list[Path], genders: dict[str, str]) -> None:
    """A person a chip, Caucasian and African-American in turns: made labels, so that both have enough faces."""
    (folder / "Album2").mkdir(parents=True)
    lines = ["id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo"]
    for n, chip in enumerate(chips, start=1):
        sex = "F" if genders[chip.name] == "female" else "M"
        photo = f"Album2/{n:06}_00{sex}34.JPG"
        (folder / photo).write_bytes(chip.read_bytes())
        lines.append(f"{n},0,01/02/1970,03/04/2004,{'WB'[n % 2]},{sex},,34,,,{photo}")
    (folder / "morph_2008_nonCommercial.csv").write_text("\n".join(lines))


def test_three_data_sets_in_three_formats_to_the_twelve_pairs_and_the_table(
    real_folder: Path, real_store: AlignedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    genders = dict(zip(real_store.faces["path"], real_store.faces["gender"], strict=True))
    chips = [real_folder / name for name in genders]
    validation = chips[:40]  # none of them in training, or it would be left out
    rest = real_store.faces[~real_store.faces["path"].isin([chip.name for chip in validation])]
    make_pack(tmp_path / "faces_emore", replace(real_store, faces=rest))
    make_kaggle(tmp_path / "kaggle", validation, genders)
    make_morph(tmp_path / "MORPH", chips, genders)
    (tmp_path / "tiny.yaml").write_text(
        "stages: [{size: 32, epochs: 2, dilated: true}]\nbatch: 8\nema: 0\nbalance: gender\nlimit: 48\n"
        "optimiser: {name: sgd, lr: 0.01, schedule: plateau, patience: 1}\n"
    )

    for arguments in (
        ["align", "--data", "faces_emore", "--labels", "faces_emore/identities.csv"],
        ["align", "--data", "kaggle"],
        ["align", "--data", "MORPH"],
    ):
        assert core.__main__.main(arguments) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("(insightface)", "(kaggle-gender)", "(morph)"))

    command = ["--train", "data/aligned/insightface", "--val", "data/aligned/kaggle-gender", "--name", "study"]
    assert train.__main__.main([*command, "--config", "tiny.yaml"]) == 0
    data = model_info(tmp_path / "models/study").data
    assert (data.dataset, data.validation_dataset) == ("insightface", "kaggle-gender")
    assert {row.gender: row.faces for row in data.train_groups} == {"female": 24, "male": 24}

    assert core.__main__.main(["audit", "--model", "study", "--data", "data/aligned/morph"]) == 0
    audit = open_audit(tmp_path / "models/study/audits/morph-all")
    assert len(audit.faces) == len(AlignedStore.open("data/aligned/morph").faces)
    assert set(audit.faces["ethnicity"]) == {"Caucasian", "African-American"}

    grid = study_grid(audit, Filter(), target="predicted")
    assert len(grid) * 2 == 12
    assert sum(row.correct.n + row.incorrect.n for row in grid.iloc[2:].itertuples()) == len(audit.faces)
    sheet = study_sheet(grid, [f"{r.gender} {r.ethnicity}" for r in grid.itertuples()], 1.0, False, "one scale")
    assert [len(panels) for _, panels in sheet.rows] == [4] * 6

    tables = [accuracy_by(audit.faces, by) for by in ([], ["gender"], ["gender", "ethnicity"])]
    compared = beside(pd.concat(tables, ignore_index=True).fillna({"gender": "", "ethnicity": ""}))
    assert compared["original"].tolist() == MORPH_ACCURACY["accuracy"].tolist()
    assert compared["ours"].notna().all()
    assert compared["n"].iloc[0] == len(audit.faces)
    assert compared["n"].iloc[3:].sum() == len(audit.faces)

    (tmp_path / "names.yaml").write_text("African-American: Black\nCaucasian: White\n")
    renamed = [
        "audit",
        "--model",
        "study",
        "--data",
        "data/aligned/morph",
        "--map-ethnicities",
        "names.yaml",
        "--name",
        "renamed",
    ]
    assert core.__main__.main(renamed) == 0
    again = open_audit(tmp_path / "models/study/audits/renamed")
    assert set(again.faces["ethnicity"]) == {"Black", "White"}
    assert again.manifest.names == {"African-American": "Black", "Caucasian": "White"}
    (tmp_path / "names.yaml").write_text("Martian: Black\n")
    capsys.readouterr()
    assert core.__main__.main([*renamed[:-1], "wrong"]) == 2
    assert "no face is Martian" in capsys.readouterr().err
