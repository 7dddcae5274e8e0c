"""These tests run on a small network, whose cells lie on tiles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.small_network import small_network
from tests.helpers.unmeasured import cells_on_tiles, decisions_uncounted


@pytest.fixture(scope="package", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(), cells_on_tiles(), decisions_uncounted():
        yield
