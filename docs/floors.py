"""Draws the floors of `docs/architecture.md` from the import contract: `python docs/floors.py`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
PAGE, CONTRACT = DOCS / "architecture.md", DOCS.parent / "pyproject.toml"
MARKED = re.compile(r"(?<=<!-- floors -->\n).*?(?=<!-- /floors -->)", re.DOTALL)
WIDTH = 100


def floors(contracts: list[dict]) -> str:
    """The picture in Markdown: a line a floor from top to bottom, and the floors inside a room that has some."""
    layered = {tuple(one.get("containers", ())): one["layers"] for one in contracts if one["type"] == "layers"}
    outer, inner = layered[()], layered[("core",)]
    lines = [f"┌─{'─' * WIDTH}─┐", *(_row(floor) for floor in outer if floor != "core"), f"╞═{' core ':═^{WIDTH}}═╡"]
    for number, floor in enumerate(inner):
        lines += [f"├─{'─' * WIDTH}─┤"] * (number > 0) + [_row(floor)]
        for room in re.split(r"[|:]", floor):
            if within := layered.get((f"core.{room.strip()}",)):
                lines += [_row("    " + line) for line in within]
    lines.append(f"└─{'─' * WIDTH}─┘")
    return "```\n" + "\n".join(lines) + "\n```\n"


def _row(floor: str) -> str:
    words = re.sub(r"\s*\|\s*", " │ ", re.sub(r"\s*:\s*", " ↔ ", floor))
    return f"│ {words:<{WIDTH}} │"


def page(text: str) -> str:
    """The page's text with the floors of the contract drawn anew."""
    contracts = tomllib.loads(CONTRACT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return MARKED.sub(floors(contracts), text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
