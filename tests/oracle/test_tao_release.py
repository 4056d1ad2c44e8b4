"""TAO's released evaluation through `evaluate`: frames, sets of frames and objects under ``tao-release``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import Case, cases, difference, maps

import vadbench
from vadbench import Instances, MemoryDataset, Prediction, Track, Truth

PIXEL_NAMES = {
    "auroc": "pixel_auroc",
    "average_precision": "pixel_ap",
    "pr_trapezoid": "pixel_aupro",
    "f1_at_half": "pixel_f1",
}


def by_id(case: Case) -> str:
    return case["id"]


def pixel_values(clips: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float | None]:
    dataset = MemoryDataset({clip: Truth.from_arrays(truth) for clip, (truth, _) in clips.items()})
    predictions = {clip: Prediction(score_maps=scores) for clip, (_, scores) in clips.items()}
    report = vadbench.evaluate(predictions, dataset, "tao-release", list(PIXEL_NAMES.values()))
    for score in report.scores.values():
        assert (score.value is None) == (score.reason is not None)
    return {name: report.value(key) for name, key in PIXEL_NAMES.items()}


def check(case: Case, got: dict[str, Any]) -> None:
    for name, expected in case["expected"].items():
        assert difference(expected, got[name]) <= case["tolerance"], (case["id"], name, expected, got[name])


@pytest.mark.parametrize("case", cases("tao_release_frame"), ids=by_id)
def test_frame(case: Case) -> None:
    truth, scores = maps(case["input"])
    got = pixel_values({"01": (truth[None], scores[None])})
    if case["expected"]["skipped"]:
        assert set(got.values()) == {None}
        assert len(case["expected"]) == 1
        return
    check(case, {"skipped": 0, **got})


@pytest.mark.parametrize("case", cases("tao_release_pixel"), ids=by_id)
@pytest.mark.parametrize("frames_a_clip", [1, 2, 100])
def test_set_of_frames(case: Case, frames_a_clip: int) -> None:
    truth, scores = maps(case["input"])
    starts = range(0, len(truth), frames_a_clip)
    clips = {f"{k:02d}": (truth[k : k + frames_a_clip], scores[k : k + frames_a_clip]) for k in starts}
    check(case, pixel_values(clips))


def object_clips(given: Case) -> tuple[MemoryDataset, dict[str, Prediction]]:
    """The case's clips; its frames are 1-based, and frames that no mask or track mentions go to the last clip."""
    tracks, masks = given["tracks"], given["masks"]
    names = sorted({clip for clip, *_ in masks} | {clip for clip, _ in tracks})
    used = dict.fromkeys(names, 0)
    for clip, frame in [(c, f) for c, f, *_ in masks] + [(c, f) for c, regions in tracks for f, _ in regions]:
        assert frame >= 1
        used[clip] = max(used[clip], frame)
    used[names[-1]] += given["frames"] - sum(used.values())
    height, width = np.array(masks[0][3]).shape
    truths, predictions = {}, {}
    for name in names:
        own_tracks = [
            Track(str(k), np.array([f - 1 for f, _ in regions]), np.array([box for _, box in regions]))
            for k, (clip, regions) in enumerate(tracks)
            if clip == name
        ]
        truths[name] = Truth.from_arrays(shape=(used[name], height, width), tracks=own_tracks)
        rows = [(f - 1, number, np.array(mask, bool)) for c, f, number, mask in masks if c == name and np.any(mask)]
        predictions[name] = Prediction(
            instances=Instances.from_masks(
                [frame for frame, _, _ in rows],
                [mask for _, _, mask in rows],
                # The preset counts every instance as score 1: rising scores must not change the order.
                np.arange(len(rows), dtype=float),
                height=height,
                width=width,
                objects=[number for _, number, _ in rows],
            )
        )
    return MemoryDataset(truths), predictions


@pytest.mark.parametrize("case", cases("tao_release_objects"), ids=by_id)
def test_objects(case: Case) -> None:
    dataset, predictions = object_clips(case["input"])
    assert sum(clip.frames for clip in dataset.clips) == case["input"]["frames"]
    report = vadbench.evaluate(predictions, dataset, "tao-release", ["rbdc", "tbdc"])
    check(case, {"rbdc": report.value("rbdc"), "tbdc": report.value("tbdc")})
    assert {score.source for score in report.scores.values()} == {"instances"}
    for score in report.scores.values():
        if score.order_bounds is not None:
            least, greatest = score.order_bounds
            assert least - 1e-12 <= score.value <= greatest + 1e-12


def test_truth_boxes_are_read_one_pixel_larger() -> None:
    """The case that a half-open reading of the truth would fail: IoU 1/9 in one reading, 0 in the other."""
    (case,) = [c for c in cases("tao_release_objects") if c["id"] == "tao-objects-one-pixel-off-boxes"]
    dataset, predictions = object_clips(case["input"])
    as_is = vadbench.evaluate(predictions, dataset, "tao-release+object.track_boxes=as-is", "rbdc")
    assert as_is.value("rbdc") < 1
