"""The pages of the app: one list, from which the navigation, README's table and every test of pages are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

#: Where the pages' files lie, and what a browser shows beside the title. An icon font would be fetched from a host.
PAGES_FOLDER = Path(__file__).parent.parent.parent / "pages"
ICON = Path(__file__).parent / "icon.png"


class Needs(IntEnum):
    """What a page cannot do without. Each value includes the ones before it."""

    NOTHING = 0
    MODEL = 1
    AUDIT = 2
    MAPS = 3
    CHECKS = 4


@dataclass(frozen=True)
class PageEntry:
    """What is known of a page outside its own file.

    `file` names `pages/FILE.py` and is the page's address. `title` stands in the navigation and, unless `heading` says
    more, at the head of the page. `section` is the navigation's, `description` README's. `icon` is a name of Material
    Symbols. `needs` says what must be there before the page can show anything; `page()` sees to it.
    `glossary` is True of the page that has all terms, and explains none of them elsewhere.
    `single_faces` is True where a page draws single faces, none of which it may offer to download.
    `former` is the address that it had before, empty for none: links to it still hold. `pages/FORMER.py` starts the app
    over where it is the first that a new server is asked for.
    """

    file: str
    title: str
    icon: str
    section: str
    description: str
    needs: Needs = Needs.AUDIT
    heading: str = ""
    single_faces: bool = False
    glossary: bool = False
    former: str = ""

    @property
    def path(self) -> Path:
        """The page's file."""
        return PAGES_FOLDER / f"{self.file}.py"


#: In the order of the navigation; the first page answers where the address names none.
PAGES: tuple[PageEntry, ...] = (
    PageEntry(
        file="overview",
        title="Overview",
        icon="grid_view",
        section="",
        description="what the model is, overall and worst-group accuracy, the same model on other data sets, and the "
        "original study's grid of pairs",
        heading="For whom does it fail, and where does it look?",
    ),
    PageEntry(
        file="findings",
        title="Findings",
        icon="fact_check",
        section="",
        description="the original study's claims put to the open audit: a test, the numbers, a figure, a plain verdict "
        "each",
    ),
    PageEntry(
        file="repeated",
        title="The study, repeated",
        icon="replay",
        section="",
        description="the original's three-set protocol on open data: its seven figures beside ours, by network, the "
        "average faces and maps, claims 1 to 3; and whether diversity of training closes the gap",
        needs=Needs.NOTHING,
    ),
    PageEntry(
        file="about",
        title="About",
        icon="info",
        section="",
        description="what this is, how to read an average heatmap and how not to, the original study, and a glossary",
        needs=Needs.NOTHING,
        glossary=True,
    ),
    PageEntry(
        file="accuracy",
        title="Accuracy breakdown",
        icon="bar_chart",
        section="For whom",
        description="every group with Wilson intervals, confusion, ROC, calibration, a threshold that moves it all",
    ),
    PageEntry(
        file="gaps",
        title="Gaps and tests",
        icon="balance",
        section="For whom",
        description="intervals that hold for all groups at once, corrected tests, age against ethnicity, power, "
        "fairness measures, label noise",
    ),
    PageEntry(
        file="image",
        title="The person or the image?",
        icon="center_focus_strong",
        section="For whom",
        description="how much of each group's gap goes with what the image says (skin tone, light, sharpness, pose …), "
        "and slices of faces that surely fare worse",
    ),
    PageEntry(
        file="heatmaps",
        title="Heatmap comparison",
        icon="compare",
        section="Where it looks",
        description="two to four groups side by side: face, Grad-CAM, overlay, and their difference with the cells "
        "beyond chance outlined",
        needs=Needs.MAPS,
    ),
    PageEntry(
        file="evidence",
        title="Evidence by region",
        icon="face",
        section="Where it looks",
        description="the mean margin of one group turned into another's, region by region, with nothing left over",
        needs=Needs.MAPS,
    ),
    PageEntry(
        file="checks",
        former="trust",
        title="Explanation checks",
        icon="verified",
        section="Where it looks",
        description="random weights, deletion and ROAD against controls, hidden regions, the grad-cam library's other "
        "methods",
        needs=Needs.CHECKS,
    ),
    PageEntry(
        file="photo",
        title="Try a photo",
        icon="add_a_photo",
        section="Face by face",
        description="faces found in an image of yours or in one of eight portraits, prediction, Grad-CAM, evidence by "
        "region, and where it lies among the audited faces",
        needs=Needs.MODEL,
        single_faces=True,
    ),
    PageEntry(
        file="faces",
        title="Faces",
        icon="groups",
        section="Face by face",
        description="with the data set at hand: the faces behind any group, most confidently incorrect first, and what "
        "error clusters there are",
        single_faces=True,
    ),
    PageEntry(
        file="labels",
        title="Suspected labels",
        icon="rate_review",
        section="Face by face",
        description="which labels may be wrong, how many a gap would need, and with the data set at hand the faces to "
        "decide on: keep, flip or leave out, as a list that every number can be counted by",
        single_faces=True,
    ),
    PageEntry(
        file="training",
        title="Training status",
        icon="monitoring",
        section="Models",
        description="state, ETA and curves of a run, live or finished",
        needs=Needs.MODEL,
    ),
    PageEntry(
        file="runs",
        title="Runs",
        icon="play_circle",
        section="Models",
        description="attach a data set, see what would be read of it, align, audit, check, train or import from here: "
        "a queue of jobs that go on when the page is closed",
        needs=Needs.NOTHING,
    ),
    PageEntry(
        file="compare",
        title="Compare models",
        icon="difference",
        section="Models",
        description="the same faces under two to four models, paired: whom a change helped, and where the model looks "
        "now",
    ),
    PageEntry(
        file="board",
        title="The board",
        icon="leaderboard",
        section="Models",
        description="ready-made classifiers of others beside ours on the same faces: by group, paired, and who has "
        "seen them",
        needs=Needs.MODEL,
    ),
)


def entry_of(address: str) -> PageEntry:
    """The entry of a page by its address, present or former; the first page's where the address names none of them."""
    return next((entry for entry in PAGES if address and address in (entry.file, entry.former)), PAGES[0])


def navigation() -> st.Page:
    """Declare the app and its pages; returns the one that the address names."""
    # Before st.navigation, which else asks a host for the font of the page's own icon.
    st.set_page_config(page_icon=ICON, layout="wide")
    sections: dict[str, list[st.Page]] = {}
    open_at = urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2]
    for entry in PAGES:
        # A page that answers at two addresses has an entry for each: the menu shows, and so marks, the open one.
        former = bool(entry.former) and open_at == entry.former
        pages = sections.setdefault(entry.section, [])
        pages.append(_declared(entry, hidden=former))
        if entry.former:
            pages.append(_declared(entry, address=entry.former, hidden=not former))
    # The first page answers at / and at its name.
    by_name = open_at == PAGES[0].file
    first = sections[PAGES[0].section]
    first[0] = _declared(PAGES[0], hidden=not by_name)
    first.insert(0, _declared(PAGES[0], address="home", hidden=by_name))
    open_page = st.navigation(sections, expanded=True)
    st.set_page_config(page_title=f"{entry_of(open_page.url_path).title} · Lookwhere")
    return open_page


def _declared(entry: PageEntry, address: str = "", hidden: bool = False) -> st.Page:
    return st.Page(
        entry.path,
        title=entry.title,
        icon=f":material/{entry.icon}:",
        url_path=address or entry.file,
        default=address == "home",
        visibility="hidden" if hidden else "visible",
    )


def readme_table() -> str:
    """README's table «What the pages say», in Markdown."""
    return "\n".join(["| page | |", "|---|---|", *(f"| {entry.title} | {entry.description} |" for entry in PAGES)])
