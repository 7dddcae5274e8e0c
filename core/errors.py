"""The one exception that is meant for a person, and what the machine refuses, put so that a person can mend it."""

from __future__ import annotations

import errno


class LookwhereError(Exception):
    """Bad input or a broken file, told in one line that names the file and the mend.

    Commands print it and end with exit code 2, pages show it in a box; any other exception is a defect of ours.
    """


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


def at_least(flag: str, value: int, least: int) -> int:
    """The value. Raises `LookwhereError` naming the flag where it is less than `least`."""
    if value < least:
        raise LookwhereError(f"{flag} {value}: give {least} or more")
    return value
