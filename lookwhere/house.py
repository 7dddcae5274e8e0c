"""Where the rooms of Lookwhere are: the engine `core`, the training, the app.

In a checkout they lie beside this package. A wheel carries them inside it, under `lookwhere/_house`, so that nothing
called `core` or `ui` stands among a user's packages; `lookwhere.pth` puts that folder at the end of the import path.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_INSTALLED = Path(__file__).parent / "_house"
HOUSE = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent


def open_house() -> Path:
    """Make sure that `core` is ours and can be imported; returns the folder of the rooms.

    Raises `ImportError` where a package of the user's hides ours: in a notebook's folder a `core/` comes first.
    """
    if str(HOUSE) not in sys.path:
        sys.path.append(str(HOUSE))
    spec = find_spec("core")
    places = [Path(place).resolve() for place in spec.submodule_search_locations or []] if spec else []
    if (HOUSE / "core").resolve() not in places:
        where = spec.origin if spec and spec.origin else ", ".join(map(str, places))
        raise ImportError(
            f"another module named «core» ({where}) hides Lookwhere's; rename it, or start Python in another folder"
        )
    return HOUSE
