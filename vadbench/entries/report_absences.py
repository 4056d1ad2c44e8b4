"""Metrics without a value in a report: whether there can be none, in the report and in the rows of its clips.

Source: protocols.md, "Which prediction feeds which metric"; docs/board-entries.md, "report.json".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vadbench.datasets.facts import load_facts
from vadbench.datasets.registry import known_datasets
from vadbench.entries.report_findings import contradiction
from vadbench.entries.sent_report import in_words
from vadbench.errors import SubmissionError, quoted, shortened
from vadbench.evaluation.report import DatasetIdentity, Report, Score
from vadbench.metrics.frames import OneClassClips
from vadbench.metrics.objects import NO_REGION
from vadbench.metrics.pixel import NO_ANOMALOUS_PIXEL, NO_NORMAL_PIXEL
from vadbench.protocol.protocol import Aupro, Pooling, Protocol
from vadbench.protocol.titles import DECLARED, FRAME_METRICS, OBJECT_METRICS, PIXEL_METRICS

_PIXEL_KEYS = (*PIXEL_METRICS, DECLARED)

_NO_TRUTH: Mapping[str, str] = {
    **dict.fromkeys(_PIXEL_KEYS, "the clip has no pixel masks"),
    **dict.fromkeys(OBJECT_METRICS, "the clip has neither track files nor pixel masks"),
    **dict.fromkeys(FRAME_METRICS, "the clip has no frame labels"),
}
"""The reason of a clip that does not enter a metric at all."""

_UNDEFINED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        _PIXEL_KEYS,
        (
            NO_ANOMALOUS_PIXEL,
            NO_NORMAL_PIXEL,
            "the metric is not defined in any clip",
            "the metric is not defined in any frame",
        ),
    ),
    **dict.fromkeys(OBJECT_METRICS, (NO_REGION,)),
    "frame_auroc_micro": ("there is no anomalous frame", "there is no normal frame"),
    "frame_auroc_macro": ("no clip has both normal and anomalous frames",),
}
"""Reasons of truth for which a metric is not defined."""


def absences(report: Report, protocol: Protocol, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """What is wrong with the places at which a report has no value (S184).

    Parameters
    ----------
    report : Report
    protocol : Protocol
        Of the report.
    where : tuple of str
        What messages name.
    """
    yield from _keys_of_rows(report, where)
    yield from _alike(report.scores, protocol, (*where, "scores"))
    for row in report.clips:
        yield from _alike(row.scores, protocol, (*where, f"clip {in_words(row.id)}"))
    for key, score in report.scores.items():
        if key not in _NO_TRUTH:
            continue
        rows = [row.scores[key] for row in report.clips if key in row.scores]
        defined = sum(row.value is not None for row in rows)
        place = (*where, f"scores.{in_words(key)}")
        if score.value is None:
            # What is defined for one clip is defined for all of them together.
            if defined:
                yield contradiction((*place, "value"), f"a value, as {defined} clips have one", "none")
            continue
        if not defined and _needs_a_row(key, protocol):
            yield contradiction((*place, "value"), "no value, as no clip has one", str(score.value))
        entered = defined if _is_mean(key, protocol) else sum(row.reason != _NO_TRUTH[key] for row in rows)
        if score.clips != entered:
            yield contradiction((*place, "clips"), f"{entered}, as the rows of the clips have it", str(score.clips))
        if key == "frame_auroc_macro" and protocol.frame.one_class_clips is OneClassClips.SKIP:
            skipped = sum(row.value is None and row.reason != _NO_TRUTH[key] for row in rows)
            if (score.skipped_clips or 0) != skipped:
                got = str(score.skipped_clips or 0)
                yield contradiction((*place, "skipped_clips"), f"{skipped}, as the rows of the clips have it", got)


def _keys_of_rows(report: Report, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Every row has the metrics of the report; that of the declared threshold only where the clip has masks."""
    wanted = report.scores.keys()
    for row in report.clips:
        place = (*where, f"clip {in_words(row.id)}")
        more = sorted(row.scores.keys() - wanted)
        missing = sorted(wanted - row.scores.keys())
        own = row.scores.get("pixel_f1")
        if own is not None and own.reason == _NO_TRUTH[DECLARED]:
            missing = [key for key in missing if key != DECLARED]
        if more or missing:
            expected = "the metrics of the whole report"
            got = " and ".join(
                f"{words} {shortened([quoted(key) for key in keys], between=', ')}"
                for words, keys in (("also", more), ("not", missing))
                if keys
            )
            yield contradiction(place, expected, got)


def _alike(scores: Mapping[str, Score], protocol: Protocol, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Metrics that are defined for the same truth: both have a value, or neither."""
    area = "pixel_auroc" if protocol.pixel.aupro is Aupro.REGION_OVERLAP else "pixel_ap"
    for one, other in (("pixel_ap", "pixel_f1"), (area, "pixel_aupro"), ("rbdc", "tbdc")):
        if one in scores and other in scores and (scores[one].value is None) != (scores[other].value is None):
            expected = f"a value of both {one} and {other}, or of neither"
            yield contradiction(where, expected, "a value of one")


def _needs_a_row(key: str, protocol: Protocol) -> bool:
    """Whether a value for all clips implies one for a clip: not where one clip has what another one lacks."""
    if _is_mean(key, protocol) or key in {"pixel_ap", "pixel_f1", DECLARED, *OBJECT_METRICS}:
        return True
    return key == "pixel_aupro" and protocol.pixel.aupro is Aupro.PR_TRAPEZOID


def _is_mean(key: str, protocol: Protocol) -> bool:
    """Whether the clips that enter are those in which the metric is defined."""
    if key in _PIXEL_KEYS:
        return protocol.pixel.pooling is not Pooling.DATASET
    return key == "frame_auroc_macro"


def unfounded_absences(report: Report, key: str, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """A metric that the predictions allow and that has no value, without a reason that lies in the truth (S184).

    Parameters
    ----------
    report : Report
    key : str
        A metric of the report.
    where : tuple of str
        What messages name.
    """
    score = report.scores[key]
    no_truth = _NO_TRUTH[key]
    # Of several clips none has it; of a single one the words are its own.
    for_all = f"{no_truth}, nor has any other".replace("the clip", "a clip")
    rows = [(f"clip {in_words(row.id)}", row.scores[key]) for row in report.clips if key in row.scores]
    for place, own in [(f"scores.{key}", score), *rows]:
        known = (no_truth, for_all, *_UNDEFINED[key])
        if own.value is None and own.reason is not None and own.reason not in known:
            yield contradiction((*where, place, "reason"), f"one of {'; '.join(known)}", quoted(own.reason))
    if score.value is None and _is_defined(key, report.dataset):
        yield contradiction(
            (*where, f"scores.{key}", "value"),
            "a value: the predictions and the published truth have all that it needs",
            f"none, as {quoted(score.reason or '')}",
        )


def _is_defined(key: str, data: DatasetIdentity) -> bool:
    """Whether the truth is the published one, of which it is known that the metric is defined."""
    if data.id not in known_datasets():
        return False
    facts = load_facts(data.id)
    if facts.fingerprint is None or data.fingerprint != facts.fingerprint:
        return False
    if key in FRAME_METRICS:
        return facts.expected.get("anomalous_frames", 0) > 0
    has_masks = facts.expected.get("anomalous_pixels", 0) > 0
    if key in OBJECT_METRICS and data.tracks != "mask-overlap":
        published = facts.tracks_fingerprints.get(data.tracks)
        return published is not None and data.tracks_fingerprint == published
    return has_masks
