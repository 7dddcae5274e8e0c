"""A RecordIO writer after MXNet's, for the tests: frames, split records, both header kinds, both label kinds."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

MAGIC = struct.pack("<I", 0xCED7230A)


def frame(data: bytes) -> bytes:
    """One record as dmlc-core writes it: cut at each magic that lies on 4 bytes, the magic left out."""
    cuts, at = [], data.find(MAGIC)
    while at >= 0:
        if at % 4 == 0:
            cuts.append(at)
        at = data.find(MAGIC, at + 4 if at % 4 == 0 else at + 1)
    edges = [0, *[cut + 4 for cut in cuts]]
    pieces = [data[a:b] for a, b in zip(edges, [*cuts, len(data)], strict=True)]
    out = b""
    for n, piece in enumerate(pieces):
        kind = 0 if len(pieces) == 1 else 1 if n == 0 else 3 if n == len(pieces) - 1 else 2
        out += MAGIC + struct.pack("<I", kind << 29 | len(piece)) + piece + b"\0" * (-len(piece) % 4)
    return out


def image_record(labels: float | Sequence[float], payload: bytes = b"", ident: int = 0) -> bytes:
    """Header and payload; a single number goes into the header, a sequence behind it (flag = its length)."""
    if isinstance(labels, (int, float)):
        return struct.pack("<IfQQ", 0, labels, ident, 0) + payload
    return struct.pack("<IfQQ", len(labels), 0.0, ident, 0) + struct.pack(f"<{len(labels)}f", *labels) + payload


def write_pack(folder: Path, records: Iterable[tuple[int, bytes]], classes: int = 0, lead: bytes = b"") -> Path:
    """`train.rec`, `train.idx` and `property`; `lead` records are written first and not indexed."""
    folder.mkdir(parents=True, exist_ok=True)
    body, lines = bytearray(lead), []
    for key, data in records:
        lines.append(f"{key}\t{len(body)}\n")
        body += frame(data)
    (folder / "train.rec").write_bytes(body)
    (folder / "train.idx").write_text("".join(lines))
    if classes:
        (folder / "property").write_text(f"{classes},112,112")
    return folder / "train.rec"


def insightface_pack(folder: Path, people: dict[int, list[bytes]], label_list: bool = True) -> Path:
    """A pack as InsightFace writes it: pictures 1..A−1, a record a person A..B−1, key 0 with [A, B] written last."""
    records, ranges, key = [], [], 1
    for identity, pictures in people.items():
        first = key
        for picture in pictures:
            label = [float(identity), 0.0] if label_list else float(identity)
            records.append((key, image_record(label, picture, key)))
            key += 1
        ranges.append((first, key))
    a = key
    for first, last in ranges:
        records.append((key, image_record([float(first), float(last)], ident=key)))
        key += 1
    records.append((0, image_record([float(a), float(key)])))
    return write_pack(folder, records, len(people))
