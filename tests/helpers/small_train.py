"""`python -m train …` on the small network, as a process of its own: `-m tests.helpers.small_train …`."""

from __future__ import annotations

import sys

from tests.helpers.small_network import NARROW, small_network
from train.__main__ import main

if __name__ == "__main__":
    with small_network(NARROW):
        sys.exit(main())
