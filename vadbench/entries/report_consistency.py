"""What can be said of a report without truth or predictions: whether its numbers are possible, and agree.

Each check here is a theorem about the reports that `vadbench.evaluate` makes, no guess of what is likely: a report that
breaks one was not made so, or was changed afterwards. That a report breaks none does not say that its numbers are true.

Source: protocols.md; docs/board-entries.md, "report.json".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vadbench.entries.report_absences import absences, unfounded_absences
from vadbench.entries.report_curves import curve_problems
from vadbench.entries.report_findings import TOLERANCE, contradiction, out_of_range
from vadbench.entries.sent_report import in_words
from vadbench.errors import ProtocolError, SubmissionError, quoted, shortened
from vadbench.evaluation.report import Report, Score
from vadbench.evaluation.sources import NotAvailable, Source, choose_sources
from vadbench.metrics.frames import OneClassClips
from vadbench.metrics.objects import Ties
from vadbench.protocol.protocol import Pooling, Protocol
from vadbench.protocol.signature import DEFINITIONS, Signature
from vadbench.protocol.titles import DECLARED, FRAME_METRICS, METRICS, OBJECT_METRICS, PIXEL_METRICS
from vadbench.submission.problems import problem
from vadbench.submission.schema import Metadata

_HEX64 = re.compile(r"[0-9a-f]{64}")
_KEYS = (*METRICS, DECLARED)
_PIXEL_KEYS = (*PIXEL_METRICS, DECLARED)


def signature_of(report: Report, where: tuple[str, ...]) -> Signature:
    """Signature of a report; raises `SubmissionError` S184 if it cannot be read."""
    try:
        return report.parsed_signature
    except ProtocolError as error:
        raise problem(
            "S184",
            where=(*where, "signature"),
            expected="a signature",
            got=f"{error.message}: {quoted(report.signature)}",
        ) from error


def contradictions(report: Report, signature: Signature, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Everything in which a report contradicts itself (S184) or is impossible (S188).

    Parameters
    ----------
    report : Report
    signature : Signature
        Of the report, see `signature_of`.
    where : tuple of str
        What messages name.
    """
    yield from _identity(report, signature, where)
    n_clips = len(report.clips)
    for key, score in report.scores.items():
        yield from _score(key, score, n_clips, signature.protocol, (*where, f"scores.{in_words(key)}"))
    for row in report.clips:
        for key, score in row.scores.items():
            if key in report.scores:
                place = (*where, f"clip {in_words(row.id)}", in_words(key))
                yield from _score(key, score, 1, signature.protocol, place)
    yield from absences(report, signature.protocol, where)
    yield from _means(report, signature.protocol, where)
    yield from curve_problems(report, signature.protocol, where)


def _identity(report: Report, signature: Signature, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    data = report.dataset
    tracks = data.tracks + (f":{data.tracks_fingerprint[:8]}" if data.tracks_fingerprint else "")
    own = Signature(data.id, data.fingerprint[:8], tracks, signature.protocol, signature.version, signature.definitions)
    if str(own) != report.signature:
        yield contradiction((*where, "signature"), quoted_line(str(own)), quoted_line(report.signature))
    if signature.definitions != DEFINITIONS:
        yield problem(
            "S184",
            where=(*where, "signature"),
            expected=f"definitions of version {DEFINITIONS}",
            got=f"version {signature.definitions}",
            hint="score the submission again with this version of vadbench",
        )
    for name, text in (
        ("dataset.fingerprint", data.fingerprint),
        ("dataset.tracks_fingerprint", data.tracks_fingerprint),
    ):
        if text is not None and not _HEX64.fullmatch(text):
            yield out_of_range((*where, name), "64 lower-case hex digits", quoted(text))
    fingerprint = report.submission.get("fingerprint")
    if not isinstance(fingerprint, str) or not _HEX64.fullmatch(fingerprint):
        got = "none" if fingerprint is None else quoted(fingerprint)
        yield out_of_range((*where, "submission.fingerprint"), "64 lower-case hex digits", got)
    ids = [row.id for row in report.clips]
    if len(set(ids)) < len(ids):
        yield contradiction((*where, "clips"), "each clip once", "a clip that comes twice")
    for name, told, counted in (
        ("dataset.clips", data.clips, len(ids)),
        ("dataset.frames", data.frames, sum(row.frames for row in report.clips)),
    ):
        if told != counted:
            yield contradiction((*where, name), f"{counted}, as the rows of the clips have it", str(told))


def quoted_line(text: str) -> str:
    """A line such as a signature, which must not be shortened where it is to be compared, safe to print."""
    return "".join(c if c.isprintable() else "?" for c in text[:400])


def _score(
    key: str, score: Score, n_clips: int, protocol: Protocol, where: tuple[str, ...]
) -> Iterator[SubmissionError]:
    if key not in _KEYS:
        yield out_of_range(where, f"one of {', '.join(_KEYS)}", quoted(key))
        return
    if (score.value is None) != (score.reason is not None):
        yield contradiction(where, "a value, or the reason why there is none", "both" if score.reason else "neither")
    for name, number in (("value", score.value), ("precision", score.precision), ("recall", score.recall)):
        if number is not None and not 0 <= number <= 1:
            yield out_of_range((*where, name), "a fraction from 0 to 1", number)
    if score.value is None:
        if score.model_copy(update={"reason": None}) != Score(value=None):
            yield contradiction(where, "nothing beside the reason why there is no value", "more")
        return
    if score.source not in tuple(Source):
        yield out_of_range((*where, "source"), f"one of {', '.join(Source)}", quoted(score.source))
    used, skipped = score.clips, score.skipped_clips or 0
    if used is None or used < 1 or skipped < 0 or used + skipped > n_clips:
        yield out_of_range((*where, "clips"), f"from 1 to {n_clips}, with those that are skipped", used)
    if skipped and (key != "frame_auroc_macro" or protocol.frame.one_class_clips is not OneClassClips.SKIP):
        yield contradiction((*where, "skipped_clips"), "no clip left out", str(skipped))
    yield from _bounds(key, score, score.value, protocol, where)
    yield from _best_f1(key, score, score.value, protocol, where)


def _bounds(
    key: str, score: Score, value: float, protocol: Protocol, where: tuple[str, ...]
) -> Iterator[SubmissionError]:
    if score.order_bounds is None:
        return
    least, greatest = score.order_bounds
    if key not in OBJECT_METRICS or protocol.object.ties is not Ties.SEQUENTIAL:
        yield contradiction(
            (*where, "order_bounds"), "none: the order of rows has no influence", f"{least}, {greatest}"
        )
    if not 0 <= least <= value <= greatest <= 1:
        yield out_of_range((*where, "order_bounds"), f"0 ≤ least ≤ {value} ≤ greatest ≤ 1", f"{least}, {greatest}")


def _best_f1(
    key: str, score: Score, value: float, protocol: Protocol, where: tuple[str, ...]
) -> Iterator[SubmissionError]:
    best = key == "pixel_f1" and protocol.pixel.f1.threshold is None and protocol.pixel.pooling is Pooling.DATASET
    parts = (score.threshold, score.precision, score.recall)
    if not best:
        if any(part is not None for part in parts):
            yield contradiction(where, "no threshold, precision and recall", "one of them")
        return
    if score.precision is None or score.recall is None or score.threshold is None:
        yield contradiction(where, "threshold, precision and recall of the best F1", "not all of them")
        return
    both = score.precision + score.recall
    mean = 2 * score.precision * score.recall / both if both else 0.0
    if abs(mean - value) > TOLERANCE:
        yield contradiction((*where, "value"), f"{mean}, the harmonic mean of precision and recall", str(value))


def _means(report: Report, protocol: Protocol, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Values that are means over clips, or lie between the least and the greatest clip."""
    pooling = protocol.pixel.pooling
    for key in _KEYS:
        score = report.scores.get(key)
        rows = [row.scores[key].value for row in report.clips if key in row.scores]
        values = [value for value in rows if value is not None]
        # Where there is a value but none in any row, that is what is wrong: see `absences`.
        if score is None or score.value is None or not values:
            continue
        place = (*where, f"scores.{key}", "value")
        exact = key == "frame_auroc_macro" or (key in _PIXEL_KEYS and pooling is Pooling.CLIP_MEAN)
        if exact:
            mean = sum(values) / len(values)
            if abs(mean - score.value) > TOLERANCE:
                yield contradiction(place, f"{mean}, the mean of the rows of the clips", str(score.value))
        elif key in _PIXEL_KEYS and pooling is Pooling.FRAME_MEAN:
            least, greatest = min(values), max(values)
            if not least - TOLERANCE <= score.value <= greatest + TOLERANCE:
                yield contradiction(place, f"from {least} to {greatest}, as the clips have it", str(score.value))


def differences(
    report: Report, metadata: Metadata, protocol: Protocol, where: tuple[str, ...]
) -> Iterator[SubmissionError]:
    """In what a report and the metadata that it was made with differ (S189).

    Parameters
    ----------
    report : Report
    metadata : Metadata
        Of the entry; its table ``files`` was not there when the report was made.
    protocol : Protocol
        Of the report.
    where : tuple of str
        What messages name.
    """
    declared = metadata.model_dump(mode="json", exclude_none=True)
    wanted: dict[str, object] = {
        key: declared[key] for key in ("method", "training", "score_maps", "predictions") if key in declared
    }
    given = {key: value for key, value in report.submission.items() if key != "fingerprint"}
    for key, expected, got in _unequal(wanted, given, "submission"):
        yield _differs((*where, key), f"{expected} (submission.toml)", got)
    if report.dataset.id != metadata.dataset:
        yield _differs((*where, "dataset.id"), f"{metadata.dataset} (submission.toml)", quoted(report.dataset.id))
    yield from _source_differences(report, metadata, protocol, where)
    has_declared = any(DECLARED in scores for scores in (report.scores, *(row.scores for row in report.clips)))
    if has_declared and metadata.threshold is None:
        yield _differs((*where, f"scores.{DECLARED}"), "none: submission.toml declares no threshold", "a score")


def _differs(where: tuple[str, ...], expected: str, got: str) -> SubmissionError:
    return problem(
        "S189",
        where=where,
        expected=expected,
        got=got,
        hint="the report is of a submission that says something else: copy its submission.toml, or score it again",
    )


def _unequal(wanted: Mapping[str, object], given: Mapping[str, object], place: str) -> Iterator[tuple[str, str, str]]:
    """(key, wanted value, given value) of what differs in two tables."""
    for key in dict.fromkeys([*wanted, *given]):
        name = f"{place}.{in_words(key)}"
        one, other = wanted.get(key), given.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _unequal(one, other, name)
        elif one != other or isinstance(one, bool) != isinstance(other, bool):
            yield name, "nothing" if one is None else quoted(one), "nothing" if other is None else quoted(other)


def _source_differences(
    report: Report, metadata: Metadata, protocol: Protocol, where: tuple[str, ...]
) -> Iterator[SubmissionError]:
    """Which prediction feeds which metric follows from the kinds, the threshold and the protocol."""
    sources = choose_sources(metadata.predictions, metadata.threshold, protocol)
    by_key = {
        **dict.fromkeys(_PIXEL_KEYS, sources.pixel),
        **dict.fromkeys(OBJECT_METRICS, sources.objects),
        **dict.fromkeys(FRAME_METRICS, sources.frames),
    }
    for key, score in report.scores.items():
        source = by_key.get(key)
        if source is None:
            continue
        place = (*where, f"scores.{key}", "source")
        if isinstance(source, NotAvailable):
            # The reason is the same in every row.
            given = {own.reason for own in (score, *(row.scores[key] for row in report.clips if key in row.scores))}
            if score.value is not None:
                yield _differs(place, f"no value: {source.reason}", str(score.value))
            elif given != {source.reason}:
                other = next(reason for reason in given if reason != source.reason)
                yield _differs(
                    place, f"no value: {source.reason}", "a value in a row" if other is None else quoted(other)
                )
        elif score.value is not None and score.source != source:
            yield _differs(place, f"{source} (submission.toml)", quoted(score.source))
        else:
            yield from unfounded_absences(report, key, where)


def missing_metrics(report: Report, *, threshold: bool, where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Whether all metrics are there, with a value or a reason (S184); `threshold`: one is declared."""
    wanted = [*METRICS, *([DECLARED] if threshold and "pixel_f1" in report.scores else [])]
    missing = [key for key in wanted if key not in report.scores]
    if missing:
        yield problem(
            "S184",
            where=(*where, "scores"),
            expected="all metrics, with a value or the reason why there is none",
            got=f"none for {shortened(missing, between=', ')}",
            hint="score with all metrics, as `vadbench score` does without --metrics",
        )
