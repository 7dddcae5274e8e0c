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


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 on success, 2 with one line on bad input, 130 where a person interrupted."""
    try:
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
