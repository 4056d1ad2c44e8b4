"""Reports and statistics of methods that never were: random, consistent, and made in milliseconds.

The values of a report are those of its statistics, so that nothing is lost by levels; the rows are those of each clip
alone. The same arguments give the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from vadbench.datasets.facts import load_facts
from vadbench.errors import UndefinedMetricError
from vadbench.evaluation.report import ClipRow, CurvePoints, DatasetIdentity, Report, Score
from vadbench.evaluation.report_statistics import (
    ClipSums,
    FalsePositive,
    FlaggedFrames,
    FrameRanks,
    ObjectCounts,
    PixelCounts,
    ReportStatistics,
    TrackSummary,
)
from vadbench.evaluation.statistics_values import detection_rates_by_level, pooled_points, statistics_values
from vadbench.metrics import pixel
from vadbench.metrics.frames import OneClassClips
from vadbench.metrics.objects import Ties, regions_needed
from vadbench.protocol.protocol import Aupro, Pooling, Protocol
from vadbench.protocol.signature import Signature
from vadbench.protocol.titles import DECLARED, METRICS, PIXEL_METRICS

LEVELS, OBJECT_LEVELS = 511, 300
_UNIT = 10_000
_SIZES = {"ucsd-ped1": (158, 238), "ucsd-ped2": (240, 360), "avenue": (360, 640), "shanghaitech": (480, 856)}


@dataclass(frozen=True)
class _Scene:
    """What all methods on a data set share: its truth."""

    ids: tuple[str, ...]
    frames: np.ndarray
    labels: tuple[np.ndarray, ...]
    anomalous_pixels: tuple[np.ndarray, ...]
    tracks: tuple[tuple[int, int, int], ...]
    """Clip, first and last frame."""
    size: tuple[int, int]


def _scene(dataset: str, n_clips: int) -> _Scene:
    """The truth; a function of its arguments alone."""
    rng = np.random.default_rng([7, n_clips, *dataset.encode()])
    known = load_facts(dataset).clips if dataset in _SIZES else {}
    if len(known) == n_clips:
        ids, frames = tuple(known), np.array(list(known.values()), dtype=np.int64)
    else:
        scenes = dataset == "shanghaitech"
        ids = tuple(f"{1 + k // 9:02d}_{14 + k:04d}" if scenes else f"{1 + k:03d}" for k in range(n_clips))
        frames = rng.integers(60, 200, n_clips)
    tracks, labels, pixels = [], [], []
    for clip, length in enumerate(frames.tolist()):
        label, own = np.zeros(length, dtype=bool), np.zeros(length, dtype=np.int64)
        for _ in range(int(rng.integers(1, 4))):
            begin = int(rng.integers(0, length // 2))
            end = min(length - 1, begin + int(rng.integers(10, length)))
            tracks.append((clip, begin, end))
            label[begin : end + 1] = True
            own[begin : end + 1] += rng.integers(200, 2_000)
        labels.append(label)
        pixels.append(own)
    return _Scene(ids, frames, tuple(labels), tuple(pixels), tuple(tracks), _SIZES.get(dataset, (240, 360)))


def made_statistics(
    seed: int,
    *,
    dataset: str = "ucsd-ped2",
    n_clips: int = 12,
    quality: float = 0.5,
    protocol: str = "standard",
    name: str | None = None,
) -> tuple[Report, ReportStatistics]:
    """Report and statistics of a method.

    Parameters
    ----------
    seed : int
        Which method; all of one data set and number of clips share the truth.
    dataset : str
        An id; its own clips and frames where `n_clips` is their number (12, 36, 21 and 107 for UCSD Ped2, Ped1, Avenue
        and ShanghaiTech), else made ones.
    n_clips : int
    quality : float
        0 for chance, 1 for very good.
    protocol : str
    name : str, optional
        Of the method.
    """
    rng = np.random.default_rng([seed, n_clips, *dataset.encode()])
    chosen, scene = Protocol.parse(protocol), _scene(dataset, n_clips)
    facts = load_facts(dataset)
    data = DatasetIdentity(
        id=dataset,
        fingerprint=facts.fingerprint or hashlib.sha256(dataset.encode()).hexdigest(),
        clips=n_clips,
        frames=int(scene.frames.sum()),
        tracks="mask-overlap",
    )
    signature = str(Signature(dataset, data.fingerprint[:8], data.tracks, chosen, "0.1.0"))
    fingerprint = hashlib.sha256(f"{seed} {dataset} {n_clips} {quality}".encode()).hexdigest()
    statistics = ReportStatistics(
        signature=signature,
        fingerprint=fingerprint,
        clip_ids=scene.ids,
        frames=scene.frames,
        frame_ranks=_frame_ranks(rng, scene, quality),
        **_pixel_parts(rng, scene, quality, chosen),
        **_object_parts(rng, scene, quality, chosen),
        effect={},
    )
    submission = {
        "fingerprint": fingerprint,
        "method": {
            "name": name or f"Method {seed}",
            "version": "1.0",
            "authors": ["A. Author", "B. Author"],
            "year": 2020 + seed % 7,
            "description": "Made for a test.",
        },
        "training": {
            "supervision": ("one-class", "zero-shot", "weakly-supervised", "fine-tuned", "supervised")[seed % 5],
            "data": [f"{dataset}:train"],
            "pretrained": [],
            "threshold_chosen_on": "training",
        },
        "score_maps": {"threshold": 0.5},
        "predictions": ["score_maps", "detections"],
    }
    report = _report(signature, data, submission, statistics, chosen)
    effect = dict.fromkeys((key for key, score in report.scores.items() if score.value is not None), 0.0)
    return report, replace(statistics, effect=effect)


def _spread(total: int, weights: np.ndarray) -> np.ndarray:
    """A whole number laid out in proportion, by rounding running sums down."""
    running = np.floor(np.cumsum(weights) / weights.sum() * total).astype(np.int64)
    running[-1] = total
    return np.diff(running, prepend=0)


def _part_of(counts: np.ndarray, total: int) -> np.ndarray:
    """Of each count a share, whole numbers that add up to `total`."""
    whole = int(counts.sum())
    if not whole:
        return np.zeros_like(counts)
    return np.diff(np.cumsum(counts) * total // whole, prepend=0)


def _pixel_parts(rng: np.random.Generator, scene: _Scene, quality: float, protocol: Protocol) -> dict[str, object]:
    if protocol.pixel.pooling is Pooling.FRAME_MEAN:
        return _frame_mean_parts(rng, scene, quality)
    n = len(scene.ids)
    at = (np.arange(LEVELS + 1) + 0.5) / (LEVELS + 1)
    regions = protocol.pixel.aupro is Aupro.REGION_OVERLAP
    positives, negatives, coverage = (np.zeros((n, LEVELS + 1), dtype=np.int64) for _ in range(3))
    components = np.zeros(n, dtype=np.int64)
    for clip in range(n):
        n_positive = int(scene.anomalous_pixels[clip].sum())
        n_negative = int(scene.frames[clip]) * scene.size[0] * scene.size[1] - n_positive
        skill = max(0.0, 4 * quality + rng.normal(0, 0.4))
        high = (1 - at) ** skill * rng.gamma(3, 1, at.size)
        positives[clip] = _spread(n_positive, high)
        negatives[clip] = _spread(n_negative, at ** (3 * skill) * rng.gamma(3, 1, at.size))
        if regions:
            components[clip] = min(n_positive, int(scene.labels[clip].sum()))
            shares = np.cumsum(positives[clip]) * (_UNIT * int(components[clip])) // max(1, n_positive)
            coverage[clip] = np.diff(shares, prepend=0)
    levels = np.linspace(1, 0, LEVELS + 2)[1:-1]
    pixels = PixelCounts(levels, positives, negatives, coverage / _UNIT, components)
    declared_at, f1_at = int(rng.integers(LEVELS // 8, LEVELS // 2)), _best_level(pixels)
    fixed = protocol.pixel.f1.threshold is not None
    flagged_at = LEVELS // 3 if fixed else f1_at
    triples = {
        place: np.stack(
            [positives[:, :place].sum(axis=1), negatives[:, :place].sum(axis=1), positives.sum(axis=1)], axis=1
        )
        for place in (declared_at, flagged_at)
    }
    hits, false = triples[flagged_at][:, 0], triples[flagged_at][:, 1]
    flagged = FlaggedFrames(
        threshold=protocol.pixel.f1.threshold if fixed else float(levels[flagged_at - 1]),
        inclusive=not fixed,
        n_positive=scene.anomalous_pixels,
        true_positives=tuple(_part_of(own, int(hits[k])) for k, own in enumerate(scene.anomalous_pixels)),
        false_positives=tuple(
            _spread(int(false[k]), rng.gamma(1, 1, int(length))) for k, length in enumerate(scene.frames)
        ),
    )
    return {
        "pixels": pixels,
        "declared": triples[declared_at],
        "fixed": triples[flagged_at] if fixed else None,
        "flagged": None if protocol.pixel.pooling is Pooling.CLIP_MEAN else flagged,
    }


def _best_level(pixels: PixelCounts) -> int:
    """Number of levels down to which F1 is best; at least one."""
    hits, false = np.cumsum(pixels.positives.sum(axis=0)[:-1]), np.cumsum(pixels.negatives.sum(axis=0)[:-1])
    return int(np.argmax(2 * hits / (hits + false + pixels.positives.sum()))) + 1


def _frame_mean_parts(rng: np.random.Generator, scene: _Scene, quality: float) -> dict[str, object]:
    counts = np.array([own.sum() for own in scene.labels], dtype=np.int64)
    sums = {
        key: counts * np.clip(rng.normal(0.2 + 0.7 * quality, 0.1, counts.size), 0.01, 0.99)
        for key in (*PIXEL_METRICS, DECLARED)
    }
    hits = tuple((own * rng.uniform(0.2, 1, own.size)).astype(np.int64) for own in scene.anomalous_pixels)
    false = tuple(rng.integers(0, 3_000, int(length)) for length in scene.frames)
    return {
        "frame_means": ClipSums(sums=sums, counts={key: counts.copy() for key in sums}),
        "flagged": FlaggedFrames(0.5, False, scene.anomalous_pixels, hits, false),
    }


def _object_parts(rng: np.random.Generator, scene: _Scene, quality: float, protocol: Protocol) -> dict[str, object]:
    n, bins = len(scene.ids), OBJECT_LEVELS + 1
    regions, tracks, false = (np.zeros((n, bins), dtype=np.int64) for _ in range(3))
    for clip, length in enumerate(scene.frames.tolist()):
        rates = np.linspace(0.1, 4, OBJECT_LEVELS) * length / OBJECT_LEVELS
        false[clip, :-1] = rng.poisson(rates * rng.uniform(0.3, 1.5))
    total_frames = int(scene.frames.sum())
    fpr = np.cumsum(false.sum(axis=0)[:-1]) / total_frames
    inside = int(np.searchsorted(fpr, protocol.object.fpr_limit, side="right"))
    sequential = protocol.object.ties is Ties.SEQUENTIAL
    levels = -np.cumsum(np.full(OBJECT_LEVELS, 20.0)) if sequential else np.linspace(1, 0, OBJECT_LEVELS + 1)[:-1]
    summaries = []
    for number, (clip, first, last) in enumerate(scene.tracks):
        size = last - first + 1
        found = rng.random(size) < rng.uniform(0.2, 0.6 + 0.4 * quality)
        own = np.minimum((OBJECT_LEVELS * rng.random(size) ** (1 + 3 * quality)).astype(np.int64), OBJECT_LEVELS - 1)
        own = np.sort(np.where(found, own, OBJECT_LEVELS))
        needed = int(regions_needed(np.array([size]), protocol.object.track_fraction)[0])
        regions[clip] += np.bincount(own, minlength=bins)
        tracks[clip, own[needed - 1]] += 1
        reached = None if own[needed - 1] == OBJECT_LEVELS else round(float(fpr[own[needed - 1]]), 6)
        summaries.append(
            TrackSummary(
                clip=scene.ids[clip],
                track=str(number),
                first_frame=first,
                last_frame=last,
                regions=size,
                height=round(float(rng.uniform(15, 60)), 2),
                width=round(float(rng.uniform(10, 40)), 2),
                speed=round(float(rng.gamma(2, 1)), 3),
                found_regions=int((own < inside).sum()),
                found_at=reached,
            )
        )
    return {
        "objects": ObjectCounts(levels, regions, tracks, false, scene.frames.copy()),
        "tracks": tuple(summaries),
        "false_positives": _false_positives(rng, scene, false, fpr, np.linspace(1, 0, OBJECT_LEVELS + 1)),
    }


def _false_positives(
    rng: np.random.Generator, scene: _Scene, false: np.ndarray, fpr: np.ndarray, scores: np.ndarray
) -> tuple[FalsePositive, ...]:
    height, width = scene.size
    found = []
    for clip, own in enumerate(false):
        for level in np.repeat(np.arange(OBJECT_LEVELS), own[:-1])[:5].tolist():
            x, y = float(rng.integers(0, width - 40)), float(rng.integers(0, height - 60))
            box = (x, y, x + float(rng.integers(8, 40)), y + float(rng.integers(12, 60)))
            frame = int(rng.integers(0, scene.frames[clip]))
            score, rank = float(scores[level]), round(float(fpr[level]), 6)
            found.append(FalsePositive(scene.ids[clip], frame, box, score, rank))
    return tuple(found)


def _frame_ranks(rng: np.random.Generator, scene: _Scene, quality: float) -> FrameRanks:
    scores = [rng.normal(3 * quality * labels, 1).round(3) for labels in scene.labels]
    ranks = np.unique(np.concatenate(scores), return_inverse=True)[1].astype(np.int64)
    return FrameRanks(scene.labels, tuple(np.split(ranks, np.cumsum(scene.frames)[:-1])))


def _report(
    signature: str, data: DatasetIdentity, submission: dict[str, object], statistics: ReportStatistics, chosen: Protocol
) -> Report:
    keys = [*METRICS[:4], DECLARED, *METRICS[4:]]
    draft = Report(
        signature=signature,
        dataset=data,
        submission=submission,
        scores={key: Score(value=0.0) for key in keys if key != "frame_auroc_macro"},
        clips=[],
        curves={},
    )
    rows = []
    for clip, clip_id in enumerate(statistics.clip_ids):
        alone = _only(statistics, clip)
        values = statistics_values(draft, alone)
        values["frame_auroc_macro"] = _macro_of(alone, chosen)
        rows.append(
            ClipRow(id=clip_id, frames=int(statistics.frames[clip]), scores=_scores(values, alone, chosen, keys))
        )
    scored = draft.model_copy(update={"scores": {key: Score(value=0.0) for key in keys}, "clips": rows})
    values = dict(statistics_values(scored, statistics))
    scores = _scores(values, statistics, chosen, keys)
    skipped = sum(row.scores["frame_auroc_macro"].value is None for row in rows)
    if scores["frame_auroc_macro"].value is not None and skipped:
        update = {"clips": len(rows) - skipped, "skipped_clips": skipped}
        scores["frame_auroc_macro"] = scores["frame_auroc_macro"].model_copy(update=update)
    return scored.model_copy(update={"scores": scores, "curves": _curves(statistics, chosen)})


def _macro_of(alone: ReportStatistics, chosen: Protocol) -> float | None:
    from vadbench.metrics.frames import macro
    from vadbench.statistics.frames import FrameStatistics

    labels, ranks = alone.frame_ranks.labels[0], alone.frame_ranks.ranks[0]
    if chosen.frame.one_class_clips is not OneClassClips.PAD and (labels.all() or not labels.any()):
        return None
    # Ranks from 1 on: the added normal frame of score 0 is then below all.
    return macro([FrameStatistics(labels, ranks + 1)], chosen.frame.one_class_clips).value


def _scores(
    values: dict[str, float | None], statistics: ReportStatistics, chosen: Protocol, keys: list[str]
) -> dict[str, Score]:
    n_clips = len(statistics.clip_ids)
    sources = {key: "detections" if key in {"rbdc", "tbdc"} else "score-maps" for key in keys}
    scores = {}
    for key in keys:
        value = values.get(key)
        if value is None:
            scores[key] = Score(value=None, reason=_reason(key, statistics))
            continue
        more: dict[str, object] = {}
        if key == "pixel_f1" and statistics.pixels is not None and chosen.pixel.f1.threshold is None:
            best = pixel.f1_best(pooled_points(statistics.pixels))
            threshold = "all" if np.isinf(best.threshold) else best.threshold
            more = {"threshold": threshold, "precision": best.precision, "recall": best.recall}
        scores[key] = Score(value=value, source=sources[key], clips=n_clips, **more)
    return scores


def _reason(key: str, statistics: ReportStatistics) -> str:
    """Why there is no Frame-AUROC."""
    if key == "frame_auroc_macro" or len(statistics.clip_ids) > 1:
        return "no clip has both normal and anomalous frames"
    return f"there is no {'normal' if statistics.frame_ranks.labels[0].any() else 'anomalous'} frame"


def _only(statistics: ReportStatistics, clip: int) -> ReportStatistics:
    """The statistics of one clip."""
    at = slice(clip, clip + 1)
    pixels, objects, means, ranks = (
        statistics.pixels,
        statistics.objects,
        statistics.frame_means,
        statistics.frame_ranks,
    )
    return replace(
        statistics,
        clip_ids=statistics.clip_ids[at],
        frames=statistics.frames[at],
        pixels=pixels
        and PixelCounts(
            pixels.levels, pixels.positives[at], pixels.negatives[at], pixels.coverage[at], pixels.components[at]
        ),
        frame_means=means
        and ClipSums(
            sums={key: own[at] for key, own in means.sums.items()},
            counts={key: own[at] for key, own in means.counts.items()},
        ),
        declared=None if statistics.declared is None else statistics.declared[at],
        fixed=None if statistics.fixed is None else statistics.fixed[at],
        objects=objects
        and ObjectCounts(
            objects.levels, objects.regions[at], objects.tracks[at], objects.false_positives[at], objects.frames[at]
        ),
        frame_ranks=ranks and FrameRanks(ranks.labels[at], ranks.ranks[at]),
    )


def _curves(statistics: ReportStatistics, chosen: Protocol) -> dict[str, CurvePoints]:
    made = {}
    if statistics.pixels is not None and chosen.pixel.pooling is Pooling.DATASET:
        points = pooled_points(statistics.pixels)
        made = {"roc": pixel.roc_curve(points), "pr": pixel.pr_curve(points)}
        if chosen.pixel.aupro is Aupro.REGION_OVERLAP:
            made["pro"] = pixel.pro_curve(points)
    if statistics.objects is not None:
        try:
            rates = detection_rates_by_level(statistics.objects)
        except UndefinedMetricError:
            pass
        else:
            made["rbdc"] = rates.regions(chosen.object.fpr_limit).curve()
            made["tbdc"] = rates.tracks(chosen.object.fpr_limit).curve()
    thinned = {name: curve.thinned() for name, curve in made.items()}
    return {name: CurvePoints(x=curve.x.tolist(), y=curve.y.tolist()) for name, curve in thinned.items()}
