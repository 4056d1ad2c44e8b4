"""The readers on real data, where a copy lies beside the checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vadbench.datasets import Clip, load_facts, open_dataset
from vadbench.datasets.arrays import read_label_mat
from vadbench.datasets.fingerprint import dataset_fingerprint, truth_bytes
from vadbench.datasets.images import read_mask
from vadbench.datasets.verify import survey
from vadbench.errors import DataError
from vadbench.truth import Truth, tracks_from_masks

SHARED = (Path(__file__).parents[2] / ".." / "shared" / "data").resolve()
PED2 = SHARED / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"
BMP_SAMPLE = SHARED / "ucsd_ped2_official_bmp_sample"
AVENUE = SHARED / "avenue"
SHANGHAI = SHARED / "shanghaitech"
TRACKS = SHARED / "tracks" / "shanghaitech"


def needs(folder):
    return pytest.mark.skipif(not folder.is_dir(), reason=f"no copy of the real data in shared/data: {folder.name}")


@needs(PED2)
def test_ped2_is_the_published_truth():
    dataset = open_dataset("ucsd-ped2", PED2)
    assert (len(dataset.clips), sum(clip.frames for clip in dataset.clips)) == (12, 2010)
    assert (len(dataset.training_clips), sum(clip.frames for clip in dataset.training_clips)) == (16, 2550)
    result = survey(dataset)
    # Labels and masks name the same frames, every file has its size, and the fingerprint is on record.
    assert [(finding.severity, finding.code) for finding in result.findings] == [("note", "D245")]
    assert result.fingerprint == dataset.fingerprint == load_facts("ucsd-ped2").fingerprint
    assert sum(clip.anomalous_pixels for clip in result.clips) == 1_979_425
    assert sum(clip.anomalous_frames for clip in result.clips) == 1_648
    assert [clip.tracks for clip in result.clips] == [1, 1, 2, 2, 1, 2, 2, 3, 2, 1, 3, 1]
    assert sum(clip.regions for clip in result.clips) == 2_411


@needs(PED2)
def test_ped2_frames():
    clip = open_dataset("ucsd-ped2", PED2).clip("01")
    frames = list(clip.read_frames())
    assert len(frames) == 180
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((240, 360), "uint8")}


@needs(PED2)
def test_the_folder_above_ped2_is_recognised():
    with pytest.raises(DataError) as caught:
        open_dataset("ucsd-ped2", PED2.parent)
    assert caught.value.code == "D200"
    assert str(PED2) in caught.value.hint


@needs(PED2)
@needs(BMP_SAMPLE)
def test_official_bmp_masks_equal_the_png_ones():
    samples = sorted(BMP_SAMPLE.rglob("*.bmp"))
    assert len(samples) == 10
    for path in samples:
        official = read_mask(path, (240, 360))
        copy = read_mask(PED2 / "Test" / path.parent.name / f"{path.stem}.png", (240, 360))
        np.testing.assert_array_equal(official != 0, copy != 0)


def packed_masks(clip_id):
    with np.load(AVENUE / "masks_packed" / f"{clip_id}.npz", allow_pickle=False) as packed:
        bits, width = packed["bits"], int(packed["shape"][2])
    return np.unpackbits(bits, axis=2, count=width).view(np.bool_)


@needs(AVENUE)
def test_avenue_is_the_published_truth():
    facts = load_facts("avenue")
    encoded, tracks, pixels, frames = [], [], 0, 0
    for key, count in facts.clips.items():
        masks = packed_masks(key)
        assert masks.shape == (count, facts.height, facts.width)
        truth = Truth.from_arrays(masks)
        encoded.append(truth_bytes(Clip(key, *masks.shape), truth))
        pixels += truth.mask_runs.n_pixels
        frames += int(truth.labels.sum())
        tracks += tracks_from_masks(masks)
    assert dataset_fingerprint("avenue", encoded) == facts.fingerprint
    found = {"anomalous_frames": frames, "anomalous_pixels": pixels}
    found |= {"tracks": len(tracks), "regions": sum(len(track.frames) for track in tracks)}
    assert found == facts.expected


@needs(AVENUE)
def test_avenue_label_files_equal_the_packed_masks():
    paths = sorted((AVENUE / "testing_label_mask").glob("*_label.mat"))
    assert [path.name for path in paths] == ["19_label.mat", "21_label.mat", "8_label.mat"]
    for path in paths:
        clip_id = f"{int(path.name.split('_')[0]):02d}"
        np.testing.assert_array_equal(np.stack(read_label_mat(path)) != 0, packed_masks(clip_id))


@needs(AVENUE)
def test_our_reader_of_matlab_files_equals_that_of_scipy():
    from scipy.io import loadmat

    for path in (AVENUE / "testing_label_mask").glob("*_label.mat"):
        expected = loadmat(path)["volLabel"].ravel()
        found = read_label_mat(path)
        assert len(found) == len(expected)
        assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@needs(AVENUE)
def test_three_clips_are_not_avenue():
    with pytest.raises(DataError) as caught:
        open_dataset("avenue", AVENUE)
    assert caught.value.code == "D201"
    assert "01 02 03 04 05 06 07 09" in caught.value.got


@needs(SHANGHAI)
@needs(TRACKS)
def test_shanghaitech_labels_and_tracks():
    result = survey(dataset := open_dataset("shanghaitech", SHANGHAI, tracks=TRACKS))
    assert (len(dataset.clips), sum(clip.frames for clip in dataset.clips)) == (107, 40_791)
    assert sum(clip.anomalous_frames for clip in result.clips) == 17_326
    assert sum(clip.tracks for clip in result.clips) == 158
    assert sum(clip.regions for clip in result.clips) == 18_937
    assert dataset.tracks_fingerprint == load_facts("shanghaitech").tracks_fingerprints["aed"]
    assert result.usable
    # Twelve clips have labelled frames without a track; nothing disagrees the other way.
    disagreements = [finding for finding in result.findings if finding.code == "D241"]
    assert len(disagreements) == 12
    assert sum(int(finding.message.split()[0]) for finding in disagreements) == 191
    # No box leaves the frame: the greater corners of AED files are inclusive.
    assert not [finding for finding in result.findings if finding.code == "D244"]
