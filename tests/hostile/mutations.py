"""Random changes of small sound submissions that know the structure of what they change.

`mutated` gives the same submission for the same seed and number, on every computer.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from hostile_trees import MAPS, ROOT, Entry, Files, only_maps, sound, write_folder, zip_bytes

_NUMBERS = (0, 1, 2, 255, 256, 2**15, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64)
_RAW = b"@raw@"
"""Stands for a literal that no JSON writer writes."""

_LITERALS = (b"NaN", b"-Infinity", b"1e999", b"9" * 5_000, b"-0", b"[" * 40 + b"]" * 40, b"1.0", b"01", b"'a'", b"")
_STRINGS = (
    *(
        "",
        "\x1b[31m",
        "\x9b1m",
        "\u202e",
        "\u200b",
        "\ud800",
        "\x00",
        "a" * 5_000,
        "NaN",
        "0x7fc00000",
        "../..",
        "c/0/0/0",
    ),
    *(
        "uint8",
        "float16",
        "int64",
        "gzip",
        "blosc",
        "zstd",
        "bytes",
        "big",
        "none",
        "folder",
        "ucsd-ped2",
        "test",
        "\n",
    ),
)
_NAMES = (
    *("../x", "/x", "x//y", "./x", "x\\y", "C:/x", "x\0y", "", "x" * 300, "\x1b[31m", "\u202ex", "e\u0301", "\u00e9"),
    *(
        "submission.toml",
        "SUBMISSION.toml",
        f"{ROOT}/zarr.json",
        f"{ROOT}/03/zarr.json",
        f"{MAPS}/c/9/0/0",
        f"{MAPS}/c",
    ),
    *(
        f"{MAPS}/c/00/0/0",
        f"{ROOT}/01/truth/zarr.json",
        f"{ROOT}/.zgroup",
        ".unfinished/x",
        "a/b/c/d/e/f/g/h",
        f"{ROOT}/01",
    ),
)
_TOML_VALUES = (
    *("1", "-1", "true", "inf", "nan", "1e999", "0x" + "f" * 5_000, "9" * 5_000, "[]", "{}", "[[[[[[[[[[1]]]]]]]]]]"),
    *('""', '"\\u001b[31m"', '"\\u202e"', '"x"', '["x", "x"]', "2026-01-01", '"""\n', "'", '"javascript:1"', "a.b.c"),
    *('["score_maps"]', '["score_maps", "instances"]', '"test"', '"supervised"', '"ucsd-ped2"', '"https://a@b/"', "[1"),
)


def _bytes(rng: Random, data: bytes) -> bytes:
    """A few bytes flipped, put in, taken out, moved or cut off."""
    at = rng.randrange(len(data) + 1)
    length = rng.choice((1, 1, 2, 4, 16, len(data)))
    return rng.choice(
        (
            lambda: (
                data[:at] + bytes([data[at % len(data)] ^ (1 << rng.randrange(8))]) + data[at + 1 :] if data else b"\0"
            ),
            lambda: data[:at] + rng.randbytes(length % 64) + data[at:],
            lambda: data[:at] + data[at + length :],
            lambda: data[:at],
            lambda: data[at:] + data[:at],
            lambda: data[:at] + data[rng.randrange(len(data) + 1) :],
            lambda: data[:at] + rng.randbytes(min(length, 64)) + data[at + min(length, 64) :],
            lambda: data + data,
        )
    )()


def _nodes(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, part in inner for found in _nodes(part, (*place, key)))]


def _json_value(rng: Random) -> Any:
    return rng.choice(
        (
            lambda: rng.choice(_NUMBERS),
            lambda: -rng.choice(_NUMBERS),
            lambda: rng.choice(_STRINGS),
            _RAW.decode,
            lambda: rng.choice((None, True, False, 0.5, [], {}, [0], {"name": "gzip"}, [2**40, 2**40, 2**40])),
            lambda: rng.randrange(9),
        )
    )()


def _json(rng: Random, data: bytes) -> bytes:
    """A value, key or entry of a JSON text changed."""
    try:
        content = json.loads(data)
        places = [place for place in _nodes(content) if place]
    except (ValueError, RecursionError):
        return _bytes(rng, data)
    if not places:
        return _bytes(rng, data)
    *outer, last = rng.choice(places)
    inside = content
    for key in outer:
        inside = inside[key]
    match rng.randrange(4):
        case 0:
            del inside[last]
        case 1 if isinstance(inside, dict):
            inside[rng.choice(_STRINGS)] = inside.pop(last)
        case 2 if isinstance(inside, list):
            inside.insert(0, _json_value(rng))
        case _:
            inside[last] = _json_value(rng)
    text = json.dumps(content).encode()
    return text.replace(b'"' + _RAW + b'"', rng.choice(_LITERALS))


def _toml(rng: Random, data: bytes) -> bytes:
    """A line of a TOML text changed, repeated, moved or taken out."""
    lines = data.decode("utf-8", "replace").split("\n")
    at = rng.randrange(len(lines))
    key = re.match(r"[a-z_]+(?= = )", lines[at])
    match rng.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(rng.randrange(len(lines)), lines[at])
        case 2:
            lines.insert(at, f"{rng.choice(('x', 'a.b', '[x]', '[[method]]', '[score_maps]', 'threshold'))}")
        case _:
            lines[at] = f"{key.group() if key else 'name'} = {rng.choice(_TOML_VALUES)}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _header(rng: Random, data: bytes) -> bytes:
    """A number near the beginning of a chunk changed."""
    form = rng.choice(("B", "<H", "<I", "<i", "<Q"))
    limit = 2 ** (8 * struct.calcsize(form))
    at = rng.randrange(0, 40) if rng.random() < 0.5 else 4 * rng.randrange(10)
    value = rng.choice((*_NUMBERS, len(data), len(data) - 16, rng.randrange(64))) % limit
    value -= limit if form == "<i" and value >= limit // 2 else 0
    packed = struct.pack(form, value)
    return data[:at] + packed + data[at + len(packed) :]


_FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e38, 1e308, 5e-324, 2.0**31, 24.0)


def _values(rng: Random, files: Files) -> None:
    """Values of an array that is stored plainly; whole numbers are edges of their types, or small."""
    plain = [name for name in sorted(files) if "/c/" in name or name.endswith(("/c", "/c.0"))]
    if not plain:
        return
    name = rng.choice(plain)
    data = files[name]
    form = rng.choice(("<H", "<i", "<q", "<f", "<d", "<d"))
    size = struct.calcsize(form)
    if len(data) < size:
        return
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = size * rng.randrange(len(data) // size)
        value: float | int
        if form in ("<f", "<d"):
            value = rng.choice(_FLOATS if form == "<d" else _FLOATS[:9])
        else:
            value = rng.choice((*_NUMBERS, rng.randrange(30))) % 2 ** (8 * size - 1)
            value = -value - 1 if form != "<H" and rng.random() < 0.2 else value
        data = data[:at] + struct.pack(form, value) + data[at + size :]
    files[name] = data


def _content(rng: Random, files: Files) -> None:
    name = rng.choice(sorted(files))
    own = _toml if name.endswith(".toml") else _json if name.endswith(".json") else _header
    files[name] = (own if rng.random() < 0.8 else _bytes)(rng, files[name])


def _metadata(rng: Random, files: Files) -> None:
    name = rng.choice([name for name in sorted(files) if name.endswith(("zarr.json", ".toml"))] or sorted(files))
    files[name] = (_toml if name.endswith(".toml") else _json)(rng, files[name])


def _names(rng: Random, files: Files) -> None:
    name = rng.choice(sorted(files))
    other = rng.choice((*_NAMES, rng.choice(sorted(files)), name + "x", name.rpartition("/")[0] or "x"))
    match rng.randrange(4):
        case 0:
            files[other] = files.pop(name)
        case 1:
            files[other] = files[name]
        case 2:
            del files[name]
        case _:
            files[name] = files[rng.choice(sorted(files))]


_HEADER_FIELDS = ("version", "flags", "method", "time", "date", "crc", "stored", "size")


def _entry(rng: Random, entries: list[Entry]) -> None:
    """Fields of the headers of a member."""
    entry = rng.choice(entries)
    name = rng.choice((*_HEADER_FIELDS, "extra", "name", "offset", "attributes", "disk", "comment"))
    value: Any
    if name in ("extra", "comment"):
        value = rng.choice((b"", b"x", b"\1\0\x10\0" + bytes(16), b"\1\0\xff\xff", b"\x75\x70\1\0x", rng.randbytes(9)))
    elif name == "name":
        value = rng.choice((*_NAMES, rng.choice(entries).name))
        value = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    else:
        bits = 32 if name in ("crc", "stored", "size", "offset", "attributes") else 16
        value = rng.choice((*_NUMBERS, rng.randrange(2**bits))) % 2**bits
    if name in ("attributes", "offset", "disk", "comment"):
        entry.central[name] = value
    else:
        for side in rng.choice(((entry.local,), (entry.central,), (entry.local, entry.central))):
            side[name] = value


def _archive(rng: Random, files: Files) -> bytes:
    """A zip of the files, perhaps with mistakes of its own."""
    entries = [Entry(name.encode("utf-8", "surrogatepass"), data) for name, data in sorted(files.items())]
    if not entries or rng.random() < 0.6:
        return zip_bytes(entries)
    options: dict[str, Any] = {}
    match rng.randrange(5):
        case 0 | 1:
            _entry(rng, entries)
        case 2:
            options["end"] = {
                rng.choice(("disk", "here", "total", "length", "start", "comment")): rng.choice(_NUMBERS) % 2**16
            }
        case 3:
            options[rng.choice(("between", "prefix", "before_directory", "suffix"))] = rng.choice(
                (b"\0", b"PK\3\4", b"x" * 30)
            )
        case _:
            rng.shuffle(entries)
    data = zip_bytes(entries, **options)
    return _bytes(rng, data) if rng.random() < 0.3 else data


@cache
def _bases() -> tuple[Files, ...]:
    return (
        sound(),
        sound("none"),
        sound("none"),
        *(only_maps(codec) for codec in ("none", "gzip", "zstd", "lz4", "bitshuffle")),
    )


@dataclass
class Mutant:
    """A changed submission: files for a folder, or the bytes of a zip; and what was changed, in words."""

    files: Files
    archive: bytes | None
    steps: list[str] = field(default_factory=list)

    def write(self, place: Path) -> Path:
        """Write it into an empty folder; names that the system does not take are left out."""
        if self.archive is not None:
            (place / "m.zip").write_bytes(self.archive)
            return place / "m.zip"
        target = write_folder({}, place / "m")
        for name, data in sorted(self.files.items()):
            path = target / name
            # Nothing is written outside, whatever the name.
            if not name or name.startswith("/") or ".." in name.split("/"):
                continue
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except (OSError, ValueError):
                continue
        return target


_STEPS: tuple[Callable[[Random, Files], None], ...] = (
    *(_content, _content, _content, _values, _values, _values, _values, _metadata, _metadata, _names),
)


def mutated(seed: int, number: int) -> Mutant:
    """The submission of that number."""
    rng = Random(f"{seed}:{number}")
    files = dict(rng.choice(_bases()))
    steps = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        step = rng.choice(_STEPS)
        step(rng, files)
        steps.append(step.__name__)
        if not files:
            break
    archive = _archive(rng, files) if rng.random() < 0.8 else None
    return Mutant(files, archive, steps)
