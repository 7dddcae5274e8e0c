"""Every command and option that a message, a page, a docstring or a document names is one that there is."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from functools import cache
from pathlib import Path

from core.__main__ import COMMANDS, OLD_FLAGS
from lookwhere.__main__ import main
from tests.helpers.shipped import ROOT

SOURCES = sorted(file for room in ("core", "ui", "train", "lookwhere", "pages") for file in (ROOT / room).rglob("*.py"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
#: A command with what is written after it: up to the end of the line or of the quoted code. `\\` goes on, in a shell.
NAMED = re.compile(r"(?:python -m (core|train(?:\.experiments)?)|\b(lookwhere))((?:[ ]+(?:\\\n\s*)?[^\s`«»]+)+)")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w.-]*[\w]")
#: Options of others' programs, as our code and documents name them.
OTHERS = {
    # The converters of Keras, TensorFlow.js and Hugging Face.
    "--input_format",
    "--keras",
    "--model",
    "--output",
    "--output_format",
    "--saved-model",
    "--task",
    "--tfjs",
    "--tflite",
    # Programs that the code starts.
    "--no-sandbox",
    "--server.address",
    "--server.headless",
    "--server.port",
    "--porcelain",
    "--show-toplevel",
    "--threads",
    # torchrun
    "--nnodes",
    "--nproc-per-node",
    "--rdzv-backend",
    "--rdzv-endpoint",
    "--rdzv-id",
    "--standalone",
}
#: Names of our own style sheets, and a word for any option.
NO_OPTIONS = ("--lw-", "--columns", "--flag")


@cache
def options(*command: str) -> frozenset[str]:
    """What the command's help lists, and its earlier flags, which still work."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    listed = set(re.findall(r"--[\w.-]+", out.getvalue()))
    assert listed, command
    return frozenset(listed | set(OLD_FLAGS.get(command[0], {})) | {"--help"})


def every() -> set[str]:
    """The options of all commands."""
    commands = [(name,) for name in (*COMMANDS, "app", "train")] + [("train", "experiments")]
    return {option for command in commands for option in options(*command)} | {"--version", "--resume", *OTHERS}


def texts(file: Path) -> list[str]:
    """The strings of a module, f-strings with «X» for what they fill in; a document's whole text."""
    if file.suffix == ".md":
        return [file.read_text(encoding="utf-8")]
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def unknown(text: str) -> list[str]:
    """The commands of a text that there are not, and options that their command has not."""
    wrong = []
    for module, _, rest in NAMED.findall(text):
        words = rest.split()
        if module.startswith("train"):
            command: tuple[str, ...] = ("train", "experiments") if module.endswith("experiments") else ("train",)
        elif re.fullmatch(r"[a-z]+", words[0]) and (module or words[0] in {*COMMANDS, "app", "train"}):
            if words[0] not in {*COMMANDS, "app", "train"}:
                wrong.append(words[0])
                continue
            command = tuple(words[:2]) if words[:2] == ["train", "experiments"] else (words[0],)
        else:
            continue
        wrong += [
            f"{' '.join(command)} {one}" for one in OPTION.findall(rest.split("#")[0]) if one not in options(*command)
        ]
    return wrong


def test_commands_and_their_options_are_there() -> None:
    hits = [(file, hit) for file in (*DOCUMENTS, *SOURCES) for text in texts(file) for hit in unknown(text)]
    assert [f"{file.relative_to(ROOT)}: {hit}" for file, hit in hits] == []


def test_every_option_in_a_message_is_one_of_some_command() -> None:
    known = every()
    wrong = {
        f"{file.relative_to(ROOT)}: {option}"
        for file in SOURCES
        for text in texts(file)
        for option in OPTION.findall(text)
        if option not in known and not option.startswith(NO_OPTIONS)
    }
    assert wrong == set()


def test_what_is_not_there_is_found() -> None:
    assert unknown("run `python -m core frobnicate --model x`") == ["frobnicate"]
    assert unknown("python -m core audit --model x --shape y # --no") == ["audit --shape"]
    assert unknown("lookwhere gaps --ages all --models m") == []
    assert unknown("lookwhere is a package") == []
    assert unknown("python -m train --data d --frob 1") == ["train --frob"]
