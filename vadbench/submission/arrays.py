"""Reader of the part of Zarr v3 that the format allows: metadata first, then chunk by chunk.

It does not use the ``zarr`` package: whatever a stranger writes is checked here before anything is decoded.

Source: submission.md, "predictions.zarr"; Zarr v3 core specification.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import SubmissionError
from vadbench.submission.checked_json import parse_json
from vadbench.submission.codecs import Codec, DamagedChunkError, Plain, codec_from
from vadbench.submission.problems import problem
from vadbench.submission.tree import Tree

LARGEST_JSON = 64 * 2**10
JSON_LEVELS = 16
LARGEST_CHUNK = 64 * 2**20
MOST_AHEAD = 4
LARGEST_AHEAD = 64 * 2**20
"""Chunks, and bytes of them, that are on their way at once where the tree is behind a URL."""

LARGEST_AT_ONCE = 2**30
"""Bytes of an array that is read as a whole (all but score maps); no real clip comes near."""

DATA_TYPES = ("uint8", "uint16", "uint32", "int32", "int64", "float32", "float64")
_GROUP_KEYS = {"zarr_format", "node_type", "attributes"}
_ARRAY_KEYS = _GROUP_KEYS | {"shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs"}
_OPTIONAL_KEYS = {"attributes", "storage_transformers", "dimension_names"}
_MOST_DIMENSIONS = 3
_LONGEST_AXIS = 2**40
_NAMED_FILLS = ("NaN", "Infinity", "-Infinity")


@dataclass(frozen=True)
class ArrayMeta:
    """What the zarr.json of an array says.

    Attributes
    ----------
    shape, chunk_shape : tuple of int
    data_type : str
        Zarr's name, such as ``uint16``.
    separator : str
        Between the indices in a chunk's key: ``/`` or ``.``.
    codec : Codec
    """

    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...]
    data_type: str
    separator: str
    codec: Codec

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in native byte order."""
        return np.dtype(self.data_type)

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of chunks along each axis."""
        return tuple(-(-n // c) for n, c in zip(self.shape, self.chunk_shape, strict=True))

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a decoded chunk."""
        return math.prod(self.chunk_shape) * self.dtype.itemsize

    @property
    def n_bytes(self) -> int:
        """Bytes of the whole decoded array."""
        return math.prod(self.shape) * self.dtype.itemsize

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Path of a chunk relative to its array."""
        return self.separator.join(["c", *map(str, index)])

    def indices(self) -> Iterator[tuple[int, ...]]:
        """Indices of all chunks in C order, one at a time."""
        # Not itertools.product, which first makes a tuple of every range: an axis may claim any length.
        grid = self.grid
        for number in range(math.prod(grid)):
            index: tuple[int, ...] = ()
            for n in reversed(grid):
                number, position = divmod(number, n)  # noqa: PLW2901
                index = (position, *index)
            yield index


@dataclass(frozen=True)
class ArrayReader:
    """One array of a submission.

    Parameters
    ----------
    tree : Tree
    path : str
        Of the array in the tree.
    where : tuple of str
        File, clip and array, for messages.
    meta : ArrayMeta
    """

    tree: Tree
    path: str
    where: tuple[str, ...]
    meta: ArrayMeta

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.meta.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in native byte order."""
        return self.meta.dtype

    def read_chunk(self, index: tuple[int, ...]) -> NDArray[Any]:
        """Chunk of that index, cut to the array's shape: C order, native byte order, writable.

        Raises
        ------
        SubmissionError
            S134 if the stored bytes are not exactly one frame of the right size.
        """
        return self._decoded(index, self._stored(index))

    def _stored(self, index: tuple[int, ...]) -> bytes:
        """Bytes of a chunk as they are stored."""
        meta = self.meta
        try:
            return self.tree.read(f"{self.path}/{meta.chunk_key(index)}", meta.codec.longest(meta.chunk_bytes))
        except SubmissionError as error:
            if error.code != "S123":
                raise
            raise self._damaged(index, f"{error.got} stored for {meta.chunk_bytes} bytes of data") from error

    def _decoded(self, index: tuple[int, ...], stored: bytes) -> NDArray[Any]:
        meta = self.meta
        try:
            decoded = meta.codec.decode(stored, meta.chunk_bytes)
        except DamagedChunkError as error:
            raise self._damaged(index, str(error)) from error
        little = np.frombuffer(decoded, dtype=meta.dtype.newbyteorder("<")).reshape(meta.chunk_shape)
        lengths = [min(c, n - i * c) for i, c, n in zip(index, meta.chunk_shape, meta.shape, strict=True)]
        inside = little[tuple(slice(length) for length in lengths)]
        native = np.ascontiguousarray(inside.astype(meta.dtype, copy=False))
        return native if native.flags.writeable else native.copy()

    def rows(self, wanted: NDArray[np.bool_] | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first index along axis 0, rows) of an array whose chunks span all other axes.

        With `wanted`, (n,) bool along axis 0, the chunks without a wanted row are not read.
        """
        length = self.meta.chunk_shape[0]
        indices = (
            index
            for index in self.meta.indices()
            if wanted is None or wanted[index[0] * length : (index[0] + 1) * length].any()
        )
        for index, chunk in self._chunks(indices):
            yield index[0] * length, chunk

    def _chunks(self, indices: Iterator[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], NDArray[Any]]]:
        """Yield chunks in the order given; memory is one chunk and, behind a URL, the stored bytes of those ahead."""
        if not self.tree.is_remote:
            for index in indices:
                yield index, self.read_chunk(index)
            return
        # The next ones are on their way while this one is decoded and used: else each would wait for the network.
        ahead = max(1, min(MOST_AHEAD, LARGEST_AHEAD // self.meta.chunk_bytes))
        with ThreadPoolExecutor(ahead) as threads:
            coming = deque((index, threads.submit(self._stored, index)) for index in islice(indices, ahead))
            try:
                while coming:
                    index, future = coming.popleft()
                    stored = future.result()
                    coming.extend((later, threads.submit(self._stored, later)) for later in islice(indices, 1))
                    yield index, self._decoded(index, stored)
            finally:
                for _, future in coming:
                    future.cancel()

    def read(self) -> NDArray[Any]:
        """Whole array.

        Raises
        ------
        SubmissionError
            S136 if it is larger than 1 GiB, S134 if a chunk is damaged.
        """
        if self.meta.n_bytes > LARGEST_AT_ONCE:
            raise problem(
                "S136", where=self.where, expected=f"at most {LARGEST_AT_ONCE} bytes", got=f"{self.meta.n_bytes} bytes"
            )
        whole = np.empty(self.shape, dtype=self.dtype)
        for index, chunk in self._chunks(self.meta.indices()):
            starts = [i * c for i, c in zip(index, self.meta.chunk_shape, strict=True)]
            whole[tuple(slice(s, s + n) for s, n in zip(starts, chunk.shape, strict=True))] = chunk
        return whole

    def check_stored(self, files: Mapping[str, int]) -> None:
        """Every chunk of the grid is among the files; raises `SubmissionError` S133 about the first that is not."""
        for index in self.meta.indices():
            if f"{self.path}/{self.meta.chunk_key(index)}" not in files:
                raise problem(
                    "S133",
                    where=(*self.where, f"chunk {self.meta.chunk_key(index)} ({self._extent(index)})"),
                    expected="every chunk, all-zero ones too",
                    hint='make the array with config={"write_empty_chunks": True}, as docs/submit.md does',
                )

    def _damaged(self, index: tuple[int, ...], got: str) -> SubmissionError:
        chunk = f"chunk {self.meta.chunk_key(index)} ({self._extent(index)})"
        return problem("S134", where=(*self.where, chunk), got=got, hint="write this clip again")

    def _extent(self, index: tuple[int, ...]) -> str:
        first = index[0] * self.meta.chunk_shape[0]
        last = min(first + self.meta.chunk_shape[0], self.shape[0]) - 1
        noun = "frame" if len(self.shape) == 3 or self.path.endswith("frame_scores") else "row"
        return f"{noun} {first}" if first == last else f"{noun}s {first}–{last}"


def read_group(tree: Tree, path: str, where: tuple[str, ...]) -> None:
    """Check the zarr.json of a group; raises `SubmissionError` S130 or S131."""
    node = _read_node(tree, path, where)
    try:
        allowed = _GROUP_KEYS | ({"consolidated_metadata"} if path.count("/") == 0 else set())
        _check_node(node, "group", {"zarr_format", "node_type"}, allowed)
    except ValueError as error:
        raise problem("S131", where=where, got=str(error)) from error


def read_array(tree: Tree, path: str, where: tuple[str, ...]) -> ArrayReader:
    """Reader of the array at a path, its zarr.json checked; raises `SubmissionError` S130 or S131."""
    node = _read_node(tree, path, where)
    try:
        return ArrayReader(tree, path, where, _array_meta(node))
    except ValueError as error:
        raise problem("S131", where=where, got=str(error)) from error


def _read_node(tree: Tree, path: str, where: tuple[str, ...]) -> Any:
    try:
        return parse_json(tree.read(f"{path}/zarr.json", LARGEST_JSON), levels=JSON_LEVELS)
    except ValueError as error:
        raise problem("S130", where=(*where, "zarr.json"), got=str(error)) from error


def _check_node(node: Any, kind: str, needed: set[str], allowed: set[str]) -> None:
    if not isinstance(node, dict):
        raise ValueError("not an object")
    if not _is_int(node.get("zarr_format")) or node["zarr_format"] != 3:
        raise ValueError(f"zarr_format {_short(node.get('zarr_format'))}; only version 3 is read")
    if node.get("node_type") != kind:
        raise ValueError(f"node_type {_short(node.get('node_type'))} where a {kind} belongs")
    if unknown := sorted(node.keys() - allowed):
        raise ValueError(f"the key {_short(unknown[0])}")
    if missing := sorted(needed - node.keys()):
        raise ValueError(f"no key {missing[0]}")
    if node.get("attributes", {}) != {} or not isinstance(node.get("attributes", {}), dict):
        raise ValueError("attributes; they must be absent or empty")


def _array_meta(node: Any) -> ArrayMeta:
    _check_node(node, "array", _ARRAY_KEYS - _OPTIONAL_KEYS, _ARRAY_KEYS | _OPTIONAL_KEYS)
    shape = _lengths(node["shape"], "shape", least=0)
    if node.get("storage_transformers", []) != []:
        raise ValueError("storage transformers")
    names = node.get("dimension_names")
    if names is not None and not (isinstance(names, list) and len(names) == len(shape) and all(map(_is_name, names))):
        raise ValueError("dimension_names that are not one name or null an axis")
    data_type = node["data_type"]
    if not isinstance(data_type, str) or data_type not in DATA_TYPES:
        hint = ", which is stored as float32" if data_type == "float16" else ""
        raise ValueError(f"the data type {_short(data_type)}{hint}; known: {', '.join(DATA_TYPES)}")
    dtype = np.dtype(data_type)
    chunk_shape = _lengths(
        _named(node["chunk_grid"], "chunk_grid", "regular", {"chunk_shape"})["chunk_shape"], "chunks"
    )
    if len(chunk_shape) != len(shape):
        raise ValueError(f"chunks of {len(chunk_shape)} axes in an array of {len(shape)}")
    if math.prod(chunk_shape) * dtype.itemsize > LARGEST_CHUNK:
        raise ValueError(f"chunks {chunk_shape} of {data_type}, larger than {LARGEST_CHUNK} bytes")
    encoding = node["chunk_key_encoding"]
    separator = _named(encoding, "chunk_key_encoding", "default", {"separator"}, optional=True).get("separator", "/")
    if separator not in ("/", "."):
        raise ValueError(f"the chunk key separator {_short(separator)}")
    _check_fill(node["fill_value"], dtype)
    return ArrayMeta(shape, chunk_shape, data_type, separator, _codec(node["codecs"], dtype))


def _lengths(value: Any, what: str, *, least: int = 1) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_DIMENSIONS:
        raise ValueError(f"a {what} that is not a list of 1 to {_MOST_DIMENSIONS} numbers")
    if not all(_is_int(n) and least <= n <= _LONGEST_AXIS for n in value):
        raise ValueError(f"a {what} with {_short(value)}")
    return tuple(value)


def _named(
    value: Any,
    key: str,
    name: str,
    configuration: set[str],
    *,
    optional: bool = False,
) -> dict[str, Any]:
    """Configuration of an extension object that must have that name."""
    if not isinstance(value, dict) or value.get("name") != name:
        raise ValueError(
            f"{key} {_short(value.get('name') if isinstance(value, dict) else value)}; only {name} is read"
        )
    inside = value.get("configuration", {})
    if value.keys() - {"name", "configuration"} or not isinstance(inside, dict) or inside.keys() - configuration:
        raise ValueError(f"an unknown key in {key}")
    if not optional and configuration - inside.keys():
        raise ValueError(f"a {key} without its configuration")
    return inside


def _codec(codecs: Any, dtype: np.dtype[Any]) -> Codec:
    if not isinstance(codecs, list) or not 1 <= len(codecs) <= 2:
        raise ValueError("codecs that are not bytes and at most one compressor")
    endian = _named(codecs[0], "the first codec", "bytes", {"endian"}, optional=True).get("endian")
    if endian != "little" and (dtype.itemsize > 1 or endian is not None):
        raise ValueError(f"bytes in endian {_short(endian)}; little is read")
    if len(codecs) == 1:
        return Plain()
    entry = codecs[1]
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ValueError("a codec that is not an object with a name")
    configuration = entry.get("configuration", {})
    if entry.keys() - {"name", "configuration"} or not isinstance(configuration, dict):
        raise ValueError(f"an unknown key in the codec {_short(entry['name'])}")
    return codec_from(entry["name"], configuration)


def _check_fill(value: Any, dtype: np.dtype[Any]) -> None:
    if dtype.kind == "f":
        digits = 2 * dtype.itemsize
        legal = (
            (_is_int(value) and abs(value) < 2**64)
            or isinstance(value, float)
            or (
                isinstance(value, str)
                and (value in _NAMED_FILLS or bool(re.fullmatch(f"0x[0-9a-fA-F]{{{digits}}}", value)))
            )
        )
    else:
        limits = np.iinfo(dtype)
        legal = _is_int(value) and int(limits.min) <= value <= int(limits.max)
    if not legal:
        raise ValueError(f"the fill value {_short(value)}, which is not of {dtype.name}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= 100)


def _short(value: object) -> str:
    return ascii(value)[:60]
