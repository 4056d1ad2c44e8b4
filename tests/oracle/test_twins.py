"""The package against literal twins, on random small inputs: `reference_*`, and what is written out here."""

from __future__ import annotations

import numpy as np
import pytest
import reference_pixel
import reference_tracks
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vadbench import boxes, metrics
from vadbench.errors import UndefinedMetricError
from vadbench.masks import label_components
from vadbench.prediction import Detections
from vadbench.truth import Track, tracks_from_masks

CLOSE = 1e-12
EDGE = st.integers(0, 9)
SIZE = st.integers(1, 5)
BOX = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), EDGE, EDGE, SIZE, SIZE)
SHARE = st.sampled_from([0.1, 0.34, 0.5, 1.0, 1 / 3, 2 / 3])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list, list, int]:
    """Detections and tracks of one clip as `reference_tracks` takes them, and the number of frames."""
    frames = draw(st.integers(1, 4))
    frame = st.integers(0, frames - 1)
    tracks = draw(st.lists(st.dictionaries(frame, BOX, min_size=1), min_size=1, max_size=3))
    rows = st.tuples(st.just("a"), frame, BOX, st.integers(0, 2))
    detections = draw(st.lists(rows, max_size=8))
    return sorted(detections, key=lambda row: row[1]), [("a", dict(sorted(own.items()))) for own in tracks], frames


def as_types(detections: list, tracks: list) -> tuple[Detections, list[Track]]:
    found = Detections(
        np.array([row[1] for row in detections], dtype=np.int64),
        np.array([row[2] for row in detections], dtype=np.float64).reshape(-1, 4),
        np.array([row[3] for row in detections], dtype=np.float64),
    )
    return found, [Track(str(k), list(own), list(own.values())) for k, (_, own) in enumerate(tracks)]


@given(scenes(), SHARE, SHARE, st.sampled_from([0.25, 0.5, 1.0, 3.0]), st.sampled_from(["grouped", "sequential"]))
def test_rbdc_and_tbdc(scene: tuple, iou: float, fraction: float, limit: float, ties: str) -> None:
    detections, tracks, frames = scene
    walk = reference_tracks.curve_grouped if ties == "grouped" else reference_tracks.curve_sequential
    points = walk(detections, tracks, frames, iou=iou, track_fraction=fraction, convention="half-open")
    found, truth = as_types(detections, tracks)
    options = {"frames": frames, "iou_threshold": iou, "track_fraction": fraction, "fpr_limit": limit, "ties": ties}
    for column, metric in ((1, metrics.rbdc), (2, metrics.tbdc)):
        curve = metric(found, truth, **options)
        assert curve.area == pytest.approx(reference_tracks.area(points, column, limit), abs=CLOSE)
        assert np.stack([curve.fpr, curve.rate], axis=1) == pytest.approx(
            np.array([(point[0], point[column]) for point in points]), abs=CLOSE
        )


MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)))


@given(MASKS, st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([4, 8]), st.sampled_from([0.05, 0.3, 1.0]))
def test_aupro(truth: np.ndarray, seed: int, levels: int, connectivity: int, limit: float) -> None:
    scores = np.random.default_rng(seed).integers(0, levels, truth.shape)
    expected = reference_pixel.aupro(truth, scores, limit, connectivity)
    if np.isnan(expected):
        with pytest.raises(UndefinedMetricError):
            metrics.pixel_aupro(truth, scores, limit, connectivity)
        return
    for dtype in (np.int64, np.uint8, np.float32):
        value = metrics.pixel_aupro(truth, scores.astype(dtype), limit, connectivity)
        assert value == pytest.approx(expected, abs=CLOSE)
        assert value <= 1


@given(hnp.arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14))), st.sampled_from([4, 8]))
def test_components(mask: np.ndarray, connectivity: int) -> None:
    labels, count = label_components(mask, connectivity)
    expected = reference_pixel.label_components(mask, connectivity)
    assert (labels == expected).all()
    assert count == expected.max(initial=0)


def literal_tracks(masks: np.ndarray) -> list[list[tuple[int, tuple[int, int, int, int]]]]:
    """The rule `mask-overlap` as its sentence says it (protocols.md, "Truth")."""
    tracks: list[list] = []
    before: dict[int, tuple[set, list]] = {}
    for frame, mask in enumerate(masks):
        labels = reference_pixel.label_components(mask)
        parts = {k: set(zip(*np.nonzero(labels == k), strict=True)) for k in range(1, labels.max(initial=0) + 1)}
        pairs = [
            (-len(own & earlier), first, second)
            for second, own in parts.items()
            for first, (earlier, _) in before.items()
            if own & earlier
        ]
        linked: dict[int, int] = {}
        for _, first, second in sorted(pairs):
            if first not in linked.values() and second not in linked:
                linked[second] = first
        now = {}
        for number, pixels in parts.items():
            if number in linked:
                track = before[linked[number]][1]
            else:
                track = []
                tracks.append(track)
            ys, xs = [y for y, _ in pixels], [x for _, x in pixels]
            track.append((frame, (min(xs), min(ys), max(xs) + 1, max(ys) + 1)))
            now[number] = (pixels, track)
        before = now
    return tracks


@given(hnp.arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 8))))
def test_mask_overlap_tracks(masks: np.ndarray) -> None:
    expected = literal_tracks(masks)
    tracks = tracks_from_masks(masks)
    got = [
        [(f, tuple(box)) for f, box in zip(t.frames.tolist(), t.boxes.astype(int).tolist(), strict=True)]
        for t in tracks
    ]
    assert got == expected
    assert [track.id for track in tracks] == [str(k) for k in range(len(tracks))]


@given(
    st.lists(st.tuples(BOX, st.integers(0, 4)), max_size=7),
    st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9]),
    st.sampled_from([np.int64, np.uint16, np.float32, np.float64]),
)
def test_merging(scored: list, iou: float, dtype: type) -> None:
    given_boxes = np.array([box for box, _ in scored], dtype=dtype).reshape(-1, 4)
    scores = np.array([score for _, score in scored], dtype=np.float32)
    expected_boxes, expected_scores = reference_tracks.merge_overlapping(given_boxes.tolist(), scores.tolist(), iou)
    for order in (slice(None), slice(None, None, -1)):
        got_boxes, got_scores = boxes.merge_overlapping(given_boxes[order], scores[order], iou)
        assert [tuple(box) for box in got_boxes.tolist()] == expected_boxes
        assert got_scores.tolist() == expected_scores
        assert (got_boxes.dtype, got_scores.dtype) == (dtype, np.float32)


REAL = st.one_of(
    hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.floating_dtypes(sizes=(16, 32, 64)), hnp.boolean_dtypes()
)


@given(st.data(), REAL.map(lambda dtype: dtype.newbyteorder("=")), st.tuples(st.integers(1, 3), SIZE, SIZE))
def test_scaling_by_the_frame_maximum(data: st.DataObject, dtype: np.dtype, shape: tuple[int, int, int]) -> None:
    elements = {"allow_nan": False, "allow_infinity": False} if dtype.kind == "f" else None
    scores = data.draw(hnp.arrays(dtype, shape, elements=elements))
    scaled = metrics.scale_by_frame_maximum(scores)
    narrow = dtype in (np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.float16, np.float32)
    assert scaled.dtype == (np.float32 if narrow else np.float64)
    kind = scaled.dtype.type
    for frame, given_frame in zip(scaled, scores, strict=True):
        raised = [max(kind(0), kind(value)) for value in given_frame.ravel()]
        largest = max(raised)
        expected = [value / largest if largest > 0 else value for value in raised]
        assert frame.ravel().tolist() == [float(value) for value in expected]
        assert {value.dtype for value in expected} == {scaled.dtype}
