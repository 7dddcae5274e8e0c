"""What `--help` says before the options: every command in a line, and each command's examples ready to be copied."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping

#: Commands by what one wants, in the order in which one comes to them. A command of no section is listed last.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Your data": ("datasets", "align", "look", "measure"),
    "A model": ("train", "import", "table", "settings", "portraits", "hashes"),
    "For whom it fails, and where it looks": ("audit", "show", "gaps", "findings", "evidence", "check", "report"),
    "Further questions": (
        "compare",
        "image",
        "slices",
        "abstain",
        "review",
        "board",
        "experiments",
        "repeated",
        "diversity",
    ),
    "Housekeeping": ("app", "jobs", "verify"),
}
WIDTH = 100
_OR_NONE = re.compile(r"\{None\}\|(\{.*?\}|\S+)")
_MARK = re.compile(r"(?:^|(?<=\s))(Example|Or(?:, [^:]{1,60})?|[A-Z][^:.]{1,80}, and): ")


def listing(commands: Mapping[str, Callable], prog: str) -> str:
    """All commands by section, what each does in a line, and where to read on."""
    rest = tuple(name for name in commands if not any(name in names for names in SECTIONS.values()))
    lines = [
        f"usage: {prog} COMMAND [OPTIONS]",
        "",
        "For whom a face classifier fails, and where in the face it looks.",
        f"Each command has its options and examples: {prog} COMMAND --help",
    ]
    for title, names in {**SECTIONS, "More": rest}.items():
        there = [name for name in names if name in commands]
        lines += ["", f"{title}:"] if there else []
        for name in there:
            text = " ".join(first_sentence(commands[name]).split())
            lines += textwrap.wrap(text, WIDTH, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15)
    example = next((name for name in ("show", *commands) if name in commands), "")
    lines += ["", "Begin with the study that ships:" if example == "show" else "Example:"]
    options = " --model resnet50-utkface --audit utkface-test" if example == "show" else " --help"
    return "\n".join([*lines, f"  {prog} {example}{options}"])


def first_sentence(command: Callable) -> str:
    """What a command does: the first paragraph of its docstring."""
    return (inspect.getdoc(command) or "").partition("\n\n")[0]


def help_of(command: Callable, prog: str, parser_help: str) -> str:
    """A command's help as its parser prints it, in a newcomer's words, and under it the examples as they are typed."""
    head = (inspect.getdoc(command) or "").partition("\nArgs:")[0]
    lines = [tidied(line) for line in parser_help.rstrip().splitlines()]
    examples = [f"  {line}".replace("python -m core", prog) for line in split_examples(head)[1]]
    return "\n".join([*lines, "", "Example:", *examples] if examples else lines) + "\n"


def without_examples(command: Callable) -> Callable:
    """The command, told of without its examples; for its help alone: it runs nothing else."""
    head, args, options = (inspect.getdoc(command) or "").partition("\nArgs:")

    @functools.wraps(command)
    def shown(*arguments: object, **options: object) -> object:
        return command(*arguments, **options)

    shown.__doc__ = "\n".join([split_examples(head)[0], "", args.strip("\n") + options])
    return shown


def tidied(line: str) -> str:
    """A line of a help, what stands in it where it stood; «{None}|STR» is «STR»: what holds without an option is said
    as its default."""
    line = _OR_NONE.sub(lambda match: match[1] + " " * (len(match[0]) - len(match[1])), line)
    return line.replace("{None,", "{").rstrip()


def split_examples(text: str) -> tuple[str, list[str]]:
    """A docstring without its examples, and these: a line each, what tells them apart as a comment before one."""
    paragraphs, examples = [], []
    for paragraph in text.split("\n\n"):
        line = " ".join(paragraph.split())
        marks = list(_MARK.finditer(line))
        if not marks or marks[0][1] != "Example":
            paragraphs.append(paragraph)
            continue
        if before := line[: marks[0].start()].strip():
            paragraphs.append(before)
        for n, mark in enumerate(marks):
            end = marks[n + 1].start() if n + 1 < len(marks) else len(line)
            command, after = _whole(line[mark.end() : end].strip())
            if alternative := mark[1].removeprefix("Or").removeprefix(", ") if mark[1] != "Example" else "":
                examples.append(f"# {alternative}:")
            examples.append(command)
            if after:
                paragraphs.append(after)
    return "\n\n".join(part.strip() for part in paragraphs if part.strip()), examples


def _whole(words: str) -> tuple[str, str]:
    """A command, and the sentence that may follow it: « Without an audit …»."""
    boundary = re.search(r"\s(?=[A-Z][a-z]+ [a-z]+ [a-z]+ )", words)
    return (words, "") if boundary is None else (words[: boundary.start()], words[boundary.end() :])
