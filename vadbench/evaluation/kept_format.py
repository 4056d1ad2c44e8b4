"""Results of clips as bytes, and back, bit by bit: a NumPy archive of arrays and one JSON tree that names them.

Nothing in such bytes can do more than make values: only types of a fixed list are built, and no pickle is read.

Source: architecture, "Caches".
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip
from vadbench.evaluation.clip import ClipStatistics
from vadbench.evaluation.pixel_scores import FoldedPixels, FrameValues
from vadbench.evaluation.sources import NotAvailable, Source
from vadbench.statistics.flagged import FlaggedCounts
from vadbench.statistics.frames import FrameStatistics
from vadbench.statistics.intervals import CompactCounts
from vadbench.statistics.objects import ObjectStatistics
from vadbench.statistics.pixels import PixelStatistics, PositivePixels
from vadbench.statistics.scores import RankedCounts, ScoreCounts

FORMAT = "vadbench.kept/1"
"""Name and version of the format."""

_PARTS: tuple[type, ...] = (
    Clip,
    ClipStatistics,
    CompactCounts,
    FlaggedCounts,
    FoldedPixels,
    FrameStatistics,
    FrameValues,
    NotAvailable,
    ObjectStatistics,
    PixelStatistics,
    PositivePixels,
    RankedCounts,
    ScoreCounts,
)
"""Frozen dataclasses that results are made of; a new one is added here."""

_CHOICES: tuple[type[StrEnum], ...] = (Source,)

_PART_BY_NAME = {part.__name__: part for part in _PARTS}
_CHOICE_BY_NAME = {choice.__name__: choice for choice in _CHOICES}
_DOUBLE = struct.Struct(">d")
_TREE = "tree"

WRONG_BYTES = (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, RecursionError, MemoryError)
"""What `decoded` raises where bytes are damaged or of another format (`zipfile.BadZipFile` beside)."""


class DamagedResultError(Exception):
    """These bytes are no kept result, or not the one that was looked for."""


def described_types() -> str:
    """Names of all types and of their fields: another version of the program has others, and reads none of ours."""
    return ";".join(f"{part.__name__}({','.join(field.name for field in fields(part))})" for part in _PARTS)


def encoded(result: object, key: str) -> bytes:
    """Encode a result.

    Parameters
    ----------
    result : object
        Dataclasses of the list above, None, bool, int, float, str, bytes, tuples, lists, mappings, enumerations of
        the list above, NumPy scalars and arrays; arrays of Python numbers among them.
    key : str
        Stored with it.

    Raises
    ------
    TypeError
        For a value of another type.
    """
    arrays: dict[str, NDArray[Any]] = {}
    tree = {"format": FORMAT, "key": key, "result": _encode(result, arrays)}
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_TREE: np.frombuffer(text, dtype=np.uint8)}, **arrays)
    return buffer.getvalue()


def decoded(content: bytes, key: str) -> Any:
    """Decode a result; raises `DamagedResultError` where it is damaged or has another key."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            # Every member is read to its end, where its CRC-32 is compared.
            arrays = {name: archive[name] for name in archive.files}
        tree = json.loads(arrays.pop(_TREE).tobytes())
        if (tree["format"], tree["key"]) != (FORMAT, key):
            raise DamagedResultError("another format or key")
        return _decode(tree["result"], arrays)
    except (*WRONG_BYTES, zipfile.BadZipFile, struct.error, AttributeError) as error:
        raise DamagedResultError(f"{type(error).__name__}: {error}") from error


def _encode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """JSON of a value: what JSON has as it is, all else as a list that begins with its kind."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        # The bits: JSON has neither infinities nor the sign of a NaN.
        return ["float", _DOUBLE.pack(value).hex()]
    if isinstance(value, bytes | np.generic | np.ndarray):
        return _encode_array(value, arrays)
    if isinstance(value, tuple | list | Mapping):
        return _encode_collection(value, arrays)
    return _encode_listed(value, arrays)


def _encode_array(value: bytes | np.generic | NDArray[Any], arrays: dict[str, NDArray[Any]]) -> list[Any]:
    if isinstance(value, bytes):
        return ["bytes", _put(np.frombuffer(value, dtype=np.uint8), arrays)]
    if isinstance(value, np.generic):
        return ["scalar", _put(np.asarray(value), arrays)]
    if value.dtype.kind == "O":
        return ["objects", list(value.shape), [_encode(item, arrays) for item in value.ravel().tolist()]]
    return ["array", _put(value, arrays)]


def _encode_collection(
    value: tuple[Any, ...] | list[Any] | Mapping[Any, Any], arrays: dict[str, NDArray[Any]]
) -> list[Any]:
    if isinstance(value, Mapping):
        return ["dict", [[_encode(key, arrays), _encode(item, arrays)] for key, item in value.items()]]
    return ["tuple" if isinstance(value, tuple) else "list", [_encode(item, arrays) for item in value]]


def _encode_listed(value: Any, arrays: dict[str, NDArray[Any]]) -> list[Any]:
    """A choice or a dataclass, where its type is among those that are read back."""
    name = type(value).__name__
    if isinstance(value, StrEnum) and _CHOICE_BY_NAME.get(name) is type(value):
        return ["choice", name, value.value]
    if is_dataclass(value) and _PART_BY_NAME.get(name) is type(value):
        return ["part", name, {field.name: _encode(getattr(value, field.name), arrays) for field in fields(value)}]
    raise TypeError(f"results cannot be kept: {name} is not among the types that are read back")


def _put(array: NDArray[Any], arrays: dict[str, NDArray[Any]]) -> str:
    name = str(len(arrays))
    arrays[name] = array
    return name


def _decode(tree: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(tree, list):
        if isinstance(tree, dict | float):
            raise DamagedResultError("a value of no kind")
        return tree
    kind, *rest = tree
    decoders: dict[str, Callable[..., Any]] = {
        "choice": lambda name, value: _CHOICE_BY_NAME[name](value),
        "float": lambda digits: _DOUBLE.unpack(bytes.fromhex(digits))[0],
        "bytes": lambda name: arrays[name].tobytes(),
        "scalar": lambda name: arrays[name][()],
        "objects": lambda shape, items: _objects(shape, [_decode(item, arrays) for item in items]),
        "array": lambda name: arrays[name],
        "tuple": lambda items: tuple(_decode(item, arrays) for item in items),
        "list": lambda items: [_decode(item, arrays) for item in items],
        "dict": lambda items: {_decode(key, arrays): _decode(item, arrays) for key, item in items},
        "part": lambda name, parts: _PART_BY_NAME[name](**{key: _decode(part, arrays) for key, part in parts.items()}),
    }
    return decoders[kind](*rest)


def _objects(shape: list[int], items: list[Any]) -> NDArray[Any]:
    array = np.empty(len(items), dtype=object)
    # One by one: NumPy would make an array of numbers of them.
    for place, item in enumerate(items):
        array[place] = item
    return array.reshape(shape)
