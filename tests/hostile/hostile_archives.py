"""Hostile zips: names, kinds of members, headers that lie, bytes that nobody accounts for."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from hostile_case import Case, in_zip
from hostile_trees import MAPS, ROOT, Entry, entries_of, only_maps, zip_bytes

CHUNK = f"{MAPS}/c/1/0/0"


def _written(place: Path, data: bytes) -> Path:
    (place / "m.zip").write_bytes(data)
    return place / "m.zip"


def _archive(name: str, codes: str, data: Callable[[], bytes]) -> Case:
    return Case(name, codes, lambda place: _written(place, data()))


def _with(name: str, codes: str, *entries: Entry) -> Case:
    """A sound zip with more members."""
    return _archive(name, codes, lambda: zip_bytes([*entries_of(only_maps()), *entries]))


def _member(name: str, codes: str, change: Callable[[Entry], None], which: str = CHUNK) -> Case:
    """A sound zip in which one member is changed."""

    def data() -> bytes:
        entries = entries_of(only_maps())
        change(next(entry for entry in entries if entry.name == which))
        return zip_bytes(entries)

    return _archive(name, codes, data)


def _laid(name: str, codes: str, **options: object) -> Case:
    """Sound members, laid out otherwise."""
    return _archive(name, codes, lambda: zip_bytes(entries_of(only_maps()), **options))  # type: ignore[arg-type]


def _kind(name: str, kind: int) -> Case:
    return _with(name, "S121", Entry("provenance.json", b"/etc/passwd", central={"attributes": (kind | 0o644) << 16}))


def _set(**changes: object) -> Callable[[Entry], None]:
    """Fields of both headers."""

    def change(entry: Entry) -> None:
        entry.central |= changes
        entry.local |= changes

    return change


def _deflated(entry: Entry) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    entry.stored = packer.compress(entry.data) + packer.flush()
    _set(method=8, stored=len(entry.stored))(entry)


def _described(entry: Entry) -> None:
    entry.local |= {"flags": 8, "crc": 0, "stored": 0, "size": 0}
    entry.central |= {"flags": 8}
    entry.stored = entry.data + struct.pack("<4s3I", b"PK\7\x08", zlib.crc32(entry.data), *[len(entry.data)] * 2)


def _overlapping() -> bytes:
    """A second name for the bytes of a member, as in a bomb that unpacks one member many times."""
    entries = entries_of(only_maps())
    twin = Entry("predictions.zarr/01/score_maps/c/2/0/0", entries[-1].data, stored=b"")
    data = zip_bytes(entries)
    start = data.index(b"PK\3\4" + data[data.index(b"PK\3\4") + 4 :][:22])
    twin.central |= {"offset": start}
    return zip_bytes([*[entry for entry in entries if entry.name != twin.name], twin])


def _embedded() -> bytes:
    """A member whose data hold a local header, which a second entry of the directory names as its own."""
    inner = Entry("submission.toml", b"format = 1")
    hidden = zip_bytes([inner])[: 30 + len("submission.toml") + len(inner.data)]
    outer = Entry("provenance.json", hidden)
    inner.stored = b""
    inner.central["offset"] = 30 + len("provenance.json")
    data = zip_bytes([outer, inner])
    # The second local header is cut out: only the directory speaks of it.
    at = 30 + len("provenance.json") + len(hidden)
    length = 30 + len("submission.toml")
    end = bytearray(data[:at] + data[at + length :])
    (start,) = struct.unpack_from("<I", end, len(end) - 6)
    struct.pack_into("<I", end, len(end) - 6, start - length)
    return bytes(end)


def _wide(size: int, **central: int) -> Callable[[Entry], None]:
    """Sizes in a Zip64 field."""

    def change(entry: Entry) -> None:
        extra = struct.pack("<2H2Q", 1, 16, size, size)
        _set(size=0xFFFFFFFF, stored=0xFFFFFFFF, extra=extra)(entry)
        entry.central |= central

    return change


def _wide_end(plain: bytes, **changes: int) -> bytes:
    """A zip with a Zip64 end record in place of its own, some fields of which are changed."""
    body, end = plain[:-22], struct.unpack("<4s4H2IH", plain[-22:])
    fields = {
        "rest": 44, "made": 45, "needed": 45, "this": 0, "other": 0, "here": end[3], "total": end[4],
        "length": end[5], "start": end[6],
    } | changes  # fmt: skip
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", *fields.values())
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(body), 1)
    return body + record + locator + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)


def _end64(**changes: int) -> Callable[[], bytes]:
    return lambda: _wide_end(zip_bytes(entries_of(only_maps())), **changes)


def _many() -> bytes:
    """One entry more than the format allows, each of nothing."""
    number = 100_001
    plain = zip_bytes((Entry(f"{n:x}") for n in range(number)), end={"here": 0, "total": 0})
    return _wide_end(plain, here=number, total=number)


def _nested() -> bytes:
    return zip_bytes([Entry("inner.zip", zip_bytes(entries_of(only_maps())))])


def _outer_folder() -> bytes:
    return zip_bytes(entries_of({f"my-method/{name}": data for name, data in only_maps().items()}))


ARCHIVES = [
    _with("zip: absolute name", "S122", Entry("/etc/cron.d/x")),
    _with("zip: name with `..`", "S122", Entry("../../x")),
    _with("zip: `..` in the middle of a name", "S122", Entry("predictions.zarr/../../x")),
    _with("zip: name with `.`", "S122", Entry("./provenance.json")),
    _with("zip: name with two slashes", "S122", Entry("predictions.zarr//01/x")),
    _with("zip: name with backslashes", "S122", Entry("..\\..\\x")),
    _with("zip: name with a drive", "S122", Entry("C:/x")),
    _with("zip: name with a NUL", "S122", Entry("provenance.json\0.png")),
    _with("zip: empty name", "S122", Entry("")),
    _with("zip: name in another encoding", "S122", Entry(b"\xff\xfe.json")),
    _with("zip: name in UTF-8 without its flag", "S122", Entry("é", central={"flags": 0}, local={"flags": 0})),
    _with("zip: ANSI escape in a name", "S120", Entry("\x1b[31mred")),
    _with("zip: right-to-left override in a clip's name", "S120", Entry("predictions.zarr/\u202e10/zarr.json", b"{}")),
    _with("zip: path of eight levels", "S120", Entry("/".join("abcdefgh"))),
    _kind("zip: symbolic link", stat.S_IFLNK),
    _kind("zip: named pipe", stat.S_IFIFO),
    _kind("zip: device", stat.S_IFBLK),
    _kind("zip: socket", stat.S_IFSOCK),
    _kind("zip: folder without a slash", stat.S_IFDIR),
    _with("zip: the same name twice", "S122", Entry("submission.toml")),
    _with("zip: names that differ by case", "S122", Entry("Submission.TOML")),
    _with("zip: names that differ by composed letters", "S122", Entry("\u00e9"), Entry("e\u0301")),
    _with("zip: a file that is a folder as well", "S122", Entry("submission.toml/x")),
    _with("zip: a folder with content", "S122", Entry("folder/", b"content")),
    _archive("zip: two entries for the same bytes", "S122", _overlapping),
    _archive("zip: a member inside another", "S122", _embedded),
    _laid("zip: gaps between members", "S122", between=b"\0"),
    _laid("zip: a gap before the directory", "S122", before_directory=b"gap!"),
    _laid("zip: another file before it", "S122", prefix=b"PK\3\4" + bytes(60)),
    _laid("zip: another kind of file before it", "S101", prefix=b"\x89PNG\r\n\x1a\n"),
    _laid("zip: bytes behind it", "S122", suffix=b"\0"),
    _laid("zip: comment", "S122", end={"comment": 4}, suffix=b"note"),
    _laid("zip: several disks", "S122", end={"disk": 1}),
    _laid("zip: more entries announced than there are", "S122", end={"here": 99, "total": 99}),
    _laid("zip: fewer entries announced than there are", "S122", end={"here": 3, "total": 3}),
    _laid("zip: a directory larger than the file", "S122", end={"length": 2**31}),
    _laid("zip: a directory beyond the end of the file", "S122", end={"start": 2**31}),
    _archive("zip: cut off", "S122", lambda: zip_bytes(entries_of(only_maps()))[:-30]),
    _archive("zip: an end record alone", "S101", lambda: zip_bytes([])),
    _archive("zip: too many entries", "S122", _many),
    _member("zip: deflated member", "S122", _deflated),
    _member("zip: unknown compression", "S122", _set(method=93)),
    _member("zip: encrypted member", "S122", _set(flags=1)),
    _member("zip: data descriptor", "S122", _described),
    _member("zip: wrong CRC in the directory", "S122", lambda entry: entry.central.update(crc=1)),
    _member("zip: wrong CRC in the local header", "S122", lambda entry: entry.local.update(crc=1)),
    _member("zip: wrong CRC in both", "S122", _set(crc=1)),
    _member("zip: larger size in the directory", "S122", lambda entry: entry.central.update(size=9999, stored=9999)),
    _member("zip: larger size in both headers", "S122", _set(size=9999, stored=9999)),
    _member("zip: smaller size in both headers", "S122", _set(size=1, stored=1)),
    _member("zip: two sizes of a stored member", "S122", _set(size=1)),
    _member("zip: another name in the local header", "S122", lambda entry: entry.local.update(name=b"x")),
    _member("zip: an offset beyond the file", "S122", lambda entry: entry.central.update(offset=2**31)),
    _member("zip: comment of a member", "S122", lambda entry: entry.central.update(comment=b"x")),
    _member("zip: a second name in an extra field", "S122", _set(extra=b"\x75\x70\x06\0\x01\0\0\0\0x")),
    _member("zip: broken extra field", "S122", _set(extra=b"\x01\0\xff\xff")),
    _member("zip: size in a Zip64 field that is not there", "S122", _set(size=0xFFFFFFFF)),
    _member("zip: 8 EiB in a Zip64 field", "S122", _wide(2**63)),
    _member("zip: offset in a Zip64 field that is too short", "S122", _wide(8, offset=0xFFFFFFFF)),
    _archive("zip: Zip64 end record with other disks", "S122", _end64(other=7)),
    _archive("zip: Zip64 end record with 2⁶³ entries", "S122", _end64(here=2**63, total=2**63)),
    _archive("zip: Zip64 directory of 2⁶³ bytes", "S122", _end64(length=2**63)),
    _archive("zip: a zip in a zip", "S101", _nested),
    _archive("zip: everything in a folder of its own", "S120", _outer_folder),
    in_zip("zip: a file that does not belong", "S120", lambda: only_maps() | {"malware.exe": b"MZ"}),
    in_zip(
        "zip: a clip's name of 60 000 letters",
        "S131",
        lambda: only_maps() | {f"{ROOT}/{'x' * 60_000}/zarr.json": b"[]"},
    ),
]
