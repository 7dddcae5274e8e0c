"""Controls that a link carries: names shown as they are written, choices that wrap, and what is asked in vain.

A control with a key is in the address where it is not at its default (`bind="query-params"`). Streamlit leaves out a
value that is not among the options and says nothing; here one line says what the link asks for and what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from core.present.text import escape
from ui.widgets.filter_query import quoted

Place = DeltaGenerator | None
BOUND = "query-params"


def place_notes() -> None:
    """Begin the run of a page: what links ask for in vain is told here, above all else."""
    st.session_state.link_place = st.container()


def forget_notes() -> None:
    """On leaving a page: its links' notes go with it."""
    st.session_state.link_notes = {}


def tell(sentence: str) -> None:
    """A line on what a link asks for in vain, plain text, at the head of the page."""
    place = st.session_state.get("link_place") or st
    place.caption(f":material/link_off: {escape.markdown(sentence)}")


def asked(key: str) -> list[str]:
    """What the address asks a control for, before it is drawn; an empty value asks for nothing."""
    return [value for value in st.query_params.get_all(key) if value]


def note(key: str, unknown: Sequence[str], what: str, value: object, why: str = "which is not there") -> None:
    """Tell what a link asks for in vain, now and until something else is chosen.

    `unknown` are the values that cannot be had, `what` names the control, `value` is what it has instead.
    """
    notes = st.session_state.setdefault("link_notes", {})
    if unknown:
        instead = "" if isinstance(value, (list, tuple)) else f"; shown is «{escape.one_line(value)}»"
        notes[key] = (f"The link asks for {what} {quoted(list(unknown))}, {why}{instead}.", value)
    elif key in notes and notes[key][1] != value:
        del notes[key]
    if key in notes:
        tell(notes[key][0])


def labels(options: Iterable[Any], plain: Callable[[Any], str] = str, markdown: bool = True) -> Callable[[Any], str]:
    """A label for each option, no two alike: names may differ by a sign that is not shown. For `format_func`."""
    result: dict[Any, str] = {}
    for option in options:
        label = name = escape.markdown(plain(option)) if markdown else plain(option)
        for more in range(2, len(result) + 3):
            if label not in result.values():
                break
            label = f"{name} ({more})"
        result[option] = label
    return lambda option: result.get(option, plain(option))


def pills(label: str, options: Sequence[Any], *, key: str, place: Place = None, bind: bool = True, **more: Any) -> Any:
    """`st.pills`, all in sight however many there are."""
    return _buttons("pills", label, options, key, place, bind, more)


def segments(
    label: str, options: Sequence[Any], *, key: str, place: Place = None, bind: bool = True, **more: Any
) -> Any:
    """`st.segmented_control`, all in sight; one is always chosen."""
    return _buttons("segmented_control", label, options, key, place, bind, {"required": True} | more)


def _buttons(kind: str, label: str, options: Sequence[Any], key: str, place: Place, bind: bool, more: dict) -> Any:
    format_func = labels(options, more.pop("format_func", str))
    values = asked(key) if bind else []
    value = getattr(place or st, kind)(
        label, options, key=key, bind=BOUND if bind else None, wrap=True, format_func=format_func, **more
    )
    if bind:
        offered = {format_func(option) for option in options}
        note(key, [text for text in values if text not in offered], label.lower(), value)
    return value


def selectbox(
    label: str, options: Sequence[Any], *, key: str, place: Place = None, named: str = "", **more: Any
) -> Any:
    """`st.selectbox`, in the address where it is not at its default; `named` in a note, where not by its label."""
    format_func = labels(options, more.pop("format_func", str), markdown=False)
    values = asked(key)
    value = (place or st).selectbox(label, options, key=key, bind=BOUND, format_func=format_func, **more)
    offered = {format_func(option) for option in options}
    unknown = [text for text in values[-1:] if text not in offered]
    note(key, unknown, named or label.lower(), format_func(value))
    return value


def publish(values: Mapping[str, str]) -> None:
    """Write into the address what it lacks of `values`, all at once: each time it is written is a step back.

    Streamlit writes a bound value that code sets only from the widget's second run on, and forbids us to from then on.
    """
    lacking = {key: value for key, value in values.items() if not asked(key)}
    if lacking:
        with suppress(StreamlitAPIException):
            st.query_params.update(lacking)


def always(
    label: str,
    options: Sequence[str],
    default: str,
    *,
    key: str,
    place: Place = None,
    quiet: bool = False,
    aliases: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    """`st.selectbox` whose value is always in the address, so that a link stays what it is when options are added.

    `default`, one of the options, is shown where the address names none of them. `aliases` are other names by which an
    address may ask for an option. With `quiet` nothing is told: another choice has taken this one's options away.
    """
    state, values, before = st.session_state, asked(key)[-1:], st.session_state.get(key)
    lost = state.pop(f"{key} lost", None)
    aliased = (aliases or {}).get(values[0]) if values else None
    asked_for = lost or (values if before is None else [before])
    unknown = [] if quiet or aliased else [text for text in asked_for if text not in options]
    if lost is not None or (before not in options and not (values and values[0] in options)):
        state[key] = aliased if aliased in options else default
        if unknown or aliased:
            with suppress(StreamlitAPIException):
                del st.query_params[key]
        publish({key: state[key]})
    # Without an index the widget has no default, and Streamlit leaves only defaults out of the address.
    value = (place or st).selectbox(label, options, index=None, key=key, bind=BOUND, required=True, **more)
    if value is None:  # the visitor went back to an address without it, which Streamlit takes for «none»
        state[f"{key} lost"] = [text for text in values if text not in options]
        st.rerun()
    if quiet:
        st.session_state.get("link_notes", {}).pop(key, None)
    note(key, unknown, label.lower(), value)
    return value


def multiselect(
    label: str, options: Sequence[str], *, key: str, place: Place = None, bind: bool = True, **more: Any
) -> list[str]:
    """`st.multiselect`, in the address where anything is chosen and it is bound; names no two alike where it is not."""
    if not bind:
        return (place or st).multiselect(
            label, options, key=key, format_func=labels(options, more.pop("format_func", str), markdown=False), **more
        )
    values = asked(key)
    value = (place or st).multiselect(label, options, key=key, bind=BOUND, **more)
    note(key, [text for text in values if text not in options], label.lower(), value)
    return value


def toggle(label: str, *, key: str, place: Place = None, **more: Any) -> bool:
    """`st.toggle`, in the address where it is not at its default."""
    values = asked(key)
    value = (place or st).toggle(label, key=key, bind=BOUND, **more)
    unknown = [text for text in values[-1:] if text.lower() not in ("true", "false")]
    note(key, unknown, f"«{label.lower()}»", "on" if value else "off", "which is neither true nor false")
    return value


def slider(label: str, low: float, high: float, *args: Any, key: str, place: Place = None, **more: Any) -> float:
    """`st.slider` of one number, in the address where it is not at its default."""
    values = asked(key)
    value = (place or st).slider(label, low, high, *args, key=key, bind=BOUND, **more)
    unknown = [text for text in values[-1:] if not _within(text, low, high)]
    note(key, unknown, key, f"{value:g}", f"which is no number from {low:g} to {high:g}")
    return value


def _within(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False
