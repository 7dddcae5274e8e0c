"""How stores are called where nobody says, and in the commands that pages and reports print."""

from __future__ import annotations

import shlex
from pathlib import Path

#: Where `align` writes and where `train` and `audit` look.
STORES = Path("data/aligned")
#: Layouts of anybody's data: their name tells nothing of what is read, that of the folder does.
OF_ANYBODY = ("manifest", "image-folder", "class-folders")


def store_to_name(dataset: str) -> str:
    """The folder that a printed command names as a data set's store, quoted for a shell.

    Where anybody's data may have the layout, no folder is called as it is: one fills the name in.
    """
    return shlex.quote(str(STORES / ("FOLDER" if dataset in OF_ANYBODY else dataset)))
