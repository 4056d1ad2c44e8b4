"""What the zarr.json of a node may say, and what an array's says: shape, chunks, dtype, codec.

Source: submission.md, "predictions.zarr"; Zarr v3 core specification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vadbench.submission.codecs import Codec, Plain, codec_from

LARGEST_CHUNK = 64 * 2**20
DATA_TYPES = ("uint8", "uint16", "uint32", "int32", "int64", "float32", "float64")
GROUP_KEYS = {"zarr_format", "node_type", "attributes"}
ARRAY_KEYS = GROUP_KEYS | {"shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs"}
OPTIONAL_KEYS = {"attributes", "storage_transformers", "dimension_names"}
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

    @property
    def decoded_bytes(self) -> int:
        """Bytes that all chunks decode to, what stands over at the edges included: the work of reading the array."""
        return math.prod(self.grid) * self.chunk_bytes

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


def check_node(node: Any, kind: str, needed: set[str], allowed: set[str]) -> None:
    """Raise `ValueError`, one line, where a node is not of that kind or has other keys than allowed and needed."""
    if not isinstance(node, dict):
        raise ValueError("not an object")
    if not _is_int(node.get("zarr_format")) or node["zarr_format"] != 3:
        raise ValueError(f"zarr_format {shortly(node.get('zarr_format'))}; only version 3 is read")
    if node.get("node_type") != kind:
        raise ValueError(f"node_type {shortly(node.get('node_type'))} where a {kind} belongs")
    if unknown := sorted(node.keys() - allowed):
        raise ValueError(f"the key {shortly(unknown[0])}")
    if missing := sorted(needed - node.keys()):
        raise ValueError(f"no key {missing[0]}")
    if node.get("attributes", {}) != {} or not isinstance(node.get("attributes", {}), dict):
        raise ValueError("attributes; they must be absent or empty")


def array_meta(node: Any) -> ArrayMeta:
    """What the parsed zarr.json of an array says; raises `ValueError` with one line where it is not of the format."""
    check_node(node, "array", ARRAY_KEYS - OPTIONAL_KEYS, ARRAY_KEYS | OPTIONAL_KEYS)
    shape = _lengths(node["shape"], "shape", least=0)
    if node.get("storage_transformers", []) != []:
        raise ValueError("storage transformers")
    names = node.get("dimension_names")
    if names is not None and not (isinstance(names, list) and len(names) == len(shape) and all(map(_is_name, names))):
        raise ValueError("dimension_names that are not one name or null an axis")
    data_type = node["data_type"]
    if not isinstance(data_type, str) or data_type not in DATA_TYPES:
        stored_as = {"float16": "float32", "bool": "uint8 0 and 1"}.get(data_type if isinstance(data_type, str) else "")
        hint = f", which is stored as {stored_as}" if stored_as else ""
        raise ValueError(f"the data type {shortly(data_type)}{hint}; known: {', '.join(DATA_TYPES)}")
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
        raise ValueError(f"the chunk key separator {shortly(separator)}")
    _check_fill(node["fill_value"], dtype)
    return ArrayMeta(shape, chunk_shape, data_type, separator, _codec(node["codecs"], dtype))


def _lengths(value: Any, what: str, *, least: int = 1) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_DIMENSIONS:
        raise ValueError(f"a {what} that is not a list of 1 to {_MOST_DIMENSIONS} numbers")
    if not all(_is_int(n) and least <= n <= _LONGEST_AXIS for n in value):
        raise ValueError(f"a {what} with {shortly(value)}")
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
            f"{key} {shortly(value.get('name') if isinstance(value, dict) else value)}; only {name} is read"
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
        raise ValueError(f"bytes in endian {shortly(endian)}; little is read")
    if len(codecs) == 1:
        return Plain()
    entry = codecs[1]
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ValueError("a codec that is not an object with a name")
    configuration = entry.get("configuration", {})
    if entry.keys() - {"name", "configuration"} or not isinstance(configuration, dict):
        raise ValueError(f"an unknown key in the codec {shortly(entry['name'])}")
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
        raise ValueError(f"the fill value {shortly(value)}, which is not of {dtype.name}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= 100)


def shortly(value: object) -> str:
    """A value from a file, safe and short enough for a message."""
    return ascii(value)[:60]
