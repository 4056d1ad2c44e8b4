"""A stored zip, read in place: every byte of it is accounted for before a member is believed.

Source: submission.md, "Folder and zip"; PKWARE APPNOTE 4.3 (headers), 4.5.3 (Zip64).
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Never

from vadbench.errors import quoted
from vadbench.submission.problems import problem
from vadbench.submission.tree import MOST_LEVELS, Tree, too_large, unreadable

MOST_ENTRIES = 100_000
_LARGEST_DIRECTORY = 64 * 2**20
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
class _Member:
    """One entry of the central directory."""

    name: str
    raw_name: bytes
    flags: int
    stamp: tuple[int, int]
    crc: int
    size: int
    offset: int


@dataclass(frozen=True)
class _Index:
    """Where the files lie: name → (first byte, size, CRC-32); and what each folder holds."""

    members: dict[str, tuple[int, int, int]]
    folders: dict[str, dict[str, bool]]


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does, an empty one included."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError as error:
        raise unreadable(path, path.name, error) from error


@dataclass(frozen=True)
class ZipTree(Tree):
    """A zip of stored members; it is never unpacked.

    Notes
    -----
    The directory is read once a process for each state of the file.
    """

    path: Path

    def entries(self, folder: str = "") -> Mapping[str, bool]:
        """Names directly in a folder."""
        return dict(sorted(self._index().folders.get(folder, {}).items()))

    def files(self, folder: str = "") -> Mapping[str, int]:
        """Sizes of all files below a folder."""
        index = self._index()
        found: dict[str, int] = {}
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            for name, is_folder in index.folders.get(current, {}).items():
                full = f"{current}/{name}" if current else name
                if is_folder:
                    waiting.append(full)
                else:
                    found[full] = index.members[full][1]
        return dict(sorted(found.items()))

    def read(self, name: str, limit: int) -> bytes:
        """Content of a member; its CRC-32 is checked."""
        member = self._index().members.get(name)
        if member is None:
            raise problem("S124", where=(str(self.path), quoted(name)), got="no such member")
        offset, size, crc = member
        if size > limit:
            raise too_large(self.path, name, size, limit)
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        except OSError as error:
            raise unreadable(self.path, name, error) from error
        if len(data) != size or zlib.crc32(data) != crc:
            raise problem("S122", where=(str(self.path), quoted(name)), got="a member that does not match its CRC-32")
        return data

    def _index(self) -> _Index:
        try:
            status = self.path.stat()
            return _read_index(self.path, status.st_size, status.st_mtime_ns)
        except OSError as error:
            raise unreadable(self.path, self.path.name, error) from error


@lru_cache(maxsize=4)
def _read_index(path: Path, size: int, _mtime_ns: int) -> _Index:
    with path.open("rb") as file:
        reader = _DirectoryReader(path, file, size)
        directory_start, n_entries, directory = reader.directory()
        members = list(reader.members(directory, n_entries))
        starts = reader.data_starts(members, directory_start)
        _check_names(path, members)
    index = _Index({}, {"": {}})
    for member, start in zip(members, starts, strict=True):
        if not member.name.endswith("/"):
            index.members[member.name] = (start, member.size, member.crc)
            _add_to_folders(index.folders, member.name)
    return index


class _DirectoryReader:
    """Reads headers of one open file and says where it deviates."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path, self.file, self.size = path, file, size

    def refuse(self, got: str, name: str = "") -> Never:
        where = (str(self.path), quoted(name)) if name else (str(self.path),)
        raise problem("S122", where=where, got=got, hint=_HINT)

    def at(self, offset: int, length: int) -> bytes:
        self.file.seek(offset)
        data = self.file.read(length)
        if len(data) != length:
            self.refuse("a header that lies beyond the end of the file")
        return data

    def directory(self) -> tuple[int, int, bytes]:
        """First byte, number of entries and bytes of the central directory, found from the end record."""
        end_start = self.size - _END.size
        if end_start < 0:
            self.refuse("a file shorter than an end record")
        signature, disk, start_disk, here, n_entries, length, start, comment = _END.unpack(self.at(end_start, 22))
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
        return start, n_entries, self.at(start, length)

    def _zip64_end(self, end_start: int, given: tuple[int, int, int]) -> tuple[int, int, int]:
        locator_start = end_start - _LOCATOR64.size
        record_start = locator_start - _END64.size
        if record_start < 0:
            self.refuse("a gap or a prefix beside the directory")
        mark, disk, offset, disks = _LOCATOR64.unpack(self.at(locator_start, _LOCATOR64.size))
        signature, rest, _, _, this, other, here, n_entries, length, start = _END64.unpack(
            self.at(record_start, _END64.size)
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

    def members(self, directory: bytes, n_entries: int) -> Iterator[_Member]:
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
            if comment_length or disk or stored != size:
                self.refuse("a comment, another disk, or two sizes of a stored member", name)
            yield _Member(name, raw_name, flags, (time, date), crc, size, offset)
        if position != len(directory):
            self.refuse("bytes behind the entries of the directory")

    def _name(self, raw_name: bytes, flags: int) -> str:
        try:
            name = raw_name.decode("utf-8" if flags & _UTF8_NAME else "ascii")
        except UnicodeDecodeError:
            self.refuse("a name that is neither ASCII nor marked UTF-8", repr(raw_name))
        parts = name.removesuffix("/").split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name or ":" in parts[0]:
            self.refuse("a name that is not relative and canonical", name)
        if len(parts) > MOST_LEVELS:
            raise problem(
                "S120",
                where=(str(self.path), quoted(name)),
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
                "S121", where=(str(self.path), quoted(name)), got="a link" if kind == stat.S_IFLNK else "a special file"
            )

    def data_starts(self, members: list[_Member], directory_start: int) -> list[int]:
        """First byte of each member's data; members must fill the file up to the directory without gap or overlap."""
        starts = {}
        position = 0
        for number in sorted(range(len(members)), key=lambda number: members[number].offset):
            member = members[number]
            if member.offset != position:
                self.refuse("a gap, an overlap or a prefix before this member", member.name)
            fields = _LOCAL.unpack(self.at(position, _LOCAL.size))
            signature, _, flags, method, time, date, crc, stored, size, name_length, extra_length = fields
            rest = self.at(position + _LOCAL.size, name_length + extra_length)
            wide_size, wide_stored = self._zip64_values(member.name, rest[name_length:], (size, stored))
            local = (signature, flags, method, (time, date), crc, wide_stored, wide_size, rest[:name_length])
            central = (b"PK\x03\x04", member.flags, 0, member.stamp, member.crc, member.size, member.size)
            if local != (*central, member.raw_name) or (member.size and member.name.endswith("/")):
                self.refuse("a local header that disagrees with the directory", member.name)
            starts[number] = position + _LOCAL.size + name_length + extra_length
            position = starts[number] + member.size
        if position != directory_start:
            self.refuse("a gap or an overlap before the directory")
        return [starts[number] for number in range(len(members))]


def _check_names(path: Path, members: list[_Member]) -> None:
    """No name twice, by case either, and none both a file and a folder."""
    spelled: dict[str, tuple[str, bool]] = {}
    if len({member.name for member in members}) < len(members):
        raise problem("S122", where=str(path), got="a name that comes twice")
    for member in members:
        name = member.name.removesuffix("/")
        is_folder = member.name.endswith("/")
        for end in [i for i, character in enumerate(name) if character == "/"] + [len(name)]:
            part = name[:end]
            whole = end == len(name)
            known = spelled.get(part.casefold())
            kind = is_folder if whole else True
            if known is None:
                spelled[part.casefold()] = (part, kind)
            elif known != (part, kind) or (whole and not is_folder):
                raise problem("S122", where=(str(path), quoted(name)), got="a name that comes twice (case is ignored)")


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
