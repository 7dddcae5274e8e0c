"""The report of the shipped study: its figures against the audit's table, recomputed here, and its pictures."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import os
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics
from PIL import Image
from scipy.stats import binomtest
from streamlit.testing.v1 import AppTest

from core.analysis.maps.group_means import study_grid
from core.audit.folder import Audit, open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.figures import raster
from core.present.report import report_of, write_report
from core.present.report.reproduction import code_state, sources_sha256
from tests.helpers.reports import Page
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
NOUNS = {"female": "women", "male": "men"}
BANDS = [0, 3, 10, 18, 30, 45, 60, np.inf]


@pytest.fixture(scope="module")
def audit() -> Audit:
    shipped_or_skip()
    return open_audit(AUDIT)


@pytest.fixture(scope="module")
def faces() -> pd.DataFrame:
    """The audit's table as it lies on disk, without this project's reader."""
    shipped_or_skip()
    table = pd.read_parquet(AUDIT / "faces.parquet")
    table["right"] = (table["p_male"] >= 0.5) == (table["gender"] == "male")
    return table


@pytest.fixture(scope="module")
def adults(audit: Audit) -> str:
    began = time.process_time()
    content = report_of(MODEL, audit, timestamp=MADE)
    assert time.process_time() - began < 20
    return content


@pytest.fixture(scope="module")
def everyone(audit: Audit) -> str:
    return report_of(MODEL, audit, all_ages=True, timestamp=MADE)


class Tables(Page):
    """Each table of a page by its caption: rows of cells."""

    def __init__(self, content: str) -> None:
        self.found: dict[str, list[list[str]]] = {}
        self.caption, self.cell, self.row = None, None, []
        super().__init__(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag in ("caption", "td", "th"):
            self.cell = ""
        elif tag == "table":
            self.caption = ""
        elif tag == "tr":
            self.row = []

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if tag == "caption":
            self.caption = self.cell
        elif tag in ("td", "th"):
            self.row.append(self.cell)
        elif tag == "tr":
            self.found.setdefault(self.caption.replace("\u00a0", " "), []).append(self.row)

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self.cell is not None:
            self.cell += data


def expected(name: str, part: pd.DataFrame) -> list[str]:
    """A row of an accuracy table, from pandas and scipy alone."""
    k, n = int(part["right"].sum()), len(part)
    bounds = binomtest(k, n).proportion_ci(method="wilson")
    share = f"{100 * k / n:.1f} %"
    return [name, f"{n:,}", f"{k:,}", f"{n - k:,}", share, f"{100 * bounds.low:.1f}–{100 * bounds.high:.1f}"]


def word(ethnicity: str) -> str:
    return {"Others": "Other-ethnicity"}.get(ethnicity, ethnicity)


@pytest.mark.parametrize("ages", ["adults", "everyone"])
def test_every_accuracy_is_the_tables(ages: str, faces: pd.DataFrame, request: pytest.FixtureRequest) -> None:
    tables = Tables(request.getfixturevalue(ages)).found
    part = faces[faces["age"] >= 18] if ages == "adults" else faces
    wanted = {
        "Overall": [("All faces", part)],
        "By gender": [(NOUNS[g].capitalize(), p) for g, p in part.groupby("gender")],
        "By ethnicity": [(f"{word(e)} faces", p) for e, p in part.groupby("ethnicity")],
        "By gender × ethnicity": [
            (f"{word(e)} {NOUNS[g]}", p) for (g, e), p in part.groupby(["gender", "ethnicity"])
        ],
        "By age": [
            (f"{int(band.left)}–{int(band.right) - 1} years" if band.right < np.inf else "60+ years", p)
            for band, p in part.groupby(pd.cut(part["age"].astype(float), BANDS, right=False), observed=True)
        ],
    }  # fmt: skip
    for caption, groups in wanted.items():
        assert tables[f"{caption}, Wilson intervals"][1:] == [expected(name, p) for name, p in groups]


def test_fairness_is_fairlearns(adults: str, faces: pd.DataFrame) -> None:
    part = faces[faces["age"] >= 18]
    given = {
        "y_true": (part["gender"] == "male").astype(int),
        "y_pred": (part["p_male"] >= 0.5).astype(int),
        "sensitive_features": part["ethnicity"],
    }
    tables = Tables(adults).found
    rows = next(rows for caption, rows in tables.items() if caption.startswith("As fairlearn defines them"))
    for measure, value, *_ in rows[1:]:
        truth = getattr(metrics, measure.replace(" ", "_"))(**given)
        assert value.split(" ")[0] == f"{truth:.3f}", measure


def test_rejects_are_counted_by_reason(adults: str, audit: Audit) -> None:
    rejects = audit.manifest.rejects
    rows = Tables(adults).found[
        f"Rejected by reason: {sum(rejects.values()):,} files of the whole data set, all splits"
    ]
    assert rows[1:] == [[reason, f"{count:,}"] for reason, count in rejects.items()]


def grid_html(content: str) -> str:
    return content.partition('<section id="grid">')[2].partition('<section id="accuracy">')[0]


def test_the_grid_counts_what_the_table_counts_and_shows_nothing_of_under_eleven(
    adults: str, faces: pd.DataFrame
) -> None:
    part = faces[faces["age"] >= 18]
    cards = re.findall(r'<section class="pair"><h3>(.*?)</h3>(.*?)</section>', grid_html(adults), re.DOTALL)
    names = {NOUNS[g].capitalize(): part["gender"] == g for g in NOUNS}
    for (g, e), _ in part.groupby(["gender", "ethnicity"]):
        names[f"{word(e)} {NOUNS[g]}"] = (part["gender"] == g) & (part["ethnicity"] == e)
    assert {name for name, _ in cards} == set(names)
    for name, content in cards:
        mask = names[name]
        sides = content.split('<div class="side">')[1:]
        for side, tag, right in zip(sides, ("correct", "incorrect"), (True, False), strict=True):
            n = int((mask & (part["right"] == right)).sum())
            assert f"{tag} · n = {n:,}<" in side
            assert ("<img" in side) == (n >= 11), (name, tag)
            assert ("too few" in side) == (0 < n < 11)


def decoded(content: str) -> dict[str, np.ndarray]:
    """Pictures of the grid by alternative text."""
    found = {}
    for address, alt in re.findall(r'<img src="data:image/webp;base64,([^"]+)" alt="([^"]*)"', grid_html(content)):
        found[alt] = np.asarray(Image.open(io.BytesIO(base64.b64decode(address))).convert("RGB"))
    return found


def strongest(grid: pd.DataFrame) -> float:
    """The top of the grid's one scale."""
    return float(max(g.map.max() for column in ("correct", "incorrect") for g in grid[column] if g.map is not None))


def test_the_grids_pictures_are_the_audits(adults: str, audit: Audit) -> None:
    grid = study_grid(audit, Filter(age_from=18), "predicted", "raw")
    shown, seen = decoded(adults), 0
    limit = strongest(grid)
    for column in ("correct", "incorrect"):
        for group in grid[column]:
            name = group.name[:1].upper() + group.name[1:]
            assert (f"Average Grad-CAM: {name}" in shown) == (group.n >= 11)
            if group.n < 11:
                continue
            seen += 1
            painted = np.asarray(raster.paint(group.map, limit, side=112))
            assert np.array_equal(shown[f"Average Grad-CAM: {name}"], painted)
            if group.face is not None:
                assert np.array_equal(shown[f"Average face: {name}"], group.face)
    assert seen == sum(alt.startswith("Average Grad-CAM") for alt in shown) > 15


def test_a_map_of_the_grid_is_the_mean_of_the_stored_evidence(adults: str, faces: pd.DataFrame, audit: Audit) -> None:
    """Black women predicted wrong: called male, so the mean of ReLU(E_male) / 49, painted by the table of colours."""
    wrong = faces[
        (faces["age"] >= 18) & (faces["gender"] == "female") & (faces["ethnicity"] == "Black") & ~faces["right"]
    ]
    evidence = np.stack(wrong["evidence"].to_numpy()).astype(np.float64).reshape(len(wrong), 2, 7, 7)
    mean = np.maximum(evidence[:, 1], 0).mean(axis=0) / 49
    told = re.search(r"([\d.]+) strongest", grid_html(adults))
    limit = strongest(study_grid(audit, Filter(age_from=18), "predicted", "raw"))
    assert float(told[1]) == pytest.approx(limit, rel=5e-3)
    shown = decoded(adults)["Average Grad-CAM: Black women, 18 and older, predicted incorrectly"].astype(int)
    painted = np.asarray(raster.paint(mean, limit, side=112)).astype(int)
    assert np.abs(shown - painted).max() <= 6, "one step of the colour table, from rounding"
    assert np.abs(shown - painted).mean() < 0.1


def test_it_asks_for_nothing_and_runs_nothing(adults: str) -> None:
    page = Page(adults)
    assert not {"script", "iframe", "object", "embed", "form", "base", "audio", "video"} & {t for t, _ in page.tags}
    for tag, attrs in page.tags:
        for name in ("src", "href", "srcset", "xlink:href", "data", "action", "poster"):
            assert (attrs.get(name) or "#").startswith(("data:", "#")), (tag, attrs)
    style = re.search(r"<style>(.*?)</style>", adults, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in adults
    assert len(adults.encode()) < 2_000_000


def test_headings_descend_and_every_link_has_its_place(adults: str) -> None:
    page = Page(adults)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"][1:] for tag, attrs in page.tags if tag == "a"]
    assert len(links) == 13
    assert set(links) <= set(ids)
    assert page.tags[0] == ("html", {"lang": "en"})
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")


def test_the_same_inputs_give_the_same_bytes_but_for_the_date(adults: str, audit: Audit) -> None:
    later = report_of(MODEL, open_audit(AUDIT), timestamp=datetime(2027, 5, 6, tzinfo=UTC))
    assert later != adults
    assert later.replace("2027-05-06 00:00 UTC", "2026-01-02 03:04 UTC") == adults


def test_hashes_are_those_of_weights_data_and_code(adults: str, audit: Audit) -> None:
    rows = dict(row for rows in Tables(adults).found.values() for row in rows if len(row) == 2)
    assert rows["weights, SHA-256"] == audit.manifest.weights_sha256
    assert rows["audited data, SHA-256"] == audit.manifest.data_fingerprint
    if (MODEL / "model.safetensors").is_file():
        assert rows["weights, SHA-256"] == hashlib.sha256((MODEL / "model.safetensors").read_bytes()).hexdigest()
    assert rows["code, SHA-256 of core/'s sources"] == code_state().sha256
    if (ROOT / ".git").exists():
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, env=clean)
        assert rows["code, git commit"].split()[0] == head.stdout.strip()


def test_the_codes_hash_is_what_sha256sum_gives_and_changes_with_a_source(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "core", tmp_path / "core")
    find = "find core -type f \\( -name '*.py' -o -name '*.json' -o -name '*.j2' -o -name '*.css' \\)"
    command = f"{find} -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    printed = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert sources_sha256(tmp_path / "core") == printed.split()[0]
    assert code_state(tmp_path / "core").commit is None, "no repository of its own"
    (tmp_path / "core/new.py").write_text("")
    assert sources_sha256(tmp_path / "core") != printed.split()[0]


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_report(tmp_path / "a.html", "whole")
    assert (tmp_path / "a.html").read_text() == "whole"
    with pytest.raises(LookwhereError, match="cannot be written"):
        write_report(tmp_path / "no/folder.html", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(LookwhereError, match="cannot be written"):
        write_report(tmp_path / "folder", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "folder"]


def test_the_app_hands_it_out(audit: Audit, adults: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import ui.shell.open_audit
    from ui.shell.open_audit import OpenAudit
    from ui.shell.report_button import report_bytes

    def script() -> None:
        from ui.shell.open_audit import OpenAudit
        from ui.shell.report_button import report_button

        report_button(OpenAudit("resnet50-utkface", "utkface-test"))

    monkeypatch.setattr(ui.shell.open_audit, "MODELS", MODEL.parent)
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == ["Download the report"]
    given = report_bytes(OpenAudit(MODEL.name, AUDIT.name), audit).decode()
    date = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
    assert date.sub("", given) == date.sub("", adults)
