"""The list of pages: each has its file, the navigation and README's table are made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.helpers.shipped import ROOT
from ui.shell.navigation import PAGES, PAGES_FOLDER, entry_of, readme_table


def test_every_file_of_pages_is_in_the_list_and_the_other_way_round() -> None:
    addresses = [address for entry in PAGES for address in (entry.file, entry.former) if address]
    assert sorted(path.stem for path in PAGES_FOLDER.glob("*.py")) == sorted(addresses)


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.file)
def test_a_page_begins_with_page_and_leaves_its_title_to_the_list(entry) -> None:
    source = entry.path.read_text(encoding="utf-8")
    assert "with page(" in source
    assert "st.title" not in source
    assert source.count("\n") <= 25, "what is drawn belongs in a view"
    assert entry.title not in source.partition('"""')[2].partition('"""')[2]
    assert entry.description[0].islower() or not entry.description[0].isalpha()


def test_titles_and_files_are_there_once() -> None:
    assert len({entry.title for entry in PAGES}) == len({entry.file for entry in PAGES}) == len(PAGES)


def test_sections_are_not_torn() -> None:
    sections = [entry.section for entry in PAGES]
    assert sections == sorted(sections, key=sections.index)


def test_readmes_table_is_the_list() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme_table() in readme, f"README's table «What the pages say» should be:\n{readme_table()}"


def test_an_address_that_names_no_page_is_the_first_ones() -> None:
    assert entry_of("") is entry_of("home") is entry_of("no-such-page") is PAGES[0]
    assert [entry_of(entry.file) for entry in PAGES] == list(PAGES)


def test_a_page_still_answers_at_the_address_it_had_before() -> None:
    assert entry_of("trust").file == "checks"
    former = [entry.former for entry in PAGES if entry.former]
    assert not {*former} & {entry.file for entry in PAGES} and len({*former}) == len(former)


def test_the_app_declares_every_page_in_order_and_one_that_answers_at_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.shell.open_audit.MODELS", tmp_path)
    declared: dict[str, list] = {}

    def navigation(sections: dict[str, list], *, expanded: bool):
        declared.update(sections)
        assert expanded, "a menu that folds away its last pages hides them"
        return real(sections, expanded=expanded)

    real = st.navigation
    monkeypatch.setattr("streamlit.navigation", navigation)
    AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    shown = [one for section in declared.values() for one in section if one.visibility == "visible"]
    assert [one.title for one in shown] == [entry.title for entry in PAGES]
    assert [one.url_path for one in shown] == ["", *(entry.file for entry in PAGES[1:])], (
        "the first answers at the root"
    )
    every = [one for section in declared.values() for one in section]
    hidden = [one.url_path for one in every if one not in shown]
    assert hidden == [PAGES[0].file, *(entry.former for entry in PAGES if entry.former)], "for old links"
    assert list(declared) == list(dict.fromkeys(entry.section for entry in PAGES))
