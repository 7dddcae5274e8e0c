"""The commands, `python -m core COMMAND`; each has `--help` with an example."""

from __future__ import annotations

import os
import sys

import tyro

from core.commands import audits, data, models
from core.errors import LookwhereError

COMMANDS = {
    "datasets": data.datasets,
    "align": data.align,
    "look": data.look,
    "import": models.import_,
    "audit": audits.audit,
    "show": audits.show,
    "check": audits.check,
    "budget": audits.budget,
    "gaps": audits.gaps,
    "findings": audits.findings,
    "experiments": audits.experiments,
    "report": audits.report,
}


#: Flags of before `--ages`, which scripts may still give; no help names them.
OLD_FLAGS = {
    "--adults": ("--ages", "adults"),
    "--no-adults": ("--ages", "all"),
    "--all-ages": ("--ages", "all"),
    "--no-all-ages": ("--ages", "adults"),
}
#: The commands that had them.
OLD_COMMANDS = ("gaps", "findings", "experiments", "report")


def renewed(arguments: list[str]) -> list[str]:
    """The arguments with old flags put as the new ones."""
    if not arguments or arguments[0] not in OLD_COMMANDS:
        return arguments
    return [new for word in arguments for new in OLD_FLAGS.get(word.replace("_", "-"), (word,))]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 on success, 2 with one line on bad input, 130 where a person interrupted."""
    try:
        arguments = renewed(sys.argv[1:] if arguments is None else arguments)
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="python -m core", description=__doc__, args=arguments)
    except LookwhereError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output, `head` for one, has had enough; nothing is left to be said at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted; the same command resumes", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
