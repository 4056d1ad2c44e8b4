"""Statistics beside a report written compactly as JSON ``vadbench.statistics/1``; same statistics, same bytes.

Lists of counts are written as whole numbers, with every run of n zeros as the one number −n: few clips have pixels on
every level, and few frames are flagged.

Source: docs/report-statistics.md, "Format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from vadbench.evaluation.statistics_file import COVERAGE_UNIT, FORMAT, MOST_EXACT


def statistics_text(statistics: ReportStatistics) -> str:
    """Give the statistics as JSON text, a line for the list of each clip; the same bytes for the same statistics."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "signature": statistics.signature,
        "fingerprint": statistics.fingerprint,
        "clips": [
            {"id": clip_id, "frames": int(frames)}
            for clip_id, frames in zip(statistics.clip_ids, statistics.frames.tolist(), strict=True)
        ],
        "effect": None if statistics.effect is None else dict(statistics.effect),
        "pixels": None if statistics.pixels is None else _pixel_content(statistics.pixels),
        "frame_means": None if statistics.frame_means is None else _mean_content(statistics.frame_means),
        "declared": None if statistics.declared is None else _threshold_content(statistics.declared),
        "fixed": None if statistics.fixed is None else _threshold_content(statistics.fixed),
        "objects": None if statistics.objects is None else _object_content(statistics.objects),
        "frame_ranks": None if statistics.frame_ranks is None else _rank_content(statistics.frame_ranks),
        "flagged": None if statistics.flagged is None else _flagged_content(statistics.flagged),
        "tracks": [_members(track) for track in statistics.tracks],
        "false_positives": [{**_members(own), "box": list(own.box)} for own in statistics.false_positives],
    }
    return _text({key: value for key, value in content.items() if value is not None and value != []}) + "\n"


def _pixel_content(own: PixelCounts) -> dict[str, Any]:
    return {
        "levels": _plain(own.levels),
        "components": own.components.tolist(),
        "positives": _runs_of_rows(own.positives),
        "negatives": _runs_of_rows(own.negatives),
        "coverage": _runs_of_rows(np.rint(own.coverage * COVERAGE_UNIT).astype(np.int64)),
    }


def _mean_content(own: ClipSums) -> dict[str, Any]:
    return {
        key: {"sums": [float(value) for value in own.sums[key].tolist()], "counts": own.counts[key].tolist()}
        for key in own.sums
    }


def _threshold_content(own: NDArray[np.int64]) -> dict[str, Any]:
    return dict(zip(("true_positives", "false_positives", "positives"), own.T.tolist(), strict=True))


def _object_content(own: ObjectCounts) -> dict[str, Any]:
    return {
        "levels": _plain(own.levels),
        "frames": own.frames.tolist(),
        "regions": _runs_of_rows(own.regions),
        "tracks": _runs_of_rows(own.tracks),
        "false_positives": _runs_of_rows(own.false_positives),
    }


def _rank_content(own: FrameRanks) -> dict[str, Any]:
    return {"labels": [_label_runs(labels) for labels in own.labels], "ranks": _runs_of_rows(own.ranks)}


def _flagged_content(own: FlaggedFrames) -> dict[str, Any]:
    return {
        "threshold": "all" if math.isinf(own.threshold) else float(own.threshold),
        "inclusive": own.inclusive,
        "positives": _runs_of_rows(own.n_positive),
        "true_positives": _runs_of_rows(own.true_positives),
        "false_positives": _runs_of_rows(own.false_positives),
    }


def _members(own: TrackSummary | FalsePositive) -> dict[str, Any]:
    return {name: getattr(own, name) for name in own.__dataclass_fields__}


def _plain(levels: NDArray[np.float64]) -> list[float | int]:
    """Numbers, those without a fraction as whole ones: shorter, and the same float64 when read."""
    return [
        int(level) if level.is_integer() and abs(level) <= MOST_EXACT else level
        for level in levels.astype(np.float64).tolist()
    ]


def zero_runs(counts: NDArray[np.int64]) -> list[int]:
    """Counts (n,), each run of k zeros as −k.

    >>> zero_runs(np.array([3, 0, 0, 0, 1]))
    [3, -3, 1]
    """
    zero = counts == 0
    edges = np.diff(np.concatenate([[False], zero, [False]]).astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    shortened = counts.astype(np.int64)
    shortened[begins] = begins - ends
    kept = ~zero
    kept[begins] = True
    result: list[int] = shortened[kept].tolist()
    return result


def _runs_of_rows(rows: Iterable[NDArray[np.int64]]) -> list[list[int]]:
    return [zero_runs(row) for row in rows]


def _label_runs(labels: NDArray[np.bool_]) -> list[int]:
    """Lengths of runs of equal labels, that of False first, which may be 0."""
    if not labels.size:
        return []
    changes = np.flatnonzero(np.diff(labels)) + 1
    lengths: list[int] = np.diff(np.concatenate([[0], changes, [labels.size]])).tolist()
    return [0, *lengths] if labels[0] else lengths


def _text(value: Any, depth: int = 0) -> str:
    """JSON with a line for each member of an object and for each list of numbers."""
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(own, (dict, list)) and own for own in inner) or (depth > 1 and isinstance(value, dict)):
        return compact
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}:{_text(own, depth + 1)}" for key, own in value.items()]
        return "{\n" + ",\n".join(parts) + "\n}"
    return "[\n" + ",\n".join(_text(own, depth + 1) for own in value) + "\n]"
