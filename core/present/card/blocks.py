"""What a card is made of: sections of paragraphs, lists and tables, which Markdown and the HTML report draw alike.

All text in them is plain: names from data (an ethnicity, a file, a reason) are escaped where they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from core.present.text import escape


@dataclass(frozen=True)
class Text:
    """A paragraph; a `quiet` one is a caption or a note."""

    kind: ClassVar[str] = "text"
    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading one level under its section's."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Items:
    """An unordered list."""

    kind: ClassVar[str] = "items"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """`align`: a letter a column, «l» for words and «r» for numbers; the first column heads its row."""

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """`key` names it in a page's address; `blocks` are drawn in order."""

    key: str
    title: str
    blocks: tuple


def section(key: str, title: str, blocks: Iterable) -> Section:
    """A section without the blocks that are None."""
    return Section(key, title, tuple(block for block in blocks if block is not None))


def markdown(title: str, sections: Iterable[Section]) -> str:
    """The whole card; ends with a newline."""
    lines = [f"# {escape.markdown(title)}"]
    for part in sections:
        lines += ["", f"## {escape.markdown(part.title)}"]
        for block in part.blocks:
            lines += ["", *_markdown(block)]
    return "\n".join(lines) + "\n"


def _markdown(block: Text | Heading | Items | Table) -> list[str]:
    if isinstance(block, Text):
        return [escape.sentence(block.text)]
    if isinstance(block, Heading):
        return [f"### {escape.markdown(block.text)}"]
    if isinstance(block, Items):
        return [f"- {escape.sentence(item)}" for item in block.items]
    rule = "|".join("---:" if letter == "r" else "---" for letter in block.align)
    rows = ["| " + " | ".join(map(escape.markdown, row)) + " |" for row in block.rows]
    lines = ["| " + " | ".join(map(escape.markdown, block.columns)) + " |", f"|{rule}|", *rows]
    return [escape.markdown(block.caption), "", *lines] if block.caption else lines
