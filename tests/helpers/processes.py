"""Several processes of one command, as `torchrun` would start them: forked from this one, which has torch already."""

from __future__ import annotations

import io
import multiprocessing
import os
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import closing, redirect_stderr

import torch

from core.errors import LookwhereError
from core.ranks import Ranks

#: What a process ends with after a `LookwhereError`, as a command does.
REFUSED = 2


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def in_processes(world: int, work: Callable[[Ranks], object]) -> list[int]:
    """Runs `work` in so many processes that meet by gloo; returns each one's exit code, −9 where it was killed."""
    port, fork = str(free_port()), multiprocessing.get_context("fork")
    ranks = [Ranks(n, world, n, world) for n in range(world)]
    processes = [fork.Process(target=_child, args=(process, port, work)) for process in ranks]
    for process in processes:
        process.start()
    for process in processes:
        process.join(400)
        if process.is_alive():
            process.kill()
            raise AssertionError("a process waits for ever")
    return [process.exitcode for process in processes]


def _child(ranks: Ranks, port: str, work: Callable[[Ranks], object]) -> None:
    os.environ |= {
        "RANK": str(ranks.rank), "WORLD_SIZE": str(ranks.world), "LOCAL_RANK": str(ranks.local),
        "LOCAL_WORLD_SIZE": str(ranks.on_machine), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
        "GLOO_SOCKET_IFNAME": "lo", "TORCHELASTIC_RUN_ID": "made", "GROUP_RANK": "0",
    }  # fmt: skip
    torch.set_num_threads(1)  # threads of the parent's are not here
    code = 0
    try:
        with redirect_stderr(io.StringIO()):
            work(ranks)
    except LookwhereError as error:
        print(error, file=sys.stderr)
        code = REFUSED
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)
