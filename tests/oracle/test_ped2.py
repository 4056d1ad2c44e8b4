"""Facts of the real UCSD Ped2 masks and of detector boxes on them; skipped where the data are absent."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Case, cases, difference

import vadbench
from vadbench import Dataset, Prediction, metrics

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ROOT = DATA / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"
BOXES = DATA / "ucsd_ped2_boxes" / "vec_vad_ped2_test.csv"

pytestmark = pytest.mark.skipif(
    not (ROOT / "Test" / "Test001_gt").is_dir() or not BOXES.is_file(), reason=f"UCSD Ped2 is not at {DATA}"
)


@cache
def ped2() -> Dataset:
    return vadbench.open_dataset("ucsd-ped2", ROOT)


def counts() -> dict[str, Any]:
    totals = np.zeros(4, dtype=np.int64)
    for clip in ped2().clips:
        runs = ped2().truth(clip.id).mask_runs
        assert runs is not None
        totals += [runs.frames, runs.anomalous_frames().sum(), runs.n_pixels, runs.frames * clip.height * clip.width]
    return dict(zip(("frames", "anomalous_frames", "anomalous_pixels", "pixels"), totals.tolist(), strict=True))


def constant_map() -> dict[str, Any]:
    constant = {
        clip.id: Prediction(score_maps=np.broadcast_to(np.uint8(7), (clip.frames, clip.height, clip.width)))
        for clip in ped2().clips
    }
    pixel = ["pixel_auroc", "pixel_ap", "pixel_f1", "pixel_aupro"]
    report = vadbench.evaluate(constant, ped2(), "standard", pixel)
    other = vadbench.evaluate(constant, ped2(), "standard+pixel.aupro=pr-trapezoid", "pixel_aupro")
    return {
        "auroc": report.value("pixel_auroc"),
        "average_precision": report.value("pixel_ap"),
        "f1_max": report.value("pixel_f1"),
        "aupro": report.value("pixel_aupro"),
        "pr_trapezoid": other.value("pixel_aupro"),
    }


@cache
def sampled_masks(clip: int, step: int) -> np.ndarray:
    return ped2().truth(f"{clip:02d}").masks()[::step]


@cache
def covering_boxes(clip: int, step: int) -> np.ndarray:
    """How many detector boxes cover a pixel: ceil(x1) <= x < ceil(x2), likewise y."""
    scores = np.zeros(sampled_masks(clip, step).shape, dtype=np.uint8)
    with BOXES.open(newline="") as file:
        for row in csv.DictReader(file):
            frame = int(row["frame"])
            if int(row["clip"]) == clip and frame % step == 0:
                x1, y1, x2, y2 = (math.ceil(float(row[name])) for name in ("x1", "y1", "x2", "y2"))
                scores[frame // step, y1:y2, x1:x2] += 1
    return scores


def scored(clips: list[int], step: int, scores: str, fpr_limit: float = 0.3) -> dict[str, Any]:
    truth = np.concatenate([sampled_masks(clip, step) for clip in clips])
    given = {
        "truth": lambda: truth,
        "constant": lambda: np.full(truth.shape, 0.25),
        "boxes": lambda: np.concatenate([covering_boxes(clip, step) for clip in clips]),
    }[scores]()
    return {
        "auroc": metrics.pixel_auroc(truth, given),
        "average_precision": metrics.pixel_average_precision(truth, given),
        "pr_trapezoid": metrics.pixel_pr_auc(truth, given),
        "f1_max": metrics.pixel_f1(truth, given).value,
        "aupro": metrics.pixel_aupro(truth, given, fpr_limit=fpr_limit),
    }


FACTS = {"counts": counts, "constant_map": constant_map, "scored": scored}


@pytest.mark.parametrize("case", cases("ped2"), ids=lambda case: case["id"])
def test_ped2(case: Case) -> None:
    got = FACTS[case["input"]["facts"]](**case["input"].get("arguments", {}), **case["protocol"])
    assert case["expected"]
    for name, expected in case["expected"].items():
        assert difference(expected, got[name]) <= case["tolerance"], (case["id"], name, expected, got[name])


def test_tracks_of_the_official_masks() -> None:
    """21 tracks with 2 411 regions (protocols.md, "Truth", mask-overlap tracks)."""
    tracks = [ped2().truth(clip.id).tracks() or () for clip in ped2().clips]
    assert [len(own) for own in tracks] == [1, 1, 2, 2, 1, 2, 2, 3, 2, 1, 3, 1]
    assert sum(len(track.frames) for own in tracks for track in own) == 2411


def test_perfect_prediction_is_one_everywhere() -> None:
    """Truth as prediction gives 1 in all three presets (protocols.md, "Presets")."""
    from vadbench.boxes import boxes_from_masks
    from vadbench.masks import label_components

    predictions = {}
    for clip in (clip.id for clip in ped2().clips):
        masks, frames, parts = ped2().truth(clip).masks(), [], []
        for frame in np.flatnonzero(masks.any(axis=(1, 2))).tolist():
            labels, count = label_components(masks[frame])
            frames += [frame] * count
            parts += [labels == k for k in range(1, count + 1)]
        predictions[clip] = Prediction(
            score_maps=masks,
            instances=vadbench.Instances.from_masks(frames, parts, np.ones(len(parts)), height=240, width=360),
            detections=vadbench.Detections(frames, boxes_from_masks(np.array(parts)), np.ones(len(parts))),
        )
    for preset in ("standard", "tao-release", "aed-2021"):
        report = vadbench.evaluate(predictions, ped2(), preset)
        assert {key: score.value for key, score in report.scores.items()} == dict.fromkeys(report.scores, 1.0), preset
        assert len(report.scores) == 8
