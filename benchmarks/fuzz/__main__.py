"""Fuzz one reader with atheris: `python -m benchmarks.fuzz table --seconds 60`, or all of them by `make fuzz`.

What it finds is written to `fuzz/TARGET/` as the input that does it. Exit code 1 where there is one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tyro

from benchmarks.fuzz.targets import feed, seeds


def main(target: tyro.conf.Positional[str], seconds: int = 60, out: Path = Path("fuzz")) -> int:
    """Feed one target for a time.

    Args:
        target: Which reader: recordio, table, predictions, image, upload, declaration, onnx or manifest.
        seconds: How long.
        out: Where inputs that break it are kept.
    """
    import atheris

    # Once before: what it imports is instrumented as it is loaded.
    with atheris.instrument_imports(include=["core"]):
        for seed in seeds(target):
            feed(target, seed)
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
    for n, seed in enumerate(seeds(target)):
        (corpus / str(n)).write_bytes(seed)
    place = out / target
    place.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={place}/", "-rss_limit_mb=4096", "-timeout=20",
               "-max_len=20000", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: feed(target, data))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(tyro.cli(main, description=__doc__))
