from __future__ import annotations

import sys

import numpy as np
import pytest
from dataset_layouts import CLIPS, HEIGHT, WIDTH, write_avenue, write_folder, write_ucsd
from PIL import Image

from vadbench.datasets import MemoryDataset, open_dataset
from vadbench.datasets.findings import Severity
from vadbench.datasets.verify import survey, verify
from vadbench.truth import Track, Truth


@pytest.fixture
def ped2(tmp_path, shrink):
    shrink("ucsd-ped2")
    truths = write_ucsd(tmp_path)
    fingerprint = open_dataset("ucsd-ped2", tmp_path).fingerprint
    shrink(
        "ucsd-ped2",
        fingerprint=fingerprint,
        expected={
            "anomalous_frames": sum(int(masks.any(axis=(1, 2)).sum()) for masks in truths.values()),
            "anomalous_pixels": sum(int(masks.sum()) for masks in truths.values()),
        },
    )
    return tmp_path


def codes(findings, severity=None):
    return [finding.code for finding in findings if severity is None or finding.severity == severity]


def test_good_copy(ped2):
    result = survey(open_dataset("ucsd-ped2", ped2))
    assert [(finding.severity, finding.code) for finding in result.findings] == [(Severity.NOTE, "D245")]
    assert result.usable
    first = result.clips[0]
    assert (first.id, first.frames, first.anomalous_frames, first.components, first.regions) == ("01", 11, 9, 9, 9)
    # Frame 1 alone, then frames 3 to 10 without a gap.
    assert first.tracks == 2


def test_one_changed_mask_is_an_error(ped2):
    Image.new("L", (WIDTH, HEIGHT)).save(ped2 / "Test/Test001_gt/004.bmp")
    result = survey(open_dataset("ucsd-ped2", ped2))
    assert not result.usable
    assert codes(result.findings, "error") == ["D245", "D249"]
    disagreement = next(finding for finding in result.findings if finding.code == "D240")
    assert disagreement.where == ("clip 01", "frames 3")
    assert disagreement.message == "1 frame anomalous by labels and normal by masks"
    # The same masks named by the caller are the caller's business.
    given = survey(open_dataset("ucsd-ped2", ped2, masks=ped2 / "Test"))
    assert given.usable
    assert codes(given.findings, "warning") == ["D240", "D245", "D249"]


def test_every_damaged_clip_is_reported(ped2):
    for key in CLIPS:
        next((ped2 / f"Test/Test0{key}_gt").iterdir()).write_bytes(b"")
    result = survey(open_dataset("ucsd-ped2", ped2))
    assert codes(result.findings, "error") == ["D206"] * 3
    assert result.clips == ()
    assert result.fingerprint is None


@pytest.mark.parametrize("quick", [False, True])
def test_sizes_and_headers_of_frames(ped2, quick):
    Image.new("L", (WIDTH, HEIGHT + 2)).save(ped2 / "Test/Test002/002.tif")
    (ped2 / "Train/Train001/003.tif").write_bytes(b"")
    found = verify(open_dataset("ucsd-ped2", ped2), quick=quick)
    assert [(finding.code, finding.where[1:]) for finding in found if finding.severity == "error"] == [
        ("D205", ("clip 02", "frame 1")),
        ("D206", ("training clip 01", "frame 2")),
    ]


@pytest.mark.parametrize("part", ["Test/Test002", "Train/Train002"])
def test_frame_that_is_cut_off(ped2, part):
    path = ped2 / part / "002.tif"
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    # PNG, whatever its name: its header is at the front, and the pixels are cut off.
    Image.fromarray(noise).save(path, format="PNG")
    path.write_bytes(path.read_bytes()[:120])
    result = survey(open_dataset("ucsd-ped2", ped2))
    clip = "clip 02" if part.startswith("Test") else "training clip 02"
    errors = [(finding.code, finding.where) for finding in result.findings if finding.severity == "error"]
    assert errors == [("D206", (str(path), clip, "frame 1"))]
    assert not result.quick
    quick = survey(open_dataset("ucsd-ped2", ped2), quick=True)
    assert quick.usable
    assert quick.quick
    assert codes(quick.findings) == ["D250", "D245"]


def test_videos_are_decoded_where_that_is_possible(tmp_path, shrink, monkeypatch):
    shrink("avenue")
    write_avenue(tmp_path)
    (tmp_path / "testing_videos").mkdir()
    for key in CLIPS:
        (tmp_path / f"testing_videos/{key}.avi").write_bytes(b"RIFF")
    assert codes(verify(open_dataset("avenue", tmp_path), quick=True), "error") == ["D206"] * 3
    monkeypatch.setitem(sys.modules, "cv2", None)
    result = survey(open_dataset("avenue", tmp_path))
    assert result.usable
    warning = next(finding for finding in result.findings if finding.code == "D251")
    assert "3 clips" in warning.message
    assert "vadbench[video]" in warning.hint


def test_masks_with_more_than_two_values(ped2):
    for path in (ped2 / "Test/Test001_gt").iterdir():
        with Image.open(path) as image:
            values = np.asarray(image).copy()
        values[values > 0] = np.arange((values > 0).sum()) % 2 + 1
        Image.fromarray(values).save(path)
    result = survey(open_dataset("ucsd-ped2", ped2))
    assert codes(result.findings, "warning") == ["D242"]
    # They are the same masks all the same.
    assert result.usable


def test_missing_masks_and_frames(tmp_path, shrink):
    shrink("ucsd-ped2", fingerprint="0" * 64)
    write_ucsd(tmp_path, masks=None, frames=None)
    result = survey(open_dataset("ucsd-ped2", tmp_path))
    assert codes(result.findings) == ["D247", "D243", "D245"]
    assert result.usable


def test_ped1_lacks_masks_by_nature(tmp_path, shrink):
    shrink("ucsd-ped1", mask_clips=("02",))
    write_ucsd(tmp_path, name="UCSDped1", mask_clips=("02",), labels=False)
    findings = verify(open_dataset("ucsd-ped1", tmp_path))
    assert [(finding.severity, finding.code) for finding in findings] == [
        ("note", "D243"),
        ("warning", "D248"),
        ("note", "D245"),
    ]


def test_track_files_that_disagree_and_leave_the_frame(ped2, shrink):
    facts = shrink("ucsd-ped2", tracks_fingerprints={"aed": "0" * 64})
    assert facts.tracks_fingerprints
    (ped2 / "tracks").mkdir()
    for key in CLIPS:
        (ped2 / f"tracks/{key}.txt").write_text("7,0,0,0,15,12\n7,1,0,0,3,3\n" if key == "02" else "")
    findings = verify(open_dataset("ucsd-ped2", ped2, tracks=ped2 / "tracks"))
    ours = [(finding.code, finding.where) for finding in findings if "clip 02" in finding.where]
    assert ours == [
        ("D241", ("clip 02", "frames 3")),
        ("D241", ("clip 02", "frames 0")),
        ("D241", ("clip 02", "frames 3")),
        ("D241", ("clip 02", "frames 0")),
        ("D244", ("clip 02", "track 7", "frames 0")),
    ]
    assert codes(findings)[-2:] == ["D245", "D246"]


def test_clip_with_masks_but_no_frames_in_a_folder(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "masks/bridge").rename(tmp_path / "masks/bridg")
    findings = verify(open_dataset("folder", tmp_path))
    assert next(finding for finding in findings if finding.code == "D247").where == ("clips bridg",)


def test_data_set_in_memory():
    masks = np.zeros((3, 4, 5), bool)
    masks[1, 1, 1] = True
    track = Track("a", np.array([1]), np.array([[0, 0, 9, 2]]))
    dataset = MemoryDataset({"a": Truth.from_arrays(masks, tracks=[track])})
    steps = []
    result = survey(dataset, progress=lambda done, total: steps.append((done, total)))
    assert codes(result.findings) == ["D244", "D247"]
    assert result.fingerprint == dataset.fingerprint
    assert result.clips[0].anomalous_pixels == 1
    assert steps == [(1, 1)]
