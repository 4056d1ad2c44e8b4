"""Writer of stored zips: the same members give the same bytes, each time and on each system.

No clock, no file mode and no name of a system enters: time stamps are those of 1980-01-01 (the first a zip can say),
attributes those of a plain file that all may read, sizes stand in the headers. Records of 64 bits are written where a
number needs them and nowhere else.

Source: submission.md, "Folder and zip"; PKWARE APPNOTE 4.3 (headers), 4.5.3 (Zip64).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import BinaryIO

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_OFFSET64 = struct.Struct("<2HQ")

SHORT_LIMIT = 0xFFFF
LONG_LIMIT = 0xFFFFFFFF
"""Numbers that stand for "see the record of 64 bits"; what reaches them needs one."""

_UTF8_NAME = 0x0800
_STORED_VERSION, _ZIP64_VERSION = 10, 45
_UNIX = 3 << 8
_PLAIN_FILE = 0o100644 << 16
_MIDNIGHT, _FIRST_DAY = 0, 1 << 5 | 1


class ZipWriter:
    """Writes members one behind the other, then the directory.

    Parameters
    ----------
    file : binary file
        Empty and open for writing; it is neither read nor moved in.

    Notes
    -----
    Memory is the directory: some 100 bytes a member.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hasher = hashlib.sha256()
        self._directory = bytearray()
        self.size = 0
        """Bytes that are written so far."""
        self.n_members = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what is written so far, 64 hex digits."""
        return self._hasher.hexdigest()

    def add(self, name: str, content: bytes) -> None:
        """Write a member.

        Parameters
        ----------
        name : str
            Relative and canonical; the caller gives names in their order, and none twice.
        content : bytes
            Less than 4 GiB, as every file of a submission is.

        Raises
        ------
        ValueError
            For a longer content or name.
        """
        raw_name = name.encode("utf-8")
        if len(content) >= LONG_LIMIT or len(raw_name) > SHORT_LIMIT:
            raise ValueError("a member that the headers cannot describe")
        flags = 0 if name.isascii() else _UTF8_NAME
        offset, crc, size = self.size, zlib.crc32(content), len(content)
        stamp = (_MIDNIGHT, _FIRST_DAY)
        self._write(
            _LOCAL.pack(b"PK\x03\x04", _STORED_VERSION, flags, 0, *stamp, crc, size, size, len(raw_name), 0) + raw_name
        )
        self._write(content)
        wide = offset >= LONG_LIMIT
        extra = _OFFSET64.pack(1, 8, offset) if wide else b""
        version = _ZIP64_VERSION if wide else _STORED_VERSION
        self._directory += _CENTRAL.pack(
            b"PK\x01\x02",
            _UNIX | version,
            version,
            flags,
            0,
            *stamp,
            crc,
            size,
            size,
            len(raw_name),
            len(extra),
            0,
            0,
            0,
            _PLAIN_FILE,
            min(offset, LONG_LIMIT),
        )
        self._directory += raw_name + extra
        self.n_members += 1

    def finish(self) -> None:
        """Write the directory and the end records."""
        start, length, count = self.size, len(self._directory), self.n_members
        self._write(bytes(self._directory))
        if count >= SHORT_LIMIT or length >= LONG_LIMIT or start >= LONG_LIMIT:
            record = self.size
            version = _ZIP64_VERSION
            self._write(
                _END64.pack(
                    b"PK\x06\x06", _END64.size - 12, _UNIX | version, version, 0, 0, count, count, length, start
                )
            )
            self._write(_LOCATOR64.pack(b"PK\x06\x07", 0, record, 1))
        short = min(count, SHORT_LIMIT)
        self._write(_END.pack(b"PK\x05\x06", 0, 0, short, short, min(length, LONG_LIMIT), min(start, LONG_LIMIT), 0))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hasher.update(data)
        self.size += len(data)
