"""Records a second of the RecordIO reader, in order and at random, without decoding, on a made pack.

python -m benchmarks.recordio --records 60000 --size 8000
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import tyro

from core.data.sources.recordio import RecordFile
from tests.helpers.recordio_writer import image_record, write_pack


def main(records: int = 60_000, size: int = 8_000) -> None:
    """Print the median of three passes each.

    Args:
        records: Records in the pack.
        size: Bytes of each picture.
    """
    picture = b"\xff\xd8\xff" + bytes(size)
    with tempfile.TemporaryDirectory() as folder:
        file = RecordFile(
            write_pack(Path(folder), ((n, image_record([float(n), 0.0], picture)) for n in range(records)))
        )
        for name, keys in (
            ("in order", np.arange(records)),
            ("at random", np.random.default_rng(0).permutation(records)),
        ):
            speeds = [records / seconds_of(file, keys) for _ in range(3)]
            print(f"{name:10} {np.median(speeds):10,.0f} records/s  (at least 50,000 are asked for)")


def seconds_of(file: RecordFile, keys: np.ndarray) -> float:
    """Seconds in which the records of `keys`, int64 (n,), are read."""
    began = time.perf_counter()
    for _key, _data in file.read_many(keys):
        pass
    return time.perf_counter() - began


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
