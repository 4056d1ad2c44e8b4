"""Statistics that a stranger sends beside a report: whether they can be read, and are of that report.

Each check is a theorem about the statistics that `vadbench.evaluation` makes, apart from the size of their effect.

Source: docs/board-entries.md, "statistics.json"; docs/report-statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.facts import load_facts
from vadbench.datasets.registry import known_datasets
from vadbench.entries.report_consistency import quoted_line
from vadbench.entries.report_findings import TOLERANCE
from vadbench.entries.sent_report import in_words
from vadbench.errors import SubmissionError
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import PixelCounts, ReportStatistics
from vadbench.evaluation.statistics_file import FORMAT
from vadbench.evaluation.statistics_reader import read_statistics_text
from vadbench.evaluation.statistics_values import statistics_values
from vadbench.metrics.frames import auroc_of_frames
from vadbench.protocol.protocol import Pooling
from vadbench.protocol.titles import DECLARED
from vadbench.submission.problems import problem

LARGEST_EFFECT = 0.002
"""Largest difference of a value from the statistics and the report's; 512 levels cost 0.001 at most."""

_STATED_DIGITS = 1e-8
"""The effect is stated to nine digits."""

_HINT = "score the submission again with --statistics, and send report and statistics as they are written"


def read_sent_statistics(data: bytes, where: tuple[str, ...]) -> ReportStatistics:
    """Read the bytes of statistics, which the caller has bounded; raises `SubmissionError` S198."""
    try:
        return read_statistics_text(data)
    except ValueError as error:
        raise problem(
            "S198", where=where, expected=f"JSON of the format {FORMAT}", got=str(error), hint=_HINT
        ) from error


def statistics_problems(
    statistics: ReportStatistics, report: Report, where: tuple[str, ...]
) -> Iterator[SubmissionError]:
    """In what statistics and the report beside them differ (S199); at most one line a metric and clip.

    Parameters
    ----------
    statistics : ReportStatistics
        That agree with themselves.
    report : Report
        Whose signature can be read.
    where : tuple of str
        What messages name.
    """
    identity = list(_identity(statistics, report, where))
    yield from identity
    if identity:
        # Of another report everything differs.
        return
    yield from _values(statistics, report, where)
    yield from _threshold(statistics, report, where)
    yield from _rows(statistics, report, where)
    yield from _places(statistics, report, where)


def _differs(where: tuple[str, ...], expected: str, got: str) -> SubmissionError:
    return problem("S199", where=where, expected=expected, got=got, hint=_HINT)


def _identity(statistics: ReportStatistics, report: Report, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    fingerprint = str(report.submission.get("fingerprint"))
    for name, wanted, given in (
        ("signature", report.signature, statistics.signature),
        ("fingerprint", fingerprint, statistics.fingerprint),
    ):
        if wanted != given:
            yield _differs((*where, name), f"{quoted_line(wanted)}, as in the report", quoted_line(given))
    wanted_clips = [(row.id, row.frames) for row in report.clips]
    given_clips = list(zip(statistics.clip_ids, statistics.frames.tolist(), strict=True))
    if wanted_clips != given_clips:
        pairs = zip_longest(wanted_clips, given_clips)
        wanted_clip, given_clip = next((one, other) for one, other in pairs if one != other)
        yield _differs((*where, "clips"), f"{_clip_words(wanted_clip)}, as in the report", _clip_words(given_clip))


def _clip_words(clip: tuple[str, int] | None) -> str:
    return "no more clips" if clip is None else f"clip {in_words(clip[0])} of {clip[1]} frames"


def _values(statistics: ReportStatistics, report: Report, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Every value from the statistics is the report's and the stated effect, which is small."""
    effect = statistics.effect or {}
    values = statistics_values(report, statistics)
    given = {key: score.value for key, score in report.scores.items() if score.value is not None}
    for key in sorted(effect.keys() - given.keys()):
        yield _differs((*where, f"effect.{key}"), "none: the report has no value", str(effect[key]))
    for key, value in given.items():
        place = (*where, f"effect.{key}")
        if key not in values:
            yield _differs((*where, key), f"what {key} of the report is made of", "nothing")
        elif key not in effect:
            yield _differs(place, "value from the statistics less the report's", "none")
        elif abs(values[key] - value - effect[key]) > _STATED_DIGITS:
            yield _differs(place, f"{values[key] - value:.9f}, from these counts and the report", str(effect[key]))
        elif abs(effect[key]) > LARGEST_EFFECT:
            yield _differs(place, f"at most {LARGEST_EFFECT} either way", str(effect[key]))


def _threshold(statistics: ReportStatistics, report: Report, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    flagged, score = statistics.flagged, report.scores.get("pixel_f1")
    protocol = report.parsed_signature.protocol.pixel
    wanted: tuple[float, bool] | None = None
    if score is not None and score.value is not None:
        if protocol.f1.threshold is not None:
            wanted = protocol.f1.threshold, False
        elif score.threshold is not None:
            wanted = -math.inf if score.threshold == "all" else float(score.threshold), True
    given = None if flagged is None else (flagged.threshold, flagged.inclusive)
    if wanted != given:
        yield _differs((*where, "flagged"), _threshold_words(wanted), _threshold_words(given))


def _threshold_words(flagged: tuple[float, bool] | None) -> str:
    return "none" if flagged is None else f"score {'≥' if flagged[1] else '>'} {flagged[0]}"


def _rows(statistics: ReportStatistics, report: Report, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """What the counts of a clip say of its own row without any loss."""
    pooled = report.parsed_signature.protocol.pixel.pooling is Pooling.DATASET
    exact: dict[str, Callable[[int], tuple[float, float] | None]] = {
        "frame_auroc_micro": lambda clip: _frame_auroc(statistics, clip),
        "pixel_auroc": lambda clip: None if statistics.pixels is None else _auroc_bounds(statistics.pixels, clip),
        DECLARED: lambda clip: _f1(statistics.declared, clip),
        "pixel_f1": lambda clip: _f1(statistics.fixed, clip),
    }
    if statistics.frame_means is not None:
        for key in statistics.frame_means.sums:
            exact[key] = lambda clip, key=key: _mean(statistics, key, clip)  # type: ignore[misc]
    elif not pooled:
        # Means over clips are taken from these very rows.
        exact = {"frame_auroc_micro": exact["frame_auroc_micro"]}
    for clip, row in enumerate(report.clips):
        for key, bounds_of in exact.items():
            score = row.scores.get(key)
            bounds = None if score is None or score.value is None else bounds_of(clip)
            if bounds is None or score is None or score.value is None:
                continue
            if not bounds[0] - TOLERANCE <= score.value <= bounds[1] + TOLERANCE:
                low, high = (f"{bound:.9f}" for bound in bounds)
                expected = low if low == high else f"{low} to {high}"
                yield _differs(
                    (*where, f"clip {in_words(row.id)}", key), f"{expected}, from these counts", str(score.value)
                )


def _places(statistics: ReportStatistics, report: Report, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Boxes lie in the frame, where its size is known; a line for the first that does not."""
    facts = load_facts(report.dataset.id) if report.dataset.id in known_datasets() else None
    if facts is None or facts.height is None or facts.width is None:
        return
    frame = f"the frame of {facts.width} × {facts.height} pixels"
    for own in statistics.false_positives:
        x1, y1, x2, y2 = own.box
        if not (x1 >= 0 and y1 >= 0 and x2 <= facts.width and y2 <= facts.height):
            box = ", ".join(f"{corner:.4g}" for corner in own.box)
            place = (*where, "false_positives", f"clip {in_words(own.clip)}")
            yield _differs(place, f"a box within {frame}", f"[{box}]")
            break
    # Tracks of a file are not cut at the frame's edge.
    room = 1 if report.dataset.tracks == "mask-overlap" else 2
    for track in statistics.tracks:
        fits = track.height <= room * facts.height and track.width <= room * facts.width
        if not (fits and track.speed <= room * math.hypot(facts.width, facts.height)):
            place = (*where, "tracks", f"clip {in_words(track.clip)}, track {in_words(track.track)}")
            most = f"sizes and steps within {'' if room == 1 else 'twice '}{frame}"
            yield _differs(place, most, f"{track.width:.4g} × {track.height:.4g}, {track.speed:.4g} a frame")
            break


def _frame_auroc(statistics: ReportStatistics, clip: int) -> tuple[float, float] | None:
    if statistics.frame_ranks is None:
        return None
    labels = statistics.frame_ranks.labels[clip]
    if labels.all() or not labels.any():
        return None
    value = auroc_of_frames(labels, statistics.frame_ranks.ranks[clip])
    return value, value


def _auroc_bounds(pixels: PixelCounts, clip: int) -> tuple[float, float] | None:
    """Pairs of one bin are lost at worst, and won at best."""
    positives, negatives = pixels.positives[clip].astype(np.float64), pixels.negatives[clip].astype(np.float64)
    pairs = positives.sum() * negatives.sum()
    if not pairs:
        return None
    below = negatives.sum() - np.cumsum(negatives)
    won, tied = float(positives @ below), float(positives @ negatives)
    return won / pairs, (won + tied) / pairs


def _f1(counts: NDArray[np.int64] | None, clip: int) -> tuple[float, float] | None:
    if counts is None or not counts[clip, 2]:
        return None
    hits, false, anomalous = counts[clip].tolist()
    value = 2 * hits / (hits + false + anomalous)
    return value, value


def _mean(statistics: ReportStatistics, key: str, clip: int) -> tuple[float, float] | None:
    means = statistics.frame_means
    if means is None or not means.counts[key][clip]:
        return None
    value = float(means.sums[key][clip]) / int(means.counts[key][clip])
    return value, value
