"""What a picture of several reports asks of them: names, one data set under one protocol, and values to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vadbench.errors import UsageError
from vadbench.protocol.titles import chosen_metrics, metric_titles

if TYPE_CHECKING:
    from vadbench.evaluation.report import Report


def check_comparable(reports: Mapping[Any, Report]) -> None:
    """Raise `UsageError` U156 unless all scores may stand in one ranking."""
    signatures = [report.parsed_signature for report in reports.values()]
    for report, signature in zip(reports.values(), signatures, strict=True):
        if not signature.comparable(signatures[0]):
            raise UsageError(
                "U156",
                "the reports are not comparable",
                expected=str(signatures[0]),
                got=report.signature,
                hint="`vadbench diff` says what differs; draw each group in a figure of its own",
            )


def check_told_apart(reports: Mapping[Any, Report], most: int) -> None:
    """Raise `UsageError` U295 for more methods than a picture has styles that differ."""
    if len(reports) > most:
        raise UsageError(
            "U295",
            "a picture of so many methods could not be read",
            expected=f"at most {most} methods",
            got=f"{len(reports)} methods",
            hint="draw the best of them, or `intervals`, which has a row a method",
        )


def shown_titles(reports: Mapping[Any, Report], metrics: Sequence[str]) -> dict[str, str]:
    """Titles, by key and in the order of tables, of those of the metrics that some report has a value of.

    Raises
    ------
    UsageError
        U120 for a metric that does not exist, U159 if no report has a value of any.
    """
    titles = metric_titles(next(iter(reports.values())).parsed_signature.protocol)
    there = [
        key for key in chosen_metrics(metrics) if any(report.value(key) is not None for report in reports.values())
    ]
    if not there:
        raise UsageError(
            "U159",
            "no report has a value of the metrics that are to be drawn",
            expected=", ".join(metrics),
            hint="`vadbench score` says why a metric is not available",
        )
    return {key: titles[key] for key in there}


def protocol_title(reports: Mapping[Any, Report]) -> str:
    """Data set and protocol of comparable reports: ``ucsd-ped2 · standard``."""
    first = next(iter(reports.values()))
    return f"{first.dataset.id} · {first.parsed_signature.protocol}"
