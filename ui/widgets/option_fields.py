"""A field for an option of a command, by the option's kind: what it is called, what it may be, its help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.errors import LookwhereError
from core.jobs.options import Option, OptionKind


def option_field(
    option: Option,
    key: str,
    place: Any = st,
    offers: Sequence[str] = (),
    label_of: Callable[[str], str] = str,
    value: object = None,
) -> object:
    """Draw the field and return its value; None, or nothing in a list, where the command decides.

    `offers` are values to choose from: all that there are where the option is a text, some of them where it is a path.
    `label_of` is how one reads; `value` is what is chosen at first, by default the option's default.
    """
    first = option.default if value is None else value
    about = {"key": key, "help": option.help or None}
    if option.kind is OptionKind.YES_NO:
        return place.toggle(option.label, value=bool(first), **about)
    if option.kind is OptionKind.CHOICE or (option.kind is OptionKind.TEXT and offers):
        return _choice(option, place, list(option.choices or offers), first, about)
    if option.kind is OptionKind.PATH:
        return _path(option, place, offers, label_of, first, about)
    if option.several:
        return _several(option, place, first, about)
    if option.kind in (OptionKind.WHOLE, OptionKind.NUMBER):
        return _number(option, place, first, about)
    return place.text_input(option.label, value=str(first or ""), max_chars=200, **about) or None


def _choice(option: Option, place: Any, choices: list[str], first: object, about: dict) -> object:
    if option.several:
        return tuple(
            place.multiselect(option.label, choices, default=list(first or ()), placeholder=option.unset, **about)
        )
    index = choices.index(str(first)) if str(first) in choices else None
    if option.default is not None:
        return place.selectbox(option.label, choices, index=index, **about)
    return place.selectbox(
        option.label, choices, index=index, placeholder="Choose" if option.required else option.unset, **about
    )


def _path(option: Option, place: Any, offers: Sequence[str], label_of: Callable, first: object, about: dict) -> object:
    words = {"accept_new_options": True, "format_func": label_of, "placeholder": "Choose, or type a path"}
    if option.several:
        return tuple(place.multiselect(option.label, list(offers), **words, **about))
    index = list(offers).index(first) if first in offers else None
    return place.selectbox(option.label, list(offers), index=index, **words, **about)


def _several(option: Option, place: Any, first: object, about: dict) -> tuple:
    """Values in one line: words apart by commas, numbers by commas or blanks."""
    count = f"{option.count} numbers" if option.count else option.unset
    numbers = option.kind is not OptionKind.TEXT
    text = place.text_input(
        option.label,
        value=(" " if numbers else ", ").join(map(str, first or ())),
        placeholder=count if numbers else "apart by commas",
        max_chars=500,
        **about,
    )
    words = (text.replace(",", " ") if numbers else text.replace(", ", ",")).split(None if numbers else ",")
    return tuple(_read(option, word.strip()) for word in words if word.strip())


def _read(option: Option, word: str) -> object:
    """Raises `LookwhereError` where a number is asked for and the word is none."""
    kinds = {OptionKind.WHOLE: int, OptionKind.NUMBER: float}
    try:
        return kinds.get(option.kind, str)(word)
    except ValueError as error:
        raise LookwhereError(f"{option.label}: «{word[:40]}» is no {option.kind.value}") from error


def _number(option: Option, place: Any, first: object, about: dict) -> object:
    whole = option.kind is OptionKind.WHOLE
    value = None if first is None else (int if whole else float)(first)
    limits = {"step": 1} if whole else {"step": 0.01, "format": "%g"}
    return place.number_input(option.label, value=value, placeholder=option.unset, **limits, **about)
