"""What a method does wrong, from a report and its statistics: tracks, false positives, pixels, clips.

Source: docs/explain.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from vadbench.comparison.metric_values import check_beside
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.evaluation.sources import Source
from vadbench.failures.clip_costs import ClipCosts, clip_costs
from vadbench.failures.false_positives import FalsePositives, false_positives
from vadbench.failures.parts import NotAvailable
from vadbench.failures.pixels import PixelFailures, pixel_failures
from vadbench.failures.tracks import TrackFailures, track_failures
from vadbench.protocol.titles import DECLARED, chosen_metrics

FORMAT = "vadbench.failures/1"


@dataclass(frozen=True)
class Failures:
    """What a method does wrong; a part that cannot be had says why.

    Parameters
    ----------
    signature, fingerprint, dataset : str
        Of the report.
    tracks : TrackFailures or NotAvailable
    false_positives : FalsePositives or NotAvailable
    pixels : PixelFailures or NotAvailable
    clips : ClipCosts or NotAvailable
    """

    signature: str
    fingerprint: str
    dataset: str
    tracks: TrackFailures | NotAvailable
    false_positives: FalsePositives | NotAvailable
    pixels: PixelFailures | NotAvailable
    clips: ClipCosts | NotAvailable

    def to_json(self) -> str:
        """Give everything as JSON text, the paragraphs included; a threshold of −∞ is ``"all"``."""
        content = {"format": FORMAT} | {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def failures(report: Report, statistics: ReportStatistics, *, metrics: str | Sequence[str] = "all") -> Failures:
    """Say what a method does wrong, each case with a frame to look at.

    Parameters
    ----------
    report : Report
    statistics : ReportStatistics
        Those beside the report.
    metrics : str or sequence of str
        ``all``, or keys of the metrics that are computed again without each clip; none in an empty sequence.

    Returns
    -------
    Failures

    Raises
    ------
    UsageError
        U265 where the statistics are not those of the report, U120 for an unknown metric.
    """
    check_beside(report, statistics)
    protocol = report.parsed_signature.protocol
    tracks = _because_of_report(report, track_failures(statistics, protocol), "rbdc")
    false = _because_of_report(report, false_positives(statistics, protocol), "rbdc")
    chosen = chosen_metrics(metrics)
    if "pixel_f1" in chosen:
        chosen = (*chosen, DECLARED)
    return Failures(
        signature=report.signature,
        fingerprint=statistics.fingerprint,
        dataset=report.dataset.id,
        tracks=tracks,
        false_positives=false,
        pixels=_because_of_report(
            report, pixel_failures(statistics, protocol, of_instances=_of_instances(report)), "pixel_f1"
        ),
        clips=clip_costs(report, statistics, chosen, tracks, false)
        if chosen
        else NotAvailable("no score was asked for"),
    )


def _of_instances(report: Report) -> bool:
    score = report.scores.get("pixel_f1")
    return score is not None and score.source == Source.INSTANCES


_Part = TypeVar("_Part", TrackFailures, FalsePositives, PixelFailures)


def _because_of_report(report: Report, part: _Part | NotAvailable, metric: str) -> _Part | NotAvailable:
    """The part, or the reason that the report itself gives for what is not there: it is the nearer one."""
    score = report.scores.get(metric)
    if isinstance(part, NotAvailable) and score is not None and score.value is None and score.reason:
        return NotAvailable(score.reason)
    return part


def _plain(value: Any) -> Any:
    """A part as JSON has it: properties such as shares and paragraphs stand beside the fields."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        shown = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        return {name: _plain(getattr(value, name)) for name in (*names, *shown)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "all" if value < 0 else None
    return value
