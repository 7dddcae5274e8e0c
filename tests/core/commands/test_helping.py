"""What a newcomer reads first: the list of commands, and examples that are typed as they stand."""

from __future__ import annotations

import inspect
import shlex
from typing import get_type_hints

import pytest

from core.__main__ import COMMANDS, main
from core.classifiers.imported.spec import Score
from core.commands.declared_outputs import HELP
from core.commands.helping import SECTIONS, first_sentence, listing, split_examples, tidied
from core.jobs.options import options_of


def test_the_list_has_every_command_once_in_a_line_of_its_own() -> None:
    command_list = listing(COMMANDS, "python -m core")
    for name, command in COMMANDS.items():
        assert command_list.count(f"\n  {name:<13}{first_sentence(command).split()[0]}") == 1, name
    assert "More:" not in command_list, "a new command needs a section in core/commands/helping.py"
    assert {name for names in SECTIONS.values() for name in names} >= {*COMMANDS}
    assert "More:\n  odd" in listing({**COMMANDS, "odd": main}, "x")


def test_help_of_all_is_the_list_and_no_command_at_all_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    for words, code in ((["--help"], 0), ([], 2)):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == code
    printed = capsys.readouterr()
    assert printed.out.strip() == printed.err.strip() == listing(COMMANDS, "python -m core")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_example_can_be_typed_as_it_stands(name: str) -> None:
    text, examples = split_examples(inspect.getdoc(COMMANDS[name]).partition("\nArgs:")[0])
    assert "python -m core" not in text
    typed = [line for line in examples if not line.startswith("#")]
    assert typed
    for line in typed:
        assert "…" not in line
        assert line.startswith(("python -m core ", "torchrun "))
        assert f"core {name}" in line
        assert shlex.split(line)


def test_the_help_of_a_command_ends_with_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "--help"], prog="lookwhere")
    help_text = capsys.readouterr().out
    assert help_text.partition("Example:\n")[2].splitlines() == [
        "  lookwhere compare",
        "  lookwhere compare resnet50-utkface/utkface-test theirs/utkface-test --out comparison.html",
        "  # by columns of your own:",
        "  lookwhere compare first/faces-all second/faces-all --by glasses skin_tone",
    ]
    assert "None}" not in help_text and "{None" not in help_text


def test_what_may_be_left_out_is_said_by_its_default_alone() -> None:
    assert tidied("  --size {None}|{INT INT}  Height") == "  --size {INT INT}         Height"
    assert tidied("  --name {None}|STR  What") == "  --name STR         What"
    assert tidied("  --score {None,logit,label}  What") == "  --score {logit,label}  What"


def test_import_and_table_say_the_same_of_what_both_ask() -> None:
    """Every option of outputs has its help, the values of --score are the declaration's, and the words differ only in
    what an output is called."""
    both = []
    for name, output, data in (("import", "output", "data"), ("table", "score column", "table")):
        helps = {option.name: option.help for option in options_of(COMMANDS[name], ("path",))}
        assert set(helps) == set(inspect.signature(COMMANDS[name]).parameters) and all(helps.values())
        assert get_type_hints(COMMANDS[name])["score"] == Score | None
        assert output in helps["female"] and data in helps["target"]
        both.append({key: helps[key].replace(output, "…").replace(f"the {data} with", "…") for key in HELP})
    assert both[0] == both[1]
