"""Many sessions that click at once: seconds from a click to the page's end, errors, and the server's memory.

    python -m benchmarks.load --sessions 50 --seconds 120

Each session is a websocket of Streamlit's own protocol, as a browser opens: it goes from page to page and filters, and
clicks again a while (`--pause`, drawn anew each time around it) after a page has ended. A page that takes longer than
`--patience` seconds counts as an error. The server is one of this machine, ended at the end. Memory is the server's
resident set: after each page was opened once, at its highest, and after all sessions are gone. Needs
requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).parent.parent
PAGES = (
    "overview",
    "accuracy",
    "gaps",
    "heatmaps",
    "evidence",
    "findings",
    "about",
    "image",
    "checks",
    "compare",
    "board",
)
FILTERS = (
    "", "adults=true", "gender=female", "ethnicity=Black", "ethnicity=White&gender=male", "outcome=incorrect",
    "age=30&age=60", "gender=female&ethnicity=Asian&adults=true",
)  # fmt: skip
#: Seconds that a page may take before it counts as an error where `--patience` says nothing else, and after which
#: sessions that left are forgotten.
PATIENCE, FORGET = 120.0, 5
#: Seconds waited for memory to come back.
REST = 20.0


@dataclass
class Tally:
    """What came of all clicks: seconds each, and the errors in words."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def server(port: int | None = None) -> Iterator[tuple[str, int]]:
    """Address (host:port) and process id of a new server of this machine, ended at the end."""
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.disconnectedSessionTTL", str(FORGET)]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(480):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        else:
            raise SystemExit("the app did not start")
        yield f"127.0.0.1:{port}", process.pid
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    """Ask a server to end, and end it where it does not: on a busy machine that takes it longer."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def resident(process: int) -> int:
    """Bytes of a process's resident memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()


def cpu(process: int) -> float:
    """Seconds of processor that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def click(session: ClientConnection, address: str, page: str, query: str) -> str | None:
    """Ask for a page under a filter and wait for its end; what was wrong, None where nothing was."""
    request = BackMsg()
    request.rerun_script.page_name = page
    request.rerun_script.query_string = query
    request.rerun_script.context_info.url = f"http://{address}/{page}"
    await session.send(request.SerializeToString())
    wrong = None
    while True:
        message = ForwardMsg.FromString(await session.recv())
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                wrong = element.exception.message
            elif element.WhichOneof("type") == "alert" and element.alert.format == element.alert.ERROR:
                wrong = element.alert.body
        elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return wrong
        elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            return "the page's script did not compile"


async def visit(
    address: str, until: float, draw: random.Random, pause: float, tally: Tally, patience: float = PATIENCE
) -> None:
    """One visitor: opens a page, clicks until the time is over, and leaves."""
    try:
        async with connect(
            f"ws://{address}/_stcore/stream",
            subprotocols=["streamlit"],
            max_size=None,
            open_timeout=patience,
            ping_interval=None,  # a browser asks for none
        ) as session:
            while time.monotonic() < until:
                page, query = draw.choice(PAGES), draw.choice(FILTERS)
                await timed_click(session, address, page, query, tally, patience)
                await asyncio.sleep(draw.uniform(0.5, 1.5) * pause)
    except Exception as error:  # whatever it is, it is what the visitor met
        tally.errors.append(f"{type(error).__name__}: {error}")


async def timed_click(
    session: ClientConnection, address: str, page: str, query: str, tally: Tally, patience: float
) -> None:
    """A page opened: its seconds, and what is wrong with it, go into the tally."""
    began = time.monotonic()
    wrong = await asyncio.wait_for(click(session, address, page, query), patience)
    tally.seconds.append(time.monotonic() - began)
    if wrong:
        tally.errors.append(f"{page}{query and f'?{query}'}: {wrong}")


async def opened_once(address: str, pages: tuple[str, ...] = PAGES, patience: float = PATIENCE) -> Tally:
    """Every page opened once by one visitor, so that what is kept for all is kept."""
    tally = Tally()
    async with connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as session:
        for page in pages:
            await timed_click(session, address, page, "", tally, patience)
    return tally


async def clicked(
    address: str, sessions: int, seconds: float, pause: float, seed: int = 0, patience: float = PATIENCE
) -> Tally:
    """So many visitors at once for so long."""
    tally, until = Tally(), time.monotonic() + seconds
    draws = [random.Random(seed * 1000 + n) for n in range(sessions)]
    await asyncio.gather(*(visit(address, until, draw, pause, tally, patience) for draw in draws))
    return tally


async def highest(process: int, readings: list[int]) -> None:
    """Note the server's memory twice a second until cancelled."""
    while True:
        readings.append(resident(process))
        await asyncio.sleep(0.5)


async def measured(
    address: str, process: int, sessions: int, seconds: float, pause: float, patience: float = PATIENCE
) -> str:
    """The report of one run."""
    warm = await opened_once(address, patience=patience)
    await asyncio.sleep(FORGET + 3)
    before, readings = resident(process), []
    watch = asyncio.create_task(highest(process, readings))
    began = time.monotonic()
    worked = cpu(process)
    tally = await clicked(address, sessions, seconds, pause, patience=patience)
    worked = cpu(process) - worked
    took = time.monotonic() - began
    watch.cancel()
    await asyncio.sleep(FORGET + REST)
    async with connect(f"ws://{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as session:
        await click(session, address, "about", "")  # sessions that left are forgotten when the next one comes
    await asyncio.sleep(FORGET + 3)
    after, mega = resident(process), 2**20
    p50, p95, most = np.percentile(tally.seconds, [50, 95, 100]) if tally.seconds else (np.nan,) * 3
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    errors = [*warm.errors, *tally.errors]
    return "\n".join(
        [
            f"{sessions} sessions, {took:.0f} s, a click about {pause:g} s after a page's end; load average {load}",
            f"{len(tally.seconds):,} clicks, {len(errors)} errors; the server had {worked / took:.2f} of a core, "
            f"{worked / max(1, len(tally.seconds)):.2f} s a click",
            f"seconds to a page's end: median {p50:.1f}, 95 % within {p95:.1f}, longest {most:.1f}",
            f"memory of the server: {before // mega} MB each page opened once, at most {max(readings) // mega} MB, "
            f"{after // mega} MB when all had left ({100 * (after / before - 1):+.0f} %)",
            *errors[:10],
        ]
    )


def main() -> None:
    """Print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--pause", type=float, default=3)
    parser.add_argument("--patience", type=float, default=PATIENCE)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if not 1 <= options.sessions <= 200 or not 1 <= options.seconds <= 600:
        raise SystemExit("1 to 200 sessions, 1 to 600 seconds")
    with server(options.port) as (address, process):
        print(
            asyncio.run(measured(address, process, options.sessions, options.seconds, options.pause, options.patience))
        )


if __name__ == "__main__":
    main()
