import copy
import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.errors import SubmissionError
from vadbench.submission.schema import FORMAT, Metadata, check_provenance, checked_metadata, read_metadata
from vadbench.submission.toml_text import nesting, parse_toml, write_toml

FULL = {
    "format": FORMAT,
    "dataset": "ucsd-ped2",
    "predictions": ["score_maps", "detections"],
    "method": {
        "name": "<b>M</b> $x$ =1+1",
        "version": "v2",
        "authors": ["Ä. Müller", "B"],
        "year": 2026,
        "paper": "https://example.org:8080/a/b.pdf?id=3#page=2",
        "code": "https://example.org",
        "bibtex": '@inproceedings{m,\n\ttitle={{A "B" \\o C}}\n}',
        "description": "two\nlines",
        "frames_per_second": 12.5,
        "hardware": "1 x RTX 4090",
    },
    "training": {
        "supervision": "one-class",
        "data": ["ucsd-ped2:train"],
        "pretrained": [],
        "threshold_chosen_on": "training",
    },
    "score_maps": {"threshold": 32768, "lower": 0.0, "upper": 1.0},
    "files": {"url": "https://example.org/m.zip", "sha256": "ab" * 32},
}
GONE = object()


def changed(changes):
    table = copy.deepcopy(FULL)
    for dotted, value in changes.items():
        *outer, key = dotted.split(".")
        place = table[outer[0]] if outer else table
        if value is GONE:
            del place[key]
        else:
            place[key] = value
    return table


def faults(changes):
    with pytest.raises(SubmissionError) as caught:
        checked_metadata(changed(changes), ("m", "submission.toml"))
    assert caught.value.code == "S112"
    assert caught.value.where == ("m", "submission.toml")
    return caught.value


def test_round_trip_through_toml():
    metadata = checked_metadata(FULL, ("m",))
    text = metadata.to_toml()
    assert tomllib.loads(text.decode()) == FULL
    assert read_metadata(text, "m") == metadata
    assert read_metadata(text, "m").to_toml() == text
    assert metadata.threshold == 32768


@pytest.mark.parametrize(
    "changes",
    [
        {"score_maps": GONE, "training.threshold_chosen_on": "none"},
        {"score_maps.threshold": GONE, "training.threshold_chosen_on": "none"},
        {"score_maps.threshold": -1.5},
        {"files": GONE},
        {"method.paper": GONE},
        {"method.code": GONE},
        {"method.authors": []},
        {"method.year": 1990},
        {"method.year": 2100},
        {"method.frames_per_second": GONE, "method.hardware": GONE},
        {"method.name": "x" * 500},
        {"method.bibtex": "x" * 4000},
        {"method.name": "名前"},
        {"predictions": ["frame_scores"], "score_maps": GONE, "training.threshold_chosen_on": "none"},
        *[
            {"training.supervision": word}
            for word in ("zero-shot", "one-class", "weakly-supervised", "fine-tuned", "supervised")
        ],
    ],
)
def test_accepted(changes):
    assert isinstance(checked_metadata(changed(changes), ("m",)), Metadata)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"format": "vadbench.submission/2"}, "format"),
        ({"format": GONE}, "format"),
        ({"dataset": ""}, "dataset"),
        ({"dataset": "../etc"}, "dataset"),
        ({"dataset": 3}, "dataset"),
        ({"predictions": []}, "predictions"),
        ({"predictions": "score_maps"}, "predictions"),
        ({"predictions": ["score_maps", "score_maps"]}, "predictions"),
        ({"predictions": ["score_maps", "masks"]}, "predictions"),
        ({"predictions": GONE}, "predictions"),
        ({"predictions": ["detections"]}, "there is a table score_maps"),
        ({"method": GONE}, "method"),
        ({"method": "M"}, "method"),
        ({"method.name": GONE}, "method.name"),
        ({"method.name": ""}, "method.name"),
        ({"method.name": " \u200b\u3164"}, "method.name"),
        ({"method.name": "x" * 501}, "method.name"),
        ({"method.name": "a\nb"}, "method.name"),
        ({"method.name": "a\x1b[2J"}, "method.name"),
        ({"method.name": "a\x7f"}, "method.name"),
        ({"method.name": "a\x85"}, "method.name"),
        *[({"method.name": f"a{c}b"}, "method.name") for c in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"],
        ({"method.name": 3}, "method.name"),
        ({"method.version": 2}, "method.version"),
        ({"method.bibtex": "x" * 4001}, "method.bibtex"),
        ({"method.bibtex": "a\rb"}, "method.bibtex"),
        ({"method.description": "a\u202eb"}, "method.description"),
        ({"method.authors": "A"}, "method.authors"),
        ({"method.authors": ["A", "A"]}, "method.authors"),
        ({"method.authors": ["A", ""]}, "method.authors"),
        ({"method.authors": ["A", 3]}, "method.authors"),
        ({"method.authors": GONE}, "method.authors"),
        ({"method.year": 1989}, "method.year"),
        ({"method.year": 2101}, "method.year"),
        ({"method.year": 2026.0}, "method.year"),
        ({"method.year": "2026"}, "method.year"),
        ({"method.year": True}, "method.year"),
        ({"method.year": 16**20000}, "method.year"),
        ({"method.paper": "http://example.org"}, "method.paper"),
        ({"method.paper": "https://"}, "method.paper"),
        ({"method.paper": "https://user@example.org/"}, "method.paper"),
        ({"method.paper": "https://example.org/a b"}, "method.paper"),
        ({"method.paper": 'https://example.org/"'}, "method.paper"),
        ({"method.paper": "https://example.org/'"}, "method.paper"),
        ({"method.paper": "https://example.org/<x>"}, "method.paper"),
        ({"method.paper": "https://example.org\\@evil"}, "method.paper"),
        ({"method.paper": "https://exämple.org/"}, "method.paper"),
        ({"method.paper": "https://example.org/\n"}, "method.paper"),
        ({"method.paper": "https://example.org/" + "x" * 490}, "method.paper"),
        ({"method.paper": "javascript:alert(1)"}, "method.paper"),
        ({"method.paper": GONE, "method.code": GONE}, "method"),
        ({"method.hardware": GONE}, "method"),
        ({"method.frames_per_second": GONE}, "method"),
        ({"method.frames_per_second": float("inf")}, "method.frames_per_second"),
        ({"method.frames_per_second": float("nan")}, "method.frames_per_second"),
        ({"method.frames_per_second": 0.0}, "method.frames_per_second"),
        ({"method.frames_per_second": "fast"}, "method.frames_per_second"),
        ({"training": GONE}, "training"),
        ({"training.supervision": "none"}, "training.supervision"),
        ({"training.supervision": "fully"}, "training.supervision"),
        ({"training.data": GONE}, "training.data"),
        ({"training.pretrained": ["a", "a"]}, "training.pretrained"),
        ({"training.threshold_chosen_on": "none"}, "there is a threshold"),
        ({"training.threshold_chosen_on": "train"}, "training.threshold_chosen_on"),
        ({"training.threshold_chosen_on": GONE}, "training.threshold_chosen_on"),
        ({"score_maps": GONE}, "there is no score_maps.threshold"),
        ({"score_maps.threshold": GONE}, "there is no score_maps.threshold"),
        ({"score_maps.threshold": True}, "score_maps.threshold"),
        ({"score_maps.threshold": "high"}, "score_maps.threshold"),
        ({"score_maps.threshold": float("nan")}, "score_maps.threshold"),
        ({"score_maps.threshold": 2**63}, "score_maps.threshold"),
        ({"score_maps.threshold": 16**20000}, "score_maps.threshold"),
        ({"score_maps.lower": GONE}, "score_maps"),
        ({"score_maps.upper": GONE}, "score_maps"),
        ({"files.url": GONE}, "files.url"),
        ({"files.url": "ftp://example.org"}, "files.url"),
        ({"files.sha256": "ab"}, "files.sha256"),
        ({"files.sha256": "ab" * 32 + "\n"}, "files.sha256"),
    ],
)
def test_refused_with_the_key(changes, key):
    error = faults(changes)
    assert error.got.startswith(key) or f": {key}" in error.got
    assert "\n" not in error.got


@pytest.mark.parametrize(
    ("key", "near"),
    [("method.auther", "authors"), ("training.superversion", "supervision"), ("predictons", "predictions")],
)
def test_unknown_key_names_the_nearest_of_its_table(key, near):
    error = faults({key: "x"})
    assert error.got == f"{key}: unknown key"
    assert f'did you mean "{near}"' in error.hint


def test_a_slip_of_the_pen_in_the_supervision_is_named():
    error = faults({"training.supervision": "oneclass"})
    assert 'training.supervision: did you mean "one-class"?' in error.hint
    assert "did you mean" not in faults({"training.supervision": "xyz"}).hint


def test_every_problem_has_its_line():
    error = faults({"method.year": 3, "method.colour": 1, "training.data": GONE, "dataset": ""})
    assert [line.split(":")[0] for line in error.got.splitlines()] == [
        "dataset",
        "method.year",
        "method.colour",
        "training.data",
    ]
    many = faults({f"k{n}": n for n in range(500)})
    assert many.got.count("\n") <= 20
    assert "and 480 more" in many.got


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"\xef\xbb\xbfformat = 1", "S110", "byte-order mark"),
        (b"a = 1\nb = '\xff'", "S110", "line 2"),
        (b"a = '" + b"x" * 65536 + b"'", "S110", "65536"),
        (b"a = " + b"[" * 5000, "S110", "levels"),
        (b"a" + b".a" * 3000 + b" = 1", "S110", "levels"),
        (b"[" + b".".join([b"a"] * 9) + b"]", "S110", "9 levels"),
        (b"a = " + b"{b=" * 9 + b"1" + b"}" * 9, "S110", "levels"),
        (b"a = 1\nb = ", "S111", "line 2"),
        (b"a = 1\na = 2", "S111", "line 2"),
        (b"a = " + b"9" * 5000, "S111", "digits"),
        (b"a = '\x00'", "S111", "line 1"),
        (b'a = "\\ud800"', "S111", "line 1"),
    ],
)
def test_text_that_is_refused_before_or_by_the_parser(data, code, said):
    with pytest.raises(SubmissionError) as caught:
        parse_toml(data, ("m",))
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("", 0),
        ("# [[[[[[[[[[[[", 0),
        ("a = '[[[[[[' # ]", 1),
        ('a = "\\"[[[["', 1),
        ('a = """\n[[[[ " "" \n"""\nb = 1', 1),
        ("a = '''[[['''''\nb.c = 1", 2),
        ("[a.b]\nc = [[1]]", 5),
        ("[a]\n[b]\nc = 1", 2),
        ("a = [\n[1],\n[2]\n]\nb = 1", 3),
        ('[a."b.c".d]\ne = 1', 4),
        ("a = 'not closed [[[\nb = [[1]]", 3),
    ],
)
def test_nesting_counts_outside_strings(text, levels):
    assert nesting(text) == levels


def test_metadata_may_use_braces_and_dots_in_strings():
    text = checked_metadata(changed({"method.bibtex": "{" * 50 + "..." * 50}), ("m",)).to_toml()
    assert read_metadata(text, "m").method.bibtex.startswith("{{{")


TEXT = st.text("ab \"'\\\n\t\r\0\x1f\x7f#[{=é名😀", max_size=20)
VALUE = st.one_of(
    TEXT, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.lists(TEXT, max_size=3)
)
KEYS = st.text("abcdefghij_", min_size=1, max_size=6)


@given(st.dictionaries(KEYS, st.one_of(VALUE, st.dictionaries(KEYS, VALUE, max_size=4)), max_size=5))
def test_written_toml_parses_to_the_same_table(table):
    assert tomllib.loads(write_toml(table).decode()) == table


def nested(levels):
    return {"a": nested(levels - 1)} if levels > 1 else {}


@pytest.mark.parametrize(
    "content", [{}, {"a": [1, 2.5, None, True, "x"]}, nested(5), {"a": [{"b": [1]}]}, {"ключ": "значение"}]
)
def test_provenance_accepted(content):
    assert check_provenance(json.dumps(content).encode(), ("m",)) == content


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[]", "S113"),
        (b"3", "S113"),
        (b"", "S113"),
        (b"{", "S113"),
        (b"\xef\xbb\xbf{}", "S113"),
        (b'{"a": "\xff"}', "S113"),
        (b'{"a": 1, "a": 2}', "S113"),
        (b'{"a": NaN}', "S113"),
        (b'{"a": -Infinity}', "S113"),
        (b'{"a": 1e999}', "S113"),
        (b'{"a": "\\u0007"}', "S113"),
        (b'{"a\\u202e": 1}', "S113"),
        (b'{"a": "\\ud800"}', "S113"),
        (b'{"a": ""}', "S113"),
        (b'{"a": "' + b"x" * 501 + b'"}', "S113"),
        (json.dumps(nested(6)).encode(), "S113"),
        (b"[" * 60000, "S113"),
        (b'{"a": ' + b"9" * 5000 + b"}", "S113"),
        (b'{"a": "' + b"x" * 65536 + b'"}', "S123"),
    ],
)
def test_provenance_refused(data, code):
    with pytest.raises(SubmissionError) as caught:
        check_provenance(data, ("m", "provenance.json"))
    assert caught.value.code == code
