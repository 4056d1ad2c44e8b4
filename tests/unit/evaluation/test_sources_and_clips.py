"""Which prediction feeds which metric, and which clips stand behind a number."""

from __future__ import annotations

import numpy as np
import pytest
from small_sets import SHAPE, dataset, detections, frame_scores, instances, predictions, random_maps, truth_masks

import vadbench
from vadbench import Detections, Instances, MemoryDataset, Prediction, Protocol, Track, Truth, metrics
from vadbench.boxes import boxes_from_masks
from vadbench.masks import label_components

FAMILIES = ("pixel_auroc", "rbdc", "frame_auroc_micro")
NO = None

ROWS = [
    # kinds, threshold, protocol, sources of pixel, object and frame metrics
    (("score_maps", "instances", "detections", "frame_scores"), 9.0, "", "score-maps", "detections", "frame-scores"),
    (("score_maps", "instances", "detections"), 9.0, "", "score-maps", "detections", "score-maps"),
    (("score_maps", "instances"), 9.0, "", "score-maps", "instances", "score-maps"),
    (("score_maps",), 9.0, "", "score-maps", "score-map-components", "score-maps"),
    (("score_maps",), NO, "", "score-maps", NO, "score-maps"),
    (("score_maps", "frame_scores"), NO, "", "score-maps", NO, "frame-scores"),
    (("instances",), NO, "", "instances", "instances", "instances"),
    (("instances", "detections"), NO, "", "instances", "detections", "instances"),
    (("detections",), NO, "", NO, "detections", "detections"),
    (("detections", "frame_scores"), NO, "", NO, "detections", "frame-scores"),
    (("frame_scores",), NO, "", NO, NO, "frame-scores"),
    (
        ("score_maps", "instances", "detections"),
        9.0,
        "+object.boxes_from=instances",
        "score-maps",
        "instances",
        "score-maps",
    ),
    (("score_maps", "detections"), 9.0, "+object.boxes_from=instances", "score-maps", NO, "score-maps"),
    (("detections",), NO, "+object.boxes_from=instances", NO, NO, "detections"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[0]) + row[2] + ("" if row[1] is None else " at"))
def test_the_source_table(row: tuple) -> None:
    kinds, threshold, change, *sources = row
    report = vadbench.evaluate(predictions(*kinds), dataset(), f"standard{change}", FAMILIES, threshold=threshold)
    for key, source in zip(FAMILIES, sources, strict=True):
        score = report.scores[key]
        assert score.source == source, key
        assert (score.value is None) == (source is None) == (score.reason is not None)


def test_a_kind_counts_only_where_every_clip_has_it() -> None:
    mixed = predictions("instances", "detections")
    mixed["01"] = Prediction(instances=mixed["01"].instances)
    alone = predictions("instances")
    for key in ("rbdc", "pixel_auroc", "frame_auroc_micro"):
        one = vadbench.evaluate(mixed, dataset(), metrics=key).scores[key]
        assert one == vadbench.evaluate(alone, dataset(), metrics=key).scores[key]
        assert one.source == "instances"
    mixed["01"] = Prediction(frame_scores=frame_scores(1))
    report = vadbench.evaluate(mixed, dataset())
    assert {score.value for score in report.scores.values()} == {None}


def test_declared_f1_comes_with_a_threshold_and_maps_only() -> None:
    def has(*kinds: str, threshold: float | None) -> bool:
        return "pixel_f1_declared" in vadbench.evaluate(predictions(*kinds), dataset(), threshold=threshold).scores

    assert has("score_maps", threshold=100.0)
    assert not has("score_maps", threshold=None)
    assert not has("instances", threshold=100.0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_components_of_score_maps_are_the_boxes(dtype: str) -> None:
    """Components ≥ the declared threshold, 8-connected, each scored by its highest pixel; map_scaling is not read."""
    threshold, rows = 150.5, []
    given = {f"{k:02d}": Prediction(score_maps=random_maps(k, dtype)) for k in range(3)}
    for k in range(3):
        for frame, score_map in enumerate(random_maps(k, dtype)):
            labels, count = label_components(score_map >= threshold)
            for number in range(1, count + 1):
                box = boxes_from_masks((labels == number)[None])[0]
                rows.append((frame + k * SHAPE[0], box, float(score_map[labels == number].max())))
    found = Detections(*(np.array(column) for column in zip(*rows, strict=True)))
    tracks = [
        Track(t.id, t.frames + k * SHAPE[0], t.boxes) for k in range(3) for t in dataset().truth(f"{k:02d}").tracks()
    ]
    expected = metrics.rbdc(found, tracks, frames=3 * SHAPE[0]).area
    assert 0 < expected < 1
    for change in ("", "+pixel.map_scaling=frame-maximum", "+pixel.connectivity=4"):
        report = vadbench.evaluate(given, dataset(), f"standard{change}", threshold=threshold)
        assert report.value("rbdc") == expected


FRAME_SOURCES = {
    "score_maps": lambda k: random_maps(k).max(axis=(1, 2)).tolist(),
    "instances": lambda k: [-np.inf, 0.5 + k, 0.25 + k, 0.125 + k],
    "detections": lambda k: [0.5 + k, 0.5 + k, 1.0 + k, -np.inf],
    "frame_scores": lambda k: frame_scores(k).tolist(),
}


@pytest.mark.parametrize("kind", FRAME_SOURCES)
@pytest.mark.parametrize("change", ["", "+pixel.map_scaling=frame-maximum", "+instances.scores=one"])
def test_frames_are_scored_by_their_highest_given_score(kind: str, change: str) -> None:
    report = vadbench.evaluate(predictions(kind), dataset(), f"standard{change}", "frame_auroc_micro")
    scores = np.array([FRAME_SOURCES[kind](k) for k in range(3)]).ravel()
    ranks = np.searchsorted(np.unique(scores), scores)
    labels = np.tile([False, True, True, False], 3)
    assert report.value("frame_auroc_micro") == metrics.frame_auroc_micro(labels, ranks)


def test_merging_applies_to_boxes_from_instances_within_an_object() -> None:
    """Two overlapping false alarms of one object in one frame are one false positive once merged."""
    masks = np.zeros((2, 6, 8), dtype=bool)
    masks[0, 3:6, 3:6] = masks[1, 4:6, 4:8] = True

    def false_positives(merge: str, objects: list[int] | None, given: str = "instances") -> float:
        own = Instances.from_masks([0, 0], masks, [1.0, 2.0], height=6, width=8, objects=objects)
        boxes = Detections([0, 0], boxes_from_masks(masks), [1.0, 2.0])
        prediction = Prediction(instances=own) if given == "instances" else Prediction(detections=boxes)
        protocol = Protocol.preset("standard").replace({"object.merge": merge})
        curve = vadbench.evaluate(
            {"a": prediction}, MemoryDataset({"a": Truth.from_arrays(truth_masks())}), protocol, "rbdc"
        ).curves["rbdc"]
        return curve.x[-1] * SHAPE[0]

    assert false_positives("same-object", [5, 5]) == 1
    assert false_positives("same-object", [5, 6]) == 2
    assert false_positives("same-object", None) == 2
    assert false_positives("same-frame", None) == 1
    assert false_positives("none", [5, 5]) == 2
    assert false_positives("same-frame", [5, 5], given="detections") == 2, "given detections are never merged"


def test_clips_without_masks_enter_frame_metrics_alone() -> None:
    """The rule for Ped1 (protocols.md, "Clips without masks"): T of RBDC too counts the clips with masks only."""
    truths = {f"{k:02d}": Truth.from_arrays(truth_masks(k)) for k in range(3)}
    truths["01"] = Truth.from_arrays(shape=SHAPE, labels=[0, 1, 1, 0])
    kinds = ("score_maps", "detections", "frame_scores")
    report = vadbench.evaluate(predictions(*kinds), MemoryDataset(truths), threshold=100.0)
    del truths["01"]
    without = predictions(*kinds)
    del without["01"]
    masked = vadbench.evaluate(without, MemoryDataset(truths), threshold=100.0)
    whole = vadbench.evaluate(predictions(*kinds), dataset(), threshold=100.0)
    for key in ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "pixel_f1_declared", "rbdc", "tbdc"):
        assert report.scores[key] == masked.scores[key]
        assert report.scores[key].clips == 2
        assert report.clips[1].scores.get(key) is None or report.clips[1].scores[key].value is None
    for key in ("frame_auroc_micro", "frame_auroc_macro"):
        assert report.scores[key] == whole.scores[key]
        assert report.scores[key].clips == 3
    assert (report.dataset.clips, report.dataset.frames) == (3, 12)


def test_given_tracks_of_a_clip_without_masks_are_used() -> None:
    track = dataset().truth("00").tracks()[0]
    truth = Truth.from_arrays(shape=SHAPE, tracks=[track])
    report = vadbench.evaluate({"00": Prediction(detections=detections(0))}, MemoryDataset({"00": truth}))
    assert report.value("rbdc") == vadbench.evaluate(predictions("detections", clips=1), dataset(1)).value("rbdc")
    assert report.scores["frame_auroc_micro"].reason, "there are no labels"
    assert report.dataset.tracks == "folder"
    assert "|tracks=folder:" in report.signature


def test_a_set_without_masks_says_why() -> None:
    truths = {f"{k:02d}": Truth.from_arrays(shape=SHAPE) for k in range(3)}
    report = vadbench.evaluate(predictions("score_maps", "detections", "instances"), MemoryDataset(truths))
    assert all(score.value is None and score.reason for score in report.scores.values())
    assert "mask" in report.scores["pixel_auroc"].reason
    assert "mask" in report.scores["rbdc"].reason
    assert "label" in report.scores["frame_auroc_micro"].reason


def test_normal_clips_alone_have_no_pixel_metric_and_no_zero() -> None:
    normal = MemoryDataset({f"{k:02d}": Truth.from_arrays(np.zeros(SHAPE)) for k in range(3)})
    report = vadbench.evaluate(predictions("score_maps", "instances", "frame_scores"), normal, threshold=1.0)
    assert all(score.value is None and score.reason for score in report.scores.values()), report.scores


def test_instances_without_object_ids_give_the_same_pixels() -> None:
    with_ids = vadbench.evaluate({"00": Prediction(instances=instances(0))}, dataset(1), metrics="pixel_ap")
    without = vadbench.evaluate(
        {"00": Prediction(instances=instances(0, objects=False))}, dataset(1), metrics="pixel_ap"
    )
    assert with_ids.scores == without.scores
