"""Literal reference implementations of RBDC and TBDC, boxes from masks and box merging.

Detections: list of ``(clip, frame, (x1, y1, x2, y2), score)`` in reading order.
Tracks: list of ``(clip, {frame: (x1, y1, x2, y2)})``; one box a frame and track.
``frames`` is the number of test frames over all clips. Boxes are half-open
(``x2 = xmax + 1``) unless ``convention="inclusive"`` (``x2 = xmax``).
"""

from __future__ import annotations

import numpy as np


def intersection_over_union(a, b, convention="half-open"):
    """IoU of two boxes (x1, y1, x2, y2); 0 for two empty boxes."""
    one = 1 if convention == "inclusive" else 0
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + one)
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + one)
    shared = width * height
    area_a = (a[2] - a[0] + one) * (a[3] - a[1] + one)
    area_b = (b[2] - b[0] + one) * (b[3] - b[1] + one)
    union = area_a + area_b - shared
    return shared / union if union > 0 else 0.0


def regions_of(tracks):
    """[(track index, clip, frame, box)] of every region of every track."""
    return [(k, clip, frame, box) for k, (clip, boxes) in enumerate(tracks) for frame, box in boxes.items()]


def rates_at_threshold(detections, tracks, frames, threshold, iou=0.1, track_fraction=0.1, convention="half-open"):
    """(false positives per frame, region detection rate, track detection rate) with scores >= threshold kept.

    A region is found if some kept detection of its frame has IoU >= ``iou`` with it. A kept detection is a
    false positive if it has IoU >= ``iou`` with no region of its frame. A track is found if at least
    ``track_fraction`` of its regions are found.
    """
    kept = [d for d in detections if d[3] >= threshold]
    regions = regions_of(tracks)
    false_positives = 0
    for clip, frame, box, _ in kept:
        meets = [
            r
            for r in regions
            if r[1] == clip and r[2] == frame and intersection_over_union(r[3], box, convention) >= iou
        ]
        if not meets:
            false_positives += 1
    found_in_track = [0] * len(tracks)
    for k, clip, frame, box in regions:
        if any(d[0] == clip and d[1] == frame and intersection_over_union(box, d[2], convention) >= iou for d in kept):
            found_in_track[k] += 1
    tracks_found = sum(n / len(tracks[k][1]) >= track_fraction for k, n in enumerate(found_in_track))
    return false_positives / frames, sum(found_in_track) / len(regions), tracks_found / len(tracks)


def curve_grouped(detections, tracks, frames, **options):
    """[(fpr, rbdr, tbdr)] at every distinct score, from (0, 0, 0); equal scores enter together."""
    points = [(0.0, 0.0, 0.0)]
    for threshold in sorted({d[3] for d in detections}, reverse=True):
        points.append(rates_at_threshold(detections, tracks, frames, threshold, **options))
    return points


def area(points, column, fpr_limit=1.0, at_limit="interpolate"):
    """Trapezoidal area over fpr in [0, fpr_limit] divided by the limit.

    The segment that crosses the limit is cut by interpolation (``"interpolate"``) or replaced by a flat line at
    its left height (``"hold"``); a curve that ends before the limit is held flat up to it.
    """
    total = 0.0
    x0, y0 = points[0][0], points[0][column]
    for point in points[1:]:
        x1, y1 = point[0], point[column]
        if x1 > fpr_limit:
            if at_limit == "interpolate":
                y_cut = y0 + (y1 - y0) * (fpr_limit - x0) / (x1 - x0)
                return (total + (fpr_limit - x0) * (y0 + y_cut) / 2) / fpr_limit
            break
        total += (x1 - x0) * (y0 + y1) / 2
        x0, y0 = x1, y1
    return (total + (fpr_limit - x0) * y0) / fpr_limit


def rbdc_tbdc_grouped(
    detections,
    tracks,
    frames,
    iou=0.1,
    track_fraction=0.1,
    fpr_limit=1.0,
    at_limit="interpolate",
    convention="half-open",
):
    """(RBDC, TBDC) of the ``standard`` preset; (nan, nan) without regions."""
    if not regions_of(tracks):
        return float("nan"), float("nan")
    points = curve_grouped(detections, tracks, frames, iou=iou, track_fraction=track_fraction, convention=convention)
    return area(points, 1, fpr_limit, at_limit), area(points, 2, fpr_limit, at_limit)


def curve_sequential(detections, tracks, frames, iou=0.1, track_fraction=0.1, convention="inclusive"):
    """[(fpr, rbdr, tbdr)] after every single detection, as the AED code walks them.

    Detections are ordered by falling score; equal scores keep their reading order. A detection finds every
    region of its frame with IoU >= ``iou`` that no earlier detection found. If it meets some region, found
    already or not, it is no false positive.
    """
    ordered = sorted(detections, key=lambda d: -d[3])  # stable
    regions = regions_of(tracks)
    found = set()
    found_in_track = [0] * len(tracks)
    false_positives = 0
    points = [(0.0, 0.0, 0.0)]
    for clip, frame, box, _ in ordered:
        meets = [
            i
            for i, r in enumerate(regions)
            if r[1] == clip and r[2] == frame and intersection_over_union(r[3], box, convention) >= iou
        ]
        if not meets:
            false_positives += 1
        for i in meets:
            if i not in found:
                found.add(i)
                found_in_track[regions[i][0]] += 1
        tracks_found = sum(n / len(tracks[k][1]) >= track_fraction for k, n in enumerate(found_in_track))
        points.append((false_positives / frames, len(found) / len(regions), tracks_found / len(tracks)))
    return points


def rbdc_tbdc_sequential(detections, tracks, frames, iou=0.1, track_fraction=0.1, convention="inclusive"):
    """(RBDC, TBDC) of the ``aed-2021`` preset: one point a detection, limit 1, held flat at the limit.

    (nan, nan) without regions, where the AED script stops with a division by zero.
    """
    if not regions_of(tracks):
        return float("nan"), float("nan")
    points = curve_sequential(detections, tracks, frames, iou, track_fraction, convention)
    return area(points, 1, 1.0, "hold"), area(points, 2, 1.0, "hold")


def rbdc_tbdc_tao_release(masks, tracks, frames):
    """(RBDC, TBDC) of the ``tao-release`` preset.

    ``masks``: list of ``(clip, frame, object, (H, W) bool)`` in reading order (clip, then frame, then object);
    every non-empty mask becomes one detection with inclusive extremal corners and score 1. ``tracks`` carry
    half-open boxes, which the released code reads as inclusive ones.
    """
    detections = []
    for clip, frame, _, mask in masks:
        box = box_from_mask(mask, convention="inclusive")
        if box is not None:
            detections.append((clip, frame, box, 1.0))
    return rbdc_tbdc_sequential(detections, tracks, frames, convention="inclusive")


def order_statistics(detections, tracks, iou=0.1, track_fraction=0.1, convention="half-open"):
    """The mergeable statistics of ``grouped``: (scores of regions, scores of tracks, scores of false positives).

    A region's score is the highest score of a detection that meets it (-inf if none); a track's score is the
    m-th highest of its regions', m the smallest count with m / n >= track_fraction.
    """
    regions = regions_of(tracks)
    region_scores, by_track = [], [[] for _ in tracks]
    for k, clip, frame, box in regions:
        own = [
            d[3]
            for d in detections
            if d[0] == clip and d[1] == frame and intersection_over_union(box, d[2], convention) >= iou
        ]
        region_scores.append(max(own, default=float("-inf")))
        by_track[k].append(region_scores[-1])
    track_scores = []
    for scores in by_track:
        needed = next(m for m in range(len(scores) + 1) if m / len(scores) >= track_fraction)
        track_scores.append(sorted(scores, reverse=True)[needed - 1] if needed else float("inf"))
    false_scores = [
        d[3]
        for d in detections
        if not any(
            r[1] == d[0] and r[2] == d[1] and intersection_over_union(r[3], d[2], convention) >= iou for r in regions
        )
    ]
    return region_scores, track_scores, false_scores


def box_from_mask(mask, convention="half-open"):
    """Extremal coordinates of a mask (H, W) bool, or ``None`` if it is empty."""
    ys, xs = np.nonzero(np.asarray(mask))
    if xs.size == 0:
        return None
    one = 0 if convention == "inclusive" else 1
    return int(xs.min()), int(ys.min()), int(xs.max()) + one, int(ys.max()) + one


def merge_overlapping(boxes, scores, iou=0.0):
    """Merge boxes of one frame (and one object) until no two have IoU > ``iou``.

    The merged box is the smallest that holds its parts, its score the highest of theirs. Result sorted by
    (x1, y1, x2, y2). Boxes that only touch have IoU 0 and stay apart at ``iou=0``.

    Of all pairs above ``iou`` the first in sorted order is merged, then the search starts again. At ``iou=0``
    the pair does not matter, above it does: a merged box may fall under ``iou`` with a third box that one of its
    parts exceeded. The sorting makes the result independent of the order in which the boxes are given.
    """
    merged = sorted((tuple(box), score) for box, score in zip(boxes, scores, strict=True))
    pair = _first_overlapping_pair(merged, iou)
    while pair:
        (a, score_a), (b, score_b) = pair
        merged.remove(pair[0])
        merged.remove(pair[1])
        hull = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
        merged = sorted([*merged, (hull, max(score_a, score_b))])
        pair = _first_overlapping_pair(merged, iou)
    return [box for box, _ in merged], [score for _, score in merged]


def _first_overlapping_pair(scored_boxes, iou):
    for i, first in enumerate(scored_boxes):
        for second in scored_boxes[i + 1 :]:
            if intersection_over_union(first[0], second[0]) > iou:
                return first, second
    return None
