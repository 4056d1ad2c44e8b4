"""Hostile arrays: what their zarr.json claims, what their chunks hold, what their values are."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hostile_case import Case, in_folder, in_zip
from hostile_trees import (
    FRAMES,
    HEIGHT,
    MAPS,
    ROOT,
    TALL,
    WIDE,
    WIDTH,
    Files,
    array_files,
    edited,
    encoded,
    group_files,
    only_maps,
    sound,
    write_folder,
)
from made_submissions import TOML
from numcodecs import zstd

_CHUNK = f"{MAPS}/c/1/0/0"
_CLIP = f"{ROOT}/01"
_SIZE = 2 * TALL * WIDE * 2
_BYTES = {"name": "bytes", "configuration": {"endian": "little"}}


def _node(name: str, codes: str, path: str = MAPS, **changes: Any) -> Case:
    """Keys of a zarr.json."""
    return in_folder(f"zarr.json: {name}", codes, lambda: edited(only_maps(), path, **changes))


def _text(name: str, codes: str, text: bytes, path: str = MAPS) -> Case:
    """A zarr.json as a whole."""
    return in_zip(f"zarr.json: {name}", codes, lambda: only_maps() | {f"{path}/zarr.json": text})


def _codec(name: str, *codecs: Any) -> Case:
    return _node(name, "S131", codecs=list(codecs))


def _grid(*chunks: int, name: str = "regular") -> dict[str, Any]:
    return {"name": name, "configuration": {"chunk_shape": list(chunks)}}


def _without(*names: str) -> Files:
    return {name: data for name, data in sound().items() if not name.startswith(names)}


@cache
def zeros(size: int) -> bytes:
    """A zstd frame of that many zeros: some kilobytes for 64 MiB."""
    return bytes(zstd.compress(bytes(size), 1))


def _frame_scores_of(length: int, chunk: int) -> Files:
    """Frame scores in float64, all 0, from few bytes."""
    path = f"{_CLIP}/frame_scores"
    files = group_files(ROOT) | group_files(_CLIP) | array_files(path, np.zeros(1), (1,), codec="zstd")
    files = edited(files, path, shape=[length], chunk_grid=_grid(chunk))
    files |= {f"{path}/c/{number}": zeros(chunk * 8) for number in range(-(-length // chunk))}
    return files | {"submission.toml": TOML.format(kinds='"frame_scores"').encode()}


def _wide_boxes(number: int) -> Files:
    """Boxes in chunks of 64 MiB, of each of which 32 bytes are used."""
    path = f"{_CLIP}/detections"
    files = group_files(ROOT) | group_files(_CLIP) | group_files(path)
    files |= array_files(f"{path}/frame", np.zeros(number, np.int32), (number,))
    files |= array_files(f"{path}/score", np.zeros(number, np.float32), (number,))
    files |= array_files(f"{path}/box", np.zeros((1, 4)), (1, 4), codec="zstd")
    files = edited(files, f"{path}/box", shape=[number, 4], chunk_grid=_grid(1, 2**23))
    files |= {f"{path}/box/c/{row}/0": b"" for row in range(number)}
    return files | {"submission.toml": TOML.format(kinds='"detections"').encode()}


NODES = [
    _text("larger than 64 KiB", "S123", b" " * 65_537),
    _text("nested 17 levels", "S130", b'{"a": ' * 17 + b"1" + b"}" * 17),
    _text("nested 60 000 levels", "S130", b"[" * 60_000),
    _text("the same key twice", "S130", b'{"zarr_format": 3, "zarr_format": 3}'),
    _text("NaN literal", "S130", b'{"fill_value": NaN}'),
    _text("Infinity literal", "S130", b'{"fill_value": -Infinity}'),
    _text("number beyond float64", "S130", b'{"fill_value": 1e999}'),
    _text("whole number of 5000 digits", "S130", b'{"shape": [' + b"9" * 5_000 + b"]}"),
    _text("byte-order mark", "S130", b"\xef\xbb\xbf{}"),
    _text("invalid UTF-8", "S130", b'{"\xff": 1}'),
    _text("UTF-16", "S130", '{"zarr_format": 3}'.encode("utf-16")),
    _text("empty", "S130", b""),
    _text("not an object", "S131", b"[3]"),
    _text("half a character in a key", "S131", b'{"zarr_format": 3, "node_type": "array", "\\ud800": 1}'),
    _text("ANSI escape in a key", "S131", b'{"zarr_format": 3, "node_type": "array", "\\u001b[31m": 1}'),
    _text("invalid JSON in a clip's group", "S130", b"{", _CLIP),
    _text("invalid JSON at the root", "S130", b"{", ROOT),
    _node("version 2", "S131", zarr_format=2),
    _node("group in place of an array", "S131", node_type="group"),
    _node("unknown key", "S131", cache={"path": "/etc"}),
    _node("unknown key that need not be understood", "S131", secret={"must_understand": False}),
    _node("attributes", "S131", attributes={"auroc": 1.0}),
    _node("attributes of a group", "S131", _CLIP, attributes={"x": 1}),
    _node("storage transformers", "S131", storage_transformers=[{"name": "x"}]),
    _node("consolidated metadata of an array", "S131", consolidated_metadata={"metadata": {}}),
    _node("consolidated metadata of a clip", "S131", _CLIP, consolidated_metadata={"metadata": {}}),
    _node("shape of 2⁴⁰ frames", "S133 S137", shape=[2**40, TALL, WIDE]),
    _node("shape of 2⁶⁰ frames", "S131", shape=[2**60, TALL, WIDE]),
    _node("2¹²⁰ chunks", "S132 S133 S137", shape=[2**40] * 3, chunk_grid=_grid(1, 1, 1)),
    _node("negative length", "S131", shape=[-1, TALL, WIDE]),
    _node("length that is no whole number", "S131", shape=[5.0, TALL, WIDE]),
    _node("length that is true", "S131", shape=[True, TALL, WIDE]),
    _node("no frames", "S120 S132", shape=[0, TALL, WIDE]),
    _node("no axes", "S131", shape=[]),
    _node("32 axes", "S131", shape=[1] * 32, chunk_grid=_grid(*[1] * 32)),
    _node("chunks of length 0", "S131", chunk_grid=_grid(0, TALL, WIDE)),
    _node("chunk of 1 TiB", "S131", chunk_grid=_grid(2**40, TALL, WIDE)),
    _node("chunks with fewer axes", "S131", chunk_grid=_grid(2, TALL)),
    _node("chunks of half frames", "S132 S133 S134", chunk_grid=_grid(2, TALL, 8)),
    _node("rectilinear grid", "S131", chunk_grid=_grid(2, TALL, WIDE, name="rectilinear")),
    _node("chunk keys of version 2", "S131", chunk_key_encoding={"name": "v2", "configuration": {"separator": "."}}),
    _node(
        "separator that leads elsewhere",
        "S131",
        chunk_key_encoding={"name": "default", "configuration": {"separator": "/../"}},
    ),
    _node("bool", "S131", data_type="bool"),
    _node("complex64", "S131", data_type="complex64"),
    _node("raw bytes", "S131", data_type="r16"),
    _node("structured type", "S131", data_type={"name": "structured", "configuration": {"fields": [["a", "int8"]]}}),
    _node("Python objects", "S131", data_type="object"),
    _node("type that another array may have", "S132 S134", data_type="int32"),
    _node("fill value of another type", "S131", fill_value="x" * 1_000),
    _node("fill value beyond the type", "S131", fill_value=-1),
    _codec("no codec"),
    _codec("codec that is no object", "bytes"),
    _codec("big endian", {"name": "bytes", "configuration": {"endian": "big"}}),
    _codec("no byte order", {"name": "bytes"}),
    _codec("transpose", {"name": "transpose", "configuration": {"order": [2, 1, 0]}}, _BYTES),
    _codec("sharding", {"name": "sharding_indexed", "configuration": {"chunk_shape": [1, 1, 1], "codecs": [_BYTES]}}),
    _codec("checksum codec", _BYTES, {"name": "crc32c"}),
    _codec("two compressors", _BYTES, *[{"name": "gzip", "configuration": {"level": 1}}] * 2),
    _codec("codec of numcodecs", _BYTES, {"name": "numcodecs.pickle", "configuration": {}}),
    _codec("codec named by a module", _BYTES, {"name": "os.system", "configuration": {"command": "id"}}),
    _codec(
        "Blosc with zlib",
        _BYTES,
        {"name": "blosc", "configuration": {"cname": "zlib", "clevel": 5, "shuffle": "shuffle"}},
    ),
    _codec("gzip with level true", _BYTES, {"name": "gzip", "configuration": {"level": True}}),
    _codec("codec with an unknown key", _BYTES, {"name": "zstd", "configuration": {"level": 1, "dictionary": "x"}}),
    in_folder(
        "zarr.json: missing in an array",
        "S135",
        lambda: {name: data for name, data in only_maps().items() if name != f"{MAPS}/zarr.json"},
    ),
    in_folder("zarr.json: missing in a clip", "S135", lambda: _without(f"{_CLIP}/zarr.json")),
    in_folder("arrays: none of scores", "S135", lambda: _without(f"{_CLIP}/instances/score/")),
    in_folder("arrays: a kind in one clip only", "S106", lambda: _without(f"{_CLIP}/frame_scores/")),
    in_folder("arrays: object ids in one clip only", "S108", lambda: _without(f"{_CLIP}/instances/object/")),
    in_folder(
        "arrays: another type in one clip",
        "S107",
        lambda: (
            _without(f"{ROOT}/02/frame_scores")
            | array_files(f"{ROOT}/02/frame_scores", np.zeros(FRAMES, np.float32), (FRAMES,))
        ),
    ),
    in_folder(
        "arrays: lengths that differ",
        "S145",
        lambda: (
            _without(f"{_CLIP}/detections/score")
            | array_files(f"{_CLIP}/detections/score", np.zeros(7, np.float32), (7,))
        ),
    ),
    in_folder(
        "arrays: fewer frame scores than score maps",
        "S104",
        lambda: (
            _without(f"{ROOT}/02/frame_scores")
            | array_files(f"{ROOT}/02/frame_scores", np.zeros(FRAMES - 2), (FRAMES,))
        ),
    ),
    in_zip("arrays: one that is too large to be read at once", "S136", lambda: _frame_scores_of(2**24, 2**23)),
    in_zip("arrays: 280 GB in chunks that are larger than their array", "S137", lambda: _wide_boxes(4_200)),
]


def _chunk(name: str, data: Callable[[bytes], bytes], codec: str = "none", codes: str = "S134") -> Case:
    """A chunk made of a sound one."""

    def files() -> Files:
        whole = only_maps(codec)
        return whole | {_CHUNK: data(whole[_CHUNK])}

    return in_zip(f"chunk: {name}", codes, files)


def _blosc(name: str, offset: int, form: str, value: int, codec: str = "lz4") -> Case:
    """A field of a Blosc header, or of what follows it."""

    def changed(data: bytes) -> bytes:
        packed = struct.pack(form, value)
        return data[:offset] + packed + data[offset + len(packed) :]

    return _chunk(f"Blosc, {name}", changed, codec)


def _zstd_blocks(*blocks: tuple[int, int, bytes], window: int = 0x50, flags: int = 0) -> bytes:
    """A zstd frame that does not say its size, of blocks (kind, length, content)."""
    body = b"".join(
        (length << 3 | kind << 1 | (number == len(blocks) - 1)).to_bytes(3, "little") + content
        for number, (kind, length, content) in enumerate(blocks)
    )
    return b"\x28\xb5\x2f\xfd" + bytes([flags, window]) + body


def _gzip_bomb() -> bytes:
    """Gzip of 1 GiB of zeros, in about a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A full flush makes each piece independent of those before it, so that one can be repeated.
    piece = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + piece * 2**10 + b"\3\0" + bytes(4) + struct.pack("<I", 2**30)


def _bomb(name: str, codec: str, data: Callable[[], bytes]) -> Case:
    """In place of a chunk of 1 MiB: for smaller ones nothing as long would be read."""

    def files() -> Files:
        kept = {name: own for name, own in only_maps().items() if not name.startswith(MAPS)}
        kept |= array_files(MAPS, np.zeros((2, 2**10, 2**10), np.uint8), (1, 2**10, 2**10), codec=codec)
        assert len(data()) < 2**20 + 2**17
        return kept | {_CHUNK: data()}

    return in_zip(f"chunk: {name}", "S134", files)


CHUNKS = [
    in_folder("chunk: missing", "S133", lambda: {name: data for name, data in only_maps().items() if name != _CHUNK}),
    in_folder("chunk: one beyond the grid", "S120", lambda: only_maps() | {f"{MAPS}/c/3/0/0": b""}),
    in_folder("chunk: a second name of one", "S120", lambda: only_maps() | {f"{MAPS}/c/01/0/0": b""}),
    in_folder("chunk: digits of another script", "S120", lambda: only_maps() | {f"{MAPS}/c/\u0661/0/0": b""}),
    Case("chunk: a file of 1 TiB", "S134", lambda place: _sparse(write_folder(only_maps(), place / "m"))),
    *[
        _chunk(f"{codec}, {name}", change, codec)
        for codec in ("none", "gzip", "zstd", "lz4", "bitshuffle")
        for name, change in (
            ("empty", lambda _: b""),
            ("cut off", lambda data: data[:-1]),
            ("a byte behind it", lambda data: data + b"\0"),
            ("twice", lambda data: data * 2),
        )
    ],
    _chunk("zstd in place of plain bytes", lambda data: encoded(data, "zstd")),
    _chunk("gzip in place of zstd", lambda _: encoded(bytes(_SIZE), "gzip"), "zstd"),
    _bomb("gzip, bomb of 1 GiB", "gzip", _gzip_bomb),
    _bomb("zstd, bomb of 32 GiB without a size", "zstd", lambda: _zstd_blocks(*[(1, 2**17, b"\0")] * 2**18)),
    _chunk("gzip, longer than any sound chunk", lambda _: gzip.compress(bytes(10**8), 6, mtime=0), "gzip"),
    _chunk("gzip, wrong CRC", lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], "gzip"),
    _chunk("gzip, less than the chunk", lambda _: encoded(bytes(_SIZE - 1), "gzip"), "gzip"),
    _chunk("zstd, header of more than the chunk", lambda _: encoded(bytes(_SIZE + 1), "zstd"), "zstd"),
    _chunk("zstd, window of 2 TiB", lambda data: _zstd_blocks((0, _SIZE, bytes(_SIZE)), window=0xF8), "zstd"),
    _chunk("zstd, a dictionary", lambda data: _zstd_blocks((0, 1, b"\0"), flags=1), "zstd"),
    _chunk("zstd, a frame to be skipped", lambda data: b"\x50\x2a\x4d\x18\4\0\0\0evil", "zstd"),
    _chunk("zstd, unknown kind of block", lambda data: _zstd_blocks((3, 1, b"\0")), "zstd"),
    _blosc("another version", 0, "B", 3),
    _blosc("another inner codec", 2, "B", 0x61),
    _blosc("elements of 0 bytes", 3, "B", 0),
    _blosc("header of more than the chunk", 4, "<I", _SIZE + 1),
    _blosc("header of 4 GiB", 4, "<I", 2**32 - 1),
    _blosc("blocks of 0 bytes", 8, "<I", 0),
    _blosc("blocks larger than the chunk", 8, "<I", 2**31),
    _blosc("blocks of one byte", 8, "<I", 1),
    _blosc("another stored length", 12, "<I", 2**31),
    _blosc("block before the frame", 16, "<i", -(2**31)),
    _blosc("block behind the frame", 16, "<i", 2**31 - 1),
    _blosc("block in the header", 16, "<i", 0),
    _blosc("stream longer than the frame", 20, "<i", 2**31 - 1),
    _blosc("stream of negative length", 20, "<i", -1),
    _blosc("zstd with the number of lz4", 2, "B", 0x21, "bitshuffle"),
]


def _sparse(path: Path) -> Path:
    with (path / _CHUNK).open("wb") as file:
        file.truncate(2**40)  # a hole: it costs no disk
    return path


def _values(name: str, codes: str, array: str, change: Callable[[np.ndarray[Any, Any]], object]) -> Case:
    """The values of an array of the first clip."""

    def files() -> Files:
        whole = sound()
        node = json.loads(whole[f"{_CLIP}/{array}/zarr.json"])
        values = np.array(_VALUES[array], dtype=node["data_type"])
        changed = change(values)
        kept = {key: data for key, data in whole.items() if not key.startswith(f"{_CLIP}/{array}/")}
        return kept | array_files(f"{_CLIP}/{array}", values if changed is None else changed, values.shape)

    return in_zip(f"values: {name}", codes, files)


def _set(index: object, value: float) -> Callable[[np.ndarray[Any, Any]], None]:
    def change(values: np.ndarray[Any, Any]) -> None:
        values[index] = value  # type: ignore[call-overload]

    return change


_VALUES: dict[str, Any] = {
    "frame_scores": [0.0] * FRAMES,
    "detections/frame": [1, 2, 2],
    "detections/box": [[0, 0, 1, 1], [1, 1, WIDTH, HEIGHT], [0.5, 1, 2.25, 3]],
    "detections/score": [0.1, 0.5, 0.9],
    "instances/frame": [0, 0, 4],
    "instances/object": [0, 1, 0],
    "instances/score": [0, 0.5, 1],
    "instances/offsets": [0, 2, 4, 6],
    "instances/counts": [1, 23, 4, 20, 0, 24],
}


def _runs(name: str, counts: list[int], offsets: list[int]) -> Case:
    """The masks of the first clip."""

    def files() -> Files:
        kept = {
            key: data
            for key, data in sound().items()
            if not key.startswith((f"{_CLIP}/instances/counts/", f"{_CLIP}/instances/offsets/"))
        }
        kept |= array_files(f"{_CLIP}/instances/counts", np.array(counts, np.uint32), (max(1, len(counts)),))
        return kept | array_files(f"{_CLIP}/instances/offsets", np.array(offsets, np.int64), (len(offsets),))

    return in_zip(f"masks: {name}", "S143", files)


def _float_maps(value: float) -> Files:
    maps = np.zeros((FRAMES, HEIGHT, WIDTH), np.float32)
    maps[3, 2, 1] = value
    kept = {name: data for name, data in only_maps().items() if not name.startswith(MAPS)}
    return kept | array_files(MAPS, maps, (2, HEIGHT, WIDTH), codec="zstd")


VALUES = [
    in_zip("values: NaN in a score map", "S140", lambda: _float_maps(np.nan)),
    in_zip("values: infinity in a score map", "S140", lambda: _float_maps(-np.inf)),
    _values("NaN in frame scores", "S140", "frame_scores", _set(2, np.nan)),
    _values("infinity in scores of boxes", "S140", "detections/score", _set(0, np.inf)),
    _values("NaN in scores of masks", "S140", "instances/score", _set(0, np.nan)),
    _values("frame before the first", "S141", "detections/frame", _set(0, -1)),
    _values("frame behind the last", "S141", "detections/frame", _set(2, FRAMES)),
    _values("largest frame number", "S141", "instances/frame", _set(2, 2**31 - 1)),
    _values("frames out of order", "S141", "instances/frame", lambda values: values[::-1]),
    _values("box outside the frame", "S142", "detections/box", _set((1, 2), WIDTH + 0.5)),
    _values("box at a negative place", "S142", "detections/box", _set((0, 0), -1e-9)),
    _values("box with NaN", "S142", "detections/box", _set((0, 1), np.nan)),
    _values("box with infinity", "S142", "detections/box", _set((0, 3), np.inf)),
    _values("box inside out", "S142", "detections/box", lambda values: values[:, [2, 3, 0, 1]]),
    _values("box without area", "S142", "detections/box", _set((0, 2), 0)),
    _values("negative object id", "S144", "instances/object", _set(1, -1)),
    _runs("runs that add up to less than the frame", [1, 22, 4, 20, 0, 24], [0, 2, 4, 6]),
    _runs("runs that add up to more than the frame", [1, 2**32 - 1, 4, 20, 0, 24], [0, 2, 4, 6]),
    _runs("runs that add up to it modulo 2³²", [2**32 - 1, 25, 4, 20, 0, 24], [0, 2, 4, 6]),
    _runs("run of length 0", [1, 0, 2, 21, 4, 20, 0, 24], [0, 4, 6, 8]),
    _runs("no pixel in it", [24, 4, 20, 0, 24], [0, 1, 3, 5]),
    _runs("offsets that fall", [1, 23, 4, 20, 0, 24], [0, 4, 2, 6]),
    _runs("offsets that do not begin with 0", [1, 23, 4, 20, 0, 24], [1, 2, 4, 6]),
    _runs("offsets beyond the runs", [1, 23, 4, 20, 0, 24], [0, 2, 4, 2**62]),
    _runs("negative offsets", [1, 23, 4, 20, 0, 24], [0, -(2**63), 4, 6]),
    _runs("runs that belong to no mask", [1, 23, 4, 20, 0, 24, 24], [0, 2, 4, 6]),
    _runs("no runs", [], [0, 2, 4, 6]),
]
