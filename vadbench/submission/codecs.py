"""Decoders of stored chunks; each checks the frame's own header before it allocates or decodes.

A stored chunk is exactly one frame that decodes to exactly the size that its array says, with nothing behind it.

Source: submission.md, "Codecs"; Blosc 1 header; RFC 8878 (zstd); RFC 1952 (gzip).
"""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

_BLOSC_HEADER = struct.Struct("<4B3I")
_BLOSC_FORMAT = 2
_BLOSC_INNER = {"lz4": 1, "zstd": 4}
_BLOSC_SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
_BLOSC_PLAIN = 0x02
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_LEVELS = range(-131_072, 23)


class DamagedChunkError(ValueError):
    """A stored chunk is not one sound frame of its codec; the text says how."""


class Codec(ABC):
    """How the bytes of a chunk are stored."""

    @abstractmethod
    def decode(self, stored: bytes, size: int) -> Any:
        """Give ``size`` decoded bytes (an object with the buffer protocol); raises `DamagedChunkError`."""

    def longest(self, size: int) -> int:
        """Most bytes that a frame of ``size`` decoded bytes may have, generously; nothing longer is read."""
        return size + size // 8 + 65_536


@dataclass(frozen=True)
class Plain(Codec):
    """No compression."""

    def decode(self, stored: bytes, size: int) -> Any:
        """Give the bytes as they are, if their number is right."""
        if len(stored) != size:
            raise DamagedChunkError(f"{len(stored)} bytes instead of {size}")
        return stored


@dataclass(frozen=True)
class Blosc(Codec):
    """One Blosc 1 frame with the given inner codec."""

    inner: str

    def decode(self, stored: bytes, size: int) -> Any:
        """Decompress after the header has agreed with the stored length, the decoded size and the inner codec."""
        if len(stored) < _BLOSC_HEADER.size:
            raise DamagedChunkError(f"{len(stored)} bytes, shorter than a Blosc header")
        version, _, flags, type_size, n_bytes, block_size, stored_size = _BLOSC_HEADER.unpack_from(stored)
        if version != _BLOSC_FORMAT:
            raise DamagedChunkError(f"Blosc format {version} instead of {_BLOSC_FORMAT}")
        if n_bytes != size:
            raise DamagedChunkError(f"its Blosc header announces {n_bytes} bytes instead of {size}")
        if stored_size != len(stored):
            raise DamagedChunkError(f"its Blosc header announces {stored_size} stored bytes, there are {len(stored)}")
        if flags >> 5 != _BLOSC_INNER[self.inner]:
            raise DamagedChunkError(
                f"its inner codec has number {flags >> 5}, {self.inner} has {_BLOSC_INNER[self.inner]}"
            )
        if type_size == 0 or not 0 < block_size <= size:
            raise DamagedChunkError("its Blosc header has an impossible type or block size")
        n_blocks = -(-size // block_size)
        overhead = len(stored) - _BLOSC_HEADER.size
        if overhead != size if flags & _BLOSC_PLAIN else overhead < 4 * n_blocks:
            raise DamagedChunkError("it is too short or too long for its blocks")
        if not flags & _BLOSC_PLAIN:
            # Where each block begins: behind this list, with room for the length of a stream.
            starts = np.frombuffer(stored, dtype="<i4", count=n_blocks, offset=_BLOSC_HEADER.size)
            if starts.min() < _BLOSC_HEADER.size + 4 * n_blocks or starts.max() > len(stored) - 4:
                raise DamagedChunkError("a Blosc block that lies outside the frame")
        import numcodecs.blosc

        # One thread: workers are the parallelism here, and Blosc's own pool does not survive a fork.
        numcodecs.blosc.use_threads = False
        decoded = np.empty(size, dtype=np.uint8)
        try:
            numcodecs.blosc.decompress(stored, decoded)
        except (RuntimeError, ValueError) as error:
            raise DamagedChunkError("Blosc cannot decompress it") from error
        return decoded


@dataclass(frozen=True)
class Zstd(Codec):
    """One zstd frame."""

    def decode(self, stored: bytes, size: int) -> Any:
        """Decompress after the frame's content size (where it has one) and its end were found right."""
        announced, end = _zstd_frame(stored)
        if announced is not None and announced != size:
            raise DamagedChunkError(f"its zstd header announces {announced} bytes instead of {size}")
        if end != len(stored):
            raise DamagedChunkError(f"{len(stored) - end} bytes behind the zstd frame")
        import numcodecs.zstd

        decoded = np.empty(size, dtype=np.uint8)
        try:
            numcodecs.zstd.decompress(stored, decoded)
        except (RuntimeError, ValueError) as error:
            raise DamagedChunkError(f"zstd cannot decompress it to {size} bytes") from error
        return decoded


def _zstd_frame(stored: bytes) -> tuple[int | None, int]:
    """Content size (None where the header has none) and end of the first frame, found by its block headers."""
    if stored[:4] != _ZSTD_MAGIC or len(stored) < 6:
        raise DamagedChunkError("not a zstd frame")
    descriptor = stored[4]
    single_segment = descriptor >> 5 & 1
    if descriptor & 0x08:
        raise DamagedChunkError("a reserved bit in the zstd header")
    size_bytes = (single_segment, 2, 4, 8)[descriptor >> 6]
    position = 5 + (1 - single_segment) + (0, 1, 2, 4)[descriptor & 3]
    announced = int.from_bytes(stored[position : position + size_bytes], "little") + (256 if size_bytes == 2 else 0)
    position += size_bytes
    last = 0
    while not last:
        header = int.from_bytes(stored[position : position + 3], "little")
        if position + 3 > len(stored):
            raise DamagedChunkError("the zstd frame is cut off")
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        if kind == 3:
            raise DamagedChunkError("a zstd block of an unknown kind")
        position += 3 + (1 if kind == 1 else length)
    position += 4 if descriptor & 0x04 else 0
    if position > len(stored):
        raise DamagedChunkError("the zstd frame is cut off")
    return (announced if size_bytes else None), position


@dataclass(frozen=True)
class Gzip(Codec):
    """One gzip member."""

    def decode(self, stored: bytes, size: int) -> Any:
        """Decompress at most one byte more than ``size``."""
        decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            decoded = decoder.decompress(stored, size + 1)
        except zlib.error as error:
            raise DamagedChunkError("gzip cannot decompress it") from error
        if len(decoded) != size or not decoder.eof:
            raise DamagedChunkError(f"it is cut off, or decodes to another size than {size} bytes")
        if decoder.unused_data:
            raise DamagedChunkError(f"{len(decoder.unused_data)} bytes behind the gzip member")
        return decoded


def codec_from(name: str, configuration: dict[str, Any]) -> Codec:
    """Codec that an entry of ``codecs`` in a zarr.json names.

    Raises
    ------
    ValueError
        With one line, if the codec or its configuration is not one of the format.
    """
    if name == "blosc":
        _check_keys(name, configuration, {"cname", "clevel", "shuffle"}, {"typesize", "blocksize"})
        if configuration["cname"] not in tuple(_BLOSC_INNER):  # a list from JSON has no hash
            raise ValueError(f"blosc with {str(configuration['cname'])[:40]!a}; lz4 and zstd are allowed")
        if configuration["shuffle"] not in _BLOSC_SHUFFLES:
            raise ValueError(f"blosc with shuffle {str(configuration['shuffle'])[:40]!a}")
        _check_number(name, "clevel", configuration["clevel"], range(10))
        _check_number(name, "typesize", configuration.get("typesize", 1), range(1, 256))
        _check_number(name, "blocksize", configuration.get("blocksize", 0), range(2**31))
        return Blosc(configuration["cname"])
    if name == "zstd":
        _check_keys(name, configuration, {"level"}, {"checksum"})
        _check_number(name, "level", configuration["level"], _ZSTD_LEVELS)
        if not isinstance(configuration.get("checksum", False), bool):
            raise ValueError("zstd with a checksum that is neither true nor false")
        return Zstd()
    if name == "gzip":
        _check_keys(name, configuration, {"level"}, set())
        _check_number(name, "level", configuration["level"], range(10))
        return Gzip()
    raise ValueError(f"the codec {name[:40]!a}; allowed are bytes, then at most one of blosc, zstd, gzip")


def _check_keys(name: str, configuration: dict[str, Any], needed: set[str], optional: set[str]) -> None:
    if not needed <= configuration.keys() <= needed | optional:
        found = ", ".join(sorted(str(key)[:40] for key in configuration)) or "nothing"
        raise ValueError(f"{name} configured with {found}; needed are {', '.join(sorted(needed))}")


def _check_number(name: str, key: str, value: object, allowed: range) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise ValueError(f"{name} with {key} {str(value)[:40]!a}")
