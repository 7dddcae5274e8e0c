"""`python -m core …` on the small network and with small shards, for `torchrun`: `-m tests.helpers.small_command …`.

`$KILLED` names a rank: that process kills itself when it has begun its second shard.
"""

from __future__ import annotations

import os
import signal
import sys

import torch

from core.__main__ import main
from core.audit import run
from core.audit.shards import write_shard
from core.ranks import Ranks
from tests.helpers.small_network import small_network

SHARD = 8


def write_one_and_die(*arguments: object) -> None:
    """Writes the first shard; at the second this process is gone."""
    write_shard(*arguments)
    run.write_shard = lambda *_: os.kill(os.getpid(), signal.SIGKILL)


def small_command(words: list[str]) -> int:
    """The exit code of a command with these words."""
    torch.set_num_threads(1)
    run.SHARD = SHARD
    if os.environ.get("KILLED") == str(Ranks.here().rank):
        run.write_shard = write_one_and_die
    with small_network():
        return main(words)


if __name__ == "__main__":
    sys.exit(small_command(sys.argv[1:]))
