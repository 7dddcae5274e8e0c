"""Reports and cards of made audits, names that try to become markup, and a page that is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from core.audit.folder import Audit
from core.classifiers.info import ModelInfo
from core.present.card.failures import main_filter
from core.present.report import build_report
from core.task import GENDERS
from tests.helpers.made_audit import made_audit, with_manifest

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
#: In the order of their code points, as the plain ones are, so that both make the same page.
HOSTILE = ['"><img src=x onerror=alert(1)>', "</script>", "<script>alert(1)</script>", "{{7*7}}"]
PLAIN = ["Alpha", "Beta", "Gamma", "Omega"]
VOID = {"meta", "link", "img", "line", "circle"}


def reported_audit(path: Path, ethnicities: Sequence[str] = PLAIN, n: int = 480, **columns: object) -> Audit:
    """An audit to report on: one of eight faces called incorrectly, maps that add up; `columns` replace labels."""
    audit = made_audit(
        n,
        ethnicities=ethnicities,
        ages=(1, 90),
        columns=columns,
        errors=0.125,
        shape=(4, 4),
        images=np.full((n, 112, 112, 3), 120, dtype=np.uint8),
        manifest={"data_fingerprint": "1" * 64},
    )
    return replace(audit, name="made-test", path=path)


def info(**more: object) -> ModelInfo:
    """`model.json` of a model trained here; `more` are values as JSON has them."""
    groups = [{"gender": g, "ethnicity": "Alpha", "faces": 100} for g in GENDERS]
    content = {
        "input_size": 112, "dilated": True, "epoch": 3, "weights_sha256": "0" * 64, "training": {"seed": 4},
        "data": {"dataset": "made", "fingerprint": "1" * 64, "faces": {"train": 200}, "train_groups": groups},
    }  # fmt: skip
    return bare_info(**content | more)


def bare_info(**content: object) -> ModelInfo:
    """`model.json` of any kind of model with what every one has, and `content` as JSON has it."""
    always = {"format": 1, "architecture": "resnet50", "classes": list(GENDERS), "weights_sha256": "0" * 64}
    if content.get("kind", "resnet50") == "resnet50":
        always |= {"input_size": 112, "dilated": False, "mean": [0], "std": [1]}
    else:
        always |= dict.fromkeys(("declaration", "weights", "maps", "outputs", "source"))
    return ModelInfo.from_json(always | content)


def report(audit: Audit, model: ModelInfo | None = None, all_ages: bool = False) -> str:
    """The report of an audit, as it was made on `MADE`."""
    return build_report(audit, main_filter(audit, all_ages), model or info(), timestamp=MADE)


def hostile_audit(path: Path, names: list[str]) -> Audit:
    """An audit whose every name is one of `names`."""
    audit = with_manifest(
        reported_audit(path, names),
        model=names[0], dataset=names[1], splits=[names[2]], names={names[3]: names[0], names[1]: names[2]},
        rejects={names[0]: 2, names[2]: 1}, versions={names[3]: names[1]}, warnings=[names[2]],
    )  # fmt: skip
    return replace(audit, name=names[2])


def hostile_info(names: list[str]) -> ModelInfo:
    """`model.json` of an imported model whose every name is one of `names`."""
    return info(
        kind="onnx",
        source={"file": names[0], "sha256": "2" * 64, names[3]: names[1]},
        declaration={"size": [64, 64], "score": names[2], names[1]: names[0]},
        data={},
    )


class Page(HTMLParser):
    """Tags in order with their attributes, whether they nest, and the text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())
