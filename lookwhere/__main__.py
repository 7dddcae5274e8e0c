"""Lookwhere: for whom does a face classifier fail, and where in the face does it look when it does?

Each command has `--help` with an example.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from lookwhere.house import open_house

USAGE = """Train a model; `lookwhere train --help` lists the settings, `lookwhere train experiments --help` is for arms
over seeds."""


def train() -> str:
    """Train a model on an aligned store: see `lookwhere train --help`. `lookwhere train experiments` trains arms over
    seeds.

    Example: lookwhere train --data data/aligned/utkface --name my-model --config utkface
    """
    # Only listed here: its arguments are read by train's own parser, see `main`.
    return USAGE


def main(arguments: list[str] | None = None) -> int:
    """`python -m core`'s commands, `train`, `train experiments` and `app`; exit codes as theirs.

    0 on success, 2 with one line on bad input, 130 where a person interrupted.
    """
    open_house()
    from core.__main__ import COMMANDS
    from core.__main__ import main as core_main
    from lookwhere.app import app

    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["--version"]:
        from lookwhere import __version__

        print(__version__)
        return 0
    if words[:2] == ["train", "experiments"]:
        from train.experiments import main_from

        return main_from(words[2:], "lookwhere train experiments")
    if words[:1] == ["train"]:
        from train.__main__ import main as train_main

        return train_main(words[1:], "lookwhere train")
    commands: dict[str, Callable[..., str | None]] = {**COMMANDS, "train": train, "app": app}
    return core_main(words, commands, "lookwhere")


if __name__ == "__main__":
    sys.exit(main())
