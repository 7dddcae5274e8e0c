"""The one exception that is meant for a person, and what the machine refuses, put so that a person can mend it."""

from __future__ import annotations

import errno
import re

#: Signs that a terminal obeys instead of showing, a tab and a line's end apart, and those that turn a line round.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LINE_END = re.compile(r"\s*\n\s*")
#: Characters of a line that tells an error, at its beginning and at its end, where the mend is: a table may have a
#: million columns, and a name a million letters.
BEGINNING, END = 1_200, 600


class LookwhereError(Exception):
    """Bad input or a broken file, told in one line that names the file and the mend, or in several, each an argument.

    Commands print it and end with exit code 2, pages show it in a box; any other exception is a defect of ours.
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


#: What a disk, a folder's rights or a name may refuse; any other `OSError` is a defect.
MACHINE = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EFBIG: "choose another disk",
    errno.EROFS: "choose a place that can be written",
    errno.EACCES: "choose a place that you may use",
    errno.EPERM: "choose a place that you may use",
    errno.ENOTDIR: "a part of this path is a file; choose another",
    errno.EISDIR: "this is a folder; name a file in it",
    errno.ENOENT: "make its folder first, or choose another",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead nowhere; choose another",
    errno.EIO: "the disk fails; choose another",
    errno.ESTALE: "the disk is gone; choose another",
    errno.EMFILE: "too many files are open; end other programs",
    errno.ENFILE: "too many files are open; end other programs",
}


def machine_error(error: OSError) -> str | None:
    """One line on what the machine refuses, naming the file, with the mend; None where it is not the machine's."""
    if error.errno not in MACHINE:
        return None
    names = " → ".join(str(name)[:300] for name in (error.filename, error.filename2) if name is not None)
    return f"{names + ': ' if names else ''}{error.strerror or error}; {MACHINE[error.errno]}"


def terminal(text: str) -> str:
    """Text as a terminal shows it: a sign that it would obey is written `\\u001b`, in JSON too, where that means it."""
    return _OBEYED.sub(lambda hit: f"\\u{ord(hit[0]):04x}", text)


def told(error: Exception) -> str | None:
    """What a command prints of an error, a line an argument; None where it is a defect of ours.

    Names in it come from data: whatever signs they have, they end no line and are not obeyed.
    """
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        lines: tuple[object, ...] = (f"{error.object!a}: this is no text in UTF-8; choose another name",)
    elif isinstance(error, OSError):
        lines = (machine_error(error),)
    else:
        lines = error.args if isinstance(error, LookwhereError) else (None,)
    return None if None in lines else "\n".join(_one_line(str(line)) for line in lines)


def _one_line(text: str) -> str:
    return shortened(terminal(_LINE_END.sub(" ", text)))


def shortened(line: str) -> str:
    """A line that tells an error, without its middle where it is long: what it names may be of any length."""
    return line if len(line) <= BEGINNING + END else f"{line[:BEGINNING]} … {line[-END:]}"


def at_least(flag: str, value: int, least: int) -> int:
    """The value. Raises `LookwhereError` naming the flag where it is less than `least`."""
    if value < least:
        raise LookwhereError(f"{flag} {value}: give {least} or more")
    return value


#: The largest whole number of an option or a setting: no count comes to it, and a seed beyond it is none everywhere.
LARGEST = 2**31 - 1
#: Signs of a name at the most, of a group, a person or a folder: file systems take no longer ones.
LONGEST_NAME = 255


def at_most(flag: str, value: int, most: int) -> int:
    """The value. Raises `LookwhereError` naming the flag where it is more than `most`."""
    if value > most:
        raise LookwhereError(f"{flag} {value}: give at most {most:,}")
    return value
