"""The password of the page that starts work: kept as a salted hash, compared in constant time, tried a few times."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from core.errors import LookwhereError

#: Holds the hash, as `hash_password` writes it.
VARIABLE = "LOOKWHERE_PASSWORD_HASH"
#: Cost, block size and parallelism of scrypt: 16 MB and about 50 ms a try.
COST, BLOCK, PARALLEL = 2**14, 8, 1
SHORTEST, LONGEST = 10, 200
#: Wrong words in one session, after which it has to be loaded anew.
SESSION_TRIES = 5


def hash_password(password: str) -> str:
    """`scrypt:SALT:HASH`, both in base64. Raises `LookwhereError` where the password is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise LookwhereError(f"a password has {SHORTEST} to {LONGEST} letters; choose another")
    salt = os.urandom(16)
    return ":".join(["scrypt", *(base64.b64encode(part).decode() for part in (salt, _hash(password, salt)))])


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=2**26)


def matches(password: str, stored: str) -> bool:
    """Whether the password is the stored one's. Raises `LookwhereError` where `stored` is no hash of ours."""
    kind, _, rest = stored.partition(":")
    try:
        salt, stored_hash = (base64.b64decode(part, validate=True) for part in rest.split(":"))
    except (ValueError, binascii.Error):
        kind = ""
        salt = stored_hash = b""
    if kind != "scrypt" or len(salt) != 16 or len(stored_hash) != 64:
        raise LookwhereError(f"{VARIABLE}: no hash of a password; make one with: python -m core jobs --password")
    return len(password) <= LONGEST and hmac.compare_digest(_hash(password, salt), stored_hash)


@dataclass
class Tries:
    """Wrong tries of everybody together: a session begun anew does not begin them anew.

    At most `most` in `seconds`; safe for threads.
    """

    most: int = 20
    seconds: float = 600
    wrong: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def allowed(self) -> bool:
        """Whether another try is taken now."""
        with self.lock:
            self._forget()
            return len(self.wrong) < self.most

    def note_wrong(self) -> None:
        """Count a wrong try."""
        with self.lock:
            self._forget()
            self.wrong.append(time.monotonic())

    def _forget(self) -> None:
        while self.wrong and time.monotonic() - self.wrong[0] > self.seconds:
            self.wrong.popleft()
