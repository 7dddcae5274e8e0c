"""Audits as small and one-sided as people's own: pages, report, card, commands and tables say no «nan» and no «inf»."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.findings import all_findings
from core.audit.folder import Audit
from core.data.filters import Filter
from core.files import write_json
from core.present.card.sections import write_card
from core.present.export import Provenance, tables
from core.present.report import report_of
from core.present.text.findings import findings_report
from core.present.text.gaps_report import gaps_report
from core.present.text.label_noise import noise_report
from core.present.text.tables import audit_report
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import page, text

N = 240
PLACE = np.arange(N)
#: What is replaced of 240 faces of three ethnicities, their ages known; and who is called correctly.
WORLDS: dict[str, tuple[dict[str, object], np.ndarray]] = {
    "no-error": ({}, np.ones(N, bool)),
    "all-incorrect": ({}, np.zeros(N, bool)),
    "all-called-male": ({}, PLACE % 2 == 1),
    "one-group-without-error": ({}, (PLACE // 2 % 3 == 0) | (PLACE % 7 > 0)),
    "one-gender": ({"gender": "female"}, PLACE % 7 > 0),
    "one-man": ({"gender": np.where(PLACE == 7, "male", "female")}, PLACE % 7 > 0),
    "one-ethnicity": ({"ethnicity": "White"}, PLACE % 7 > 0),
    "gender-is-ethnicity": ({"ethnicity": np.where(PLACE % 2, "B", "A")}, PLACE % 7 > 0),
    "no-ages": ({"age": pd.NA}, PLACE % 7 > 0),
    "one-age": ({"age": 30}, PLACE % 7 > 0),
    "one-face-a-group": ({"ethnicity": [f"E{k}" for k in range(40)]}, np.arange(40) % 7 > 0),
    "one-face": ({}, np.ones(1, bool)),
}
ODD = re.compile(r"(?<![\w-])[+−-]?(nan|inf|infinity|None|NaT|<NA>)(?![\w-])")


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Audit]:
    """A models folder with one audit of such faces, and the audit."""
    columns, correct = WORLDS[request.param]
    root = tmp_path_factory.mktemp(request.param)
    faces = made_faces(len(correct), columns=columns)
    images = np.full((len(correct), 16, 16, 3), 120, dtype=np.uint8)
    audit = made_audit(faces=faces, correct=correct, shape=(2, 2), images=images, path=root / "made/audits/all")
    write_json(root / "made/model.json", INFO)
    return root, audit


def odd(words: str) -> list[str]:
    """What has no value in a text, each with the words round it."""
    return [words[max(0, hit.start() - 50) : hit.end() + 30] for hit in ODD.finditer(words)]


def words_of(markup: str) -> str:
    """The words of HTML, its styles and pictures left out."""
    return html.unescape(re.sub(r"(?s)<(style|script|code).*?</\1>|<[^>]*>", " ", markup))


def numbers_of(app: AppTest) -> list[str]:
    """Figures, and the texts of charts and tables."""
    said = [str(part) for element in app.metric for part in (element.label, element.value, element.delta)]
    for element in app.get("plotly_chart"):
        said += re.findall(r'"((?:[^"\\]|\\.)*)"', element.proto.spec)
    for element in app.dataframe:
        said += [str(value) for column in element.value for value in element.value[column].dropna()]
    return said


def test_no_page_shows_what_has_no_value(world: tuple[Path, Audit], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("accuracy", "gaps"):
        app = page(world[0], name, monkeypatch)
        assert not app.exception and not app.error, (name, app.exception, app.error)
        assert odd(words_of(text(app))) == [], name
        assert [element for element in numbers_of(app) if odd(element)] == [], name
        assert all(element.proto.placeholder for element in app.dataframe), "else Streamlit writes «None»"
        provenance = Provenance((), name, name, "all faces", "2026-01-31")
        for item in app.session_state["downloads"].items.values():
            if item.kind == "table":
                table = item.make()
                assert odd(tables.csv(table).decode().replace(",", " , ")) == [], item.name
                assert odd(tables.latex(table, item.name, item.name, provenance).decode()) == [], item.name


def test_no_report_card_or_command_says_what_has_no_value(
    world: tuple[Path, Audit], recwarn: pytest.WarningsRecorder
) -> None:
    root, audit = world
    for ages in (Filter(), Filter.of_ages(audit.faces)):
        if not ages.mask(audit.faces).any():
            continue
        said = [gaps_report(audit, ages), noise_report(audit, ages, models=root)]
        said.append(findings_report(all_findings(audit, ages), "made"))
        assert [hit for one in said for hit in odd(one)] == []
    assert odd(audit_report(audit)) == []
    write_card(root / "made")
    assert odd((root / "made/CARD.md").read_text(encoding="utf-8")) == []
    assert odd(words_of(report_of(root / "made", audit, all_ages=True))) == []
    assert [str(one.message) for one in recwarn if "numpy" in one.filename or "statsmodels" in one.filename] == []


def test_what_has_no_value_is_found() -> None:
    for words in ("nan %", "z = nan;", "worst nan%", "inf × as often", "[-inf, 3]", "is None.", "<NA>"):
        assert odd(words), words
    assert odd("finance, info, Nancy, none of them, «–»") == []
