"""A made experiment: three arms of audited models, with an effect planted in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from core.analysis.comparison.paired import group_mask
from core.files import write_json
from tests.helpers.made_audit import made_audit, made_faces

ROOT = Path(__file__).parents[2]

INFO = {
    "format": 1, "architecture": "resnet50", "classes": ["female", "male"], "input_size": 64, "dilated": False,
    "mean": [0, 0, 0], "std": [1, 1, 1], "weights_sha256": "0" * 64,
}  # fmt: skip
LOSS = 0.2


def make_experiment(
    models: Path, n: int = 1200, seeds: int = 3, between: float = 0.0, persons: int | None = None, seed: int = 0
) -> Path:
    """Arms «everyone», «without» (Black women lose 20 points) and «again» (nothing changed), under `models`.

    A face is called correctly where its own ease, the same for every model, and a little noise of the seed's say so.
    `between` is the standard deviation of a seed's own luck with Black women.
    """
    draw = np.random.default_rng(seed)
    faces, path = made_faces(n, seed, persons=persons), models / "experiments/claims"
    target = group_mask(faces, "female", "Black")
    ease = draw.random(n)
    arms = {"everyone": 0.0, "without": LOSS, "again": 0.0}
    for arm, loss in arms.items():
        for k in range(seeds):
            error_rate = 0.15 + (loss + between * draw.normal()) * target
            correct = np.where(draw.random(n) < 0.08, draw.random(n), ease) > error_rate
            evidence = draw.normal(size=(n, 2, 4, 4)) + (3.0 if arm == "without" else 0.0) * np.eye(4)
            made_audit(faces=faces, correct=correct, evidence=evidence, path=path / f"{arm}-s{k}/audits/made-test")
            write_json(path / f"{arm}-s{k}/model.json", INFO)
    question = {"group": "female Black", "from": "everyone", "question": "Is the group's absence the cause?"}
    write_json(
        path / "experiment.json",
        {
            "format": 1, "name": "claims", "title": "The study's claims", "config": "train/configs/claims.yaml",
            "audit": "made-test",
            "arms": [
                {"name": arm, "title": f"Arm {arm}", "models": [f"{arm}-s{k}" for k in range(seeds)]} for arm in arms
            ],
            "contrasts": [
                {"name": "leaving out Black women", "to": "without", "expect": "lower", "finding": "4", **question},
                {"name": "nothing at all", "to": "again", **question},
                {"name": "the worst group", "from": "everyone", "to": "again", "question": "Better?"},
            ],
        },
    )  # fmt: skip
    return path


def make_repeated(models: Path, n: int = 900, seeds: int = 2, error_rates: dict[str, float] | None = None) -> Path:
    """The study, repeated, as it is published: networks of one arm, audited on two data sets, pictures of one more.

    `error_rates`: the share of errors by gender, on both data sets.
    """
    error_rates = error_rates or {"female": 0.3, "male": 0.02}
    path, draw = models / "experiments/repeated", np.random.default_rng(4)
    names = [f"lfw-s{k}" for k in range(seeds)]
    for place, test in enumerate(("first", "second")):
        faces = made_faces(n, place)
        rate = faces["gender"].map(error_rates).to_numpy(float)
        for name in names:
            made_audit(faces=faces, correct=draw.random(n) >= rate, path=path / name / "audits" / test)
    made_audit(faces=made_faces(n, 7), path=path / names[0] / "audits/drawn", images=None)
    data = {
        "dataset": "lfw", "validation_dataset": "kaggle-gender", "fingerprint": "a+b", "validation_copies": 3,
        "faces": {"train": 1200, "val": 300},
        "train_groups": [{"gender": g, "ethnicity": "White", "faces": 600} for g in ("female", "male")],
    }  # fmt: skip
    for name in names:
        write_json(path / name / "model.json", INFO | {"data": data, "validation": {"val_accuracy": 0.9}})
    content = {
        "format": 1, "name": "repeated", "title": "The study, repeated", "config": "train/configs/repeated.yaml",
        "audit": "first", "audits": ["first", "second"], "arms": [{"name": "lfw", "title": "LFW", "models": names}],
        "contrasts": [], "pictures": {"model": names[0], "audit": "drawn"},
    }  # fmt: skip
    write_json(path / "experiment.json", content)
    return path


def make_diversity(
    models: Path, n: int = 900, seeds: int = 3, error_rates: dict[str, float] | None = None, unrecorded: int = 400
) -> Path:
    """Diversity of training as it is published: arms over seeds, audited on two data sets.

    `error_rates`: the share of errors with Black women in arms of one data set, of all and without them; all others err
    in 5 %. `unrecorded` women of no recorded ethnicity are among each arm's training faces.
    """
    rates = {"lfw": 0.4, "everyone": 0.05, "as-few-as-lfw": 0.05, "lfw-utkface": 0.1, "without-black-women": 0.05}
    rates |= {f"without-{one}": 0.05 for one in ("black-faces", "as-many-women", "indian-women")} | (error_rates or {})
    excluded = {"without-black-women": ["female Black"], "without-black-faces": ["female Black", "male Black"]}
    path, draw = models / "experiments/diversity", np.random.default_rng(7)
    for place, test in enumerate(("fairface", "utkface")):
        faces = made_faces(n, place)
        target, ease = group_mask(faces, "female", "Black"), draw.random(n)
        for arm, rate in rates.items():
            for k in range(seeds):
                luck = np.where(draw.random(n) < 0.1, draw.random(n), ease)
                evidence = (
                    draw.normal(size=(n, 2, 4, 4))
                    + (2.0 if arm == "lfw" else 1.0) * np.eye(4)[None, None] * (np.array([-1, 1])[None, :, None, None])
                )
                made_audit(
                    faces=faces,
                    correct=luck > np.where(target, rate, 0.05),
                    evidence=evidence,
                    path=path / f"{arm}-s{k}/audits/{test}",
                )
    for arm in rates:
        data = {
            "dataset": "lfw" if arm == "lfw" else "lfw + utkface",
            "faces": {"train": 1000},
            "train_groups": [{"gender": "female", "ethnicity": "not recorded", "faces": unrecorded}],
        }
        training = {"exclude": excluded.get(arm, []), "stages": [{"size": 48, "epochs": 4}], "epoch_images": 320}
        for k in range(seeds):
            write_json(path / f"{arm}-s{k}/model.json", INFO | {"data": data, "training": training | {"seed": k}})
    plan = yaml.safe_load((ROOT / "train/plans/diversity.yaml").read_text(encoding="utf-8"))
    content = {
        "format": 1, "name": "diversity", "title": plan["title"], "config": "train/configs/diversity.yaml",
        "audit": "fairface", "audits": ["fairface", "utkface"],
        "arms": [
            {"name": one["name"], "title": one["title"], "models": [f"{one['name']}-s{k}" for k in range(seeds)]}
            for one in plan["arms"]
        ],
        "contrasts": plan["contrasts"],
    }  # fmt: skip
    write_json(path / "experiment.json", content)
    return path
