"""The commands that a report names: those of a model trained on several data sets, and of copies left out."""

from __future__ import annotations

from dataclasses import replace

from core.audit.training_copies import TrainingCopies
from core.classifiers.info import DataInfo, ModelInfo, PartInfo
from core.present.report.reproduction import commands
from tests.helpers.made_audit import made_audit


def lines(data: DataInfo, copies: TrainingCopies | None = None) -> list[str]:
    audit = made_audit(30)
    audit = replace(audit, manifest=replace(audit.manifest, training_copies=copies))
    return list(commands(audit, ModelInfo(input_size=112, data=data), None, None, all_ages=False))


def trained(*, data: DataInfo) -> str:
    return next(line for line in lines(data) if "-m train" in line)


def test_what_a_model_was_trained_and_validated_on_is_named_as_the_command_takes_it() -> None:
    parts = tuple(PartInfo(dataset=name, fingerprint=name, faces=9) for name in ("lfw", "manifest a", "manifest b"))
    several = DataInfo(dataset="lfw + manifest a + manifest b", validation_dataset="fairface", parts=parts)
    assert "--train data/aligned/lfw data/aligned/a data/aligned/b --val data/aligned/fairface " in trained(
        data=several
    )
    assert "--train data/aligned/lfw --val data/aligned/fairface " in trained(
        data=DataInfo(dataset="lfw", validation_dataset="fairface")
    )
    for single in (DataInfo(dataset="lfw", validation_dataset="lfw"), DataInfo(dataset="lfw")):
        assert "-m train --data data/aligned/lfw --name" in trained(data=single)


def test_an_audit_that_left_copies_out_names_what_they_are_of() -> None:
    copies = TrainingCopies(datasets=("lfw", "manifest a"), compared=9, copies=1, near_copies=0, left_out=True)
    command = next(line for line in lines(DataInfo(dataset="lfw"), copies) if "core audit" in line)
    assert "--training-data data/aligned/lfw data/aligned/a" in command
    stay = replace(copies, left_out=False)
    assert not any("--training-data" in line for line in lines(DataInfo(dataset="lfw"), stay))
