"""Average maps of the board: by hand, of enough people, and what is read back is checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.comparison.board_maps import ModelMaps, by_group, look, read_maps, relative, sampled, write_maps
from core.data.filters import Filter
from core.errors import LookwhereError
from tests.helpers.shipped import ROOT


def made(groups: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [key for key, n in groups.items() for _ in range(n)]
    faces = pd.DataFrame(rows, columns=["gender", "ethnicity"])
    return faces.assign(age=30, cluster=np.arange(len(faces)), identity=None, row=np.arange(len(faces))[::-1])


GROUPS = {("female", "A"): 12, ("male", "A"): 13, ("male", "B"): 10}


def test_a_groups_map_is_the_mean_for_the_label_and_groups_of_few_people_have_none() -> None:
    faces = made(GROUPS)
    evidence = np.random.default_rng(0).standard_normal((len(faces), 2, 3, 3)).astype(np.float32)
    women, men = by_group(faces, evidence)
    assert [(group.gender, group.ethnicity, group.n) for group in (women, men)] == [
        ("female", "A", 12),
        ("male", "A", 13),
    ]
    np.testing.assert_allclose(women.mean, (evidence[:12, 0] - evidence[:12, 1]).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(men.mean, (evidence[12:25, 1] - evidence[12:25, 0]).mean(axis=0), atol=1e-6)
    of_one = faces.assign(cluster=np.where(np.arange(len(faces)) < 4, 0, faces["cluster"]))
    assert [group.gender for group in by_group(of_one, evidence)] == ["male"]
    with pytest.raises(LookwhereError, match="14 a side"):
        by_group(faces, np.zeros((len(faces), 2, 15, 15)))


def test_faces_are_drawn_alike_each_time_and_looked_at_by_their_row() -> None:
    faces = made({("female", "A"): 30, ("male", "A"): 20}).assign(age=[10] * 5 + [40] * 45)
    chosen = sampled(faces, Filter(age_from=18), 15)
    np.testing.assert_array_equal(chosen, sampled(faces, Filter(age_from=18), 15))
    assert len(chosen) == 30 and len(set(chosen)) == 30 and (faces["age"].to_numpy()[chosen] == 40).all()
    images = np.arange(50, dtype=np.uint8)[:, None, None, None] * np.ones((1, 112, 112, 3), dtype=np.uint8)

    def classify(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value = pictures[:, 0, 0, 0].astype(np.float32)
        evidence = np.zeros((len(pictures), 2, 2, 2), dtype=np.float32)
        evidence[:, 0] = value[:, None, None]
        return np.zeros((len(pictures), 2)), evidence

    part, ticks = faces.iloc[chosen].reset_index(drop=True), []
    women, men = look(classify, images, part, ticks.append)
    rows = part["row"].to_numpy()
    assert women.mean[0, 0] == pytest.approx(rows[:15].mean()) and men.mean[1, 1] == pytest.approx(-rows[15:].mean())
    assert sum(ticks) == 30


def test_what_is_written_is_read_and_what_may_not_be_shown_is_refused(tmp_path: Path) -> None:
    faces, file = made(GROUPS), tmp_path / "maps/one.json"
    groups = by_group(faces, np.random.default_rng(1).standard_normal((len(faces), 2, 2, 3)))
    for data in ("utkface", "fairface"):
        write_maps(file, "occlusion", data, groups)
    maps_read = read_maps(file)
    assert isinstance(maps_read, ModelMaps) and list(maps_read.groups) == ["fairface", "utkface"]
    np.testing.assert_allclose(maps_read.groups["fairface"][1].mean, groups[1].mean, rtol=1e-3)
    np.testing.assert_allclose(maps_read.of("utkface", "male"), relative(groups[1].mean), rtol=1e-3)
    assert np.abs(maps_read.of("utkface", "male")).mean() == pytest.approx(1)
    assert maps_read.of("utkface", "male", "B") is None and maps_read.faces("utkface", "female") == 12
    content = json.loads(file.read_text())
    content["data"]["fairface"][0]["n"] = 10
    file.write_text(json.dumps(content))
    with pytest.raises(LookwhereError, match="too few faces"):
        read_maps(file)
    file.write_text("{")
    with pytest.raises(LookwhereError, match="damaged"):
        read_maps(file)


def test_shipped_maps_are_of_eleven_people_and_more_and_of_coarse_cells() -> None:
    files = sorted((ROOT / "docs/board/maps").glob("*.json"))
    assert {file.stem for file in files} == {file.stem for file in (ROOT / "docs/board").glob("*.yaml")}
    for file in files:
        assert {"fairface"} <= set(read_maps(file).groups)


ENDLESS = '{"data": {"d": [{"gender": "male", "ethnicity": "A", "n": Infinity, "map": [[1]]}]}, "method": "x"}'


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", '{"data": [], "method": "x"}', ENDLESS])
def test_damaged_maps_are_told_when_read_and_when_written_into(content: str, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(content)
    with pytest.raises(LookwhereError, match=r"one\.json: damaged"):
        read_maps(file)
    with pytest.raises(LookwhereError, match=r"one\.json: damaged"):
        write_maps(file, "x", "d", [])
