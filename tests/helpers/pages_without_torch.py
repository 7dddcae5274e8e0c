"""Every page on a folder of models, in a process that has only what `pip install .` brings; prints a line a page.

    python -m tests.helpers.pages_without_torch MODELS

Packages of the extras are kept from being imported, whether they are installed or not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from core.extras import EXTRAS


class Absent:
    """An importer that has none of the optional packages."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Raises `ModuleNotFoundError` for them, as where they are not installed."""
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def main(models: Path) -> int:
    """1 where a page raised or showed an error, else 0."""
    sys.meta_path.insert(0, Absent())
    from streamlit.testing.v1 import AppTest

    import ui.shell.open_audit
    from ui.shell.navigation import PAGES

    ui.shell.open_audit.MODELS = models
    root, failed = Path(__file__).parents[2], 0
    for entry in PAGES:
        app = AppTest.from_file(str(root / "app.py"), default_timeout=120)
        app.switch_page(str(entry.path))
        app.run()
        wrong = [element.value for element in (*app.exception, *app.error)]
        failed |= bool(wrong) or not app.title
        print(f"{entry.file}: {wrong or app.title[0].value if app.title else 'no title'}", flush=True)
    loaded = sorted(set(EXTRAS) & {name.partition(".")[0] for name in sys.modules})
    print(f"loaded: {loaded}")
    return int(failed or bool(loaded))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
