"""Options are read from what defines them: a command's own parser knows each flag, and takes the words made of them."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from core.__main__ import COMMANDS, main
from core.commands.startable import STARTABLE, Startable, form_options, startable, train_config
from core.errors import LookwhereError
from core.jobs.options import Option, OptionKind, options_of, words_of
from core.jobs.programs import PROGRAMS
from train.__main__ import main as train_main
from train.__main__ import parse


def flags_in_help(program: str) -> set[str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        if program == "train":
            train_main(["--help"])
        else:
            main([program, "--help"])
    return set(re.findall(r"--[\w.-]+", out.getvalue()))


@pytest.mark.parametrize("command", STARTABLE, ids=lambda one: one.program)
def test_a_form_asks_for_what_the_parser_knows_and_nothing_is_forgotten(command: Startable) -> None:
    assert command.program in PROGRAMS
    options = form_options(command)
    help_flags = flags_in_help(command.program)
    assert {option.flag for option in options if option.flag} <= help_flags
    if command.program in COMMANDS:
        every = {option.name for option in options_of(COMMANDS[command.program], command.positional)}
        assert every == {option.name for option in options} | {*command.left_out} & every
    assert set(command.first) <= {option.name for option in options}
    assert all(option.help for option in options), [option.name for option in options if not option.help]


def test_a_trainings_words_make_the_config_that_the_form_shows() -> None:
    command, config = startable("train"), train_config("utkface")
    options = form_options(command, config)
    defaults = {option.name: option.default for option in options}
    wanted = defaults | {
        "name": "mine",
        "data": Path("store"),
        "optimiser.lr": 5e-4,
        "stages.1.epochs": 2,
        "stages.4.dilated": False,
        "exclude": ("female Black", "male Asian"),
        "choose": "worst-group",
        "keep_every": True,
    }
    words = words_of(options, wanted)
    parsed = parse(["--config", "utkface", *words])
    assert (parsed.name, parsed.data) == ("mine", Path("store"))
    settings = parsed.settings
    assert (settings.optimiser.lr, settings.stages[1].epochs, settings.stages[4].dilated) == (5e-4, 2, False)
    assert settings.exclude == ("female Black", "male Asian")
    assert (settings.choose, settings.keep_every, settings.batch) == ("worst-group", True, config.batch)
    assert words_of(options, defaults | {"name": "mine"}) == ["--name", "mine"], "only what differs"


def option(**more: object) -> Option:
    return Option("x", "--x", **{"kind": OptionKind.TEXT, **more})


@pytest.mark.parametrize(
    "value", ["--json", "-x", "a\nb", "a\0b", "a\x1bb", "x" * 501, "\u202eabc"], ids=lambda value: ascii(value)[:12]
)
def test_a_text_cannot_become_an_option_or_a_line_of_its_own(value: str) -> None:
    with pytest.raises(LookwhereError, match=r"--x .*do not begin with a dash, on one line"):
        words_of([option()], {"x": value})


def test_values_of_the_wrong_kind_are_refused() -> None:
    for kind, value in (
        (OptionKind.WHOLE, "1"),
        (OptionKind.WHOLE, True),
        (OptionKind.WHOLE, 1.5),
        (OptionKind.NUMBER, float("nan")),
        (OptionKind.NUMBER, "1e3"),
    ):
        with pytest.raises(LookwhereError, match=f"give a {kind.value}"):
            words_of([option(kind=kind)], {"x": value})
    with pytest.raises(LookwhereError, match="there are a, b"):
        words_of([option(kind=OptionKind.CHOICE, choices=("a", "b"))], {"x": "c"})
    with pytest.raises(LookwhereError, match="needs 2 values, not 1"):
        words_of([option(kind=OptionKind.WHOLE, several=True, count=2)], {"x": (1,)})
    with pytest.raises(LookwhereError, match="is needed"):
        words_of([option(required=True)], {})
    with pytest.raises(LookwhereError, match="y: no such option"):
        words_of([option()], {"y": 1})
    with pytest.raises(LookwhereError, match="over 100 values"):
        words_of([option(several=True)], {"x": ("a",) * 101})


def test_words_of_each_kind() -> None:
    options = [
        option(),
        Option("file", "", OptionKind.PATH),
        Option("a.yes_no", "--a.yes-no", OptionKind.YES_NO, default=True),
        Option("size", "--size", OptionKind.WHOLE, several=True, count=2),
        Option("share", "--share", OptionKind.NUMBER, default=0.5),
    ]
    values = {"x": "$(rm) `x` 'y'", "file": Path("/a b/c"), "a.yes_no": False, "size": [3, 4], "share": -0.001}
    assert words_of(options, values) == [
        "/a b/c", "--x", "$(rm) `x` 'y'", "--a.no-yes-no", "--size", "3", "4", "--share", "-0.001",
    ]  # fmt: skip
    assert words_of(options, {"x": "", "file": None, "a.yes_no": True, "size": (), "share": 0.5}) == []
