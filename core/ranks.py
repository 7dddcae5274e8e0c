"""Which process of a command's several this is, as `torchrun` tells each in its environment. Needs no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Ranks:
    """`rank` of `world` processes, and `local`, its number on its machine of `on_machine`; alone by default."""

    rank: int = 0
    world: int = 1
    local: int = 0
    on_machine: int = 1

    @classmethod
    def here(cls) -> Ranks:
        """From `RANK`, `WORLD_SIZE`, `LOCAL_RANK` and `LOCAL_WORLD_SIZE`; alone where the first two are not there."""
        try:
            rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
            local = int(os.environ.get("LOCAL_RANK", rank))
            on_machine = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        except (KeyError, ValueError):
            return cls()
        return cls(rank, world, local, on_machine) if 0 <= rank < world else cls()

    @property
    def first(self) -> bool:
        """Whether this is the process that joins what all have done, writes and prints."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is but this process."""
        return self.world == 1

    def mine(self, count: int) -> Iterator[int]:
        """The numbers below `count` that are this process's: every `world`-th from its rank on."""
        return iter(range(self.rank, count, self.world))

    def slice(self, count: int) -> slice:
        """This process's run of `count` things, in order: runs of all processes, one after another, are all of them."""
        return slice(count * self.rank // self.world, count * (self.rank + 1) // self.world)


#: The only process of its command.
ALONE = Ranks()
