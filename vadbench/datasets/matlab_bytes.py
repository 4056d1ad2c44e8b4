"""Bytes of a MATLAB level-5 file: stretches that know how much of them is left, inflated or not, and their elements.

Source: "MAT-File Format", The MathWorks.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from vadbench.errors import DataError

MOST_GROWTH = 1032
"""Deflate cannot make more bytes of one (zlib's technical notes), so a greater length in a file is a lie."""

_MOST_HEADING_BYTES = 4096
"""Of a name or a list of dimensions; MATLAB's names have 63 characters."""

_PIECE_BYTES = 2**16


@dataclass
class Part:
    """A stretch of the file, inflated or not: knows how much of it is left, and never reads on."""

    read: Callable[[int], bytes]
    left: int
    order: str
    where: tuple[str, ...]

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes; `what` they are is for errors."""
        self.reserve(size, what)
        content = self.read(size)
        if len(content) != size:
            self.fail(f"the file ends within {what}")
        return content

    def reserve(self, size: int, what: str) -> None:
        """Count the next `size` bytes as read; raises `DataError` D206 if fewer are left."""
        if size > self.left:
            self.fail(f"{what} of {size} bytes, where {self.left} are left")
        self.left -= size

    def part(self, size: int, what: str) -> Part:
        """The next `size` bytes as a part of their own; they must be read before this one is read on."""
        self.reserve(size, what)
        return Part(self.read, size, self.order, self.where)

    def tag(self, what: str) -> tuple[int, int, bytes | None]:
        """Type and length of the next element, and its content if the tag itself holds it."""
        raw = self.take(8, f"the tag of {what}")
        kind, size = struct.unpack(self.order + "II", raw)
        if kind <= 0xFFFF:
            return kind, size, None
        if kind >> 16 > 4:
            self.fail(f"{what} with {kind >> 16} bytes in a tag that has room for 4")
        return kind & 0xFFFF, kind >> 16, raw[4 : 4 + (kind >> 16)]

    def element(self, what: str, most: int = _MOST_HEADING_BYTES) -> tuple[int, bytes]:
        """Type and content of the next element."""
        kind, size, content = self.tag(what)
        if content is None:
            if size > most:
                self.fail(f"{what} of {size} bytes")
            content = self.take(size, what)
            self.take(-size % 8, f"the padding of {what}")
        return kind, content

    def finish(self, what: str) -> None:
        """Raise `DataError` D206 if something is left."""
        if self.left:
            self.fail(f"{self.left} bytes too many in {what}")

    def fail(self, got: str) -> NoReturn:
        """Raise `DataError` D206."""
        raise damaged(self.where, got)


def damaged(where: tuple[str, ...], got: str, hint: str = "the file is damaged; download it again") -> DataError:
    """Error D206 for a file that does not follow the format."""
    return DataError(
        "D206",
        "a file cannot be read as a MATLAB file",
        where=where,
        expected="MATLAB version 5 to 7.2",
        got=got,
        hint=hint,
    )


class Inflated:
    """The content of a compressed element, inflated as far as it is asked for."""

    def __init__(self, file: BinaryIO, size: int, where: tuple[str, ...]) -> None:
        self._file, self._left, self._where = file, size, where
        self._inflate = zlib.decompressobj()
        self._pending = b""

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end; memory grows with what is there, not with what is asked for."""
        content = bytearray()
        try:
            while len(content) < size and not self._inflate.eof:
                if not self._pending:
                    self._pending = self._file.read(min(_PIECE_BYTES, self._left))
                    self._left -= len(self._pending)
                fed = bool(self._pending)
                piece = self._inflate.decompress(self._pending, size - len(content))
                self._pending = self._inflate.unconsumed_tail
                content += piece
                if not piece and not fed:
                    break
        except zlib.error as error:
            raise damaged(self._where, f"compressed data that cannot be inflated: {error}") from error
        return bytes(content)

    def finish(self) -> None:
        """Read to the end, where zlib compares its checksum."""
        if self.read(1):
            raise damaged(self._where, "compressed data that goes on after the variable")
        if not self._inflate.eof:
            raise damaged(self._where, "compressed data that ends too early")
