"""One process at a time on an output: the second is told at once, and a lock goes with the process that holds it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import LookwhereError

try:
    import fcntl
except ImportError:  # not on Windows: there nobody is kept out
    fcntl = None

#: Where these come up no lock can be had: a read-only folder, or a file system without locks. The work goes on without
#: one, and what then cannot be written is told where it is written.
NO_LOCKS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOLCK, errno.ENOTSUP)


class TakenError(LookwhereError):
    """Another process is at it."""


@contextlib.contextmanager
def alone(output: Path, doing: str, *, wait: bool = False) -> Iterator[None]:
    """Keep other processes off `output`, a file or folder that need not be there, for as long as the block runs.

    The lock is on the hidden file `.NAME.lock` beside it, which goes with the block; the operating system frees it when
    a process ends, however that came, and a file left behind keeps nobody out. With `wait` another process is waited
    for. Raises `TakenError` naming `output` where another one is `doing` it, `LookwhereError` where it has no
    name, or nothing can be written there.
    """
    if not output.name:
        raise LookwhereError(f"{output}: names no file or folder of its own; give it a name")
    file = output.with_name(f".{output.name}.lock")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = _locked(file, wait)
    except BlockingIOError as error:
        raise TakenError(f"{output}: another process is {doing} it now; wait for it, or stop it") from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise LookwhereError(f"{output}: cannot write ({error.strerror or error}); choose another place") from error
        handle = None
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):  # its folder may be gone by now
                file.unlink()
            os.close(handle)


@contextlib.contextmanager
def put_in_place(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to: it takes the place of `path` when the block ends, and goes where that fails.

    Of several processes one writes at a time, and the others wait: they would write into the same file, and take it
    from each other. One that was killed leaves its file, which the next writes over. Raises `OSError`.
    """
    with _partial(path) as partial:
        try:
            yield partial
            partial.replace(path)
        except BaseException:
            # Only here: once it is in place, a file of this name is another process's.
            _take_away(partial)
            raise


@contextlib.contextmanager
def put_both_in_place(first: Path, second: Path) -> Iterator[tuple[Path, Path]]:
    """`put_in_place` of two files that go with each other: `first` takes its place, then `second`.

    Where that ends between the two, what is to be `second` stays beside it, whole, for the next to put in its place.
    """
    with _partial(first) as partial, _partial(second) as second_partial:
        try:
            yield partial, second_partial
            partial.replace(first)
        except BaseException:
            _take_away(partial, second_partial)
            raise
        second_partial.replace(second)


def _take_away(*files: Path) -> None:
    """Delete files, as far as that can be done."""
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()


@contextlib.contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """The file beside `path` that is written to, locked as long as the block runs. Raises `OSError`."""
    partial = path.with_name(path.name + ".partial")
    try:
        handle = _locked(partial, wait=True)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        handle = None  # whoever writes is told
    try:
        yield partial
    finally:
        if handle is not None:
            os.close(handle)


def _locked(file: Path, wait: bool) -> int | None:
    """The descriptor of the locked file; None where the system has no such locks. Raises `OSError`."""
    if fcntl is None:
        return None
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # Whoever held it took the file away on leaving: then the lock is on a file that nobody else will meet.
            if _same(descriptor, file):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _same(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False
