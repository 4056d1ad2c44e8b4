"""Hostile texts: submission.toml and provenance.json."""

from __future__ import annotations

from hostile_case import Case, in_zip
from hostile_trees import only_maps

_SOUND = only_maps()["submission.toml"]
_AUTHORS = ",".join(f'"{number:x}"' for number in range(8_000))


def _toml(name: str, codes: str, text: bytes) -> Case:
    return in_zip(f"submission.toml: {name}", codes, lambda: only_maps() | {"submission.toml": text})


def _field(name: str, line: str, old: str = 'name = "M"', codes: str = "S112") -> Case:
    """One line replaced by others."""
    assert old.encode() in _SOUND
    return _toml(name, codes, _SOUND.replace(old.encode(), line.encode()))


def _code(name: str, url: str) -> Case:
    return _field(f"{name} as URL", f'code = "{url}"', 'code = "https://example.org/m"')


def _json(name: str, text: bytes, codes: str = "S113") -> Case:
    return in_zip(f"provenance.json: {name}", codes, lambda: only_maps() | {"provenance.json": text})


TEXTS = [
    _toml("larger than 64 KiB", "S123", _SOUND + b"#" * 65_537),
    _toml("empty", "S112", b""),
    _toml("byte-order mark", "S110", b"\xef\xbb\xbf" + _SOUND),
    _toml("invalid UTF-8", "S110", _SOUND.replace(b'"M"', b'"\xff"')),
    _toml("UTF-16", "S110", _SOUND.decode().encode("utf-16")),
    _toml("a zip", "S110", b"PK\3\4\xff\xff"),
    _toml("not TOML", "S111", b"{}"),
    _toml("NUL in it", "S111", b"a = 1\0"),
    _toml("carriage returns alone", "S111", _SOUND.replace(b"\n", b"\r")),
    _toml("nested lists, 60 000 levels", "S110", b"a = " + b"[" * 60_000),
    _toml("nested tables in a line", "S110", b"a = " + b"{a = " * 9 + b"1" + b"}" * 9),
    _toml("dotted key of 30 000 parts", "S110", b"a" + b".a" * 30_000 + b" = 1"),
    _toml("dotted table of nine parts", "S110", b"[a.b.c.d.e.f.g.h.i]"),
    _toml("3000 tables of eight parts", "S112", b"".join(b"[a.b.c.d.e.f.g.x%d]\n" % n for n in range(3_000))),
    _toml("6000 unknown keys", "S112", _SOUND + b"".join(b"k%d=1\n" % n for n in range(6_000))),
    _toml("the same key twice", "S111", _SOUND.replace(b'name = "M"', b'name = "M"\nname = "N"')),
    _toml("the same table twice", "S111", _SOUND + b"[method]\n"),
    _field("ANSI escape, raw", 'name = "\x1b[31mM"', codes="S111"),
    _field("ANSI escape, escaped", 'name = "\\u001b[31mM"'),
    _field("C1 control", 'name = "\\u009b31mM"'),
    _field("bell", 'name = "\\u0007"'),
    _field("line feed in a name", 'name = "M\\nerror[S999] forged"'),
    _field("right-to-left override", 'name = "\\u202Eevil"'),
    _field("right-to-left mark, raw", 'name = "a\u200fb"'),
    _field("isolate", 'name = "a\\u2066b"'),
    _field("nothing visible", 'name = "\\u00a0\\u200b\\u3164"'),
    _field("empty name", 'name = ""'),
    _field("name of 501 characters", f'name = "{"x" * 501}"'),
    _field("unknown key", 'name = "M"\nauroc = 1.0'),
    _field("unknown key with an escape", 'name = "M"\n"\\u001b[2J" = 1'),
    _field("unknown table", '[report]\nauroc = 1.0\n[method]\nname = "M"', '[method]\nname = "M"'),
    _field("table in place of a string", "name = {a = 1}"),
    _field("number in place of a string", "name = 1"),
    _field("string in place of a list", 'authors = "A"', "authors = []"),
    _field("the same author twice", 'authors = ["A", "A"]', "authors = []"),
    _field("8000 authors, one of them a number", f"authors = [{_AUTHORS}, 1]", "authors = []"),
    _field("string in place of a year", 'year = "2026"', "year = 2026"),
    _field("date in place of a year", "year = 2026-01-01", "year = 2026"),
    _field("impossible date", "year = 2026-13-99", "year = 2026", "S111"),
    _field("year 9999", "year = 9999", "year = 2026"),
    _field("year true", "year = true", "year = 2026"),
    _field("whole number of 5000 digits", f"year = {'9' * 5_000}", "year = 2026", "S111"),
    _field("whole number of 15 000 hex digits", f"year = 0x{'f' * 15_000}", "year = 2026"),
    _field("that number in a list", f"authors = [0x{'f' * 15_000}]", "authors = []"),
    _field("infinite speed", 'frames_per_second = inf\nhardware = "x"\nyear = 2026', "year = 2026"),
    _field("speed that is no number", 'frames_per_second = nan\nhardware = "x"\nyear = 2026', "year = 2026"),
    _field("speed of 0", 'frames_per_second = 0\nhardware = "x"\nyear = 2026', "year = 2026"),
    _field(
        "infinite threshold",
        'threshold_chosen_on = "test"\n[score_maps]\nthreshold = inf',
        'threshold_chosen_on = "none"',
    ),
    _field("another format", 'format = "vadbench.submission/2"', 'format = "vadbench.submission/1"'),
    _field("data set that leads elsewhere", 'dataset = "../../etc"', 'dataset = "folder"'),
    _field("data set with an escape", 'dataset = "\\u001b]8;;x"', 'dataset = "folder"'),
    _field("no kind of prediction", "predictions = []", 'predictions = ["score_maps"]'),
    _field("unknown kind of prediction", 'predictions = ["truth"]', 'predictions = ["score_maps"]'),
    _code("javascript:", "javascript:alert(1)"),
    _code("data:", "data:text/html,<script>1</script>"),
    _code("plain http", "http://example.org"),
    _code("a file", "file:///etc/passwd"),
    _code("user and password", "https://user:secret@example.org/"),
    _code("a user who looks like a host", "https://example.org@evil.example/"),
    _code("quotes and brackets", 'https://example.org/\\"><img src=x onerror=alert(1)>'),
    _code("a backslash", "https://example.org\\\\@evil.example"),
    _code("a space", "https://example.org/a b"),
    _code("a host in another script", "https://ex\u0430mple.org/"),
    _code("501 characters", "https://example.org/" + "x" * 500),
    _json("larger than 64 KiB", b'{"a": "' + b"x" * 65_537 + b'"}', "S123"),
    _json("empty", b""),
    _json("a list", b"[]"),
    _json("nested six levels", b'{"a": [[[[[1]]]]]}'),
    _json("nested 60 000 levels", b"[" * 60_000),
    _json("the same key twice", b'{"a": 1, "a": 2}'),
    _json("NaN literal", b'{"a": NaN}'),
    _json("number beyond float64", b'{"a": -1e999}'),
    _json("whole number of 5000 digits", b'{"a": ' + b"9" * 5_000 + b"}"),
    _json("byte-order mark", b"\xef\xbb\xbf{}"),
    _json("invalid UTF-8", b'{"a": "\xff"}'),
    _json("half a character", b'{"a": "\\ud800"}'),
    _json("ANSI escape in a key", b'{"\\u001b[31m": 1}'),
    _json("C1 control in a value", b'{"a": "\\u009b31m"}'),
    _json("right-to-left override in a value", '{"a": ["\u202e"]}'.encode()),
    _json("line feed in a value", b'{"a": "x\\n::error::forged"}'),
    _json("nothing visible in a value", b'{"a": ""}'),
]
