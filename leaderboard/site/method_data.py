"""What scripts read of one method in one ranking: a small file, loaded where it is needed.

A page from ``file://`` may load scripts but read no files, so the data are a script that hands over one object. Arrays
are base64 of little-endian numbers: replicates float32, per-clip values float64, frames uint8.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaderboard.board import RankedRow, Ranking
from leaderboard.site.addresses import ranking_name
from leaderboard.site.curve_words import CURVES, curve_points
from leaderboard.site.strangers import slug
from vadbench.comparison import Unit, per_clip_values, scenes_of, why_not_resampled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leaderboard.site.timelines import Timeline
    from vadbench import Report

_CURVE_STEPS = 1000
_UNDEFINED = 255


def _handed_over(kind: str, content: Mapping[str, Any]) -> str:
    """A script that hands one object to the page."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return f"vadbenchTake({json.dumps(kind)},{_inert(text)});\n"


def _inert(text: str) -> str:
    """JSON in which nothing can be taken for a tag, wherever it is put."""
    return text.replace("<", "\\u003c")


def method_script(ranking: Ranking, ranked: RankedRow) -> str:
    """Values, replicates by clips and by scenes, per-clip values and curves of a row."""
    report = ranked.row.report
    clips = tuple(row.id for row in report.clips)
    by_scene = why_not_resampled(ranking.dataset, clips, Unit.SCENES) is None
    content = {
        "ranking": ranking_name(ranking),
        "method": slug(ranked.row.method),
        "values": {key: report.value(key) for key in ranking.titles},
        "replicates": _replicates({key: own.replicates for key, own in ranked.estimates.items()}),
        "sceneReplicates": _replicates({key: own.scene_replicates for key, own in ranked.estimates.items()}),
        "clips": clips,
        "scenes": scenes_of(ranking.dataset, clips) if by_scene else None,
        "clipValues": clip_values(report, ranking.titles),
        "curves": _curves(report),
    }
    return _handed_over("method", content)


def timeline_script(ranking: Ranking, ranked: RankedRow, clips: str) -> str:
    """The frames of all clips as `timeline_clips` has them, with the names that they are asked for by."""
    names = json.dumps({"ranking": ranking_name(ranking), "method": slug(ranked.row.method)}, separators=(",", ":"))
    return f'vadbenchTake("timelines",{{"clips":{_inert(clips)},{names[1:]});\n'


def timeline_clips(clips: list[Timeline]) -> str:
    """JSON of rank of the frame score, Pixel-F1 and label of each frame of each clip."""
    content = {
        timeline.clip: {
            "labels": None if timeline.labels is None else _bytes(timeline.labels.astype(np.uint8)),
            "ranks": None if timeline.ranks is None else _bytes(_coarse(timeline.ranks)),
            "f1": None if timeline.f1 is None else _bytes(_coarse(timeline.f1)),
        }
        for timeline in clips
    }
    return json.dumps(content, ensure_ascii=True, separators=(",", ":"))


def _coarse(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values from 0 to 1 in steps of 1/250; 255 where there is none."""
    known = np.isfinite(values)
    return np.where(known, np.rint(np.where(known, values, 0.0) * 250), _UNDEFINED).astype(np.uint8)


def _replicates(rows: Mapping[str, NDArray[np.float64] | None]) -> dict[str, str]:
    return {key: _bytes(own.astype("<f4")) for key, own in rows.items() if own is not None and own.size}


def clip_values(report: Report, metrics: Iterable[str]) -> dict[str, str]:
    """Each clip's own value of the metrics that any clip has, NaN for clips without."""
    rows = ((key, per_clip_values(report, key)) for key in metrics)
    return {key: _bytes(own.astype("<f8")) for key, own in rows if not np.isnan(own).all()}


def pairs_with_values(reports: Sequence[Report], metrics: Iterable[str]) -> dict[str, int]:
    """For each metric, how many pairs of reports with the metric have the same clips and, on any, a value of both."""
    by_clips: dict[tuple[str, ...], list[Report]] = {}
    for report in reports:
        by_clips.setdefault(tuple(row.id for row in report.clips), []).append(report)
    found = dict.fromkeys(metrics, 0)
    for key in found:
        for own in by_clips.values():
            values = [per_clip_values(report, key) for report in own if report.value(key) is not None]
            if values:
                there = (~np.isnan(np.array(values))).astype(np.float64)
                found[key] += int(np.count_nonzero(np.triu(there @ there.T > 0, 1)))
    return found


def _curves(report: Report) -> dict[str, dict[str, list[float]]]:
    """Points of the report's curves, no finer than a large picture can show."""
    found = {}
    for kind in CURVES:
        if kind in report.curves and report.curves[kind].x:
            x, y, _ = curve_points(report, kind, steps=_CURVE_STEPS)
            found[kind] = {"x": np.round(x, 5).tolist(), "y": np.round(y, 5).tolist()}
    return found


def _bytes(values: NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
