"""Visitors of a server: several at once, as `python -m benchmarks.load` has fifty, and one who wants other files."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from websockets.asyncio.client import connect

from benchmarks.load import click, clicked, opened_once

pytestmark = pytest.mark.browser
Result = TypeVar("Result")


def run(work: Coroutine[None, None, Result]) -> Result:
    """What a coroutine gives, in a thread of its own: a browser of another test may have a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def host(address: str) -> str:
    return address.removeprefix("http://")


def test_visitors_at_once_meet_no_error(host: str) -> None:
    first = run(opened_once(host, ("overview", "nothing-of-the-kind")))
    assert first.errors == [] and len(first.seconds) == 2
    tally = run(clicked(host, sessions=3, seconds=2, pause=0.2))
    assert tally.errors == []
    assert len(tally.seconds) >= 3


def test_names_in_an_address_are_looked_up_and_lead_to_no_other_folder(host: str) -> None:
    async def asked() -> str | None:
        query = "model=../../../../etc&audit=../../../core&with=/etc/passwd&face=../../x&experiment=../../.."
        async with connect(f"ws://{host}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as session:
            return await click(session, host, "overview", query)

    assert run(asked()) is None


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/static/../../../../pyproject.toml",
        "/%2e%2e/%2e%2e/pyproject.toml",
        "/app/static/../../pyproject.toml",
        "/media/../pyproject.toml",
        "/component/x/../../../pyproject.toml",
        "//etc/passwd",
        "/static/..%5c..%5cpyproject.toml",
        "/models/resnet50-utkface/model.json",
        "/data/aligned/utkface/faces.npy",
    ],
)
def test_no_file_of_the_machine_is_served(host: str, path: str) -> None:
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (200, 400, 403, 404)
    assert b"[project]" not in body and b"root:" not in body and b"weights_sha256" not in body
    assert answer.status != 200 or b"<!doctype html>" in body.lower(), "the app's own page at most"
    connection.close()


def test_who_has_no_session_uploads_nothing(host: str) -> None:
    connection = http.client.HTTPConnection(host, timeout=20)
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\nabc\r\n--x--\r\n'
    connection.request(
        "PUT", "/_stcore/upload_file/nobody/1", body, {"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert connection.getresponse().status in (400, 403)
    connection.close()
