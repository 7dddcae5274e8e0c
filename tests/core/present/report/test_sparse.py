"""The report and the card of made audits: hostile names, and data that lack something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.audit.averages import average_faces
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.card import card_sections, markdown
from core.present.card.failures import main_filter
from core.present.report import build_report
from core.present.report.build import Beside
from core.privacy import MINIMUM_FACES
from tests.helpers.made_audit import NOT_ADDITIVE, with_manifest, write_audit
from tests.helpers.reports import (
    HOSTILE,
    MADE,
    PLAIN,
    Page,
    hostile_audit,
    hostile_info,
    info,
    report,
    reported_audit,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The same report with hostile names and with plain ones."""
    path = tmp_path_factory.mktemp("hostile")
    return tuple(report(hostile_audit(path, names), hostile_info(names)) for names in (HOSTILE, PLAIN))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of `reported_audit` as it is."""
    return report(reported_audit(tmp_path_factory.mktemp("plain")))


def test_names_from_data_make_no_element_and_no_attribute(hostile: tuple[str, str]) -> None:
    bad, plain = (Page(content) for content in hostile)
    assert [(tag, set(attrs)) for tag, attrs in bad.tags] == [(tag, set(attrs)) for tag, attrs in plain.tags]
    assert not {"script", "iframe", "object"} & {tag for tag, _ in bad.tags}
    assert not any(name.startswith("on") or name == "style" for _, attrs in bad.tags for name in attrs)


def test_names_from_data_are_shown_as_they_are(hostile: tuple[str, str]) -> None:
    bad, plain = (Page(content) for content in hostile)
    assert said(bad) == said(plain)
    for name, plain_name in zip(HOSTILE, PLAIN, strict=True):
        assert name in bad.words
        assert plain_name in plain.words


def said(page: Page) -> list[str]:
    """All words and alternative texts, hostile names replaced by the plain ones, a shell's quotes left out."""
    texts = [page.words, *(attrs.get(key) or "" for _, attrs in page.tags for key in ("alt", "aria-label"))]
    for name, plain_name in sorted(zip(HOSTILE, PLAIN, strict=True), key=lambda pair: -len(pair[0])):
        texts = [text.replace(name, plain_name) for text in texts]
    return [text.replace("'", "") for text in texts]


def test_a_policy_forbids_all_that_the_page_does_not_use(hostile: tuple[str, str]) -> None:
    policies = [a["content"] for t, a in Page(hostile[0]).tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policies[0]
    assert "connect-src" not in policies[0]


def test_markup_in_names_is_text_in_the_markdown_card_too(tmp_path: Path) -> None:
    from markdown_it import MarkdownIt

    names = ["*a* | b", "<script>alert(1)</script>", "[x](javascript:alert(1))", "`c` ![y](http://z)"]
    cards = []
    for words in (names, PLAIN):
        audit = hostile_audit(tmp_path, words)
        text = markdown(words[2], card_sections(words[0], hostile_info(words), [audit]))
        cards.append(Page(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)))
    assert [tag for tag, _ in cards[0].tags] == [tag for tag, _ in cards[1].tags]
    # Commands of ours stand as code, in both cards alike.
    assert not {"script", "a", "img", "em"} & {tag for tag, _ in cards[0].tags}
    assert all(name in cards[0].words for name in names)


LACKS = {
    "no ethnicity": ({"ethnicity": UNRECORDED}, "This data set records no ethnicity"),
    "no age": ({"age": pd.NA}, "This data set records no ages"),
    "one gender": ({"gender": "female"}, "All faces here have one labelled gender"),
    "nothing": ({"gender": "male", "ethnicity": UNRECORDED, "age": pd.NA}, "there are no groups to compare"),
}


@pytest.mark.parametrize("lack", list(LACKS))
def test_what_data_lack_is_said_in_a_line(lack: str, tmp_path: Path) -> None:
    columns, says = LACKS[lack]
    page = Page(report(reported_audit(tmp_path, **columns)))
    assert says in page.words
    headings = [attrs["id"] for tag, attrs in page.tags if tag == "section" and "id" in attrs]
    assert {"grid", "accuracy", "gaps", "differences", "evidence", "checks", "findings", "card", "data"} <= set(
        headings
    )
    assert "nan" not in page.words.replace("finance", "").lower().split()
    if lack in ("no age", "nothing"):
        assert "480 of 480: ages are not known" in page.words


def test_adults_by_default_and_all_ages_when_asked(plain: str, tmp_path: Path) -> None:
    audit = reported_audit(tmp_path)
    adults = int((audit.faces["age"] >= 18).sum())
    assert 0 < adults < 480
    assert f"{adults} of 480: 18 and older" in Page(plain).words
    assert "480 of 480: all ages" in Page(report(audit, all_ages=True)).words


def test_without_an_adult_the_mend_is_told(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="--ages all"):
        report(reported_audit(tmp_path, age=5))


def test_predictions_alone_give_no_map_and_say_so(tmp_path: Path) -> None:
    whole = reported_audit(tmp_path)
    nothing = {"map_shape": None, "maps": None, "head_bias": None, "precision": None}
    audit = replace(with_manifest(whole, **nothing), evidence=None)
    page = Page(report(audit, info(kind="predictions", data={}, training={})))
    assert page.words.count("there are no maps") >= 4
    assert "Average face, correct and incorrect" in page.words
    assert "Average face beside" not in page.words
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert len(alts) > 5
    assert all(alt.startswith("Average face: ") for alt in alts)
    assert "unknown: not declared by whoever imported the model" in page.words
    assert "python -m core import PATH" in page.words
    assert "python -m train --data" not in page.words


def test_maps_that_do_not_add_up_get_no_evidence_by_region(tmp_path: Path) -> None:
    words = Page(report(with_manifest(reported_audit(tmp_path), maps=NOT_ADDITIVE))).words
    assert "Maps by occlusion do not add up to the logits" in words
    assert "python -m core evidence" not in words


@pytest.mark.parametrize(
    ("method", "name", "units"),
    [
        ("closed form", "Grad-CAM", "contribution to the logit, mean"),
        ("GradCAM", "Grad-CAM", "in logits, not adding up"),
        ("HiResCAM", "map by HiResCAM", "in logits, not adding up"),
        ("occlusion", "map by occlusion", "what the score loses without the cell, in logits"),
        ("RISE", "map by RISE", "what the score loses without the cell, in logits"),
    ],
)
def test_maps_are_called_what_they_are(method: str, name: str, units: str, tmp_path: Path) -> None:
    maps = {"method": method, "additive": method == "closed form", "layer": None}
    page = Page(report(with_manifest(reported_audit(tmp_path), maps=maps)))
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert f"Average face beside average {name}" in page.words
    assert f"Average {name} for the predicted gender" in page.words
    assert f"Average {name}: Alpha women, 18 and older, predicted correctly" in alts
    assert f"{name}, mean of " in page.words
    assert units in page.words
    assert ("sees more of the face than its own square" in page.words) == (method not in ("occlusion", "RISE"))
    if name != "Grad-CAM":
        assert "Grad-CAM" not in page.words + " ".join(alts)
    assert ("contribution to the logit" in page.words) == (method == "closed form")


def test_models_of_ours_and_imported_ones_are_sent_to_the_checks(plain: str, tmp_path: Path) -> None:
    audit = reported_audit(tmp_path)
    assert "python -m core check --model made --audit made-test" in Page(plain).words
    imported = Page(report(with_manifest(audit, kind="torch"), info(kind="torch"))).words
    assert "python -m core check --model made --audit made-test" in imported


def test_all_splits_are_told_and_made_again_as_they_were(tmp_path: Path) -> None:
    audit = with_manifest(reported_audit(tmp_path), splits=["train", "val", "test"])
    text = Page(report(audit)).words
    assert "made, train + val + test splits" in text
    assert "--split train val test --name" in text
    words = Page(report(with_manifest(audit, chosen="all"))).words
    assert "made, all splits" in words
    assert "--split all --name" in words


def test_other_models_are_counted_and_not_named(tmp_path: Path) -> None:
    """Two audits of models beside this one, in folders whose names are nobody's business."""
    audit = reported_audit(tmp_path)
    partners = [tmp_path / name / "audits/made-test" for name in ("secretive", "clandestine")]
    for path in partners:
        write_audit(path, audit)
    for few in (partners[:1], partners):
        content = build_report(audit, main_filter(audit), info(), Beside(partners=few), timestamp=MADE)
        assert "secretive" not in content
        assert "clandestine" not in content
        count = f"{len(few)} other{'s' if len(few) > 1 else ''}"
        assert f"{len(few) + 1} models ({count} and this one) share 480 faces" in Page(content).words


def test_warnings_are_sentences(tmp_path: Path) -> None:
    warnings = ["only 5.8% are correct, check which is which"]
    words = Page(report(with_manifest(reported_audit(tmp_path), warnings=warnings))).words
    assert "Doubt: Only 5.8 % are correct, check which is which." in words


def test_without_average_faces_the_grid_is_of_maps_and_says_why_once(tmp_path: Path) -> None:
    audit = reported_audit(tmp_path)
    page = Page(report(with_manifest(audit, averages="another audit of these faces keeps them")))
    assert page.words.count("There is no average face here: another audit of these faces keeps them.") == 1
    assert "Average Grad-CAM, correct and incorrect" in page.words
    assert "no average face is stored" not in page.words
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert "Average Grad-CAM: Alpha women, 18 and older, predicted correctly" in alts
    assert not any(alt.startswith("Average face") for alt in alts)
    none = average_faces(np.zeros((0, 112, 112, 3), np.uint8), np.arange(0), audit.faces[:0])
    older = Page(report(replace(audit, averages=none)))
    assert older.words.count("This audit keeps no average face.") == 1
    assert "no average face is stored" not in older.words


def test_what_holds_within_an_audit_is_not_claimed_of_two(plain: str) -> None:
    words = Page(plain).words
    assert "within this audit no average of fewer than 11" in words
    assert "within each audit, no average of fewer than 11" in words
    assert words.count("could be subtracted") == 2, "in the card and under reproduction"


def test_twelve_faces_make_a_report_in_which_nothing_is_of_fewer_than_eleven(tmp_path: Path) -> None:
    page = Page(report(reported_audit(tmp_path, n=12), all_ages=True))
    assert "too few" in page.words
    assert [attrs for tag, attrs in page.tags if tag == "img" and "Average" in attrs.get("alt", "")] == []


def test_a_map_that_less_others_would_tell_of_a_few_faces_is_withheld(tmp_path: Path) -> None:
    """Women predicted right: of one ethnicity 5 faces only, so that all less the others would be their mean map."""
    few = np.where(np.arange(400) < 10, "Alpha", "Beta")
    few[200:] = "Gamma"
    audit = reported_audit(tmp_path, n=400, ethnicity=few, age=pd.NA)
    right = audit.faces[audit.faces["correct"] & (audit.faces["gender"] == "female")]
    assert 0 < (right["ethnicity"] == "Alpha").sum() < MINIMUM_FACES
    page = Page(report(audit))
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert "Average Grad-CAM: Beta women, predicted correctly" in alts
    assert "Average Grad-CAM: Women, predicted correctly" not in alts
    assert "with the maps below it, one could work out that of under 11 faces" in page.words


def test_groups_of_under_eleven_have_no_accuracy(tmp_path: Path) -> None:
    names = np.where(np.arange(200) < 14, "Rare", "Beta")
    page = Page(report(reported_audit(tmp_path, n=200, ethnicity=names, age=pd.NA)))
    assert "Rare women 7 – – too few (under 11) –" in page.words
    assert (
        "Rare women 7 faces: too few correct too few: averages need 11 incorrect too few: averages need 11"
        in page.words
    )
    filter = Filter(("female",), ("Rare",))
    assert filter.mask(reported_audit(tmp_path, n=200, ethnicity=names).faces).sum() == 7
