"""The commands, `python -m core COMMAND`; each has `--help` with an example."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import typing
from collections.abc import Callable, Mapping

import tyro

from core.commands import (
    abstaining,
    audits,
    boards,
    comparisons,
    data,
    gaps,
    importing,
    jobs,
    measuring,
    models,
    repeating,
    reviews,
    tables,
    verifying,
)
from core.commands.helping import help_of, listing, without_examples
from core.commands.output import notes_at_the_end
from core.errors import LARGEST, LookwhereError, terminal, told
from core.extras import missing_extra
from core.ranks import Ranks

COMMANDS: dict[str, Callable[..., str | None]] = {
    "datasets": data.datasets,
    "align": data.align,
    "look": data.look,
    "measure": measuring.measure,
    "import": importing.import_,
    "settings": models.settings,
    "audit": audits.audit,
    "table": tables.table,
    "show": audits.show,
    "check": audits.check,
    "evidence": audits.evidence,
    "gaps": gaps.gaps,
    "abstain": abstaining.abstain,
    "image": measuring.image,
    "slices": measuring.slices,
    "findings": audits.findings,
    "review": reviews.review,
    "experiments": audits.experiments,
    "repeated": repeating.repeated,
    "diversity": repeating.diversity,
    "board": boards.board,
    "compare": comparisons.compare,
    "report": audits.report,
    "portraits": models.portraits,
    "hashes": models.hashes,
    "verify": verifying.verify,
    "jobs": jobs.jobs,
}


#: Flags of before `--ages`.
OLD_AGES = {
    "--adults": ("--ages", "adults"),
    "--no-adults": ("--ages", "all"),
    "--all-ages": ("--ages", "all"),
    "--no-all-ages": ("--ages", "adults"),
}
#: Earlier flags by command, which scripts may still give; no help names them.
OLD_FLAGS = {
    **dict.fromkeys(("gaps", "findings", "experiments", "report"), OLD_AGES),
    "audit": {"--names": ("--map-ethnicities",)},
}
#: Digits of a whole number that are looked at.
DIGITS = 40
#: Commands by their earlier names, which scripts may still give; no help lists them.
OLD_NAMES = {"budget": "evidence"}


def renewed(arguments: list[str]) -> list[str]:
    """The arguments with the old name of a command and old flags put as the new ones."""
    if arguments and arguments[0] in OLD_NAMES:
        arguments = [OLD_NAMES[arguments[0]], *arguments[1:]]
    old = OLD_FLAGS.get(arguments[0], {}) if arguments else {}
    return [new for word in arguments for new in _renewed(word, old)]


def _renewed(word: str, old: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """One argument renewed; `--flag=value` keeps its value."""
    flag, equals, value = word.partition("=")
    new = old.get(flag.replace("_", "-"))
    return (word,) if new is None else (*new[:-1], new[-1] + equals + value)


def main(
    arguments: list[str] | None = None,
    commands: Mapping[str, Callable[..., str | None]] = COMMANDS,
    prog: str = "python -m core",
) -> int:
    """Run a command and print what it returns; 0 on success, 2 with one line on bad input, 130 where a person
    interrupted."""
    for stream in (sys.stdout, sys.stderr):  # a folder's name may be no text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with notes_at_the_end():
            result = run(arguments, commands, prog)
            if result is not None and Ranks.here().first:
                print(terminal(result), flush=True)
    except ModuleNotFoundError as error:
        if (line := missing_extra(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output, `head` for one, has had enough; nothing is left to be said at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (LookwhereError, OSError, UnicodeEncodeError) as error:
        if (line := told(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command resumes", file=sys.stderr)
        return 130
    return 0


def run(arguments: list[str] | None, commands: Mapping[str, Callable[..., str | None]], prog: str) -> str | None:
    """The command's result. Whatever a library prints meanwhile goes to stderr, so that stdout holds the result alone.

    Help is printed where it belongs: it is what was asked for.
    """
    words = renewed(sys.argv[1:] if arguments is None else arguments)
    wants_help = bool({"-h", "--help"} & {*words})
    if not words or words[0] in ("-h", "--help"):
        print(listing(commands, prog), file=sys.stdout if wants_help else sys.stderr)
        raise SystemExit(0 if wants_help else 2)
    bare_commands = (
        {name: without_examples(command) for name, command in commands.items()} if wants_help else dict(commands)
    )
    check_numbers(words, commands)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output if wants_help else sys.stderr):
            return _called(words, bare_commands, prog)
    finally:
        if wants_help:
            command = commands.get(words[0])
            print(help_of(command, prog, output.getvalue()) if command else output.getvalue(), end="")


def check_numbers(words: list[str], commands: Mapping[str, Callable[..., str | None]]) -> None:
    """Raises `LookwhereError` naming the first flag for a whole number that has one beyond `LARGEST`, which no count
    here comes to: it would be worked on for long, or overflow somewhere inside."""
    command = commands.get(words[0])
    kinds = typing.get_type_hints(command) if command else {}
    whole = {f"--{name.replace('_', '-')}" for name, kind in kinds.items() if "int" in _plain_kinds(kind)}
    flag = ""
    for word in words[1:]:
        if word.startswith("--"):
            flag, _, word = word.partition("=")
            flag = flag.replace("_", "-")
        digits = word.replace("_", "").lstrip("+-")
        if flag in whole and digits.isdecimal() and (len(digits) > DIGITS or int(digits) > LARGEST):
            raise LookwhereError(f"{flag} {word[:DIGITS]}{'…' * (len(word) > DIGITS)}: give at most {LARGEST:,}")


def _plain_kinds(kind: object) -> set[str]:
    """The names of the types that a value of a kind, or a member of it, may be of."""
    inner = typing.get_args(kind)
    return {getattr(kind, "__name__", "")} if not inner else {name for one in inner for name in _plain_kinds(one)}


def _called(words: list[str], commands: Mapping[str, Callable[..., str | None]], prog: str) -> str | None:
    return tyro.extras.subcommand_cli_from_dict(
        dict(commands),
        prog=prog,
        description=f"Lookwhere's commands, `{prog} COMMAND`; each has `--help` with an example.",
        args=words,
    )


if __name__ == "__main__":
    sys.exit(main())
