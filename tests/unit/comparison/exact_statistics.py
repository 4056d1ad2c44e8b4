"""Small random data sets, and the statistics of their reports with a level for every score: nothing is lost.

Counted here from the arrays, on purpose not by the code that `vadbench score --statistics` runs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from vadbench import Detections, Instances, MemoryDataset, Prediction, Protocol, Report, Track, Truth, evaluate
from vadbench.comparison import ReportStatistics
from vadbench.evaluation.report_statistics import ClipSums, FrameRanks, ObjectCounts, PixelCounts
from vadbench.metrics.frames import scaled_to_unit
from vadbench.metrics.objects import regions_needed
from vadbench.statistics.detections import detections_from_instances, track_boxes_read_as
from vadbench.statistics.objects import ObjectStatistics, object_statistics

T, H, W = 5, 8, 10
THRESHOLD = 20.0


def truth(rng: np.random.Generator, *, kind: str = "both") -> Truth:
    """A clip with one or two moving squares; ``one-class`` has them in every frame, ``quiet`` in none."""
    masks = np.zeros((T, H, W), dtype=bool)
    frames = range(T) if kind == "one-class" else () if kind == "quiet" else range(1, T - 1)
    for _ in range(rng.integers(1, 3)):
        y, x, size = rng.integers(0, 4), rng.integers(0, 4), rng.integers(1, 4)
        for frame in frames:
            masks[frame, y : y + size, x + frame % 3 : x + frame % 3 + size] = True
    return Truth.from_arrays(masks)


def without_masks(rng: np.random.Generator) -> Truth:
    """A clip with frame labels alone."""
    labels = np.zeros(T, dtype=bool)
    labels[rng.integers(0, T - 1)] = True
    return Truth.from_arrays(shape=(T, H, W), labels=labels)


def prediction(rng: np.random.Generator, own: Truth, number: int, *, dtype: str, tied: bool) -> Prediction:
    """All four kinds, which see part of what is anomalous; scores of boxes are tied or distinct in the data set."""
    masks = np.zeros((T, H, W), dtype=bool) if own.mask_runs is None else own.masks()
    noise = rng.integers(0, 30, (T, H, W)) if dtype == "uint8" else 30 * rng.random((T, H, W))
    maps = (noise + masks * rng.integers(0, 25)).astype(dtype)
    if dtype == "uint8":
        maps[rng.integers(0, T)] = 0
    frames, boxes = [], []
    for frame in range(T):
        found = ndimage.find_objects(ndimage.label(masks[frame])[0])
        boxes += [[s[1].start, s[0].start, s[1].stop, s[0].stop] for s in found if rng.random() < 0.6]
        for _ in range(rng.integers(0, 3)):
            x, y = rng.integers(0, W - 2), rng.integers(0, H - 2)
            boxes.append([x, y, x + 2, y + 2])
        frames += [frame] * (len(boxes) - len(frames))
    scores = rng.integers(1, 4, len(boxes)) if tied else (rng.permutation(len(boxes)) * 7 + 1) + number / 16
    instances = Instances.from_masks(
        frames, [_filled(box) for box in boxes], scores.astype(np.float64), height=H, width=W
    )
    return Prediction(
        score_maps=maps,
        instances=instances,
        detections=Detections(frames, boxes, scores.astype(np.float64)),
        frame_scores=rng.integers(-2, 6, T).astype(np.float64) + own.labels,
    )


def _filled(box: list[int]) -> np.ndarray:
    mask = np.zeros((H, W), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def made_set(
    seed: int, kinds: tuple[str, ...], *, dtype: str = "uint8", tied: bool = True
) -> tuple[dict[str, Truth], dict[str, Prediction]]:
    """Truths and predictions of a few clips."""
    rng = np.random.default_rng(seed)
    truths = {
        f"{k:02d}": without_masks(rng) if kind == "no-masks" else truth(rng, kind=kind) for k, kind in enumerate(kinds)
    }
    return truths, {
        key: prediction(rng, own, number, dtype=dtype, tied=tied) for number, (key, own) in enumerate(truths.items())
    }


def scored(
    truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], protocol: str, weights: np.ndarray | None = None
) -> Report:
    """Report of the clips, each under as many ids as its weight says; the copies of a clip stand side by side."""
    times = dict(zip(truths, [1] * len(truths) if weights is None else weights.astype(int).tolist(), strict=True))
    copies = {f"{key}.{n}" if weights is not None else key: key for key in truths for n in range(times[key])}
    dataset = MemoryDataset({copy: truths[key] for copy, key in copies.items()}, id="shanghaitech")
    return evaluate({copy: predictions[key] for copy, key in copies.items()}, dataset, protocol, threshold=THRESHOLD)


def exact_statistics(
    truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], report: Report
) -> ReportStatistics:
    """Statistics of a report of `scored`, with a level for every score."""
    protocol = report.parsed_signature.protocol
    pooled = protocol.pixel.pooling == "dataset"
    return ReportStatistics(
        signature=report.signature,
        fingerprint=report.submission["fingerprint"],
        clip_ids=tuple(truths),
        frames=np.array([own.frames for own in truths.values()]),
        pixels=_pixels(truths, predictions, protocol) if pooled else None,
        frame_means=_frame_means(truths, predictions, report) if protocol.pixel.pooling == "frame-mean" else None,
        declared=_flagged(truths, predictions, THRESHOLD, inclusive=True, protocol=protocol) if pooled else None,
        fixed=_flagged(truths, predictions, protocol.pixel.f1.threshold, inclusive=False, protocol=protocol)
        if pooled and protocol.pixel.f1.threshold is not None
        else None,
        objects=_objects(truths, predictions, protocol),
        frame_ranks=_frame_ranks(truths, predictions, protocol),
        effect={},
    )


def stored_maps(own: Prediction) -> np.ndarray:
    """Score maps of a clip, (T, H, W) float64."""
    assert own.maps is not None
    return np.concatenate([scores for _, scores in own.maps.blocks()]).astype(np.float64)


def _entering(own: Truth, protocol: Protocol) -> np.ndarray:
    """Frames that the pixel metrics take, (T,) bool; none of a clip without masks."""
    if own.mask_runs is None:
        return np.zeros(T, dtype=bool)
    return own.masks().any(axis=(1, 2)) | (protocol.pixel.frames == "all")


def _pixels(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], protocol: Protocol) -> PixelCounts:
    maps = {key: stored_maps(own) for key, own in predictions.items()}
    levels = np.unique(np.concatenate([own.ravel() for own in maps.values()]))[::-1]
    shape = (len(truths), levels.size + 1)
    positives, negatives, coverage = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape)
    components = np.zeros(len(truths), dtype=int)
    around = np.ones((3, 3)) if protocol.pixel.connectivity == 8 else None
    for row, (key, own) in enumerate(truths.items()):
        entering = _entering(own, protocol)
        for frame in np.flatnonzero(entering):
            mask, scores = own.masks()[frame], maps[key][frame]
            bins = np.searchsorted(-levels, -scores)
            np.add.at(positives[row], bins[mask], 1)
            np.add.at(negatives[row], bins[~mask], 1)
            labels, n = ndimage.label(mask, around)
            components[row] += n
            for label in range(1, n + 1):
                np.add.at(coverage[row], bins[labels == label], 1 / (labels == label).sum())
    return PixelCounts(levels, positives, negatives, coverage, components)


def _frame_means(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], report: Report) -> ClipSums:
    """Each clip's mean times the frames in which the metric is defined: those with both kinds of pixel, here."""
    protocol = report.parsed_signature.protocol
    n_frames = np.array([_entering(own, protocol).sum() for own in truths.values()])
    keys = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "pixel_f1_declared")
    means = {
        key: np.array([(row.scores[key].value or 0.0) if key in row.scores else 0.0 for row in report.clips])
        for key in keys
    }
    return ClipSums({key: own * n_frames for key, own in means.items()}, dict.fromkeys(keys, n_frames))


def _flagged(
    truths: Mapping[str, Truth],
    predictions: Mapping[str, Prediction],
    threshold: float,
    *,
    inclusive: bool,
    protocol: Protocol,
) -> np.ndarray:
    rows = []
    for key, own in truths.items():
        entering = _entering(own, protocol)
        mask = own.masks()[entering] if own.mask_runs is not None else np.zeros((0, H, W), dtype=bool)
        scores = stored_maps(predictions[key])[entering]
        flagged = scores >= threshold if inclusive else scores > threshold
        rows.append([(flagged & mask).sum(), (flagged & ~mask).sum(), mask.sum()])
    return np.array(rows)


def _objects(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], protocol: Protocol) -> ObjectCounts:
    clips = [_matched(truths[key], predictions[key], protocol) for key in truths]
    steps, n_steps = _steps([own.scores for own in clips], sequential=protocol.object.ties == "sequential")
    shape = (len(clips), n_steps + 1)
    regions, tracks, false = (np.zeros(shape, dtype=int) for _ in range(3))
    for row, (own, step) in enumerate(zip(clips, steps, strict=True)):
        found = np.full(own.n_regions, n_steps)
        for detection, region in zip(own.meets_detection, own.meets_region, strict=True):
            found[region] = min(found[region], step[detection])
        np.add.at(regions[row], found, 1)
        for track in range(own.n_tracks):
            ordered = np.sort(found[own.region_track == track])
            needed = int(regions_needed(np.array([ordered.size]), protocol.object.track_fraction)[0])
            tracks[row, ordered[needed - 1] if needed <= ordered.size else n_steps] += 1
        np.add.at(false[row], step[own.false_positive], 1)
    frames = np.array([0 if own.tracks() is None else own.frames for own in truths.values()])
    return ObjectCounts(-np.arange(n_steps, dtype=np.float64), regions, tracks, false, frames)


def _matched(own: Truth, found: Prediction, protocol: Protocol) -> ObjectStatistics:
    choices = protocol.object
    detections = found.detections
    if choices.boxes_from == "instances":
        detections = detections_from_instances(
            found.instances, merge=choices.merge, merge_iou=choices.merge_iou, scores=protocol.instances.scores
        )
    tracks: tuple[Track, ...] | list[Track] = own.tracks() or ()
    if own.tracks() is None:
        detections = Detections([], np.zeros((0, 4)), [])
    return object_statistics(
        detections,
        track_boxes_read_as(tracks, choices.track_boxes),
        frames=own.frames,
        iou_threshold=choices.iou_threshold,
    )


def _steps(scores: list[np.ndarray], *, sequential: bool) -> tuple[list[np.ndarray], int]:
    """Step of each detection of each clip: one a score, or one a detection in reading order."""
    joined = np.concatenate(scores)
    if sequential:
        order = np.argsort(-joined, kind="stable")
        step = np.empty(joined.size, dtype=int)
        step[order] = np.arange(joined.size)
        n_steps = joined.size
    else:
        distinct, rank = np.unique(-joined, return_inverse=True)
        step, n_steps = rank, distinct.size
    return np.split(step, np.cumsum([own.size for own in scores])[:-1]), n_steps


def _frame_ranks(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], protocol: Protocol) -> FrameRanks:
    scores = [own.frame_scores for own in predictions.values()]
    if protocol.frame.clip_scaling == "min-max":
        scores = [scaled_to_unit(own) for own in scores]
    ranks = np.unique(np.concatenate(scores), return_inverse=True)[1]
    return FrameRanks(
        tuple(own.labels for own in truths.values()), tuple(np.split(ranks, np.cumsum([T] * len(scores))[:-1]))
    )
