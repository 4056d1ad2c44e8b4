"""Order bounds, reading order, padding, scaling and the `all` threshold through `evaluate`."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from small_sets import SHAPE, dataset, one_region_a_frame, predictions, truth_masks

import vadbench
from vadbench import Detections, Instances, MemoryDataset, Prediction, Truth

HIT, MISS = [0, 0, 4, 4], [10, 10, 14, 14]


def score(rows: list[tuple[int, list[int], float]], truth: Truth, protocol: str) -> vadbench.Report:
    found = Detections(*zip(*rows, strict=True)) if rows else Detections([], [], [])
    return vadbench.evaluate(
        {"a": Prediction(detections=found)}, MemoryDataset({"a": truth}), protocol, ["rbdc", "tbdc"]
    )


def test_the_example_of_order_bounds() -> None:
    """Ten regions, nine hits, three false alarms, all of score 1 (protocols.md, "order_bounds").

    All false alarms first: .9 · (1 − 3/T) = .63, so T = 10. An order in which the false alarms come after 1, 2 and 3
    hits: .1 · (.1 + .2 + .3) + .7 · .9 = .69.
    """
    truth = one_region_a_frame(10, 10)
    rows = [(0, HIT, 1.0), (0, MISS, 1.0), (1, HIT, 1.0), (1, MISS, 1.0), (2, HIT, 1.0), (2, MISS, 1.0)]
    rows += [(frame, HIT, 1.0) for frame in range(3, 9)]
    sequential = score(rows, truth, "aed-2021").scores["rbdc"]
    assert sequential.value == pytest.approx(0.69, abs=1e-12)
    assert sequential.order_bounds == pytest.approx((0.63, 0.90), abs=1e-12)
    grouped = score(rows, truth, "standard").scores["rbdc"]
    assert grouped.value == pytest.approx(0.765, abs=1e-12)
    assert grouped.order_bounds is None


def test_bounds_hold_every_order_of_rows() -> None:
    rows = [(0, HIT, 1.0), (0, [1, 1, 5, 5], 1.0), (0, MISS, 1.0), (0, [15, 15, 18, 18], 1.0), (0, MISS, 2.0)]
    values, bounds = set(), set()
    for order in itertools.permutations(rows):
        report = score(list(order), one_region_a_frame(1, 4), "aed-2021")
        values.add(round(report.value("rbdc"), 12))
        bounds.add(report.scores["rbdc"].order_bounds)
    assert len(bounds) == 1
    assert (min(values), max(values)) == pytest.approx(bounds.pop(), abs=1e-12)
    assert len(values) == 3, "after none, one or both of the false alarms that share the hit's score"


def test_no_bounds_without_ties() -> None:
    rows = [(0, HIT, 1.0), (0, MISS, 2.0)]
    assert score(rows, one_region_a_frame(1, 4), "aed-2021").scores["rbdc"].order_bounds is None


def test_ties_are_read_by_clip_then_frame_then_row() -> None:
    truths = {name: one_region_a_frame(1, 2) for name in ("b", "a", "10", "9")}
    miss, hit = Detections([1], [MISS], [1.0]), Detections([0], [HIT], [1.0])
    for first in truths:
        given = {name: Prediction(detections=hit if name == first else miss) for name in truths}
        report = vadbench.evaluate(given, MemoryDataset(truths), "aed-2021", "rbdc")
        # T = 8; each false alarm before the hit costs 1/8 of the hit's quarter.
        before = sorted(truths).index(first)
        assert report.value("rbdc") == pytest.approx(0.25 * (1 - before / 8), abs=1e-12)


def test_regions_of_tracks_with_gaps_and_fractions() -> None:
    """Ten regions: one found is a tenth, which is enough at .1 and not at .11."""
    rows = [(3, HIT, 1.0)]
    for fraction, expected in ((0.1, 1.0), (0.11, 0.0), (0.05, 1.0)):
        report = score(rows, one_region_a_frame(10, 10), f"standard+object.track_fraction={fraction}")
        assert report.value("tbdc") == expected
        assert report.value("rbdc") == pytest.approx(0.1, abs=1e-12)
    thirty = one_region_a_frame(30, 30)
    assert score([(k, HIT, 1.0) for k in range(3)], thirty, "standard").value("tbdc") == 1
    assert score([(k, HIT, 1.0) for k in range(2)], thirty, "standard").value("tbdc") == 0


def macro(labels: dict[str, list], scores: dict[str, np.ndarray], protocol: str) -> vadbench.evaluate:
    truths = {k: Truth.from_arrays(shape=(len(v), 1, 1), labels=v) for k, v in labels.items()}
    given = {k: Prediction(frame_scores=v) for k, v in scores.items()}
    return vadbench.evaluate(given, MemoryDataset(truths), protocol).scores


def test_macro_skips_or_pads_clips_of_one_class() -> None:
    labels = {"a": [0, 1, 0, 1], "b": [1, 1, 1]}
    scores = {"a": np.array([0.1, 0.9, 0.8, 0.2]), "b": np.array([0.5, -0.5, 0.0])}
    skipped = macro(labels, scores, "standard")["frame_auroc_macro"]
    assert (skipped.value, skipped.clips, skipped.skipped_clips) == (0.75, 1, 1)
    padded = macro(labels, scores, "aed-2021")["frame_auroc_macro"]
    # a: normal .1, .8 and the added 0; anomalous .9, .2 and the largest: 3 + 2 + 3 of 9. b: 1 + 0 + ½ + 1 of 4.
    assert padded.value == pytest.approx((8 / 9 + 2.5 / 4) / 2, abs=1e-15)
    assert (padded.clips, padded.skipped_clips) == (2, None)
    none = macro({"a": [0, 0]}, {"a": np.array([1.0, 2.0])}, "standard")["frame_auroc_macro"]
    assert (none.value, bool(none.reason)) == (None, True)


def test_frame_scores_beyond_2_53_are_not_rounded() -> None:
    scores = {"a": np.array([2**53, 2**53 + 1], dtype=np.int64), "b": np.array([2**62, 2**62 - 1], dtype=np.int64)}
    labels = {"a": [0, 1], "b": [1, 0]}
    for protocol in ("standard", "aed-2021"):
        got = macro(labels, scores, protocol)
        assert got["frame_auroc_macro"].value == 1
        assert got["frame_auroc_micro"].value == 3 / 4


def test_min_max_scaling_is_for_micro_alone() -> None:
    labels = {"a": [0, 1], "b": [0, 1]}
    scores = {"a": np.array([100.0, 101.0]), "b": np.array([-5.0, -4.0])}
    plain = macro(labels, scores, "standard")
    scaled = macro(labels, scores, "standard+frame.clip_scaling=min-max")
    assert plain["frame_auroc_micro"].value == 3 / 4
    assert scaled["frame_auroc_micro"].value == 1
    assert plain["frame_auroc_macro"] == scaled["frame_auroc_macro"]


def test_the_best_threshold_is_all_where_the_truth_lies_under_no_instance() -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[5, 7] = True
    wrong = Instances.from_masks([0], [mask], [0.5], height=6, width=8)
    masks = np.zeros(SHAPE, dtype=bool)
    masks[:, :5] = True
    report = vadbench.evaluate({"a": Prediction(instances=wrong)}, MemoryDataset({"a": Truth.from_arrays(masks)}))
    best, p = report.scores["pixel_f1"], masks.mean()
    assert best.threshold == "all"
    assert best.value == pytest.approx(2 * p / (1 + p), abs=1e-15)
    assert (best.precision, best.recall) == (pytest.approx(p), 1)
    again = vadbench.Report.model_validate_json(report.to_json())
    assert again.scores["pixel_f1"].threshold == "all"


def test_f1_threshold_keeps_the_type_of_the_scores() -> None:
    masks = truth_masks()
    for dtype, offset in (("uint8", 0), ("int64", 2**53), ("uint64", 2**64 - 2)):
        maps = masks.astype(dtype) + np.array(offset, dtype=dtype)
        given = {"a": Prediction(score_maps=maps)}
        best = vadbench.evaluate(given, MemoryDataset({"a": Truth.from_arrays(masks)})).scores["pixel_f1"]
        assert (best.value, best.threshold) == (1, offset + 1)
        assert isinstance(best.threshold, int)


@pytest.mark.parametrize("protocol", ["standard", "tao-release", "aed-2021"])
def test_truth_as_prediction_is_one(protocol: str) -> None:
    made = predictions("instances")
    given = {}
    for k, clip in enumerate(sorted(made)):
        masks = truth_masks(k)
        own = Instances.from_masks([1, 2], masks[1:3], [1.0, 1.0], height=SHAPE[1], width=SHAPE[2])
        given[clip] = Prediction(score_maps=masks, instances=own)
    report = vadbench.evaluate(given, dataset(), protocol, threshold=1.0)
    assert {key: own.value for key, own in report.scores.items()} == dict.fromkeys(report.scores, 1.0)
    assert len(report.scores) == 9
