"""Statistics that come with an entry: those of the report beside them, or a message that says what is not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_entries import ROOT, codes, copied_entry, report_of, write_report

from vadbench.entries.entry import check_entry
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import PixelCounts, ReportStatistics
from vadbench.evaluation.statistics_values import statistics_values
from vadbench.submission.problems import TITLES

STANDARD, RELEASE = "statistics.json", "tao-release.statistics.json"


def only(entry: Path, code: str, words: str) -> None:
    """Of that code and nothing else; the first finding has the words."""
    validation = check_entry(entry).validation
    assert set(codes(validation)) == {code}, validation.to_json()
    group = next(group for group in validation.groups if group.severity == "error")
    assert group.message == TITLES[code]
    text = "\n".join((*group.where, group.expected, group.got, group.hint))
    assert text.replace("\n", "").isprintable()
    assert words in text


def spoil(entry: Path, name: str, *steps, value) -> None:
    content = json.loads((entry / name).read_text("utf-8"))
    place = content
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    (entry / name).write_text(json.dumps(content), "utf-8")


def content_of(entry: Path, name: str) -> dict:
    return json.loads((entry / name).read_text("utf-8"))


def test_an_entry_with_statistics_is_right_and_they_are_listed(entry_with_statistics):
    assert codes(check_entry(entry_with_statistics).validation) == []
    checks = [check.name for check in check_entry(entry_with_statistics).validation.checks]
    assert "statistics: what is possible, and agreement with the report beside them" in checks


def test_statistics_are_not_needed(entry):
    validation = check_entry(entry).validation
    assert codes(validation) == []
    assert not any("statistics" in check.name for check in validation.checks)


@pytest.mark.parametrize("name", [STANDARD, RELEASE])
def test_statistics_without_their_report(entry_with_statistics, name):
    report = name.replace("statistics", "report")
    if name == RELEASE:
        (entry_with_statistics / report).unlink()
        only(entry_with_statistics, "S199", f"a file {report} beside them")
    else:
        (entry_with_statistics / report).unlink()
        found = codes(check_entry(entry_with_statistics).validation)
        assert set(found) == {"S180", "S199"}


def test_statistics_of_another_protocol(entry_with_statistics):
    shutil.copy(entry_with_statistics / STANDARD, entry_with_statistics / RELEASE)
    only(entry_with_statistics, "S199", "signature")


def test_statistics_of_another_method(entry_with_statistics):
    shutil.copy(ROOT / "submissions" / "background" / "ucsd-ped2" / STANDARD, entry_with_statistics / STANDARD)
    only(entry_with_statistics, "S199", "fingerprint")


@pytest.mark.parametrize("name", ["statistics", "standard.statistics.json", "no-protocol.statistics.json"])
def test_names_that_do_not_belong_there(entry_with_statistics, name):
    shutil.copy(entry_with_statistics / STANDARD, entry_with_statistics / name)
    only(entry_with_statistics, "S181", name)


def test_statistics_that_cannot_be_read(entry_with_statistics):
    (entry_with_statistics / STANDARD).write_text('{"format": "vadbench.statistics/1"}')
    only(entry_with_statistics, "S198", "Field required")
    (entry_with_statistics / STANDARD).write_bytes(b"[" * 10_000)
    only(entry_with_statistics, "S198", "deep")


def test_statistics_that_are_too_large(entry_with_statistics):
    with (entry_with_statistics / STANDARD).open("ab") as file:
        file.write(b" " * 2**22)
    only(entry_with_statistics, "S123", "4194304 bytes")


def test_clips_of_other_lengths(entry_with_statistics):
    frames = content_of(entry_with_statistics, STANDARD)["clips"][3]["frames"]
    rows = report_of(entry_with_statistics)
    rows["clips"][3]["frames"] += 1
    rows["dataset"]["frames"] += 1
    write_report(entry_with_statistics, rows)
    validation = check_entry(entry_with_statistics).validation
    assert set(codes(validation)) == {"S104", "S199"}
    assert f"clip 04 of {frames} frames" in validation.to_json()


def test_an_effect_that_is_not_that_of_the_counts(entry_with_statistics):
    spoil(entry_with_statistics, STANDARD, "effect", "pixel_ap", value=0.001)
    only(entry_with_statistics, "S199", "effect.pixel_ap")


def test_an_effect_that_is_missing(entry_with_statistics):
    effect = content_of(entry_with_statistics, STANDARD)["effect"]
    effect.pop("rbdc")
    spoil(entry_with_statistics, STANDARD, "effect", value=effect)
    only(entry_with_statistics, "S199", "effect.rbdc")


def test_an_effect_of_what_has_no_value(tmp_path):
    entry = copied_entry(ROOT / "submissions" / "constant" / "ucsd-ped2", tmp_path)
    effect = content_of(entry, STANDARD)["effect"]
    spoil(entry, STANDARD, "effect", value={**effect, "rbdc": 0.0})
    only(entry, "S199", "effect.rbdc")


def test_an_effect_that_is_large(tmp_path):
    """Counts on few levels agree with themselves and with what they say, and are worth little."""
    entry = copied_entry(ROOT / "submissions" / "frame-difference" / "ucsd-ped2", tmp_path)
    for name in (RELEASE, "tao-release.report.json"):
        (entry / name).unlink()
    report, statistics = Report.read(entry / "report.json"), ReportStatistics.read(entry / STANDARD)
    pixels = statistics.pixels
    kept = [k for k, level in enumerate(pixels.levels) if k % 20 == 0 or level == statistics.flagged.threshold]
    starts = [0, *(k + 1 for k in kept)]
    coarse = PixelCounts(
        pixels.levels[kept],
        *(np.add.reduceat(own, starts, axis=1) for own in (pixels.positives, pixels.negatives, pixels.coverage)),
        pixels.components,
    )
    coarse_statistics = dataclasses.replace(statistics, pixels=coarse)
    values = statistics_values(report, coarse_statistics)
    effect = {key: round(value - report.value(key), 9) for key, value in values.items()}
    assert abs(effect["pixel_ap"]) > 0.002
    dataclasses.replace(coarse_statistics, effect=effect).write(entry / STANDARD)
    only(entry, "S199", "at most 0.002")


def test_counts_that_are_left_out(entry_with_statistics):
    content = content_of(entry_with_statistics, STANDARD)
    del content["frame_ranks"]
    (entry_with_statistics / STANDARD).write_text(json.dumps(content), "utf-8")
    only(entry_with_statistics, "S199", "what frame_auroc_micro of the report is made of")


def test_a_threshold_that_is_not_the_reports(entry_with_statistics):
    content = content_of(entry_with_statistics, STANDARD)
    level = content["flagged"]["threshold"]
    place = content["pixels"]["levels"].index(level)
    # A number between two levels flags the same pixels.
    spoil(entry_with_statistics, STANDARD, "flagged", "threshold", value=level - 1e-9)
    assert content["pixels"]["levels"][place + 1] < level - 1e-9
    only(entry_with_statistics, "S199", "flagged")


@pytest.mark.parametrize("box", [[-5, 10, 30, 40], [300, 10, 360.5, 40], [10, 10, 30, 241]])
def test_a_false_positive_outside_the_frame(entry_with_statistics, box):
    spoil(entry_with_statistics, STANDARD, "false_positives", 0, "box", value=box)
    only(entry_with_statistics, "S199", "a box within the frame of 360 × 240 pixels")


@pytest.mark.parametrize(("key", "value"), [("height", 241.0), ("width", 1_000_000.0), ("speed", 500.0)])
def test_a_track_larger_than_the_frame(entry_with_statistics, key, value):
    spoil(entry_with_statistics, STANDARD, "tracks", 0, key, value=value)
    only(entry_with_statistics, "S199", "sizes and steps within the frame of 360 × 240 pixels")


def test_found_tracks_that_are_said_never_to_be_found(entry_with_statistics):
    tracks = content_of(entry_with_statistics, STANDARD)["tracks"]
    place = next(k for k, track in enumerate(tracks) if track["found_at"] is not None)
    spoil(entry_with_statistics, STANDARD, "tracks", place, "found_at", value=None)
    only(entry_with_statistics, "S198", "others without found_at than in objects")


def test_a_false_positive_that_comes_after_all(entry_with_statistics):
    false = content_of(entry_with_statistics, STANDARD)["false_positives"]
    place = max(k for k, own in enumerate(false) if own["clip"] == false[0]["clip"])
    spoil(entry_with_statistics, STANDARD, "false_positives", place, "rank", value=1e308)
    only(entry_with_statistics, "S198", "ranks at other levels than in objects")


@pytest.mark.parametrize(
    ("name", "key"), [(STANDARD, "pixel_auroc"), (STANDARD, "frame_auroc_micro"), (RELEASE, "pixel_ap")]
)
def test_a_row_that_the_counts_of_its_clip_do_not_allow(entry_with_statistics, name, key):
    report = name.replace("statistics", "report")
    rows = report_of(entry_with_statistics, report)
    clip = next(row for row in rows["clips"] if row["scores"][key].get("value") is not None)
    clip["scores"][key]["value"] *= 0.5
    write_report(entry_with_statistics, rows, report)
    only(entry_with_statistics, "S199", f"clip {clip['id']}")


def test_clips_exchanged(entry_with_statistics):
    """All sums stay, and the report is of other clips."""
    content = content_of(entry_with_statistics, STANDARD)
    ranks = content["frame_ranks"]
    one, other = 0, 1
    assert content["clips"][one]["frames"] == content["clips"][other]["frames"]
    for part in ("labels", "ranks"):
        ranks[part][one], ranks[part][other] = ranks[part][other], ranks[part][one]
    (entry_with_statistics / STANDARD).write_text(json.dumps(content), "utf-8")
    only(entry_with_statistics, "S199", "clip 01")


def test_a_verification_covers_the_statistics(entry_with_statistics):
    names = [path.name for path in entry_with_statistics.iterdir() if path.suffix in {".json", ".toml"}]
    names.remove("provenance.json")
    digests = {name: hashlib.sha256((entry_with_statistics / name).read_bytes()).hexdigest() for name in names}
    assert STANDARD in digests
    verified = entry_with_statistics / "verified.json"
    verified.write_text(json.dumps({"format": "vadbench.verified/1", "files": digests}))
    assert codes(check_entry(entry_with_statistics).validation) == []
    (entry_with_statistics / RELEASE).unlink()
    only(entry_with_statistics, "S195", RELEASE)
    del digests[STANDARD], digests[RELEASE]
    verified.write_text(json.dumps({"format": "vadbench.verified/1", "files": digests}))
    only(entry_with_statistics, "S195", STANDARD)
