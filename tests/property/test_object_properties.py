"""RBDC and TBDC: changes that change nothing, and bounds that hold the value of every order of tied detections."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench import Detections, Track, metrics
from vadbench.metrics.objects import TieOrder, Ties, detection_rates, regions_needed
from vadbench.statistics.objects import laid_in_line, object_statistics

Scene = tuple[Detections, list[Track], int]
CLOSE = 1e-12
BOX = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 5),
    st.integers(1, 5),
)


@st.composite
def scenes(draw: st.DrawFn, most: int = 8, levels: int = 3) -> Scene:
    frames = draw(st.integers(1, 4))
    frame = st.integers(0, frames - 1)
    tracks = draw(st.lists(st.dictionaries(frame, BOX, min_size=1), min_size=1, max_size=3))
    rows = draw(st.lists(st.tuples(frame, BOX, st.integers(0, levels - 1)), max_size=most))
    rows.sort(key=lambda row: row[0])
    detections = Detections(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64).reshape(-1, 4),
        np.array([row[2] for row in rows], dtype=np.int64),
    )
    return (
        detections,
        [Track(str(k), sorted(own), [own[f] for f in sorted(own)]) for k, own in enumerate(tracks)],
        frames,
    )


def both(scene: Scene, ties: str, fpr_limit: float = 1.0) -> tuple[float, float]:
    detections, tracks, frames = scene
    options = {"frames": frames, "ties": ties, "fpr_limit": fpr_limit, "track_fraction": 0.5}
    return metrics.rbdc(detections, tracks, **options).area, metrics.tbdc(detections, tracks, **options).area


def chosen(detections: Detections, order: np.ndarray) -> Detections:
    return Detections(detections.frames[order], detections.boxes[order], detections.scores[order])


def scored(scene: Scene, change: Callable[[np.ndarray], np.ndarray]) -> Scene:
    detections, tracks, frames = scene
    return Detections(detections.frames, detections.boxes, change(detections.scores)), tracks, frames


def moved(scene: Scene) -> Scene:
    detections, tracks, frames = scene
    shift = np.array([300, 7, 300, 7])
    return (
        Detections(detections.frames, detections.boxes + shift, detections.scores),
        [Track(track.id, track.frames, track.boxes + shift) for track in tracks],
        frames,
    )


def twice_in_time(scene: Scene) -> Scene:
    detections, tracks, frames = scene
    again = [Track(f"{track.id} again", track.frames + frames, track.boxes) for track in tracks]
    return (
        Detections(
            np.concatenate([detections.frames, detections.frames + frames]),
            np.concatenate([detections.boxes] * 2),
            np.concatenate([detections.scores] * 2),
        ),
        [*tracks, *again],
        2 * frames,
    )


def by_falling_frame(scene: Scene) -> Scene:
    """The rows of the last frame first, those of a frame as they stood: reading order is by frame all the same."""
    detections, tracks, frames = scene
    return chosen(detections, np.argsort(-detections.frames, kind="stable")), tracks, frames


ANY_TIES = ("grouped", "sequential")
CHANGES: dict[str, tuple[Callable[[Scene], Scene], tuple[str, ...]]] = {
    "rows reversed": (lambda s: (chosen(s[0], np.arange(len(s[0].frames))[::-1]), *s[1:]), ("grouped",)),
    "rows by falling frame": (by_falling_frame, ANY_TIES),
    "tracks reversed": (lambda s: (s[0], s[1][::-1], s[2]), ANY_TIES),
    "affine scores": (lambda s: scored(s, lambda v: 5 * v - 99), ANY_TIES),
    "scores beyond 2^53": (lambda s: scored(s, lambda v: 2**62 + v), ANY_TIES),
    "float32 neighbours": (lambda s: scored(s, lambda v: np.float32(1) + v * np.finfo(np.float32).eps), ANY_TIES),
    "subnormal scores": (lambda s: scored(s, lambda v: v * 5e-324), ANY_TIES),
    "moved": (moved, ANY_TIES),
    "set twice": (twice_in_time, ("grouped",)),
    "float boxes": (lambda s: (Detections(s[0].frames, s[0].boxes.astype("f4"), s[0].scores), *s[1:]), ANY_TIES),
}


@pytest.mark.parametrize("name", CHANGES)
@given(scenes(), st.sampled_from([0.3, 1.0, 2.0]))
def test_a_change_that_changes_nothing(name: str, scene: Scene, fpr_limit: float) -> None:
    change, ties = CHANGES[name]
    for kind in ties:
        assert both(change(scene), kind, fpr_limit) == pytest.approx(both(scene, kind, fpr_limit), abs=CLOSE)


@given(scenes(most=5, levels=2))
def test_order_bounds_hold_and_reach_the_value_of_every_order(scene: Scene) -> None:
    """All orders of tied detections, also across frames, which reading order never gives."""
    detections, tracks, frames = scene
    statistics = object_statistics(detections, tracks, frames=frames, iou_threshold=0.1)
    n = statistics.scores.size

    def areas(order: TieOrder, ties: Ties = Ties.SEQUENTIAL) -> np.ndarray:
        rates = detection_rates(statistics, track_fraction=0.5, ties=ties, tie_order=order)
        return np.array([rates.regions(limit).area for limit in (0.4, 1.0)] + [rates.tracks(1.0).area])

    least, greatest = areas(TieOrder.FALSE_FIRST), areas(TieOrder.HITS_FIRST)
    seen = []
    for order in itertools.permutations(range(n)):
        place = np.empty(n, dtype=np.int64)
        place[list(order)] = np.arange(n)
        # The same detections in another order of rows.
        shuffled = type(statistics)(
            frames=statistics.frames,
            scores=statistics.scores[list(order)],
            meets_detection=place[statistics.meets_detection],
            meets_region=statistics.meets_region,
            region_track=statistics.region_track,
            n_tracks=statistics.n_tracks,
        )
        rates = detection_rates(shuffled, track_fraction=0.5, ties=Ties.SEQUENTIAL)
        seen.append([rates.regions(limit).area for limit in (0.4, 1.0)] + [rates.tracks(1.0).area])
    assert np.min(seen, axis=0) == pytest.approx(least, abs=CLOSE)
    assert np.max(seen, axis=0) == pytest.approx(greatest, abs=CLOSE)
    # Grouped joins the ends of each group of ties by a line: above the least staircase, under the greatest.
    grouped = areas(TieOrder.READING, Ties.GROUPED)
    assert (least - CLOSE <= grouped).all()
    assert (grouped <= greatest + CLOSE).all()


@given(scenes(levels=20))
def test_without_ties_both_rules_agree(scene: Scene) -> None:
    detections, tracks, frames = scene
    untied = Detections(detections.frames, detections.boxes, np.arange(len(detections.frames)))
    assert both((untied, tracks, frames), "grouped") == pytest.approx(
        both((untied, tracks, frames), "sequential"), abs=CLOSE
    )


@given(st.lists(scenes(), min_size=1, max_size=3))
def test_clips_laid_in_line_are_one_clip_with_shifted_frames(clips: list[Scene]) -> None:
    parts, rows, tracks, start = [], [], [], 0
    for detections, own_tracks, frames in clips:
        parts.append(object_statistics(detections, own_tracks, frames=frames, iou_threshold=0.1))
        rows.append((detections.frames + start, detections.boxes, detections.scores))
        tracks += [Track(t.id, t.frames + start, t.boxes) for t in own_tracks]
        start += frames
    whole = Detections(*(np.concatenate(column) for column in zip(*rows, strict=True)))
    for ties in Ties:
        rates = detection_rates(laid_in_line(parts), track_fraction=0.1, ties=ties)
        assert rates.regions(1.0).area == metrics.rbdc(whole, tracks, frames=start, ties=ties).area
        assert rates.tracks(1.0).area == metrics.tbdc(whole, tracks, frames=start, ties=ties).area


@given(scenes())
def test_truth_as_detections_is_one(scene: Scene) -> None:
    _, tracks, frames = scene
    rows = [(frame, box) for track in tracks for frame, box in zip(track.frames, track.boxes, strict=True)]
    found = Detections([frame for frame, _ in rows], [box for _, box in rows], np.zeros(len(rows)))
    assert both((found, tracks, frames), "grouped") == (1, 1)
    assert both((found, tracks, frames), "sequential") == (1, 1)


@given(
    st.one_of(
        st.floats(0, 1.5, exclude_min=True),
        st.floats(1e-300, 1e9),
        st.builds(lambda m, n: m / n, st.integers(1, 120), st.integers(1, 120)),
    )
)
def test_regions_needed_is_the_least_count(fraction: float) -> None:
    sizes = np.arange(1, 121)
    expected = [next((m for m in range(1, n + 1) if m / n >= fraction), n + 1) for n in range(1, 121)]
    assert regions_needed(sizes, fraction).tolist() == expected
