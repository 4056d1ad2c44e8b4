"""A small sound submission as a mapping from names to bytes, and the folders and zips that are made of one.

Everything is written here by hand, so that a case can make any byte of it wrong.
"""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from made_submissions import TOML
from numcodecs import blosc, zstd

from vadbench.prediction import Instances

Files = dict[str, bytes]

ROOT = "predictions.zarr"
MAPS = f"{ROOT}/01/score_maps"
FRAMES, HEIGHT, WIDTH = 5, 4, 6
TALL, WIDE = 24, 16
"""Size of the frames of `only_maps`: their chunks are large enough for a compressor to work."""

_KINDS = ("score_maps", "instances", "detections", "frame_scores")


def _blosc(inner: str, shuffle: int, block: int = 0) -> Callable[[bytes, int], bytes]:
    return lambda data, size: bytes(blosc.compress(data, inner.encode(), 5, shuffle, block, size))


_ENCODERS: Mapping[str, tuple[dict[str, Any] | None, Callable[[bytes, int], bytes]]] = {
    "none": (None, lambda data, _: data),
    "gzip": ({"name": "gzip", "configuration": {"level": 5}}, lambda data, _: gzip.compress(data, 5, mtime=0)),
    "zstd": ({"name": "zstd", "configuration": {"level": 3}}, lambda data, _: bytes(zstd.compress(data, 3))),
    "lz4": (
        {"name": "blosc", "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "shuffle"}},
        _blosc("lz4", 1),
    ),
    "bitshuffle": (
        {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 5, "shuffle": "bitshuffle"}},
        _blosc("zstd", 2),
    ),
}


def encoded(data: bytes, codec: str, itemsize: int = 1) -> bytes:
    """One frame of a codec."""
    return _ENCODERS[codec][1](data, itemsize)


def array_files(
    path: str, values: np.ndarray[Any, Any], chunks: tuple[int, ...], *, codec: str = "none", separator: str = "/"
) -> Files:
    """The zarr.json and the chunks of an array."""
    little = values.astype(values.dtype.newbyteorder("<"))
    entry, encode = _ENCODERS[codec]
    endian = {"configuration": {"endian": "little"}} if values.itemsize > 1 else {}
    node = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(values.shape),
        "data_type": values.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": separator}},
        "fill_value": 0,
        "codecs": [{"name": "bytes", **endian}, *([entry] if entry else [])],
        "attributes": {},
    }
    files = {f"{path}/zarr.json": json.dumps(node).encode()}
    for index in product(*(range(-(-n // c)) for n, c in zip(values.shape, chunks, strict=True))):
        whole = np.zeros(chunks, dtype=little.dtype)
        starts = [i * c for i, c in zip(index, chunks, strict=True)]
        part = little[tuple(slice(s, s + c) for s, c in zip(starts, chunks, strict=True))]
        whole[tuple(map(slice, part.shape))] = part
        files[f"{path}/{separator.join(['c', *map(str, index)])}"] = encode(whole.tobytes(), values.itemsize)
    return files


def group_files(path: str) -> Files:
    """The zarr.json of a group."""
    return {f"{path}/zarr.json": b'{"zarr_format": 3, "node_type": "group", "attributes": {}}'}


def clip_files(clip_id: str, seed: int, codecs: Mapping[str, str]) -> Files:
    """All kinds of prediction of a clip."""
    rng = np.random.default_rng(seed)
    path = f"{ROOT}/{clip_id}"
    masks = rng.random((3, HEIGHT, WIDTH)) > 0.5
    found = Instances.from_masks(
        [0, 0, 4], masks, np.arange(3) / 2, height=HEIGHT, width=WIDTH, objects=np.array([0, 1, 0])
    )
    maps = rng.integers(0, 200, (FRAMES, HEIGHT, WIDTH)).astype(np.uint16)
    boxes = np.array([[0, 0, 1, 1], [1, 1, WIDTH, HEIGHT], [0.5, 1, 2.25, 3]])
    files = group_files(path)
    files |= array_files(f"{path}/score_maps", maps, (2, HEIGHT, WIDTH), codec=codecs["score_maps"])
    files |= array_files(
        f"{path}/frame_scores", rng.random(FRAMES), (FRAMES,), codec=codecs["frame_scores"], separator="."
    )
    assert found.objects is not None
    for kind, rows in (
        (
            "instances",
            {
                "frame": found.frames.astype(np.int32),
                "object": found.objects.astype(np.int32),
                "score": found.scores.astype(np.float64),
                "offsets": found.offsets.astype(np.int64),
                "counts": found.counts.astype(np.uint32),
            },
        ),
        (
            "detections",
            {"frame": np.array([1, 2, 2], np.int32), "box": boxes, "score": np.array([0.1, 0.5, 0.9], np.float32)},
        ),
    ):
        files |= group_files(f"{path}/{kind}")
        for name, values in rows.items():
            files |= array_files(f"{path}/{kind}/{name}", values, (2, *values.shape[1:]), codec=codecs[kind])
    return files


@cache
def _sound(codec: str | None) -> Files:
    codecs = {"score_maps": "bitshuffle", "frame_scores": "gzip", "instances": "zstd", "detections": "lz4"}
    others = {"score_maps": "none", "frame_scores": "zstd", "instances": "bitshuffle", "detections": "gzip"}
    files = {
        "submission.toml": TOML.format(kinds=", ".join(f'"{kind}"' for kind in _KINDS)).encode(),
        "provenance.json": b'{"made": "by hand", "scale": 0.5, "steps": [{"name": "a"}, {"name": "b"}]}',
        **group_files(ROOT),
    }
    if codec is not None:
        codecs = others = dict.fromkeys(codecs, codec)
    return files | clip_files("01", 1, codecs) | clip_files("02", 2, others)


def sound(codec: str | None = None) -> Files:
    """The files of a sound submission of two clips with every kind, and every codec if none is given; a copy."""
    return dict(_sound(codec))


def only_maps(codec: str = "none") -> Files:
    """The files of a sound submission of score maps alone, for cases that are about one array."""
    maps = np.arange(FRAMES * TALL * WIDE, dtype=np.uint16).reshape(FRAMES, TALL, WIDE) // 7
    return {
        "submission.toml": TOML.format(kinds='"score_maps"').encode(),
        **group_files(ROOT),
        **group_files(f"{ROOT}/01"),
        **array_files(MAPS, maps, (2, TALL, WIDE), codec=codec),
    }


def edited(files: Files, path: str, **changes: Any) -> Files:
    """The files with keys of a zarr.json changed; the value None removes one."""
    node = json.loads(files[f"{path}/zarr.json"]) | changes
    kept = {key: value for key, value in node.items() if value is not None}
    return files | {f"{path}/zarr.json": json.dumps(kept).encode()}


def write_folder(files: Files, target: Path) -> Path:
    """A folder of the files."""
    for name, data in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(data)
    target.mkdir(parents=True, exist_ok=True)
    return target


@dataclass
class Entry:
    """A member of a zip and how its headers deviate: ``local`` and ``central`` name fields and their values."""

    name: str | bytes
    data: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)
    extra: bytes = b""
    stored: bytes | None = None
    """What stands in the file in place of the data."""


_SHARED = ("version", "flags", "method", "time", "date", "crc", "stored", "size")


def zip_bytes(
    entries: Iterable[Entry],
    *,
    between: bytes = b"",
    prefix: bytes = b"",
    before_directory: bytes = b"",
    suffix: bytes = b"",
    end: Mapping[str, int] | None = None,
) -> bytes:
    """A zip, byte by byte."""
    body, directory, number = bytearray(prefix), bytearray(), 0
    for entry in entries:
        name = entry.name.encode() if isinstance(entry.name, str) else entry.name
        sound = {
            "version": 20,
            "flags": 0 if name.isascii() else 0x0800,
            "method": 0,
            "time": 0,
            "date": 0x21,
            "crc": zlib.crc32(entry.data),
            "stored": len(entry.data),
            "size": len(entry.data),
            "name": name,
            "extra": entry.extra,
        }
        own = sound | {"offset": len(body), "attributes": 0, "disk": 0, "comment": b""} | entry.central
        local = sound | entry.local
        body += struct.pack(
            "<4s5H3I2H", b"PK\3\4", *(local[key] for key in _SHARED), len(local["name"]), len(local["extra"])
        )
        body += local["name"] + local["extra"] + (entry.data if entry.stored is None else entry.stored) + between
        directory += struct.pack("<4sH", b"PK\1\2", 20) + struct.pack("<5H3I", *(own[key] for key in _SHARED))
        lengths = (len(own["name"]), len(own["extra"]), len(own["comment"]), own["disk"], 0)
        directory += struct.pack("<5H2I", *lengths, own["attributes"], own["offset"])
        directory += own["name"] + own["extra"] + own["comment"]
        number += 1
    body += before_directory
    fields = {
        "disk": 0,
        "start_disk": 0,
        "here": number,
        "total": number,
        "length": len(directory),
        "start": len(body),
        "comment": 0,
    } | dict(end or {})
    return bytes(body + directory) + struct.pack("<4s4H2IH", b"PK\5\6", *fields.values()) + suffix


def entries_of(files: Files) -> list[Entry]:
    """Sound members."""
    return [Entry(name, data) for name, data in sorted(files.items())]


def write_zip(files: Files, target: Path) -> Path:
    """A sound zip of the files."""
    target.write_bytes(zip_bytes(entries_of(files)))
    return target
