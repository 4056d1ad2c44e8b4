"""RBDC and TBDC as sentences of the specification, one detection after the other.

``tests/oracle/reference_tracks.py`` compares every detection with every region at every threshold, which takes days at
200 000 detections. This twin keeps its definitions and its way to the area, and only looks up the regions of a frame
instead of searching them. The benchmarks show how far the two agree where both can run.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from reference_tracks import area, intersection_over_union


def grouped_by_frame(detections: Sequence[Any], tracks: Sequence[Any], frames: int) -> dict[str, float]:
    """RBDC and TBDC of the ``standard`` preset; rows as in ``reference_tracks``."""
    points = points_by_frame(detections, tracks, frames)
    return {"RBDC": area(points, 1), "TBDC": area(points, 2)}


def points_by_frame(
    detections: Sequence[Any], tracks: Sequence[Any], frames: int, iou: float = 0.1, track_fraction: float = 0.1
) -> list[tuple[float, float, float]]:
    """False positives per frame, share of regions and share of tracks at every distinct score, from (0, 0, 0)."""
    regions: dict[tuple[str, int], list[tuple[int, Any]]] = {}
    for track, (clip, boxes) in enumerate(tracks):
        for frame, box in boxes.items():
            regions.setdefault((clip, frame), []).append((track, box))
    n_regions = sum(len(boxes) for _, boxes in tracks)
    ordered = sorted(detections, key=lambda detection: -detection[3])
    found: set[tuple[int, int]] = set()
    found_in_track = [0] * len(tracks)
    false_positives, position = 0, 0
    points = [(0.0, 0.0, 0.0)]
    while position < len(ordered):
        threshold = ordered[position][3]
        while position < len(ordered) and ordered[position][3] == threshold:
            clip, frame, box, _ = ordered[position]
            position += 1
            own = regions.get((clip, frame), [])
            meets = [track for track, region in own if intersection_over_union(region, box) >= iou]
            if not meets:
                false_positives += 1
            for track in meets:
                if (track, frame) not in found:
                    found.add((track, frame))
                    found_in_track[track] += 1
        tracks_found = sum(n / len(tracks[track][1]) >= track_fraction for track, n in enumerate(found_in_track))
        points.append((false_positives / frames, len(found) / n_regions, tracks_found / len(tracks)))
    return points


def rational_area(points: Sequence[tuple[float, float, float]], column: int, frames: int, parts: int) -> Fraction:
    """Area up to one false positive a frame, without any rounding; `parts` is the number of regions or of tracks."""
    counts = [(round(point[0] * frames), round(point[column] * parts)) for point in points]
    # Twice the area, in units of one false positive and one part.
    twice = Fraction(0)
    x0, y0 = counts[0]
    for x1, y1 in counts[1:]:
        if x1 > frames:
            at_limit = y0 + Fraction((y1 - y0) * (frames - x0), x1 - x0)
            return (twice + (frames - x0) * (y0 + at_limit)) / (2 * frames * parts)
        twice += (x1 - x0) * (y0 + y1)
        x0, y0 = x1, y1
    return (twice + (frames - x0) * 2 * y0) / (2 * frames * parts)
