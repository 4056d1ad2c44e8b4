"""The directory of a stored zip: every byte of the file is accounted for before a member is believed.

Source: submission.md, "Folder and zip"; PKWARE APPNOTE 4.3 (headers), 4.5.3 (Zip64).
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Never

from vadbench.errors import quoted
from vadbench.submission.problems import problem
from vadbench.submission.tree import MOST_ENTRIES, MOST_LEVELS, is_canonical

_LARGEST_DIRECTORY = 64 * 2**20
_LONGEST_FIELD = 2**16 - 1
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_UTF8_NAME = 0x0800
_ZIP64_EXTRA = 0x0001
_UNICODE_PATH_EXTRA = 0x7075  # a second name, which some programs prefer to the first
_HINT = "make it with `zip -0 -r -X` from inside the folder"


@dataclass(frozen=True)
class Member:
    """One entry of the central directory."""

    name: str
    raw_name: bytes
    flags: int
    stamp: tuple[int, int]
    crc: int
    size: int
    offset: int


@dataclass(frozen=True)
class Extent:
    """Bytes of the file, first and behind the last, that belong to a member."""

    member: Member
    start: int
    stop: int


@dataclass(frozen=True)
class ZipIndex:
    """Where the files lie, by name, and what each folder holds."""

    extents: dict[str, Extent]
    folders: dict[str, dict[str, bool]]


class DirectoryReader:
    """Reads headers of one file and says where it deviates.

    Parameters
    ----------
    shown : str
        Name of the file in messages.
    size : int
        Of the file in bytes.
    read : callable
        Bytes of the file from an offset on, of a length.
    """

    def __init__(self, shown: str, size: int, read: Callable[[int, int], bytes]) -> None:
        self.shown, self.size, self._read = shown, size, read

    def refuse(self, got: str, name: str = "") -> Never:
        """Raise `SubmissionError` S122."""
        where = (self.shown, quoted(name)) if name else (self.shown,)
        raise problem("S122", where=where, got=got, hint=_HINT)

    def local_index(self) -> ZipIndex:
        """Index with the bytes of the members' data; all local headers are read and checked now."""
        directory_start, members = self._all_members()
        extents = []
        position = 0
        for member in members:
            if member.offset != position:
                self.refuse("a gap, an overlap or a prefix before this member", member.name)
            header = self._at(position, _LOCAL.size)
            header += self._at(position + _LOCAL.size, sum(_LOCAL.unpack(header)[-2:]))
            start = position + self._header_length(member, header)
            position = start + member.size
            extents.append(Extent(member, start, position))
        if position != directory_start:
            self.refuse("a gap or an overlap before the directory")
        return _index(extents)

    def remote_index(self) -> ZipIndex:
        """Index with the bytes of the members, local headers included, which `content` checks when they are read.

        To read every header now would be a request for each. Members lie one behind the other from the first byte of
        the file to the directory, so that each ends where the next one begins: no byte is left out here either.
        """
        directory_start, members = self._all_members()
        ends = [member.offset for member in members[1:]] + [directory_start]
        if (members[0].offset if members else directory_start) != 0:
            self.refuse("a gap or a prefix before the first member")
        extents = [Extent(member, member.offset, end) for member, end in zip(members, ends, strict=True)]
        for extent in extents:
            beyond = extent.stop - extent.start - extent.member.size - _LOCAL.size - len(extent.member.raw_name)
            if not 0 <= beyond <= _LONGEST_FIELD:
                self.refuse("a gap or an overlap behind this member", extent.member.name)
        return _index(extents)

    def content(self, extent: Extent, data: bytes) -> bytes:
        """Content of a member from the bytes of its extent, header included, all of which are accounted for."""
        member = extent.member
        length = self._header_length(member, data)
        if length + member.size != extent.stop - extent.start:
            self.refuse("a gap or an overlap behind this member", member.name)
        return checked_content(self.shown, member, data[length:])

    def _all_members(self) -> tuple[int, list[Member]]:
        """First byte of the directory, and its entries in the order of their bytes; their names are sound."""
        directory_start, n_entries, directory = self._directory()
        members = list(self._members(directory, n_entries))
        _check_names(self.shown, members)
        return directory_start, sorted(members, key=lambda member: member.offset)

    def _at(self, offset: int, length: int) -> bytes:
        data = self._read(offset, length)
        if len(data) != length:
            self.refuse("a header that lies beyond the end of the file")
        return data

    def _directory(self) -> tuple[int, int, bytes]:
        """First byte, number of entries and bytes of the central directory, found from the end record."""
        end_start = self.size - _END.size
        if end_start < 0:
            self.refuse("a file shorter than an end record")
        signature, disk, start_disk, here, n_entries, length, start, comment = _END.unpack(self._at(end_start, 22))
        if signature != b"PK\x05\x06" or comment:
            self.refuse("no end record in the last 22 bytes: the file is cut off, or has a comment or a suffix")
        if disk or start_disk or here != n_entries:
            self.refuse("an archive of several disks")
        if start + length != end_start:
            n_entries, length, start = self._zip64_end(end_start, (n_entries, length, start))
        if n_entries > MOST_ENTRIES:
            self.refuse(f"{n_entries} entries; {MOST_ENTRIES} are allowed")
        if length > _LARGEST_DIRECTORY:
            self.refuse(f"a directory of {length} bytes")
        return start, n_entries, self._at(start, length)

    def _zip64_end(self, end_start: int, given: tuple[int, int, int]) -> tuple[int, int, int]:
        locator_start = end_start - _LOCATOR64.size
        record_start = locator_start - _END64.size
        if record_start < 0:
            self.refuse("a gap or a prefix beside the directory")
        mark, disk, offset, disks = _LOCATOR64.unpack(self._at(locator_start, _LOCATOR64.size))
        signature, rest, _, _, this, other, here, n_entries, length, start = _END64.unpack(
            self._at(record_start, _END64.size)
        )
        sound = (mark, signature, rest) == (b"PK\x06\x07", b"PK\x06\x06", _END64.size - 12)
        if not sound or offset != record_start or start + length != record_start:
            self.refuse("a gap or a prefix beside the directory")
        if disk or this or other or disks != 1 or here != n_entries:
            self.refuse("an archive of several disks")
        limits = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        values = (n_entries, length, start)
        if any(
            short not in (limit, value) or (short == value and value > limit)
            for short, limit, value in zip(given, limits, values, strict=True)
        ):
            self.refuse("two end records that disagree")
        return values

    def _members(self, directory: bytes, n_entries: int) -> Iterator[Member]:
        position = 0
        for _ in range(n_entries):
            if position + _CENTRAL.size > len(directory):
                self.refuse("fewer entries than the end record says")
            fields = _CENTRAL.unpack_from(directory, position)
            (signature, _, _, flags, method, time, date, crc, stored, size) = fields[:10]
            (name_length, extra_length, comment_length, disk, _, attributes, offset) = fields[10:]
            position += _CENTRAL.size
            raw_name = directory[position : position + name_length]
            extra = directory[position + name_length : position + name_length + extra_length]
            position += name_length + extra_length
            if signature != b"PK\x01\x02" or position > len(directory):
                self.refuse("a directory that does not hold entries only")
            name = self._name(raw_name, flags)
            size, stored, offset = self._zip64_values(name, extra, (size, stored, offset))
            self._check_kind(name, flags, method, attributes)
            if comment_length or disk or stored != size or (size and name.endswith("/")):
                self.refuse("a comment, another disk, a folder with content, or two sizes of a stored member", name)
            yield Member(name, raw_name, flags, (time, date), crc, size, offset)
        if position != len(directory):
            self.refuse("bytes behind the entries of the directory")

    def _name(self, raw_name: bytes, flags: int) -> str:
        try:
            name = raw_name.decode("utf-8" if flags & _UTF8_NAME else "ascii")
        except UnicodeDecodeError:
            self.refuse("a name that is neither ASCII nor marked UTF-8", repr(raw_name))
        parts = name.removesuffix("/").split("/")
        if not is_canonical(name.removesuffix("/")):
            self.refuse("a name that is not relative and canonical", name)
        if len(parts) > MOST_LEVELS:
            raise problem(
                "S120",
                where=(self.shown, quoted(name)),
                expected="submission.toml and predictions.zarr at the root of the zip",
                hint=f"everything seems to be inside the folder {quoted(parts[0])}: zip from inside of it, with\n"
                f"cd {parts[0]} && zip -0 -r -X ../NAME.zip .",
            )
        return name

    def _zip64_values(self, name: str, extra: bytes, values: tuple[int, ...]) -> tuple[int, ...]:
        """The 64-bit values of the extra field in place of those that are 0xFFFFFFFF."""
        position = 0
        wide: list[int] | None = None
        while position < len(extra):
            if position + 4 > len(extra):
                self.refuse("a broken extra field", name)
            kind, length = struct.unpack_from("<2H", extra, position)
            body = extra[position + 4 : position + 4 + length]
            position += 4 + length
            if len(body) != length or kind == _UNICODE_PATH_EXTRA or (kind == _ZIP64_EXTRA and wide is not None):
                self.refuse("a broken or second extra field", name)
            if kind == _ZIP64_EXTRA:
                wide = [int.from_bytes(body[i : i + 8], "little") for i in range(0, length - length % 8, 8)]
        needed = sum(value == 0xFFFFFFFF for value in values)
        if needed > len(wide or ()):
            self.refuse("a size that is not in the header", name)
        following = iter(wide or ())
        return tuple(next(following) if value == 0xFFFFFFFF else value for value in values)

    def _check_kind(self, name: str, flags: int, method: int, attributes: int) -> None:
        if method != 0:
            self.refuse("a compressed member; members must be stored", name)
        if flags & ~_UTF8_NAME:
            self.refuse(
                "an encrypted member" if flags & 1 else f"flags {flags:#06x} (a data descriptor is 0x0008)", name
            )
        kind = stat.S_IFMT(attributes >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR and not name.endswith("/")):
            raise problem(
                "S121", where=(self.shown, quoted(name)), got="a link" if kind == stat.S_IFLNK else "a special file"
            )

    def _header_length(self, member: Member, data: bytes) -> int:
        """Length of the local header at the beginning of the data; it must say what the directory says."""
        if len(data) < _LOCAL.size:
            self.refuse("a member shorter than its header", member.name)
        fields = _LOCAL.unpack_from(data)
        signature, _, flags, method, time, date, crc, stored, size, name_length, extra_length = fields
        end: int = _LOCAL.size + name_length + extra_length
        raw_name, extra = data[_LOCAL.size : _LOCAL.size + name_length], data[_LOCAL.size + name_length : end]
        wide_size, wide_stored = self._zip64_values(member.name, extra, (size, stored))
        local = (signature, flags, method, (time, date), crc, wide_stored, wide_size, raw_name)
        central = (b"PK\x03\x04", member.flags, 0, member.stamp, member.crc, member.size, member.size)
        if local != (*central, member.raw_name) or len(raw_name + extra) != name_length + extra_length:
            self.refuse("a local header that disagrees with the directory", member.name)
        return end


def checked_content(shown: str, member: Member, data: bytes) -> bytes:
    """The data of a member, if they are as long as they should be and have its CRC-32."""
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise problem("S122", where=(shown, quoted(member.name)), got="a member that does not match its CRC-32")
    return data


def _index(extents: Sequence[Extent]) -> ZipIndex:
    index = ZipIndex({}, {"": {}})
    for extent in extents:
        if not extent.member.name.endswith("/"):
            index.extents[extent.member.name] = extent
            _add_to_folders(index.folders, extent.member.name)
    return index


def _check_names(shown: str, members: Sequence[Member]) -> None:
    """No name twice, by case either, and none both a file and a folder."""
    # Spelled alike for systems that fold case or the parts of a letter: there, one would overwrite the other.
    spelled: dict[str, tuple[str, bool]] = {}
    if len({member.name for member in members}) < len(members):
        raise problem("S122", where=shown, got="a name that comes twice")
    for member in members:
        name = member.name.removesuffix("/")
        is_folder = member.name.endswith("/")
        for end in [i for i, character in enumerate(name) if character == "/"] + [len(name)]:
            part = name[:end]
            whole = end == len(name)
            known = spelled.get(folded(part))
            kind = is_folder if whole else True
            if known is None:
                spelled[folded(part)] = (part, kind)
            elif known != (part, kind) or (whole and not is_folder):
                raise problem("S122", where=(shown, quoted(name)), got="a name that comes twice (case is ignored)")


def folded(name: str) -> str:
    r"""Spelling that names share which some systems take for one: case, and composed letters, make no difference.

    >>> folded("\u00c9") == folded("e\u0301")
    True
    """
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _add_to_folders(folders: dict[str, dict[str, bool]], name: str) -> None:
    is_folder = False
    while True:
        parent, _, last = name.rpartition("/")
        known = folders.setdefault(parent, {})
        if last in known:
            return
        known[last] = is_folder
        if not parent:
            return
        name, is_folder = parent, True
