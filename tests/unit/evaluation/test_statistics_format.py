"""Statistics in a file: the same after reading, small, and nothing of a stranger's that does not fit together."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_statistics import made_statistics

from vadbench.errors import DataError, UsageError
from vadbench.evaluation.report_statistics import ReportStatistics, statistics_place
from vadbench.evaluation.statistics_file import LARGEST_STATISTICS, MOST_CLIPS, MOST_OBJECTS, MOST_VALUES
from vadbench.evaluation.statistics_format import zero_runs
from vadbench.evaluation.statistics_reader import read_statistics_text
from vadbench.evaluation.statistics_values import statistics_values

Content = dict[str, Any]

PROTOCOLS = ["standard", "tao-release", "aed-2021", "standard+pixel.f1=at(0.5)+pixel.aupro=pr-trapezoid"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_read_is_what_was_written(protocol: str, tmp_path: Path) -> None:
    report, statistics = made_statistics(1, protocol=protocol)
    place = statistics.write(tmp_path / "x.statistics.json")
    read = ReportStatistics.read(place)
    assert read.to_json() == statistics.to_json() == made_statistics(1, protocol=protocol)[1].to_json()
    for name in statistics.__dataclass_fields__:
        assert_same(getattr(read, name), getattr(statistics, name))
    values = {key: score.value for key, score in report.scores.items() if score.value is not None}
    assert statistics_values(report, read) == pytest.approx(values, abs=1e-12)


def assert_same(one: Any, other: Any) -> None:
    """Equal, with equal dtypes of arrays, all the way down."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    elif hasattr(one, "__dataclass_fields__"):
        for name in one.__dataclass_fields__:
            assert_same(getattr(one, name), getattr(other, name))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for inner, twin in zip(one, other, strict=True):
            assert_same(inner, twin)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    else:
        assert one == other


@given(st.lists(st.integers(0, 3) | st.integers(0, 2**40), max_size=60))
def test_runs_of_zeros(counts: list[int]) -> None:
    runs = zero_runs(np.array(counts, dtype=np.int64))
    expanded = [value for run in runs for value in ([run] if run >= 0 else [0] * -run)]
    assert expanded == counts
    assert 0 not in runs
    assert len(runs) <= len(counts)


def test_sizes() -> None:
    for dataset, clips, limit in (("ucsd-ped2", 12, 150_000), ("shanghaitech", 107, 1_700_000)):
        text = made_statistics(0, dataset=dataset, n_clips=clips)[1].to_json()
        assert len(text) < limit < LARGEST_STATISTICS
        assert len(text.splitlines()) > clips
        assert max(map(len, text.splitlines())) < 10_000


def test_places() -> None:
    assert statistics_place("a/my.tao-release.report.json") == Path("a/my.tao-release.statistics.json")
    assert statistics_place("a/report.json") == Path("a/statistics.json")
    assert statistics_place("numbers.json") == Path("numbers.json-statistics.json")
    # Another report's statistics are never taken for one's own.
    names = [
        "a.json",
        "a.report.json",
        "a.json.report.json",
        "a.json-report.json",
        "areport.json",
        "report.json",
        "a",
        "a.txt",
    ]
    assert len({statistics_place(name) for name in names}) == len(names)


def test_only_statistics_are_replaced(tmp_path: Path) -> None:
    statistics = made_statistics(1, n_clips=3)[1]
    place = tmp_path / "deep" / "statistics.json"
    assert statistics.write(place) == statistics.write(place)
    assert [path.name for path in place.parent.iterdir()] == ["statistics.json"]
    for content in ("", "{}", '{"format": "vadbench.report/1"}'):
        place.write_text(content)
        with pytest.raises(UsageError) as raised:
            statistics.write(place)
        assert raised.value.code == "U252"
        assert place.read_text() == content
    with pytest.raises(UsageError) as raised:
        statistics.write(tmp_path)
    assert raised.value.code == "U252"
    with pytest.raises(UsageError) as raised:
        statistics.write(place / "below" / "a" / "file")
    assert raised.value.code == "U250"
    with pytest.raises(UsageError) as raised:
        ReportStatistics.read(tmp_path / "absent")
    assert raised.value.code == "U251"


def content_of(protocol: str = "standard") -> Content:
    content: Content = json.loads(made_statistics(2, n_clips=3, protocol=protocol)[1].to_json())
    return content


def fault(data: bytes) -> str:
    """What the reader says; a line that can be printed."""
    with pytest.raises(ValueError, match=r".") as raised:
        read_statistics_text(data)
    message = str(raised.value)
    assert message.isprintable(), message
    return message


def put(*steps: Any, value: Any) -> Callable[[Content], None]:
    def change(content: Any) -> None:
        for step in steps[:-1]:
            content = content[step]
        content[steps[-1]] = value

    return change


def drop(*steps: Any) -> Callable[[Content], None]:
    def change(content: Any) -> None:
        for step in steps[:-1]:
            content = content[step]
        del content[steps[-1]]

    return change


def move(*steps: Any, by: Any = 1) -> Callable[[Content], None]:
    def change(content: Any) -> None:
        for step in steps[:-1]:
            content = content[step]
        content[steps[-1]] += by

    return change


def first_above_zero(*steps: Any, by: int) -> Callable[[Content], None]:
    """Change the first count above 0 of a list."""

    def change(content: Any) -> None:
        for step in steps:
            content = content[step]
        place = next(k for k, value in enumerate(content) if value > 0)
        content[place] += by

    return change


def one_below_all_levels(content: Content) -> None:
    """Put a count of 1 in place of the last zero."""
    row = content["objects"]["false_positives"][0]
    *_, end = row
    row[-1:] = [*([end + 1] if end < -1 else []), 1] if end < 0 else [1]


WRONG: list[tuple[str, Callable[[Content], None], str]] = [
    ("another format", put("format", value="vadbench.statistics/2"), "no format"),
    ("no clips", put("clips", value=[]), "clips"),
    ("an unknown key", put("extra", value=1), "extra"),
    ("a fingerprint of other signs", put("fingerprint", value="x" * 64), "64 hex"),
    ("no signature", put("signature", value="standard"), "not a signature"),
    ("a signature of control characters", put("signature", value="a\u001b[31m"), "U+001B"),
    ("an id that turns the line around", put("clips", 0, "id", value="\u202ex"), "U+202E"),
    ("an empty id", put("clips", 0, "id", value=""), "empty"),
    ("a clip twice", put("clips", 1, "id", value="001"), "order of their ids"),
    ("clips in disorder", put("clips", 0, "id", value="9"), "order of their ids"),
    ("a clip without frames", put("clips", 0, "frames", value=0), "frames"),
    ("billions of frames", put("clips", 0, "frames", value=4_000_000), "more than"),
    ("a count as text", put("pixels", "positives", 0, 0, value="1"), "positives"),
    ("half a pixel", put("pixels", "positives", 0, 0, value=0.5), "positives"),
    ("true as a count", put("pixels", "positives", 0, 0, value=True), "positives"),
    ("levels that rise", put("pixels", "levels", 1, value=2), "fall"),
    ("a level twice", put("pixels", "levels", 1, value=0.998046875), "fall"),
    ("a level too few", drop("pixels", "levels", 0), "counts"),
    ("a clip too few", drop("pixels", "negatives", 0), "2 lists for 3 clips"),
    ("a count too few", drop("pixels", "negatives", 0, 5), "511 counts, 512"),
    ("a long run of zeros", put("pixels", "negatives", 0, value=[-(2**40)]), "counts, 512"),
    ("a run of zeros beyond all numbers", put("pixels", "negatives", 0, value=[-(10**30)]), "negatives"),
    ("more pixels than there are", put("pixels", "negatives", 0, 3, value=2**45), "negatives"),
    ("pixels that together are too many", put("pixels", "negatives", 0, value=[2**40] * 512), "more than"),
    ("shares beyond the components", first_above_zero("pixels", "coverage", 0, by=1), "make up the components"),
    ("a component more", move("pixels", "components", 0), "make up the components"),
    ("an anomalous pixel more", first_above_zero("pixels", "positives", 0, by=1), "as many anomalous pixels"),
    ("a declared hit more than pixels", move("declared", "true_positives", 0, by=10**9), "more anomalous"),
    ("a declared pixel more", move("declared", "positives", 0), "as many anomalous pixels"),
    ("a declared number too few", drop("declared", "positives", 0), "2 numbers for 3 clips"),
    ("a flagged pixel more", first_above_zero("flagged", "true_positives", 0, by=1), "flagged: "),
    ("a false one more", first_above_zero("flagged", "false_positives", 0, by=1), "flagged: other normal"),
    ("another threshold", put("flagged", "threshold", value=0.001), "flagged: other anomalous"),
    ("a threshold of words", put("flagged", "threshold", value="some"), "threshold"),
    ("a threshold of no number", put("flagged", "threshold", value=math.nan), "NaN"),
    ("an infinite level", put("pixels", "levels", 0, value=math.inf), "Infinity"),
    ("frames of objects", move("objects", "frames", 0), "objects.frames"),
    ("a track without a region", first_above_zero("objects", "tracks", 0, by=10**6), "more than regions"),
    ("a region more", first_above_zero("objects", "regions", 0, by=1), "other regions than in objects"),
    ("a track less", drop("tracks", 0), "in objects"),
    ("a track of no clip", put("tracks", 0, "clip", value="x"), "no clip"),
    ("a track beyond its clip", put("tracks", 0, "last_frame", value=10**6), "within the clip"),
    ("a track back in time", put("tracks", 0, "first_frame", value=10**6), "within the clip"),
    ("more found than there are", put("tracks", 0, "found_regions", value=10**6), "more regions found"),
    ("a flat track", put("tracks", 0, "height", value=0), "above 0"),
    ("a speed below 0", put("tracks", 0, "speed", value=-1.0), "above 0"),
    ("found before the beginning", put("tracks", 0, "found_at", value=-1.0), "from 0 on"),
    ("a hostile name of a track", put("tracks", 0, "track", value="\u0007"), "U+0007"),
    ("a track as high as no frame", put("tracks", 0, "height", value=1e300), "1e+300"),
    ("a speed of no pixels", put("tracks", 0, "speed", value=1e300), "sizes of at most"),
    ("a found track that is never found", put("tracks", 0, "found_at", value=None), "others without found_at"),
    ("a track found at other false positives", move("tracks", 0, "found_at", by=0.5), "found_at at other levels"),
    ("more regions found by the limit", move("tracks", 0, "found_regions"), "found_regions"),
    ("a box beyond all frames", put("false_positives", 0, "box", value=[-1e308, 0, 1e308, 9]), "1e+308"),
    ("a rank of more false positives than there are", put("false_positives", 4, "rank", value=1e308), "ranks at other"),
    ("a rank before its level", put("false_positives", 4, "rank", value=1e-9), "ranks at other levels"),
    ("a score of another level", put("false_positives", 0, "score", value=1e308), "scores at other levels"),
    ("a lower score first", put("false_positives", 0, "score", value=-1.0), "highest score first"),
    ("a false positive below all levels", one_below_all_levels, "below all levels"),
    ("a box without area", put("false_positives", 0, "box", value=[5, 5, 5, 9]), "with an area"),
    ("half a box", put("false_positives", 0, "box", value=[5, 5]), "box"),
    ("a false positive too few", drop("false_positives", 0), "the first 5"),
    ("a false positive beyond its clip", put("false_positives", 0, "frame", value=10**6), "frame of the clip"),
    ("a rank of 0", put("false_positives", 0, "rank", value=0), "above 0"),
    ("ranks with a gap", put("frame_ranks", "ranks", 0, 0, value=10**6), "every rank"),
    ("labels that are too many", move("frame_ranks", "labels", 0, 0), "runs that make up"),
    ("labels that run back", put("frame_ranks", "labels", 0, value=[300, -200]), "runs that make up"),
    ("an effect of no metric", put("effect", "luck", value=0.0), "no metric"),
    ("an effect beyond all scores", put("effect", "rbdc", value=1.5), "at most 1"),
    ("means where all is pooled", put("frame_means", value={}), "frame_means: none"),
    (
        "a fixed threshold where there is none",
        put("fixed", value={"true_positives": [0] * 3, "false_positives": [0] * 3, "positives": [0] * 3}),
        "fixed: ",
    ),
]


@pytest.mark.parametrize(
    ("change", "words"), [(change, words) for _, change, words in WRONG], ids=[n for n, _, _ in WRONG]
)
def test_what_does_not_fit_is_refused(change: Callable[[Content], None], words: str) -> None:
    content = content_of()
    read_statistics_text(json.dumps(content).encode())
    change(content)
    assert words in fault(json.dumps(content).encode())


MEANS_WRONG: list[tuple[str, Callable[[Content], None], str]] = [
    ("a sum beyond its frames", put("frame_means", "pixel_ap", "sums", 0, value=10_000.0), "sums"),
    ("a sum below 0", put("frame_means", "pixel_ap", "sums", 0, value=-1.0), "sums"),
    ("more frames than there are", put("frame_means", "pixel_ap", "counts", 0, value=10_000), "at most the frames"),
    (
        "a mean of another metric",
        put("frame_means", "rbdc", value={"sums": [0] * 3, "counts": [0] * 3}),
        "no such mean",
    ),
    ("a sum too few", drop("frame_means", "pixel_ap", "sums", 0), "one sum a clip"),
    (
        "pixels in a mean of frames",
        put("declared", value={"true_positives": [0] * 3, "false_positives": [0] * 3, "positives": [0] * 3}),
        "declared: none",
    ),
]


@pytest.mark.parametrize(
    ("change", "words"), [(change, words) for _, change, words in MEANS_WRONG], ids=[n for n, _, _ in MEANS_WRONG]
)
def test_means_that_do_not_fit_are_refused(change: Callable[[Content], None], words: str) -> None:
    content = content_of("tao-release")
    read_statistics_text(json.dumps(content).encode())
    change(content)
    assert words in fault(json.dumps(content).encode())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "no format"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "deep"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"format": 1' + b"0" * 5_000 + b"}", "digits"),
        (b'{"format": "vadbench.statistics/1", "clips": [' + b"1," * (2 * MOST_VALUES) + b"1]}", "more than"),
        (b'{"clips": [' + b'{"a":1},' * MOST_OBJECTS + b"{}]}", "objects"),
    ],
    ids=[
        *("nothing", "no text", "a list", "broken", "deep", "a key twice", "a long number", "many values"),
        "many objects",
    ],
)
def test_no_json_of_ours(data: bytes, words: str) -> None:
    assert words in fault(data)
    assert "sys." not in fault(data)


@pytest.mark.parametrize("inside", ["", "pixels", "effect"])
def test_unknown_keys_take_no_more_memory_than_the_file(inside: str) -> None:
    keys = {f"{number:06x}": 1 for number in range(100_000)}
    content = content_of()
    content = {**content, inside: keys} if inside else {**content, **keys}
    data = json.dumps(content).encode()
    tracemalloc.start()
    try:
        assert "keys, none has more than 64" in fault(data)
        assert tracemalloc.get_traced_memory()[1] < 24 * len(data)
    finally:
        tracemalloc.stop()


def test_clips_that_are_too_many() -> None:
    content = content_of()
    content["clips"] = [{"id": f"{number:05d}", "frames": 2} for number in range(MOST_CLIPS + 1)]
    assert "at most 2000 items" in fault(json.dumps(content).encode())


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    place = tmp_path / "statistics.json"
    place.write_bytes(made_statistics(1, n_clips=3)[1].to_json().encode() + b" " * LARGEST_STATISTICS)
    with pytest.raises(DataError) as raised:
        ReportStatistics.read(place)
    assert raised.value.code == "D373"
    assert "bytes" in raised.value.got


def test_a_small_file_takes_little_memory() -> None:
    """Runs of zeros stand for as many counts as the limits allow, and no more."""
    content = content_of()
    content["clips"] = [{"id": f"{k:05d}", "frames": 200} for k in range(2_000)]
    for key in ("pixels", "declared", "objects", "flagged", "tracks", "false_positives", "effect"):
        content.pop(key)
    content["frame_ranks"] = {"labels": [[200]] * 2_000, "ranks": [[-200]] * 2_000}
    content["pixels"] = {
        "levels": list(range(2_000, 0, -1)),
        "components": [0] * 2_000,
        **{name: [[-2_001]] * 2_000 for name in ("positives", "negatives", "coverage")},
    }
    data = json.dumps(content).encode()
    assert len(data) < LARGEST_STATISTICS
    tracemalloc.start()
    try:
        assert "more than 2000000 counts" in fault(data)
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()
