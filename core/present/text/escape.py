"""Plain text for each place that reads more than text: Markdown, Plotly's labels, LaTeX, a spreadsheet's cells.

Names of groups, models, files and people's own words come from data and may hold any sign. Each function gives text
that its target shows letter for letter. The report's template escapes by itself, after `seen`.
"""

from __future__ import annotations

import html
import re

from core.errors import shortened

#: What Markdown (GitHub's, with formulas, and Streamlit's own colours, icons and emoji) takes for more than text
#: anywhere in a line. An underscore inside a word is text to it.
_MARKDOWN = re.compile(
    r"([\\`*|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|\](?=[(\[:])|(?<=!)\[|:(?=[\w+\-/])|(?<=:material)/)"
)
#: An emoji's name. Streamlit looks for it in what it is given, before Markdown's own rules.
_EMOJI = re.compile(r":[\w+-]+:")
#: What it takes for a heading, a quotation, a list, a rule or a heading's underline at a line's start.
_START = re.compile(r"^([#>+=-]|\d{1,9}(?=[.)](?:\s|$)))")
#: What Streamlit makes a typographical sign of, where spaces stand round it. A joiner without width stops it.
_ARROWS = re.compile(r"(?:(?<=\s)|^)(<->|->|<-|--|>=|<=|~=)(?=\s|$)")
_JOINER = "\u2060"
#: White space and control signs; and signs that turn the direction of all that follows on the line.
_BLANK = re.compile(r"[ \x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: A spreadsheet takes a cell that begins so for a formula, or for the end of the cell before it.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CELL_ENDS = ("\t", "\r", "\n")
#: Blanks and signs without width: a reader may drop those at a cell's beginning, a byte order mark at the file's.
_WIDTHLESS = r"\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_UNSEEN = re.compile(f"^[{_WIDTHLESS}]+")
#: Where a cell begins to a spreadsheet that parts cells by semicolons or tabs, as those of many countries do: to it,
#: quotes round the whole hold nothing together.
_CELL_WITHIN = re.compile(f"([;\\t\\n]['\"]?)(?=['\"{_WIDTHLESS}]*[=+\\-@＝＋－＠])")
#: A command that our own sentences name. No backtick is in it, which would end the code, and no colon, for emoji.
_COMMAND = re.compile(r"(?<!`)`python -m [^`:]+`(?!`)")
_RETURN = re.compile(r"\r\n?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def one_line(text: object) -> str:
    """Text in one line, without control signs and without those that turn what follows it round."""
    return _BLANK.sub(" ", _TURNS.sub("", str(text))).strip()


def seen(text: str) -> str:
    """Text without control signs, but for ends of lines and tabs, and without those that turn what follows round."""
    return _CONTROL.sub("", _TURNS.sub("", text))


def in_html(text: object) -> str:
    """Text as HTML shows it, between tags and in attributes."""
    return html.escape(seen(str(text)))


def sentence(text: object) -> str:
    """`markdown`, but a command of ours that stands between backticks stands as code, and a long line is cut as a
    command cuts it (`core.errors.shortened`)."""
    line = shortened(one_line(text))
    commands = _COMMAND.findall(line)
    if not commands:
        return markdown(line)
    rest = [_escaped(part) for part in _COMMAND.split(line)]
    rest[0] = _at_start(rest[0])
    return "".join(part + command for part, command in zip(rest, [*commands, ""], strict=True))


def markdown(text: object) -> str:
    """Text as Markdown shows it, in one line: no markup, HTML, formula, colour, icon or table border comes of it."""
    return _at_start(_escaped(one_line(text)))


def _at_start(line: str) -> str:
    return _START.sub(lambda hit: hit[1] + "\\" if hit[1].isdigit() else "\\" + hit[1], line)


def _escaped(text: str) -> str:
    """Part of a line, wherever in it the part stands."""
    line = _ARROWS.sub(lambda hit: hit[1][0] + _JOINER + hit[1][1:], text)
    emoji = bool(_EMOJI.search(line))
    line = _MARKDOWN.sub(r"\\\1", line)
    if emoji:
        line = re.sub(r"(?<!\\):", r"\:", line)
    return line


def plotly(text: object) -> str:
    """Text as Plotly shows it in labels, legends and what is told of a point: no tag, formula or placeholder."""
    return html.escape(one_line(text), quote=False).replace("$", "&#36;").replace("%{", "&#37;{")


def cell(value: object) -> object:
    """A value for a cell of a CSV: a text that a spreadsheet would run as a formula gets an apostrophe before it.

    So does what follows a semicolon, a tab or a line's end within it: to some spreadsheets a cell begins there.
    A carriage return becomes a line feed, which a writer puts in quotes: alone it would end the row.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    formula = _UNSEEN.sub("", value).startswith(_FORMULA) or value.startswith(_CELL_ENDS)
    text = _CELL_WITHIN.sub(r"\1'", _RETURN.sub("\n", value.replace("\0", "")))
    return ("'" if formula else "") + text
