"""Whether a page may start work: only for who sits at the machine, or has been given a password."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from core.jobs.password import VARIABLE as PASSWORD

#: «1» allows jobs with a password from anywhere; «0» forbids them everywhere.
ALLOW = "LOOKWHERE_ALLOW_JOBS"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
#: What a server in between adds to what it hands on.
PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


@dataclass(frozen=True)
class Permission:
    """Whether jobs are on, and whether a password is asked for; `why` they are off, a sentence."""

    allowed: bool
    password: bool = False
    why: str = ""


def permission(
    address: str | None, headers: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> Permission:
    """Whether a request may start work.

    `address` is the one that the server is bound to, `headers` are the request's. On for a server bound to this machine
    that is asked under a name of this machine and not through another server; or where a password's hash is set and
    `LOOKWHERE_ALLOW_JOBS` is 1. A password that is set is asked for in either case.
    """
    switch, password = environment.get(ALLOW, "").strip(), bool(environment.get(PASSWORD, "").strip())
    if switch == "0":
        return Permission(False, why=f"{ALLOW} is 0, which switches it off.")
    if switch == "1" and password:
        return Permission(True, password=True)
    why = why_elsewhere(address, headers)
    return Permission(False, why=why) if why else Permission(True, password=password)


def why_elsewhere(address: str | None, headers: Mapping[str, str]) -> str:
    """Why a request need not be of who sits at this machine, a sentence; empty where it is.

    `address` is the one that the server is bound to, `headers` are the request's.
    """
    if (address or "").strip("[]").lower() not in LOCAL:
        return f"this server answers at {address or 'every address'}, not at this machine alone."
    if any(headers.get(name) for name in PROXIES):
        return "this page came through another server, so others may reach it too."
    host = _host(headers.get("Host", ""))
    return "" if host in LOCAL else f"this page was asked for at {host or 'no address'}, which is not this machine."


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    header = header.strip().lower()
    return header[1:].partition("]")[0] if header.startswith("[") else header.partition(":")[0]
