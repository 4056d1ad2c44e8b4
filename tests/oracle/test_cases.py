"""Every published or hand-computed case: the package gives the expected value within the case's tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import Case, cases, difference, half_open, laid_in_line, maps, objects

from vadbench import boxes, metrics
from vadbench.errors import UndefinedMetricError
from vadbench.masks import MaskRuns, label_components
from vadbench.metrics import objects as object_metrics
from vadbench.metrics import pixel as pixel_metrics
from vadbench.metrics.operating_points import operating_points
from vadbench.statistics.objects import object_statistics
from vadbench.statistics.pixels import pixel_statistics
from vadbench.statistics.scores import least_flagged_score
from vadbench.truth import Track


def defined(function: Any, *arguments: Any, **options: Any) -> Any:
    """The value, or None where the package says that there is none."""
    try:
        return function(*arguments, **options)
    except UndefinedMetricError:
        return None


def check(case: Case, got: dict[str, Any]) -> None:
    assert case["expected"], "a case without expectation would test nothing"
    for name, expected in case["expected"].items():
        assert difference(expected, got[name]) <= case["tolerance"], (case["id"], name, expected, got[name])


def by_id(case: Case) -> str:
    return case["id"]


@pytest.mark.parametrize("case", cases("pixel"), ids=by_id)
def test_pixel(case: Case) -> None:
    truth, scores = maps(case["input"])
    best = defined(metrics.pixel_f1, truth, scores)
    got = {
        "auroc": defined(metrics.pixel_auroc, truth, scores),
        "average_precision": defined(metrics.pixel_average_precision, truth, scores),
        "pr_trapezoid": defined(metrics.pixel_pr_auc, truth, scores),
        "f1_max": [None] * 4 if best is None else [best.value, best.threshold, best.precision, best.recall],
    }
    if "threshold" in case["protocol"]:
        threshold = case["protocol"]["threshold"]
        if case["protocol"]["compare"] == "greater":
            got["f1_at_threshold"] = metrics.pixel_f1_at(truth, scores, threshold)
        else:
            least = least_flagged_score(threshold, scores.dtype, inclusive=True)
            runs, maps_of_one = MaskRuns.from_array(truth.reshape(1, 1, -1)), scores.reshape(1, 1, -1)
            statistics = pixel_statistics(runs, maps_of_one, None, [] if least is None else [least])
            got["f1_at_threshold"] = pixel_metrics.f1_at([statistics], threshold, inclusive=True)
    check(case, got)


@pytest.mark.parametrize("case", cases("aupro"), ids=by_id)
def test_aupro(case: Case) -> None:
    truth, scores = maps(case["input"])
    check(case, {"aupro": defined(metrics.pixel_aupro, truth, scores, **case["protocol"])})


@pytest.mark.parametrize("case", cases("pro_curve"), ids=by_id)
def test_pro_curve(case: Case) -> None:
    truth, scores = maps(case["input"])
    statistics = pixel_statistics(MaskRuns.from_array(truth), scores, case["protocol"].get("connectivity", 8))
    curve = pixel_metrics.pro_curve(operating_points([statistics]))
    # The package leaves out the points that lie on a straight line between two others.
    expected = np.array(case["expected"]["points"])
    for x, y in expected:
        at = np.flatnonzero(np.isclose(curve.x, x, rtol=0, atol=case["tolerance"]))
        between = np.interp(x, curve.x, curve.y)
        heights = [*curve.y[at], between]
        assert min(abs(np.array(heights) - y)) <= case["tolerance"]
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("case", cases("components"), ids=by_id)
def test_components(case: Case) -> None:
    labels, count = label_components(np.array(case["input"]["mask"], dtype=bool), **case["protocol"])
    check(case, {"labels": labels.tolist()})
    assert count == labels.max(initial=0)


def curve_values(case: Case, ties: str, *, inclusive: bool) -> dict[str, Any]:
    detections, tracks, frames = objects(case["input"], inclusive=inclusive)
    found, truth = laid_in_line(detections, tracks)
    names = {"iou": "iou_threshold", "track_fraction": "track_fraction", "fpr_limit": "fpr_limit"}
    options = {names[key]: value for key, value in case["protocol"].items() if key in names}
    region = defined(metrics.rbdc, found, truth, frames=frames, ties=ties, **options)
    track = defined(metrics.tbdc, found, truth, frames=frames, ties=ties, **options)
    if region is None or track is None:
        return {"rbdc": None, "tbdc": None}
    points = [list(point) for point in zip(region.fpr, region.rate, track.rate, strict=True)]
    return {"rbdc": region.area, "tbdc": track.area, "curve": points}


@pytest.mark.parametrize("case", cases("regions_grouped"), ids=by_id)
def test_regions_grouped(case: Case) -> None:
    assert case["protocol"].get("at_limit", "interpolate") == "interpolate"
    inclusive = case["protocol"].get("convention") == "inclusive"
    check(case, curve_values(case, "grouped", inclusive=inclusive))


@pytest.mark.parametrize("case", cases("regions_sequential"), ids=by_id)
def test_regions_sequential(case: Case) -> None:
    check(case, curve_values(case, "sequential", inclusive=True))


@pytest.mark.parametrize("case", cases("order_statistics"), ids=by_id)
def test_order_statistics(case: Case) -> None:
    detections, tracks, frames = objects(case["input"], inclusive=case["protocol"].get("convention") == "inclusive")
    found, truth = laid_in_line(detections, tracks)
    iou = case["protocol"].get("iou", 0.1)
    fraction = case["protocol"].get("track_fraction", 0.1)
    statistics = object_statistics(found, truth, frames=frames, iou_threshold=iou)
    step, thresholds = object_metrics._steps(statistics, object_metrics.Ties.GROUPED, object_metrics.TieOrder.READING)
    never = thresholds.size
    scores = np.append(thresholds, -np.inf)
    region_step = np.full(statistics.n_regions, never)
    np.minimum.at(region_step, statistics.meets_region, step[statistics.meets_detection])
    track_step = object_metrics._track_steps(region_step, statistics, fraction, never)
    got = {
        "region_scores": scores[region_step].tolist(),
        "track_scores": scores[track_step].tolist(),
        "false_scores": statistics.scores[statistics.false_positive].tolist(),
    }
    for name, expected in case["expected"].items():
        assert difference(expected, got[name]) <= case["tolerance"], name


@pytest.mark.parametrize("case", cases("box_from_mask"), ids=by_id)
def test_box_from_mask(case: Case) -> None:
    mask = np.array(case["input"]["mask"], dtype=bool)
    if case["expected"]["box"] is None:
        with pytest.raises(Exception, match="D311"):
            boxes.boxes_from_masks(mask[None])
        return
    box = tuple(boxes.boxes_from_masks(mask[None])[0].tolist())
    expected = tuple(case["expected"]["box"])
    if case["protocol"].get("convention") == "inclusive":
        expected = half_open(expected)
    assert box == expected


@pytest.mark.parametrize("case", cases("iou"), ids=by_id)
def test_iou(case: Case) -> None:
    first, second = (tuple(box) for box in case["input"]["boxes"])
    if case["protocol"].get("convention") == "inclusive":
        first, second = half_open(first), half_open(second)
    check(case, {"iou": float(boxes.intersection_over_union(first, second))})


@pytest.mark.parametrize("case", cases("merge_overlapping"), ids=by_id)
def test_merge_overlapping(case: Case) -> None:
    threshold = case["protocol"].get("iou", 0.0)
    for order in (slice(None), slice(None, None, -1)):
        merged, scores = boxes.merge_overlapping(
            case["input"]["boxes"][order], case["input"]["scores"][order], threshold
        )
        check(case, {"boxes": merged.tolist(), "scores": scores.tolist()})


@pytest.mark.parametrize("case", cases("frame_auroc"), ids=by_id)
def test_frame_auroc(case: Case) -> None:
    labels, scores, clips = (case["input"][key] for key in ("labels", "scores", "clips"))
    treatment = case["protocol"].get("clips_without_both", "skip")
    check(
        case,
        {
            "micro": defined(metrics.frame_auroc_micro, labels, scores),
            "macro": defined(metrics.frame_auroc_macro, labels, scores, clips, treatment),
        },
    )


def tracks_of(given: Case) -> list[tuple[str, Track]]:
    found = []
    for number, (clip, regions) in enumerate(given["tracks"]):
        ordered = sorted(regions)
        frames, corners = np.array([f for f, _ in ordered]), np.array([box for _, box in ordered])
        found.append((clip, Track(str(number), frames, corners)))
    return found
