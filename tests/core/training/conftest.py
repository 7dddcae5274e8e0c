"""These tests run on a small network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.small_network import NARROW, small_network


@pytest.fixture(scope="package", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW):
        yield
